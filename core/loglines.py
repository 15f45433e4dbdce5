"""Log text into entries: headers stripped, levels read, stack traces joined.

One pass over the lines. The first character picks the format to try, so that a line costs one or
two regular expressions; what is not recognised is kept whole as a message without a level.

Formats: klog, JSON, logfmt, `LEVEL` words in plain text, Python, Java, Go, Node, .NET and Rust
traces, kernel lines; CRI, Docker and `--timestamps` prefixes are taken off first.

It is longer than others: one table of formats with its reader.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum

import msgspec

MAX_JOINED_LINES = 500
MAX_JOINED_CHARS = 64_000


class LogLevel(IntEnum):
    """How bad a line says it is; from ERROR on it counts as an error."""

    DEBUG = 10
    INFO = 20
    WARNING = 30
    ERROR = 40
    FATAL = 50


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One message, with the lines that belong to it.

    Attributes:
        level: As the line says, or as its content shows (a trace, a panic); else None.
        timestamp: Aware UTC; a time without a zone is taken for UTC. None where there is none.
        message: Without timestamp, level and process prefix; joined lines follow after newlines.
        raw: The lines as they came.
        line_number: Of the first line, from 1.
    """

    level: LogLevel | None
    timestamp: datetime | None
    message: str
    raw: str
    line_number: int


def is_error(entry: LogEntry) -> bool:
    """Whether an entry is at error level or worse."""
    return entry.level is not None and entry.level >= LogLevel.ERROR


def parse_log(text: str) -> list[LogEntry]:
    """Read a log.

    Args:
        text: Lines of one container, oldest first.

    Returns:
        One entry a message, in order. A trace is joined to the message above it; it is cut at 500
        lines or 64,000 characters.
    """
    joiner = _Joiner()
    for number, line in enumerate(text.splitlines(), start=1):
        joiner.add(line, number)
    return joiner.finish()


_LEVELS = {
    word: level
    for level, words in (
        (LogLevel.DEBUG, "TRACE DEBUG DBG FINE FINER FINEST VERBOSE D"),
        (LogLevel.INFO, "INFO INFORMATION INF I NOTICE LOG CONFIG DEFAULT"),
        (LogLevel.WARNING, "WARN WARNING WRN W"),
        (LogLevel.ERROR, "ERROR ERR E SEVERE FAILURE"),
        (LogLevel.FATAL, "FATAL FTL F PANIC DPANIC CRITICAL CRIT ALERT EMERG EMERGENCY"),
    )
    for word in words.split()
}
_WORDS = (
    "TRACE|DEBUG|DBG|FINEST|FINER|FINE|VERBOSE|INFORMATION|INFO|INF|NOTICE|WARNING|WARN|WRN|"
    "ERROR|ERR|SEVERE|FATAL|FTL|PANIC|DPANIC|CRITICAL|CRIT|ALERT|EMERGENCY|EMERG"
)
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_CRI = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)) "
    r"(?:(?:stdout|stderr) (?P<tag>[FP])(?: |$))?"
)
_KLOG = re.compile(r"([IWEF])(\d{2})(\d{2}) (\d\d):(\d\d):(\d\d)(\.\d+)?\s+\d+ [\w.\-/]+:\d+\] ?")
_STAMP = re.compile(
    r"\[?(?P<time>\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?)"
    r" ?(?P<zone>Z|UTC|GMT|[+-]\d\d:?\d\d)?\]?"
    r"|\[?\d\d:\d\d:\d\d(?:[.,]\d+)?\]?(?=[ \t|])"
    r"|\[?[A-Z][a-z]{2} (?:[A-Z][a-z]{2} )?[ \d]\d \d\d:\d\d:\d\d(?:\.\d+)?(?: \d{4})?\]?"
    r"|\d+:[MSCX] \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d\.\d+"
    r"|\[ *\d+\.\d{6}\](?: \[[^\]]*\])?"
    r"|\d{6} \d{6}(?= )|\d{13}(?=[ \t])"
)
# Between the time and the level stand a thread, a process, a host or a logger.
_LEVEL = re.compile(
    # Each part can be read in one way only: a line of dashes must not take for ever.
    r"[ \t|,:\-]{0,8}(?:(?:\[[^\]\n]{1,60}\]|\([^)\n]{1,60}\)|[\w./][\w./\-]{0,59}(?![\w./\-])|#)"
    r"[ \t|:\-]{0,6}){0,3}?"
    rf"(?:[\[(<|]?(?P<level>{_WORDS})(?:[\])>|]|(?=[ \t:,/|\-]|$))"
    rf"|\[(?:\w+:)?(?P<lower>{_WORDS.lower()})\])[ \t]*"
)
_LEVEL_FIRST = re.compile(
    rf"[\[(<]?(?P<level>{_WORDS}|error|fatal|warning|critical|panic)"
    r"(?:[\])>|:]+|(?=[ \t]|$))[ \t:\-|]*"
)
# What still stands before the message: a process number, a thread, a logger. An exception's class
# is dotted like a logger, but belongs to the message.
_REST = re.compile(
    r"(?:[ \t]*(?:\[[^\]\n]{1,60}\]|\d{1,7}(?=[ \t])|-{1,3}(?=[ \t])|#\d+:?|\d+#\d+:"
    r"|[|:](?=[ \t])|[\w:]+\](?=[ ])"
    r"|(?!(?:[\w$]{1,60}\.){1,9}[A-Z]\w{0,60}(?:Error|Exception|Throwable|Fault|Interrupt):)"
    r"(?!(?:[\w$]{1,60}\.){0,9}errors\.[A-Z]\w{0,60}:)"
    r"[a-zA-Z_][\w$]*(?:\.[\w$]+)+(?:\[\d+\])?(?=[ \t]*[:\-|][ \t])))*[ \t:|\-]*"
)
_LOGFMT = re.compile(r'(?:^|\s)([A-Za-z_@][\w.@\-]*)=("(?:[^"\\]|\\.)*"|[^\s"]*)')
_LOGFMT_LEVEL = re.compile(r"(?:^|\s)(?:level|lvl|severity|loglevel)=\"?([A-Za-z]+)")
_LEVEL_KEYS = ("level", "severity", "lvl", "levelname", "log.level", "loglevel", "@l", "LEVEL")
_MESSAGE_KEYS = ("msg", "message", "@m", "event", "textPayload", "log", "short_message", "text")
_ERROR_KEYS = ("error", "err", "exception", "exc_info", "stack_trace", "stacktrace", "stack", "@x")
_TIME_KEYS = ("time", "ts", "timestamp", "@timestamp", "@t", "asctime", "datetime", "eventTime")

