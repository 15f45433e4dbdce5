"""What some days were like: which problems came, how long they lasted, and which came again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.findings import Finding
from core.questions import TimeRange


@dataclass(frozen=True, slots=True)
class Tally:
    """A period in numbers.

    Attributes:
        began: Problems that began in it.
        over: Problems that were over in it.
        open: Problems that it ended with.
        lasted: How long the median of those that were over lasted, or None where none was.
    """

    began: int
    over: int
    open: int
    lasted: timedelta | None


@dataclass(frozen=True, slots=True)
class Offender:
    """A problem that came again.

    Attributes:
        finding: As it was the last time.
        times: How often it was there.
        lasted: For how long in all.
        team: Whose it is, or ''.
    """

    finding: Finding
    times: int
    lasted: timedelta
    team: str = ""


@dataclass(frozen=True, slots=True)
class LookBack:
    """What the digests of a schedule have told over some days, taken together.

    Attributes:
        of: The schedule.
        now: The period.
        before: The one before it, as long.
        offenders: What came again, worst first.
        problems: How many different ones there were.
        warnings: Warning Events in `warnings_window`.
        warnings_window: The part of the period whose Events are still kept, or None for none.
        log_lines: Error lines that the problems were made of, at least.
        days: Start of each day and how many problems began in it.
    """

    of: str
    now: Tally
    before: Tally
    offenders: tuple[Offender, ...] = ()
    problems: int = 0
    warnings: int = 0
    warnings_window: TimeRange | None = None
    log_lines: int = 0
    days: tuple[tuple[datetime, int], ...] = ()
