"""The errors of a log of any length, by kind, in one pass and little memory.

Only about one line in twenty is an error. So each line is first looked up by what it says apart
from digits and hexadecimal ids: of lines that differ in those alone one is read, the others follow
it. What may belong to an error is then read in full by `core.loglines`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto

from core.linekeys import MAX_KEY_CHARS, blind, has_id, shorten
from core.logformats import read_line, stamp_of, strip_prefix
from core.loglevels import LogLevel
from core.loglines import MAX_JOINED_LINES, EntryJoiner, LogEntry, continues_entry, is_error
from core.templates import Templates

MAX_KINDS = 500
MAX_REQUESTS = 500
MAX_HEADLINE_CHARS = 300
_MAX_KEYS = 50_000
_TAIL_LINES = MAX_JOINED_LINES + 100

_REQUEST = re.compile(
    r"(?:trace|request|correlation|req)[_\-. ]?id[\"']?\s{0,3}[:=]?\s{0,3}[\"'\[]?"
    r"(?=[0-9a-f\-]*\d)([0-9a-f][0-9a-f\-]{7,63})",
    re.IGNORECASE,
)
_TRACE_HEAD = "Traceback (most recent call last):"


@dataclass(frozen=True, slots=True)
class ErrorKind:
    """Errors of one log that say the same.

    Attributes:
        template: See `core.templates`.
        count: How many there are, at least 1.
        first: The first entry.
        last: The last one.
        requests: When each request failed so first, by the id that the entries name; at most 500.
    """

    template: str
    count: int
    first: LogEntry
    last: LogEntry
    requests: Mapping[str, datetime] = field(default_factory=dict)


def headline(entry: LogEntry) -> str:
    """An entry on one line: level, first line and, of a trace, the exception itself.

    Not redacted; at most 300 characters.
    """
    lines = [line for line in entry.message.strip().splitlines() if line.strip()] or [""]
    # Frames are indented; what is not, after the first line, names an exception. Go's are not,
    # but its first line says it all.
    is_go = any(line.startswith("goroutine ") for line in lines)
    rest = [] if is_go or "panic" in lines[0] else lines[1:]
    named = [line for line in rest if not line[0].isspace() and line != _TRACE_HEAD]
    line = f"{lines[0].strip()} … {named[-1].strip()}" if named else lines[0].strip()
    level = f"{entry.level.name} " if entry.level and not line.startswith(entry.level.name) else ""
    told = level + line
    return told if len(told) <= MAX_HEADLINE_CHARS else told[: MAX_HEADLINE_CHARS - 1] + "…"


class _Verdict(Enum):
    """What a line is to a search for errors."""

    HARMLESS = auto()  # a message of its own below error level
    ERROR = auto()
    CONTINUES = auto()  # may belong to the line above it
    PLAIN = auto()  # neither header nor level: belongs to an error if one stands above it


class LogScan:
    """Takes a log in pieces and keeps its errors.

    Example:
        scan = LogScan()
        for text in pieces:
            scan.feed(text)
        kinds = scan.finish()
    """

    def __init__(self) -> None:
        self._joiner = EntryJoiner()
        self._templates = Templates()
        self._kinds: dict[str, _Count] = {}
        self._verdicts: dict[str, _Verdict] = {}
        self._rest = ""
        self._tail: list[str] = []
        self._header: tuple[str, int] | None = None
        self._plain: tuple[str, int] | None = None
        self._is_open = False
        self.lines = 0

    def feed(self, text: str) -> None:
        """Take the next piece; it may end anywhere in a line."""
        lines = (self._rest + text).split("\n")
        self._rest = lines.pop()
        if lines:
            self._add_all(lines)
            self._tail = [*self._tail, *lines][-_TAIL_LINES:]

    def finish(self) -> list[ErrorKind]:
        """The kinds of errors, in the order in which they came first."""
        if self._rest:
            self._add_all([self._rest])
            self._tail.append(self._rest)
            self._rest = ""
        self._count(self._joiner.finish())
        return [count.kind() for count in self._kinds.values()]

    def cut(self) -> datetime | None:
        """Forget a line that was fed in part; the time that the API put before the one above it."""
        self._rest = ""
        return stamp_of(self._tail[-1]) if self._tail else None

    def last_entries(self, most: int) -> list[LogEntry]:
        """The last entries of the log, errors or not, once it is finished."""
        joiner = EntryJoiner()
        for number, raw in enumerate(self._tail, self.lines - len(self._tail) + 1):
            joiner.add(raw.removesuffix("\r"), number)
        told = [entry for entry in joiner.finish() if entry.message.strip()]
        return told[-most:]

    def _add_all(self, lines: Sequence[str]) -> None:
        verdicts = self._verdicts
        for raw, key in zip(lines, blind("\n".join(lines)).split("\n"), strict=True):
            self.lines += 1
            verdict = verdicts.get(key) or self._judge(raw, key)
            if verdict is not _Verdict.HARMLESS:
                self._add(raw.removesuffix("\r"), verdict)
                continue
            if self._is_open:
                self._is_open = False
                self._count(self._joiner.finish())
            self._header, self._plain = (raw, self.lines), None

    def _add(self, raw: str, verdict: _Verdict) -> None:
        if self._is_open:
            self._join(raw)
        elif verdict is _Verdict.PLAIN:
            self._plain = (raw, self.lines)
        else:
            self._open(raw, verdict)

    def _open(self, raw: str, verdict: _Verdict) -> None:
        self._is_open = True
        if verdict is _Verdict.CONTINUES:
            # A trace is an error by its own lines; its message may be what stands above it.
            for above in (self._header, self._plain):
                if above is not None:
                    self._joiner.add(above[0].removesuffix("\r"), above[1])
        self._header = self._plain = None
        self._join(raw)

    def _join(self, raw: str) -> None:
        self._joiner.add(raw, self.lines)
        self._count(self._joiner.take())

    def _judge(self, raw: str, key: str) -> _Verdict:
        short = shorten(key)
        verdict = self._verdicts.get(short)
        if verdict is None:
            verdict, is_certain = _judge(raw.removesuffix("\r"))
            if not is_certain:
                return verdict
            self._remember(short, verdict)
        if not has_id(key, short):
            self._remember(key, verdict)
        return verdict

    def _remember(self, key: str, verdict: _Verdict) -> None:
        if len(self._verdicts) >= _MAX_KEYS:
            self._verdicts.clear()
        self._verdicts[key] = verdict

    def _count(self, entries: Iterable[LogEntry]) -> None:
        for entry in entries:
            if not is_error(entry):
                continue
            template = self._templates.of(entry.message)
            count = self._kinds.get(template)
            if count is not None:
                count.add(entry)
            elif len(self._kinds) < MAX_KINDS:
                self._kinds[template] = _Count(template, entry)


def scan(text: str) -> list[ErrorKind]:
    """The kinds of errors of a log, in the order in which they came first."""
    found = LogScan()
    found.feed(text)
    return found.finish()


class _Count:
    """One kind of error while it is counted."""

    def __init__(self, template: str, entry: LogEntry) -> None:
        self._template = template
        self._first = self._last = entry
        self._number = 0
        self._requests: dict[str, datetime] = {}
        self.add(entry)

    def add(self, entry: LogEntry) -> None:
        self._number += 1
        self._last = entry
        if entry.timestamp is not None and len(self._requests) < MAX_REQUESTS:
            found = _REQUEST.search(entry.raw, 0, MAX_KEY_CHARS)
            if found is not None:
                self._requests.setdefault(found[1], entry.timestamp)

    def kind(self) -> ErrorKind:
        return ErrorKind(self._template, self._number, self._first, self._last, self._requests)


def _judge(raw: str) -> tuple[_Verdict, bool]:
    """What a line is, and whether every line with its key is the same."""
    text, _, is_part = strip_prefix(raw)
    line = read_line(text)
    if is_part:
        return _Verdict.CONTINUES, False
    is_certain = not line.level_is_number
    if line.level is not None and line.level >= LogLevel.ERROR and line.has_header:
        return _Verdict.ERROR, is_certain
    if line.has_header:
        return _Verdict.HARMLESS, is_certain
    if line.is_trace_start or continues_entry(text):
        return _Verdict.CONTINUES, True
    if line.level is None:
        return _Verdict.PLAIN, True
    return _Verdict.CONTINUES if line.level >= LogLevel.ERROR else _Verdict.HARMLESS, True
