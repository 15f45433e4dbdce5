"""One line of a log: its format, level, time and message.

The first character picks the format to try, so that a line costs one or two regular expressions;
what is not recognised is kept whole as a message without a level.

It is longer than others: one table of formats with its reader.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum

import msgspec

MAX_MESSAGE_CHARS = 64_000


class LogLevel(IntEnum):
    """How bad a line says it is; from ERROR on it counts as an error."""

    DEBUG = 10
    INFO = 20
    WARNING = 30
    ERROR = 40
    FATAL = 50


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
    r"|(?P<syslog>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d+)?(?! \d{4}))"
    r"|\[?[A-Z][a-z]{2} (?:[A-Z][a-z]{2} )?[ \d]\d \d\d:\d\d:\d\d(?:\.\d+)?(?: \d{4})?\]?"
    r"|\d+:[MSCX] \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d\.\d+"
    r"|\[ *\d+\.\d{6}\](?: \[[^\]]*\])?"
    r"|\d{6} \d{6}(?= )|\d{13}(?=[ \t])"
)
# Between the time and the level stand a thread, a process, a host or a logger.
_LEVEL = re.compile(
    # Each part can be read in one way only: a line of dashes must not take for ever.
    r"[ \t|,:\-]{0,8}(?:(?:\[[^\]\n]{1,60}\]|\([^)\n]{1,60}\)|(?!(?i:log)?[_-]?(?i:level)\b)"
    r"[\w./][\w./\-]{0,59}(?![\w./\-])|#)"
    r"[ \t|:\-]{0,6}){0,3}?"
    rf"(?:[\[(<|]?(?P<level>{_WORDS})(?:[\])>|]|(?=[ \t:,/|\-]|$))"
    rf"|\[(?:\w+:)?(?P<lower>{_WORDS.lower()})\])[ \t]*"
)
_LEVEL_FIRST = re.compile(
    rf"[\[(<]?(?P<level>(?:(?!ALERT )(?:{_WORDS}))(?=[ \t\])>|:]|$)"
    r"|(?:[eE]rror|[fF]atal|[wW]arning|[cC]ritical|panic)(?=[\])>|:])"
    r"|Error(?= (?!handling|logging|reporting|tracking)[a-z]+ing\b))[\])>|:]*[ \t:\-|]*"
)
# "ERROR: 0" and "errors: none" count errors.
_NO_ERRORS = re.compile(r"[ \t=:]*(?:0|none|no errors?|ok|count|rate)\b(?!\.)", re.IGNORECASE)
# A file, a pod or a host that something put before a whole line.
_FOREIGN = re.compile(r"[^\s=\"{]{2,80}[ \t|]+(?=\[?\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:)")
_SYSLOG = re.compile(r" [\w.\-]+ [\w.()/\-]{1,60}(?:\[\d+\])?: +")
# What still stands before the message: a process number, a thread, a logger. An exception's class
# is dotted like a logger, but belongs to the message.
_REST = re.compile(
    r"(?:[ \t]*(?:\[(?:(?!: )[^\[\]\n]|\[[^\[\]\n]{0,60}\]){1,160}\](?=[ \t:\-])"
    r"|\d{1,7}(?=[ \t])|-{1,3}(?=[ \t])|#\d+:?|\d+#\d+:"
    r"|[|:](?=[ \t])|[\w:]+\](?=[ ])"
    r"|(?!(?:[\w$]{1,60}\.){1,9}[A-Z]\w{0,60}(?:Error|Exception|Throwable|Fault|Interrupt):)"
    r"(?!(?:[\w$]{1,60}\.){0,9}errors\.[A-Z]\w{0,60}:)"
    r"[a-zA-Z_][\w$]*(?:\.[\w$]+)+(?:\[\d+\])?(?=[ \t]*[:\-|][ \t]|[ \t]\[[^\]\n]*\][ \t])"
    r"))*[ \t:|\-]*"
)
_LOGFMT = re.compile(r'(?:^|\s)([A-Za-z_@][\w.@\-]*)=("(?:[^"\\]|\\.)*"|[^\s"]*)')
_LOGFMT_START = re.compile(r"\s*[A-Za-z_@][\w.@\-]*=")
_LOGFMT_NONE = frozenset({"", "nil", "<nil>", "null", "none", "0", "false"})
_LEVEL_KEYS = ("level", "severity", "lvl", "levelname", "log.level", "loglevel", "@l", "LEVEL")
_MESSAGE_KEYS = ("msg", "message", "@m", "event", "textPayload", "log", "short_message", "text")
_ERROR_KEYS = ("error", "err", "exception", "exc_info", "stack_trace", "stacktrace", "stack", "@x")
_TIME_KEYS = ("time", "ts", "timestamp", "@timestamp", "@t", "asctime", "datetime", "eventTime")

_EXCEPTION = re.compile(
    r"(?:Exception in thread \"[^\"]*\" |Uncaught |Unhandled exception[.:] ?)?"
    r"(?:(?:[a-zA-Z_$][\w$]*[./:]{1,2})*[A-Z]\w*(?:Error|Exception|Throwable|Fault|Interrupt)"
    r"|(?:[a-zA-Z_$][\w$]*[./:]{1,2})+(?:Error|Exception|Throwable)|Exception(?=:)"
    # "Java Network Exception:" names it in words; "Mean Absolute Error: 0.2" is a measurement.
    r"|(?:[A-Z]\w{0,30} ){1,3}(?:Exception|Error)(?=:(?!\s*[\d.]+\s*$)))\b(?=[:\s]|$)"
)
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
_INLINE = re.compile(
    r"(?<!\b[nN]o )(?<!\b0 )(?<!without )(?<!previous )(?<!level set to )(?<!(?i:level) )"
    r"(?<!(?i:level): )(?<!(?i:level) to )(?<!(?i:level) is )(?<![\w/.=\-])\[?(?!ALERT )"
    rf"(?P<level>{_WORDS})\]?(?=[ :\]|!]|$)(?! (?i:level|count|rate)\b)"
)
_DECODER = msgspec.json.Decoder(dict[str, object])


@dataclass(slots=True)
class Line:
    """A line read alone.

    Attributes:
        has_header: It says by itself that a new message begins.
        is_structured: JSON or logfmt: a message on one line, whatever follows it.
        is_trace_start: The first line of a stack trace or a panic.
        level_is_number: The level was told by a number, as pino does.
    """

    level: LogLevel | None
    timestamp: datetime | None
    message: str
    has_header: bool
    is_structured: bool = False
    is_trace_start: bool = False
    level_is_number: bool = False


def strip_prefix(text: str) -> tuple[str, datetime | None, bool]:
    """A line without colours and without what the container runtime put before it.

    Returns:
        The line as it was written, the runtime's time for it, and whether the next line goes on
        with it (the runtime cuts long ones).
    """
    if "\x1b" in text:
        text = _ANSI.sub("", text)
    if text[:2] != "20" or (match := _CRI.match(text)) is None:
        return text, None, False
    tag = match["tag"]
    # A lone RFC 3339 stamp is the line's own if more of a header follows it.
    end = match.end() - 1
    if tag is None and (_LEVEL.match(text, end + 1) or _program_end(text, end)):
        return text, None, False
    return text[match.end() :], _iso(match["time"]), tag == "P"


def stamp_of(line: str) -> datetime | None:
    """The time that the runtime or the API put before a line, if there is one."""
    match = _CRI.match(line)
    return _iso(match["time"]) if match is not None else None


def read_line(text: str) -> Line:
    """Read one line by the format that its first character suggests."""
    first = text[:1]
    if first == "{":
        structured = _read_json(text)
        if structured is not None:
            return structured
    elif first in "IWEF" and first and (match := _KLOG.match(text)) is not None:
        return Line(_LEVELS[match[1]], None, text[match.end() :], has_header=True)
    if "=" in text and _LOGFMT_START.match(text) is not None:
        logfmt = _read_logfmt(text)
        if logfmt is not None:
            return logfmt
    return _read_plain(text)


def _read_plain(text: str) -> Line:  # noqa: PLR0911  (a table of formats)
    first = text[:1]
    if first.isdigit() or first == "[" or first.isupper():
        stamp = _STAMP.match(text)
        if stamp is not None:
            return _read_stamped(text, stamp)
    if match := _LEVEL_FIRST.match(text):
        return _read_level_first(text, match)
    if first in " \t":
        return Line(None, None, text, has_header=False)
    if match := _FOREIGN.match(text):
        stamp = _STAMP.match(text, match.end())
        if stamp is not None and _LEVEL.match(text, stamp.end()):
            return _read_stamped(text, stamp)
    content = _content_level(text)
    if content is not None:
        is_kernel = _KERNEL.search(text) is not None
        return Line(content, None, text, has_header=is_kernel, is_trace_start=not is_kernel)
    if _EXCEPTION.match(text):
        return Line(LogLevel.ERROR, None, text, has_header=False, is_trace_start=True)
    inline = _INLINE.search(text, 0, 80)
    return Line(_LEVELS[inline["level"]] if inline else None, None, text, has_header=False)


def _read_level_first(text: str, match: re.Match[str]) -> Line:
    """A line that begins with a level."""
    word = match["level"]
    if word == "panic":
        return Line(LogLevel.FATAL, None, text, has_header=True, is_trace_start=True)
    level = _LEVELS[word.upper()]
    if level >= LogLevel.ERROR and _NO_ERRORS.match(text, match.end("level")):
        return Line(None, None, text, has_header=False)
    end = _rest(text, match.end()) if word.isupper() else match.end()
    return Line(level, None, text[end:], has_header=True)


def _read_stamped(text: str, stamp: re.Match[str]) -> Line:
    """A line that begins with a time."""
    timestamp = _iso(stamp["time"], stamp["zone"]) if stamp["time"] else None
    end = stamp.end()
    program_end = _program_end(text, end, has_number=not stamp["syslog"])
    if program_end:
        inner = read_line(text[program_end:])
        inner.has_header = True
        inner.timestamp = inner.timestamp or timestamp
        return inner
    if _LOGFMT_START.match(text, end):
        logfmt = _read_logfmt(text[end:])
        if logfmt is not None:
            logfmt.timestamp = logfmt.timestamp or timestamp
            return logfmt
    match = _LEVEL.match(text, end)
    if match is not None:
        end = _rest(text, match.end())
        level = _LEVELS[(match["level"] or match["lower"]).upper()]
        return Line(level, timestamp, text[end:], has_header=True)
    message = text[_rest(text, end) :]
    return Line(_level_in(message), timestamp, message, has_header=True)


def _program_end(text: str, start: int, *, has_number: bool = True) -> int:
    """Where a program's own line begins, after its host and name; 0 where none are told."""
    match = _SYSLOG.match(text, start)
    if match is None or (has_number and not match[0].rstrip().endswith("]:")):
        return 0
    return match.end()


