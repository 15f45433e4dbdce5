"""What one log tells: kinds of errors, last words, and the few lines worth showing. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from core.loglines import LogEntry
from core.logscan import ErrorKind, LogScan, headline

MAX_LINES = 5
LAST_WORDS = 4


@dataclass(frozen=True, slots=True)
class ReadLog:
    """What a log tells.

    Attributes:
        kinds: Its kinds of errors in the order in which they came; templates are redacted.
        last: Its last entries.
        lines: How many lines were read.
    """

    kinds: tuple[ErrorKind, ...] = ()
    last: tuple[LogEntry, ...] = ()
    lines: int = 0


def read_text(text: str) -> ReadLog:
    """What a log that is at hand tells; templates are not redacted."""
    scan = LogScan()
    scan.feed(text)
    return finished(scan)


def finished(scan: LogScan) -> ReadLog:
    """What a scan found; its log is over."""
    kinds = scan.finish()
    return ReadLog(tuple(kinds), tuple(scan.last_entries(LAST_WORDS)), scan.lines)


def telling_lines(log: ReadLog, *, has_ended: bool = True) -> list[str]:
    """At most five lines: the latest of each kind of error and, if it has ended, the last ones."""
    latest = sorted((kind.last for kind in log.kinds), key=lambda entry: entry.line_number)
    last_words = log.last if has_ended or not log.kinds else ()
    chosen: dict[int, LogEntry] = {}
    for entry in [*last_words, *reversed(latest)]:
        if len(chosen) < MAX_LINES:
            chosen[entry.line_number] = entry
    return [headline(chosen[number]) for number in sorted(chosen)]
