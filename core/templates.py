"""Log messages into templates: what differs only in its variables becomes one group.

A template depends on its own message alone, never on what else is in the log: it is part of a
finding's identity, which must be the same tomorrow.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from core.loglines import LogEntry
from core.traces import trace_template

MAX_TEMPLATE_CHARS = 400
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
        trace = trace_template(message, _mask_line)
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
