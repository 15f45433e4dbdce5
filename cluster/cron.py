"""Cron schedules as the CronJob controller reads them: when did one last come due? Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_NAMES: tuple[dict[str, int], ...] = (
    {},
    {},
    {},
    {name: number for number, name in enumerate(_MONTHS, 1)},
    {name: number for number, name in enumerate(_DAYS)},
)
# The 29th of February comes once in eight years around a century that is no leap year.
_MAX_DAYS_BACK = 8 * 366 + 1


@dataclass(frozen=True, slots=True)
class Cron:
    """A schedule: which minutes, hours, days, months and weekdays (0 is Sunday) it names."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    has_any_day: bool
    has_any_weekday: bool

    def last_due(self, until: datetime, zone: tzinfo = UTC) -> datetime | None:
        """The latest moment at or before `until` at which it was due, in UTC; None for never."""
        local = until.astimezone(zone)
        for back in range(_MAX_DAYS_BACK):
            day = local.date() - timedelta(days=back)
            if not self._is_day(day.month, day.day, day.isoweekday() % 7):
                continue
            for hour in sorted(self.hours, reverse=True):
                for minute in sorted(self.minutes, reverse=True):
                    due = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
                    if due <= until:
                        return due.astimezone(UTC)
        return None

    def _is_day(self, month: int, day: int, weekday: int) -> bool:
        if month not in self.months:
            return False
        if self.has_any_day or self.has_any_weekday:
            return day in self.days and weekday in self.weekdays
        return day in self.days or weekday in self.weekdays  # both are named: either will do


def parse_cron(schedule: str) -> Cron | None:
    """Read a schedule of five fields or a macro; None for "@every …", which has no fixed times.

    Raises:
        ValueError: It is none; the text says which field is wrong.
    """
    text = schedule.strip()
    if text.startswith("@every "):
        return None
    fields = MACROS.get(text, text).split()
    if len(fields) != 5:
        raise ValueError(f"it has {len(fields)} fields, not 5")
    parsed = [_field(field, place) for place, field in enumerate(fields)]
    weekdays = frozenset(number % 7 for number in parsed[4])
    is_any = [field.startswith(("*", "?")) for field in fields]
    return Cron(parsed[0], parsed[1], parsed[2], parsed[3], weekdays, is_any[2], is_any[4])


def _field(field: str, place: int) -> frozenset[int]:
    found: set[int] = set()
    for part in field.split(","):
        span, slash, step_text = part.partition("/")
        step = int(step_text) if step_text.isdecimal() else 0
        if slash and step < 1:
            raise ValueError(f'"{part}" has no step')
        low, high = _span(span, place)
        if slash and span.isalnum():
            high = _RANGES[place][1]  # "5/15" goes on to the end
        found.update(range(low, high + 1, step or 1))
    return frozenset(found)


def _span(span: str, place: int) -> tuple[int, int]:
    least, most = _RANGES[place]
    if span in {"*", "?"}:
        return least, most
    first, dash, last = span.partition("-")
    low = _number(first, place)
    high = _number(last, place) if dash else low
    if not least <= low <= high <= most:
        raise ValueError(f'"{span}" is not within {least}-{most}')
    return low, high


def _number(text: str, place: int) -> int:
    named = _NAMES[place].get(text.lower())
    if named is not None:
        return named
    if not text.isdecimal():
        raise ValueError(f'"{text}" is no number')
    return int(text)
