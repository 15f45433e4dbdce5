"""Log text into entries: prefixes taken off, stack traces and their lines joined.

One pass over the lines, each read by `core.logformats`: klog, JSON, logfmt, syslog, `LEVEL` words
in plain text, kernel lines, and Python, Java, Go, Node, .NET and Rust traces; CRI, Docker and
`--timestamps` prefixes are taken off first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from core.logfields import MAX_MESSAGE_CHARS
from core.logformats import read_line, strip_prefix
from core.loglevels import Line, LogLevel

__all__ = ["EntryJoiner", "LogEntry", "LogLevel", "is_error", "parse_log"]

MAX_JOINED_LINES = 500


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
    joiner = EntryJoiner()
    for number, line in enumerate(text.removesuffix("\n").split("\n"), start=1):
        joiner.add(line.removesuffix("\r"), number)
    return joiner.finish()


_CONTINUES = re.compile(
    r"\s+at |\s*\.\.\. \d+ (?:more|common)|Caused by: |\s+Suppressed: |  +File \"|goroutine \d+ \["
    r"|created by |\[signal |runtime stack:$|PC=0x[0-9a-f]+ m=|signal arrived during "
    r"|\s+---> |\s+--- End of|During handling of the above"
    r"|The above exception|exit status \d|stack backtrace:|note: run with|\s+[~^]+$"
    r"|[\w./*()\-]+\.[\w.*()\-]+\(.*\)$"
)
# Go writes where it stands below what it says of a panic, be it caught or not.
_GO_STACK = re.compile(r"goroutine \d+ \[running")
_GO_HEAD = re.compile(r"\b(?:panic|fatal error)\b")
# So .NET indents what stands below its header.
_DOTNET_INDENT = " " * 6
_CHAINED = ("During handling of the above", "The above exception")
# The line that ends a Python trace; the class need not be called an error.
_LAST_OF_TRACE = re.compile(r"[A-Za-z_][\w.]*(?::|$)")


def continues_entry(text: str) -> bool:
    """Whether a line without a header looks as if it went on with the one above it."""
    return not text.strip() or text[0] in " \t" or _CONTINUES.match(text) is not None


def _announces(line: Line, text: str) -> bool:
    """Whether the message stands on the next line: of Rust's panics, and after an error's colon."""
    if line.is_trace_start and text.startswith("thread '"):
        return True
    is_error = line.level is not None and line.level >= LogLevel.ERROR
    return is_error and not line.is_structured and line.message.rstrip().endswith(":")


class EntryJoiner:
    """Gathers lines into entries; one pass, one entry open at a time."""

    def __init__(self) -> None:
        self._entries: list[LogEntry] = []
        self._head: Line | None = None
        self._messages: list[str] = []
        self._raws: list[str] = []
        self._number = 0
        self._size = 0
        self._parts: list[str] = []
        self._part_raws: list[str] = []
        self._part_number = 0
        self._is_trace = False
        self._is_python = False
        self._is_chained = False
        self._awaits_message = False

    def add(self, raw: str, number: int) -> None:
        """Take the next line, with its number in the log."""
        text, outer, is_part = strip_prefix(raw)
        if is_part or self._parts:
            if not self._parts:
                self._part_number = number
            if sum(map(len, self._part_raws)) <= MAX_MESSAGE_CHARS:
                self._parts.append(text)
                self._part_raws.append(raw)
            if is_part:
                return
            text, raw, number = "".join(self._parts), "\n".join(self._part_raws), self._part_number
            self._parts, self._part_raws = [], []
        line = read_line(text)
        if line.timestamp is None:
            line.timestamp = outer
        if self._head is not None and self._belongs(line, text):
            if self._head.is_bare_header:
                text = text.removeprefix(_DOTNET_INDENT)
            self._append(line.message if line.has_header else text, raw)
            return
        self._close()
        self._head, self._number = line, number
        self._messages = [] if line.is_bare_header else [line.message]
        self._raws = [raw]
        self._size = len(raw)
        self._is_trace = line.is_trace_start
        self._is_python = text.startswith("Traceback")
        self._is_chained = False
        self._awaits_message = _announces(line, text)

    def _belongs(self, line: Line, text: str) -> bool:  # noqa: PLR0911  (a table of rules)
        """Whether a line goes on with the open entry."""
        head = self._head
        assert head is not None
        if line.has_header:
            return False
        is_bad = head.level is not None and head.level >= LogLevel.WARNING
        if not text.strip():
            return self._is_trace or head.has_header
        if self._awaits_message:
            self._awaits_message = False
            return True
        if self._is_python and text[0] not in " \t" and _LAST_OF_TRACE.match(text):
            self._is_python = False
            return True
        if line.is_trace_start:
            return self._begins_trace(text, can_join=is_bad and not self._is_trace)
        is_dump = _GO_STACK.match(text) and any(map(_GO_HEAD.search, self._messages))
        if is_dump or (_CONTINUES.match(text) and (self._is_trace or is_bad or text[0] in " \t")):
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
        full = len(self._messages) >= MAX_JOINED_LINES or self._size + len(raw) > MAX_MESSAGE_CHARS
        if not full:
            self._messages.append(message)
            self._raws.append(raw)
            self._size += len(raw) + 1

    def _close(self) -> None:
        head = self._head
        if head is None:
            return
        self._head = None
        message = ("\n".join(self._messages) or head.message).rstrip()
        if not message and not head.has_header:
            return
        level = head.level
        if self._is_trace and (level is None or level < LogLevel.WARNING):
            level = LogLevel.ERROR
        raw = "\n".join(self._raws).rstrip()
        self._entries.append(LogEntry(level, head.timestamp, message, raw, self._number))

    def finish(self) -> list[LogEntry]:
        """Close the last entry; all entries since the last `take`."""
        if self._parts:
            self.add("", self._part_number)
        self._close()
        return self.take()

    def take(self) -> list[LogEntry]:
        """The entries closed since the last call; the joiner forgets them."""
        entries, self._entries = self._entries, []
        return entries
