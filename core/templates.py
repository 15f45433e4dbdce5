"""Log messages into templates: what differs only in its variables becomes one group.

A template depends on its own message alone, never on what else is in the log: it is part of a
finding's identity, which must be the same tomorrow.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from core.loglines import LogEntry

MAX_TEMPLATE_CHARS = 400
_MAX_FRAME_CHARS = 500
_MAX_LINE_CHARS = 2000
_MAX_KNOWN = 50_000


@dataclass(frozen=True, slots=True)
class LogGroup:
    """Messages that say the same.

    Attributes:
        template: With typed placeholders: "dial tcp <IP>: connection refused".
        count: How many entries there are, at least 1.
        first: The first entry in the order given.
        last: The last one.
        example: The first entry's message, to be shown to people once redacted.
    """

    template: str
    count: int
    first: LogEntry
    last: LogEntry
    example: str


# Names whose value tells kinds of trouble apart; other names' values are variables.
_TELLING_KEYS = (
    r"(?:[\w.]+[._])?(?:reason|(?:status|exit|error)?_?code|status|error|err|level|class|type|kind"
    r"|state|method|op|operation|exit|errno|signal|phase|component|module|severity|cause)"
)
_HEX_ID = (
    r"(?:(?=[0-9a-f]*\d)(?=\d*[a-f])[0-9a-f]{7,}"
    # What calls itself an id is one, also if by chance it has no letter.
    r"|(?:(?<=id: )|(?<=id:)|(?<=id=))[0-9a-f]{16,64})"
)
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_TIME = (
    r"\d{4}[-/]\d\d[-/]\d\d[t ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:z|[ ]?[+-]\d\d:?\d\d)?"
    r"|(?:(?:mon|tue|wed|thu|fri|sat|sun)[ ,]+)?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
    r"[ ]+\d{1,2}[ ]+\d\d:\d\d:\d\d(?:[ ]+\d{4})?"
    r"|\d{4}[-/]\d\d[-/]\d\d(?![\w-])|\d{1,2}:\d\d:\d\d(?:[.,]\d+)?(?![:\w])"
)
_IP = (
    r"\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5}|/\d{1,2})?(?![\w.])"
    r"|\[(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}\](?::\d{1,5})?"
    r"|(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}|(?:[0-9a-f]{1,4}:){1,6}:(?:[0-9a-f]{1,4})?(?![\w:])"
)
_DURATION = (
    r"(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|h|m|s)){1,4}(?!\w)"
    r"|\d+(?:\.\d+)?[ ](?:milliseconds?|seconds?|minutes?|hours?|secs?|mins?|ms|millis)\b"
)
_SIZE = r"\d+(?:\.\d+)?[ ]?(?:[kmgtp]i?b|[kmgtp]i|bytes|b)(?!\w)"
# Random parts that Kubernetes gives to pods; their alphabet has no vowels. The workload stays.
# Kubernetes uses no 0, 1 and 3 either, but which digit it is must not decide on a template.
_RANDOM = "[bcdfghjklmnpqrstvwxz0-9]"
_NAME = (
    rf"(?<=-)(?=[a-z0-9\-]*\d)(?=[0-9\-]*[a-z]){_RANDOM}{{6,10}}-{_RANDOM}{{5}}(?![\w-])"
    rf"|(?<=-)(?=[a-z]*\d)(?=\d*[a-z]){_RANDOM}{{5}}(?![\w-])"
)
_PATH = (
    r"(?<![\w.>])/(?:[\w.@+%~\-]+/)*[\w.@+%~\-]*(?:[:,]\d+)?"
    r"|(?<!\w)[a-z]:\\[\w\\.\-]+"
)
_NUM = (
    r"(?<![\w.])[+-]?\d+(?:[.,]\d+)*(?:e[+-]?\d+)?%?(?!\w)"
    r"|(?<=[_\-.#:=/(\[@])-?\d+|\d+(?=[_\-.:/)\]])"
)
# Numbers that tell kinds of trouble apart stay: "exit code 137", "status: 503".
_CODE = (
    r"(?:exit(?:ed)?(?:[ ]with)?(?:[ ]code)?|(?:status|error|response)[ ]?code"
    r"|status|code|signal|errno|http)"
    r"(?:[ ]is)?[ =:]{1,2}\d{1,5}(?![\w.])"
)
_VARIABLE = re.compile(
    rf"(?P<KEEP>\b{_CODE}|<REDACTED:[a-z-]+:[0-9a-f]{{4}}>)|(?<![a-z0-9])(?:"
    rf"(?P<UUID>{_UUID})|(?P<TIME>{_TIME})|(?P<DIGEST>sha256:[0-9a-f]{{12,64}})|(?P<IP>{_IP})"
    rf"|(?P<HEX>0x[0-9a-f]+|{_HEX_ID}(?![\w-]))|(?P<DURATION>{_DURATION})|(?P<SIZE>{_SIZE})"
    r"|(?P<EMAIL>[\w.+\-]+@[\w\-]+(?:\.[\w\-]+)+))"
    rf"|(?P<NAME>{_NAME})|(?P<PATH>{_PATH})|(?P<NUM>{_NUM})",
    re.IGNORECASE,
)
_URL = re.compile(r"(?<!\w)[a-z][a-z0-9+.\-]*://[^\s\"'<>,;)\]]+", re.IGNORECASE)
_QUOTED = re.compile(
    r"\"(?:[^\"\\\n]|\\.){0,300}\"|(?<![\w'])'[^'\n]{0,200}'(?!\w)|`[^`\n]{0,200}`"
)
# Of a request, the method tells more than the address.
_HTTP = re.compile(
    r"([\"'`])(GET|PUT|POST|HEAD|PATCH|DELETE|OPTIONS|CONNECT|TRACE) [^\"'`\n]{0,2000}\1"
)
_USER = re.compile(
    r"\b((?:for|by|of|as|from) (?:(?:invalid|unknown|illegal) )?user )(?!<)[\w.@\\\-]+",
    re.IGNORECASE,
)
_KEY_VALUE = re.compile(
    rf"(?<![\w.\-])(?!{_TELLING_KEYS}=)([A-Za-z_][\w.\-]{{0,40}})=(?:[^\s,;&\"'\[\](){{}}<>]+)",
    re.IGNORECASE,
)
_REPEATS = re.compile(r"((?<![\w\-./])[\w\-./]{0,60}<[A-Z]{2,8}>)(?:[,;|]?[ ]?\1)+")
_SPACES = re.compile(r"\s+")
_COMBINED = re.compile(r"^\(combined from similar events\): ", re.IGNORECASE)
_DIGITS = str.maketrans("123456789", "000000000")
_HAS_DIGIT = re.compile(r"[0-9]")


def mask(message: str) -> str:
    """A message's template: its words, with typed placeholders for what varies.

    Args:
        message: As in `LogEntry.message`; of a trace, all its lines.

    Returns:
        One line of at most 400 characters. A trace gives its exception's class and the first frame
        of the program's own code: "java.lang.OutOfMemoryError at com.fenwick.Settlement.run".
    """
    if "\n" in message:
        trace = _trace_template(message)
        if trace:
            return trace[:MAX_TEMPLATE_CHARS]
    line = next((text for text in message.split("\n", 40) if text.strip()), "")
    return _mask_line(line[:_MAX_LINE_CHARS])


class Templates:
    """Masks many messages: of those that differ in digits alone, one is masked."""

    def __init__(self) -> None:
        self._known: dict[str, str | None] = {}

    def of(self, message: str) -> str:
        """As `mask`."""
        key = message.translate(_DIGITS)
        template = self._known.get(key, "")
        if template:
            return template
        masked = mask(message)
        if template is not None:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            # A template that keeps digits, such as "exit code 137", holds for these digits alone.
            self._known[key] = None if _HAS_DIGIT.search(masked) else masked
        return masked


def group(entries: Iterable[LogEntry]) -> list[LogGroup]:
    """Group entries by their templates.

    Args:
        entries: In the order of the log.

    Returns:
        Most frequent first; of equal ones, the one that came first.
    """
    templates = Templates()
    firsts: dict[str, LogEntry] = {}
    lasts: dict[str, LogEntry] = {}
    counts: dict[str, int] = {}
    for entry in entries:
        template = templates.of(entry.message)
        if template in counts:
            counts[template] += 1
        else:
            counts[template] = 1
            firsts[template] = entry
        lasts[template] = entry
    groups = [
        LogGroup(template, count, firsts[template], lasts[template], firsts[template].message)
        for template, count in counts.items()
    ]
    return sorted(groups, key=lambda found: -found.count)


def _mask_line(line: str) -> str:
    text = _COMBINED.sub("", line.strip())
    if "://" in text:
        text = _URL.sub("<URL>", text)
    text = _HTTP.sub(r"\2 <PATH>", text)
    text = _QUOTED.sub(_quoted, text)
    if "user " in text:
        text = _USER.sub(r"\1<USER>", text)
    if "=" in text:
        text = _KEY_VALUE.sub(r"\1=<VALUE>", text)
    text = _VARIABLE.sub(_placeholder, text)
    text = _REPEATS.sub(r"\1", text)
    return _SPACES.sub(" ", text)[:MAX_TEMPLATE_CHARS].strip()


def _quoted(match: re.Match[str]) -> str:
    # Empty quotes tell something of their own.
    return "<QUOTED>" if len(match[0]) > 2 else match[0]


def _placeholder(match: re.Match[str]) -> str:
    name = match.lastgroup
    return match[0] if name == "KEEP" else f"<{name}>"


_JAVA_FRAME = re.compile(r"\s+at (?:[\w.\-@]+//?)*([\w.$<>]+)\(")
_NODE_FRAME = re.compile(
    r"\s+at (?:async )?(?:new )?([\w.<>$\[\] ]+?) \(?(?:file://)?([^()\s]+):\d+:\d+\)?"
)
_DOTNET_FRAME = re.compile(r"\s+at ([\w.`<>\[\]]+)\([^)]*\)(?: in |$)")
_PYTHON_FRAME = re.compile(r"\s+File \"([^\"]+)\", line \d+, in (\S+)")
_GO_FRAME = re.compile(r"((?:[\w\-]+(?:\.[\w\-]+)*/)*[\w\-]+(?:\.\(?\*?\w+\)?)+)\((?:.*)\)$")
_RUST_PANIC = re.compile(r"thread '[^']*' (?:\(\d+\) )?panicked at (?:'[^']*', )?([\w./\-]+):\d+")
_CLASS = re.compile(
    r"^(?:Caused by: |Uncaught |Unhandled exception\.? ?|Exception in thread \"[^\"]*\" )*"
    r"((?:[A-Za-z_$][\w$]*\.)*[A-Za-z_$][\w$]*)(?::|$)"
)
_JAVA_FOREIGN = (
    "java.", "javax.", "jdk.", "sun.", "com.sun.", "jakarta.", "kotlin.", "kotlinx.", "scala.",
    "org.springframework.", "org.apache.", "org.hibernate.", "org.eclipse.", "org.postgresql.",
    "io.netty.", "io.grpc.", "io.micrometer.", "reactor.", "com.zaxxer.", "com.mysql.",
    "com.fasterxml.", "com.google.", "okhttp3.", "redis.clients.", "com.mongodb.", "ch.qos.",
    "feign.", "net.bytebuddy.", "akka.", "groovy.", "clojure.",
)  # fmt: skip
_PYTHON_FOREIGN = re.compile(r"site-packages|dist-packages|/lib/python\d|<frozen|<string>")
_NODE_FOREIGN = re.compile(r"node_modules|^node:|^internal/")
_GO_FOREIGN = re.compile(r"^(?:runtime|panic|testing|net/http|reflect|sync|created by)\b|^panic$")
_DOTNET_FOREIGN = ("System.", "Microsoft.")


def _trace_template(message: str) -> str:
    """Class and own frame of a trace, or '' where there is no trace."""
    lines = [line[:_MAX_FRAME_CHARS] for line in message.split("\n")]
    for read in (_python_trace, _go_trace, _rust_trace, _at_trace):
        found = read(lines)
        if found:
            return found
    return ""


def _python_trace(lines: list[str]) -> str:
    if not any(line.startswith("Traceback (most") for line in lines):
        return ""
    frames, name = [], ""
    for line in lines:
        if match := _PYTHON_FRAME.match(line):
            frames.append((match[1], match[2]))
        elif frames and line[:1] not in {" ", "\t", ""} and (match := _CLASS.match(line)):
            # Of chained exceptions the last one was the one nobody caught.
            name = match[1]
    own = [frame for frame in frames if not _PYTHON_FOREIGN.search(frame[0])] or frames
    # The most recent call stands last.
    return _joined(name, f"{_tail(own[-1][0])}:{own[-1][1]}" if own else "")


def _go_trace(lines: list[str]) -> str:
    start = next((n for n, line in enumerate(lines) if line.startswith("goroutine ")), None)
    if start is None:
        return ""
    head = next((line for line in lines if "panic: " in line or "fatal error: " in line), lines[0])
    name = _mask_line(re.sub(r"\[recovered\].*", "", head))
    for line in lines[start + 1 :]:
        match = _GO_FRAME.match(line)
        if match and not _GO_FOREIGN.match(match[1]):
            return _joined(name, match[1])
    return name


def _rust_trace(lines: list[str]) -> str:
    for number, line in enumerate(lines):
        if match := _RUST_PANIC.search(line):
            rest = lines[number + 1] if number + 1 < len(lines) else ""
            return _joined("panic: " + _mask_line(rest), _tail(match[1]))
    return ""


def _at_trace(lines: list[str]) -> str:
    """Java, .NET and Node: "Class: message", then lines of "at"."""
    name, frame, foreign = "", "", ""
    has_frames = False
    for line in lines:
        if not line[:1].isspace():
            match = _CLASS.match(line)
            # The root cause is told last; a frame found for an earlier class stays.
            if match and (not name or line.startswith("Caused by: ")) and _is_class(match[1]):
                name = match[1]
            continue
        found, is_own = _at_frame(line)
        if found:
            has_frames = True
            if is_own and not frame:
                frame = found
            foreign = foreign or found
    return _joined(name, frame or foreign) if has_frames else ""


def _at_frame(line: str) -> tuple[str, bool]:
    if match := _NODE_FRAME.match(line):
        is_own = not _NODE_FOREIGN.search(match[2])
        return f"{_tail(match[2])}:{match[1].strip()}", is_own
    if match := _JAVA_FRAME.match(line) or _DOTNET_FRAME.match(line):
        name = re.sub(r"\$\$?[\w$]*\d[\w$]*", "", match[1])
        return name, not name.startswith(_JAVA_FOREIGN + _DOTNET_FOREIGN)
    return "", False


def _is_class(name: str) -> bool:
    return "." in name or name[:1].isupper()


def _tail(path: str) -> str:
    """The last two parts of a path: where it is installed does not matter."""
    return "/".join(re.split(r"[\\/]", path)[-2:])


def _joined(name: str, frame: str) -> str:
    return f"{name} at {frame}" if name and frame else name or frame
