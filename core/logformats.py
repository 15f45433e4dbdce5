"""One line of a log: its format, level, time and message.

The first character picks the format to try, so that a line costs one or two regular expressions;
what is not recognised is kept whole as a message without a level.

It is longer than others: one table of formats with its reader.
"""

from __future__ import annotations

import re
from datetime import datetime

from core.logfields import iso_moment, read_json, read_logfmt
from core.loglevels import (
    LEVELS,
    WORDS,
    Line,
    LogLevel,
    dotnet_at_start,
    letter_after_time,
    letter_at,
    priority_at_start,
    redis_sign,
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
    r"|(?P<redis>\d+:[MSCX] \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d\.\d+)"
    r"|\[?\d\d-[A-Z][a-z]{2}-\d{4} \d\d:\d\d:\d\d(?:\.\d+)?(?: [A-Z]{3,4}\])?\]?"
    r"|\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}(?= )"
    r"|\[ *\d+\.\d{6}\](?: \[[^\]]*\])?"
    r"|\d{6} \d{6}(?= )|\d{13}(?=[ \t])"
)
# Between the time and the level stand a thread, a process, a host or a logger.
_LEVEL = re.compile(
    # Each part can be read in one way only: a line of dashes must not take for ever.
    r"[ \t|,:\-]{0,8}(?:(?:\[[^\]\n]{1,60}\]|\([^)\n]{1,60}\)|(?!(?i:log)?[_-]?(?i:level)\b)"
    r"[\w./][\w./\-]{0,59}(?![\w./\-])|#)"
    r"[ \t|:\-]{0,6}){0,3}?"
    rf"(?:[\[(<|]?(?P<level>{WORDS})(?:[\])>|]|(?=[ \t:,/|\-]|$))"
    # "[core:error]", structlog's "[error    ]"; between tabs, as zap writes.
    rf"|\[(?:\w+:)?(?P<lower>{WORDS.lower()}) {{0,8}}\]"
    rf"|(?<=\t)(?P<tabbed>{WORDS.lower()})(?=\t))[ \t]*"
)
_LEVEL_FIRST = re.compile(
    rf"[\[(<]?(?P<level>(?:(?!ALERT )(?:{WORDS}))(?=[ \t\])>|:]|$)"
    r"|(?:[eE]rror|[fF]atal|[wW]arning|[cC]ritical|panic)(?=[\])>|:])"
    # "Fatal error loading the DB", "PHP Parse error:", "Fatal Python error:" say it in a sentence.
    r"|(?:PHP [A-Z][a-z]{2,12}|[fF]atal(?: [A-Z][a-z]{2,12})?) error(?=[:,]"
    r"| (?:(?!handling|logging|reporting|tracking)[a-z]+ing|in|on|at|from|while|during|when)\b)"
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
# "nginx: [emerg] host not found".
_PROGRAM_LEVEL = re.compile(rf"[\w.\-/]{{2,40}}: \[(?P<level>{WORDS.lower()})\] ")
# What stands before the message in RFC 5424: time, host, program, process, kind, data.
_SYSLOG_5424 = re.compile(
    r"1 (?:-|(?P<time>\d\S+)) \S+ \S+ \S+ \S+ (?:-|(?:\[[^\]\n]*\])+)(?: |$)\ufeff?"
)
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
    # What Go's runtime says of a signal that is a fault, and C++'s of an exception.
    ("SIGSEGV: ", LogLevel.FATAL),
    ("SIGBUS: ", LogLevel.FATAL),
    ("SIGFPE: ", LogLevel.FATAL),
    ("SIGILL: ", LogLevel.FATAL),
    ("SIGABRT: ", LogLevel.FATAL),
    ("terminate called after throwing", LogLevel.FATAL),
    ("libc++abi: terminating", LogLevel.FATAL),
)
_KERNEL = re.compile(
    r"Out of memory: Kill|Memory cgroup out of memory|invoked oom-killer|oom-kill:|oom_reaper"
    r"|Killed process \d+|\bsegfault at |Kernel panic"
)
_INLINE = re.compile(
    r"(?<!\b[nN]o )(?<!\b0 )(?<!without )(?<!previous )(?<!level set to )(?<!(?i:level) )"
    r"(?<!(?i:level): )(?<!(?i:level) to )(?<!(?i:level) is )(?<![\w/.=\-])\[?(?!ALERT )"
    rf"(?P<level>{WORDS})\]?(?=[ :\]|!]|$)(?! (?i:level|count|rate)\b)"
)


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
    return text[match.end() :], iso_moment(match["time"]), tag == "P"