_CONTINUES = re.compile(
    r"\s+at |\s*\.\.\. \d+ (?:more|common)|Caused by: |\s+Suppressed: |  +File \"|goroutine \d+ \["
    r"|created by |\[signal |\s+---> |\s+--- End of|During handling of the above"
    r"|The above exception|exit status \d|stack backtrace:|note: run with|\s+[~^]+$"
    r"|[\w./*()\-]+\.[\w.*()\-]+\(.*\)$"
)
_CHAINED = ("During handling of the above", "The above exception")
_EXCEPTION = re.compile(
    r"(?:Exception in thread \"[^\"]*\" |Uncaught |Unhandled exception[.:] ?)?"
    r"(?:[a-zA-Z_$][\w$]*[./:]{1,2})*[A-Z]\w*(?:Error|Exception|Throwable|Fault|Interrupt)\b"
    r"(?=[:\s]|$)"
)
# The line that ends a Python trace; the class need not be called an error.
_LAST_OF_TRACE = re.compile(r"[A-Za-z_][\w.]*(?::|$)")
_CONTENT: tuple[tuple[str, LogLevel], ...] = (
    ("panic:", LogLevel.FATAL),
    ("fatal error:", LogLevel.FATAL),
    ("Traceback (most recent call last)", LogLevel.ERROR),
    ("thread '", LogLevel.FATAL),
    ("Unhandled exception", LogLevel.FATAL),
    ("Segmentation fault", LogLevel.FATAL),
)
_KERNEL = re.compile(
    r"Out of memory: Kill|Memory cgroup out of memory|invoked oom-killer|oom-kill:|oom_reaper"
    r"|Killed process \d+|\bsegfault at |Kernel panic"
)
_INLINE = re.compile(rf"(?<![\w/.=\-])\[?(?P<level>{_WORDS})\]?(?=[ :\]|]|$)")
_DECODER = msgspec.json.Decoder(dict[str, object])


@dataclass(slots=True)
class _Line:
    """A line read alone. `has_header`: it says by itself that a new message begins."""

    level: LogLevel | None
    timestamp: datetime | None
    message: str
    has_header: bool
    is_structured: bool = False
    is_trace_start: bool = False


