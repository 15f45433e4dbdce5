"""How bad a log line says it is: by a word, a letter, a number or a sign.

Words are looked for by `core.logformats`. A letter, a number or a sign says it only within the form
of the program that writes it so; elsewhere a letter is a letter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum


class LogLevel(IntEnum):
    """How bad a line says it is; from ERROR on it counts as an error."""

    DEBUG = 10
    INFO = 20
    WARNING = 30
    ERROR = 40
    FATAL = 50


@dataclass(slots=True)
class Line:
    """A line read alone.

    Attributes:
        has_header: It says by itself that a new message begins.
        is_structured: JSON or logfmt: a message on one line, whatever follows it.
        is_trace_start: The first line of a stack trace or a panic.
        level_is_number: The level was told by a number, as pino does.
        is_bare_header: The message stands below it, indented, as .NET writes it.
    """

    level: LogLevel | None
    timestamp: datetime | None
    message: str
    has_header: bool
    is_structured: bool = False
    is_trace_start: bool = False
    level_is_number: bool = False
    is_bare_header: bool = False


LEVELS = {
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
WORDS = (
    "TRACE|DEBUG|DBG|FINEST|FINER|FINE|VERBOSE|INFORMATION|INFO|INF|NOTICE|WARNING|WARN|WRN|"
    "ERROR|ERR|SEVERE|FATAL|FTL|PANIC|DPANIC|CRITICAL|CRIT|ALERT|EMERGENCY|EMERG"
)
_LETTERS = {
    letter: level
    for level, letters in (
        (LogLevel.DEBUG, "VDT"),
        (LogLevel.INFO, "IN"),
        (LogLevel.WARNING, "W"),
        (LogLevel.ERROR, "E"),
        (LogLevel.FATAL, "FC"),
    )
    for letter in letters
}
_DOTNET_WORDS = {
    "trce": LogLevel.DEBUG,
    "dbug": LogLevel.DEBUG,
    "info": LogLevel.INFO,
    "warn": LogLevel.WARNING,
    "fail": LogLevel.ERROR,
    "crit": LogLevel.FATAL,
}
# Redis has no worse sign than the one of a warning.
_REDIS_SIGNS = {
    ".": LogLevel.DEBUG,
    "-": LogLevel.DEBUG,
    "*": LogLevel.INFO,
    "#": LogLevel.WARNING,
}
# From "emerg", which is 0, to "debug", which is 7.
_SEVERITIES = (LogLevel.FATAL,) * 3 + (
    LogLevel.ERROR,
    LogLevel.WARNING,
    LogLevel.INFO,
    LogLevel.INFO,
    LogLevel.DEBUG,
)
_HIGHEST_PRIORITY = 191

# "<3>text", as the kernel, systemd and syslog write it; "<3>text</3>" is mark-up.
_PRIORITY = re.compile(r"<(\d{1,3})>(?=[^\s<])(?!.*</\1>)")
_LOGCAT = re.compile(r" *([VDIWEF])/[\w.\-:]{3,60} *\( *\d+\): ")
_DOTNET = re.compile(
    r"(trce|dbug|info|warn|fail|crit): "
    r"(?=[A-Za-z_][\w+`<>,]*(?:\[\d+\]$|\.[\w.+`<>,]*\[\d+\](?: |$)))"
)
_REDIS = re.compile(r" ([.\-*#]) ")
_AFTER_TIME = re.compile(
    r" *(?:(?P<etcd>[CEWNIDT]) \| (?=[\w\-./]+: )"
    r"|(?P<mongo>[FEWID])\d? +(?=(?:[A-Z]{2,}|-) +\[[\w.\-]+\] )"
    r"|\d+ +\d+ (?P<android>[VDIWEF]) (?=[\w.\-:]{3,60} *: ))"
)

Mark = tuple[LogLevel, int]
"""A level, and where in the line what follows it begins."""


def severity(number: int) -> LogLevel | None:
    """The level that syslog's number stands for, be it a severity or a whole priority."""
    return _SEVERITIES[number % 8] if 0 <= number <= _HIGHEST_PRIORITY else None


def priority_at_start(text: str) -> Mark | None:
    """The level of "<3>text"."""
    match = _PRIORITY.match(text)
    level = severity(int(match[1])) if match is not None else None
    return (level, match.end()) if match is not None and level is not None else None


def dotnet_at_start(text: str) -> Mark | None:
    """The level of "fail: Shop.Orders[0]", below which .NET writes the message."""
    match = _DOTNET.match(text)
    return (_DOTNET_WORDS[match[1]], match.end()) if match is not None else None


def letter_at(text: str, start: int) -> Mark | None:
    """The level of Android's "E/Tag( 123): text"."""
    match = _LOGCAT.match(text, start)
    return (_LETTERS[match[1]], match.end()) if match is not None else None


def letter_after_time(text: str, start: int) -> Mark | None:
    """The level of a letter that stands alone after a time, as etcd, MongoDB and Android write."""
    match = _AFTER_TIME.match(text, start)
    if match is None or match.lastgroup is None:
        return None
    return _LETTERS[match[match.lastgroup]], match.end()


def redis_sign(text: str, start: int) -> Mark | None:
    """The level of the sign after Redis' time."""
    match = _REDIS.match(text, start)
    return (_REDIS_SIGNS[match[1]], match.end()) if match is not None else None