def stamp_of(line: str) -> datetime | None:
    """The time that the runtime or the API put before a line, if there is one."""
    match = _CRI.match(line)
    return iso_moment(match["time"]) if match is not None else None


def read_line(text: str) -> Line:
    """Read one line by the format that its first character suggests."""
    first = text[:1]
    if first == "{":
        structured = read_json(text, read_line)
        if structured is not None:
            return structured
    elif (marked := _read_marked(text)) is not None:
        return marked
    if "=" in text and (logfmt := read_logfmt(text)) is not None:
        return logfmt
    return _read_plain(text)


def _read_marked(text: str) -> Line | None:
    """A line that begins with a letter, a number or a word that tells its level in that form."""
    if text.startswith("<"):
        return _read_priority(text)
    if mark := dotnet_at_start(text):
        message = text[mark[1] :]
        is_bare = message.endswith("]")
        return Line(mark[0], None, message, has_header=True, is_bare_header=is_bare)
    if mark := letter_at(text, 0):
        return Line(mark[0], None, text[mark[1] :], has_header=True)
    if match := _KLOG.match(text):
        return Line(LEVELS[match[1]], None, text[match.end() :], has_header=True)
    if match := _PROGRAM_LEVEL.match(text):
        return Line(LEVELS[match["level"].upper()], None, text[match.end() :], has_header=True)
    return None


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
    return Line(LEVELS[inline["level"]] if inline else None, None, text, has_header=False)


def _read_priority(text: str) -> Line | None:
    """A line that begins with syslog's number; what the program says itself counts more."""
    mark = priority_at_start(text)
    if mark is None:
        return None
    level, end = mark
    header = _SYSLOG_5424.match(text, end)
    inner = read_line(text[header.end() if header else end :])
    if header is not None and header["time"]:
        inner.timestamp = inner.timestamp or iso_moment(header["time"])
    inner.has_header = True
    if inner.level is None:
        inner.level, inner.level_is_number = level, True
    return inner


def _read_level_first(text: str, match: re.Match[str]) -> Line:
    """A line that begins with a level."""
    word = match["level"]
    if word == "panic":
        return Line(LogLevel.FATAL, None, text, has_header=True, is_trace_start=True)
    level = _level_of(word)
    if level >= LogLevel.ERROR and _NO_ERRORS.match(text, match.end("level")):
        return Line(None, None, text, has_header=False)
    if " " in word:
        return Line(level, None, text, has_header=True)
    end = _rest(text, match.end()) if word.isupper() else match.end()
    return Line(level, None, text[end:], has_header=True)


def _read_stamped(text: str, stamp: re.Match[str]) -> Line:
    """A line that begins with a time."""
    timestamp = iso_moment(stamp["time"], stamp["zone"]) if stamp["time"] else None
    end = stamp.end()
    program_end = _program_end(text, end, has_number=not stamp["syslog"])
    if program_end:
        inner = read_line(text[program_end:])
        inner.has_header = True
        inner.timestamp = inner.timestamp or timestamp
        return inner
    if (logfmt := read_logfmt(text, end)) is not None:
        logfmt.timestamp = logfmt.timestamp or timestamp
        return logfmt
    mark = letter_after_time(text, end) or letter_at(text, end)
    if mark is not None:
        return Line(mark[0], timestamp, text[mark[1] :], has_header=True)
    if stamp["redis"] and (mark := redis_sign(text, end)):
        message = text[mark[1] :]
        level = max(mark[0], _level_in(message) or mark[0])
        return Line(level, timestamp, message, has_header=True)
    match = _LEVEL.match(text, end)
    if match is not None:
        end = _rest(text, match.end())
        level = LEVELS[(match["level"] or match["lower"] or match["tabbed"]).upper()]
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
        return _level_of(first["level"])
    if _EXCEPTION.match(message):
        return LogLevel.ERROR
    inline = _INLINE.search(message, 0, 80)
    return LEVELS[inline["level"]] if inline is not None else None


def _level_of(told: str) -> LogLevel:
    """The level of a word, or of words such as "Fatal error"."""
    level = LEVELS.get(told.upper())
    if level is None:
        level = LogLevel.FATAL if "atal" in told else LogLevel.ERROR
    return level


def _content_level(text: str) -> LogLevel | None:
    for start, level in _CONTENT:
        if text.startswith(start) and (start != "thread '" or "panicked at" in text):
            return level
    return LogLevel.ERROR if _KERNEL.search(text) is not None else None