class _Joiner:
    """Gathers lines into entries; one pass, one entry open at a time."""

    def __init__(self) -> None:
        self._entries: list[LogEntry] = []
        self._head: _Line | None = None
        self._messages: list[str] = []
        self._raws: list[str] = []
        self._number = 0
        self._size = 0
        self._partial = ""
        self._is_trace = False
        self._is_python = False
        self._is_chained = False
        self._awaits_message = False

    def add(self, raw: str, number: int) -> None:
        """Take the next line."""
        outer: datetime | None = None
        text = raw
        if "\x1b" in text:
            text = _ANSI.sub("", text)
        if text[:2] == "20" and (match := _CRI.match(text)) is not None:
            tag = match["tag"]
            # A lone RFC 3339 stamp is the line's own unless more of a header follows it.
            if tag is not None or _LEVEL.match(text, match.end()) is None:
                outer = _iso(match["time"])
                text = text[match.end() :]
            if tag == "P":
                self._partial += text
                return
        if self._partial:
            text = self._partial + text
            self._partial = ""
        line = _read(text)
        if line.timestamp is None:
            line.timestamp = outer
        if self._head is not None and self._belongs(line, text):
            self._append(line.message if line.has_header else text, raw)
            return
        self._close()
        self._head, self._number = line, number
        self._messages, self._raws = [line.message], [raw]
        self._size = len(raw)
        self._is_trace = line.is_trace_start
        self._is_python = text.startswith("Traceback")
        self._is_chained = False
        self._awaits_message = line.is_trace_start and text.startswith("thread '")

    def _belongs(self, line: _Line, text: str) -> bool:  # noqa: PLR0911  (a table of rules)
        """Whether a line goes on with the open entry."""
        head = self._head
        assert head is not None
        if line.has_header:
            return False
        is_bad = head.level is not None and head.level >= LogLevel.WARNING
        if not text.strip():
            return self._is_trace or head.has_header
        if self._awaits_message:
            # Rust tells the message of a panic on the line below it.
            self._awaits_message = False
            return True
        if self._is_python and text[0] not in " \t" and _LAST_OF_TRACE.match(text):
            self._is_python = False
            return True
        if line.is_trace_start:
            return self._begins_trace(text, can_join=is_bad and not self._is_trace)
        if _CONTINUES.match(text) and (self._is_trace or is_bad or text[0] in " \t"):
            self._is_trace = True
            self._is_chained = text.startswith(_CHAINED)
            return True
        if self._is_trace or text[0] in " \t":
            return text[0] in " \t"
        return head.has_header and not head.is_structured and line.level is None

    def _begins_trace(self, text: str, *, can_join: bool) -> bool:
        """A trace belongs to the error above it, or to the trace that it explains."""
        joins = can_join or self._is_chained
        if joins:
            self._is_trace = True
            self._is_python = text.startswith("Traceback")
            self._is_chained = False
        return joins

    def _append(self, message: str, raw: str) -> None:
        full = len(self._messages) >= MAX_JOINED_LINES or self._size + len(raw) > MAX_JOINED_CHARS
        if not full:
            self._messages.append(message)
            self._raws.append(raw)
            self._size += len(raw) + 1

    def _close(self) -> None:
        head = self._head
        if head is None:
            return
        self._head = None
        message = head.message if len(self._messages) == 1 else "\n".join(self._messages)
        message = message.rstrip()
        if not message and not head.has_header:
            return
        level = head.level
        if self._is_trace and (level is None or level < LogLevel.WARNING):
            level = LogLevel.ERROR
        raw = "\n".join(self._raws).rstrip()
        self._entries.append(LogEntry(level, head.timestamp, message, raw, self._number))

    def finish(self) -> list[LogEntry]:
        """Close the last entry."""
        if self._partial:
            partial, self._partial = self._partial, ""
            self.add(partial, self._number + 1)
        self._close()
        return self._entries


def _read(text: str) -> _Line:
    """Read one line by the format that its first character suggests."""
    first = text[:1]
    if first == "{":
        structured = _read_json(text)
        if structured is not None:
            return structured
    elif first in "IWEF" and first and (match := _KLOG.match(text)) is not None:
        return _Line(_LEVELS[match[1]], None, text[match.end() :], has_header=True)
    if "=" in text and (match := _LOGFMT_LEVEL.search(text)) is not None:
        return _read_logfmt(text, match[1])
    return _read_plain(text)


def _read_plain(text: str) -> _Line:  # noqa: PLR0911  (a table of formats)
    first = text[:1]
    if first.isdigit() or first == "[" or first.isupper():
        stamp = _STAMP.match(text)
        if stamp is not None:
            return _read_stamped(text, stamp)
    if match := _LEVEL_FIRST.match(text):
        word = match["level"]
        if word == "panic":
            return _Line(LogLevel.FATAL, None, text, has_header=True, is_trace_start=True)
        end = _rest(text, match.end()) if word.isupper() else match.end()
        return _Line(_LEVELS[word.upper()], None, text[end:], has_header=True)
    if first in " \t":
        return _Line(None, None, text, has_header=False)
    level = _content_level(text)
    if level is not None:
        is_kernel = _KERNEL.search(text) is not None
        return _Line(level, None, text, has_header=is_kernel, is_trace_start=not is_kernel)
    if _EXCEPTION.match(text):
        return _Line(LogLevel.ERROR, None, text, has_header=False, is_trace_start=True)
    inline = _INLINE.search(text, 0, 80)
    return _Line(_LEVELS[inline["level"]] if inline else None, None, text, has_header=False)