def _rest(text: str, start: int) -> int:
    """Where the message begins after what follows the level."""
    match = _REST.match(text, start)
    end = match.end() if match is not None else start
    return end if end < len(text) else start


def _level_in(message: str) -> LogLevel | None:
    level = _content_level(message)
    if level is not None:
        return level
    first = _LEVEL_FIRST.match(message)
    if first is not None and not _NO_ERRORS.match(message, first.end("level")):
        return _LEVELS[first["level"].upper()]
    if _EXCEPTION.match(message):
        return LogLevel.ERROR
    inline = _INLINE.search(message, 0, 80)
    return _LEVELS[inline["level"]] if inline is not None else None


def _content_level(text: str) -> LogLevel | None:
    for start, level in _CONTENT:
        if text.startswith(start) and (start != "thread '" or "panicked at" in text):
            return level
    return LogLevel.ERROR if _KERNEL.search(text) is not None else None


def _read_json(text: str) -> Line | None:
    try:
        fields = _DECODER.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None
    if isinstance(fields.get("log"), str) and "stream" in fields:
        # Docker's json-file driver: the line itself is inside.
        inner = read_line(str(fields["log"]).rstrip("\n"))
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
    return Line(
        level,
        timestamp,
        joined,
        has_header=True,
        is_structured=True,
        level_is_number=any(isinstance(fields.get(key), int) for key in _LEVEL_KEYS),
    )


