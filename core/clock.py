"""Time as an argument: code that asks a Clock can be tested at any hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Protocol


class Clock(Protocol):
    """Anything that knows the time."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        return datetime.now(UTC)


class ManualClock:
    """A clock that stands still until it is moved; for tests and recorded states."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        """The moment that was last set, aware, in UTC."""
        return self._now

    def advance(self, step: timedelta) -> None:
        """Move forward by `step`."""
        self._now += step


def skew_seconds(date_header: str, now: datetime) -> float | None:
    """By how much a server's clock is ahead of ours, by the Date header of its answer.

    About a second of it is the network and the header's precision. None where there is no date, or
    none that means anything.
    """
    try:
        theirs = parsedate_to_datetime(date_header)
    except ValueError:
        return None
    return (theirs.replace(tzinfo=theirs.tzinfo or UTC) - now).total_seconds()