def _read_stamped(text: str, stamp: re.Match[str]) -> _Line:
    """A line that begins with a time."""
    timestamp = _iso(stamp["time"], stamp["zone"]) if stamp["time"] else None
    match = _LEVEL.match(text, stamp.end())
    if match is not None:
        end = _rest(text, match.end())
        level = _LEVELS[(match["level"] or match["lower"]).upper()]
        return _Line(level, timestamp, text[end:], has_header=True)
    message = text[_rest(text, stamp.end()) :]
    return _Line(_level_in(message), timestamp, message, has_header=True)


def _rest(text: str, start: int) -> int:
    """Where the message begins after what follows the level."""
    match = _REST.match(text, start)
    end = match.end() if match is not None else start
    return end if end < len(text) else start


def _level_in(message: str) -> LogLevel | None:
    level = _content_level(message)
    if level is not None:
        return level
    if _EXCEPTION.match(message):
        return LogLevel.ERROR
    inline = _INLINE.search(message, 0, 80)
    return _LEVELS[inline["level"]] if inline is not None else None


def _content_level(text: str) -> LogLevel | None:
    for start, level in _CONTENT:
        if text.startswith(start) and (start != "thread '" or "panicked at" in text):
            return level
    return LogLevel.ERROR if _KERNEL.search(text) is not None else None


def _read_json(text: str) -> _Line | None:
    try:
        fields = _DECODER.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None
    if isinstance(fields.get("log"), str) and "stream" in fields:
        # Docker's json-file driver: the line itself is inside.
        inner = _read(str(fields["log"]).rstrip("\n"))
        inner.timestamp = inner.timestamp or _moment(fields.get("time"))
        return inner
    message = next((fields[k] for k in _MESSAGE_KEYS if isinstance(fields.get(k), str)), None)
    level = _json_level(fields)
    parts = [str(message)] if message is not None else []
    for key in _ERROR_KEYS:
        value = fields.get(key)
        if isinstance(value, dict):
            value = value.get("stack") or value.get("stack_trace") or value.get("message")
        if isinstance(value, str) and value and value not in parts[:1]:
            parts.append(value)
    timestamp = next((t for k in _TIME_KEYS if (t := _moment(fields.get(k))) is not None), None)
    joined = _join_error(parts) if parts else text
    return _Line(level, timestamp, joined, has_header=True, is_structured=True)


def _join_error(parts: list[str]) -> str:
    """A message and its short error on one line, a trace below."""
    text = parts[0]
    for part in parts[1:]:
        if part in text:
            continue
        text += ("\n" if "\n" in part else ": ") + part
    return text[:MAX_JOINED_CHARS]


def _json_level(fields: dict[str, object]) -> LogLevel | None:
    values = [fields.get(key) for key in _LEVEL_KEYS]
    nested = fields.get("log")
    if isinstance(nested, dict):
        values.append(nested.get("level"))
    for value in values:
        found: LogLevel | None = None
        if isinstance(value, str):
            found = _LEVELS.get(value.upper())
        elif isinstance(value, int) and not isinstance(value, bool):
            # Numbers as pino and bunyan write them: 30 is info, 50 error, 60 fatal.
            found = LogLevel(min(max(value // 10 * 10 - 10, 10), 50))
        if found is not None:
            return found
    return None


def _read_logfmt(text: str, level: str) -> _Line:
    found = _LEVELS.get(level.upper())
    message, error, timestamp, extra = "", "", None, []
    for match in _LOGFMT.finditer(text):
        key, value = match[1], match[2]
        if value[:1] == '"':
            value = value[1:-1].replace('\\"', '"').replace("\\n", "\n").replace("\\t", "\t")
        if key in {"msg", "message", "event"}:
            message = value
        elif key in {"err", "error", "exception"}:
            error = value
        elif key in _TIME_KEYS or key == "t":
            timestamp = timestamp or _moment(value)
        elif key not in {"level", "lvl", "severity", "loglevel", "caller", "logger"}:
            extra.append(f"{key}={value}")
    parts = [part for part in (message, error) if part]
    body = _join_error(parts) if parts else " ".join(extra) or text
    return _Line(found, timestamp, body, has_header=True, is_structured=True)


def _iso(stamp: str, zone: str | None = None) -> datetime | None:
    text = stamp.replace("/", "-").replace(",", ".")
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            if zone and zone[0] in "+-":
                return datetime.fromisoformat(text + zone).astimezone(UTC)
            return moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _moment(value: object) -> datetime | None:
    """A timestamp of a structured line: ISO text, or seconds to nanoseconds since 1970."""
    if isinstance(value, str):
        return _iso(value.strip()) if value[:1].isdigit() else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    for divisor in (1, 1e3, 1e6, 1e9):
        if 1e8 <= value / divisor < 1e11:
            return datetime.fromtimestamp(value / divisor, UTC)
    return None