def _join_error(parts: list[str]) -> str:
    """A message and its short error on one line, a trace below."""
    text = parts[0]
    for part in parts[1:]:
        if part in text:
            continue
        text += ("\n" if "\n" in part else ": ") + part
    return text[:MAX_MESSAGE_CHARS]


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


def _read_logfmt(text: str) -> Line | None:
    """None where no level and no error is told: then it is plain text with an equals sign."""
    message, error, level, timestamp, extra = "", "", "", None, []
    for match in _LOGFMT.finditer(text):
        key, value = match[1], match[2]
        if value[:1] == '"':
            value = value[1:-1].replace('\\"', '"').replace("\\n", "\n").replace("\\t", "\t")
        name = key.lower()
        if name in {"msg", "message", "event"}:
            message = message or value
        elif name in {"err", "error", "exception"}:
            error = "" if value.lower() in _LOGFMT_NONE else value
        elif name in {"level", "lvl", "severity", "loglevel"}:
            level = level or value
        elif key in _TIME_KEYS or key == "t":
            timestamp = timestamp or _moment(value)
        elif name not in {"caller", "logger"}:
            extra.append(f"{key}={value}")
    if not (level or error) or not (message or error or extra):
        return None  # `loglevel=ERROR` alone is a setting
    found = _LEVELS.get(level.upper()) if level else LogLevel.ERROR
    parts = [part for part in (message, error) if part]
    body = _join_error(parts) if parts else " ".join(extra) or text
    return Line(found, timestamp, body, has_header=True, is_structured=True)


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
