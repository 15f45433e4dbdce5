"""Words about time, as people type them, into a range of aware UTC moments.

Local words ("yesterday", "9:30") are read in the asker's zone; days are counted on its calendar, so
that a day of 23 or 25 hours is one day. An hour that a clock change skips or repeats is read so
that the range holds both readings.

It is longer than others: one table of phrases with its reader.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from core.questions import TimeRange

_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_UNIT = r"(?:s(?:ec(?:ond)?s?)?|m(?:in(?:ute)?s?)?|h(?:(?:ou)?rs?)?|d(?:ays?)?|w(?:eeks?)?|months?)"
_NUMBER_WORDS = {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "eight": 8, "nine": 9, "ten": 10, "twelve": 12, "couple of": 2, "a couple of": 2, "few": 3,
    "a few": 3, "half an": 0.5, "half a": 0.5, "half": 0.5, "fifteen": 15, "twenty": 20,
    "thirty": 30,
}  # fmt: skip
_NUMBER = (
    r"(?:\d{1,6}(?:\.\d{1,3})?|half[ ]an?|a[ ]couple[ ]of|couple[ ]of|a[ ]few"
    r"|an?|one|two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty|thirty|few|half)"
)
# A word needs its space: "and" is not "an d".
_SPAN_PART = rf"{_NUMBER}(?:(?<=\d)[ ]?|[ ]){_UNIT}(?![a-z])"
_COMPACT = r"\d{1,6}(?:\.\d{1,3})?[smhdw](?:\d{1,4}[smhd])+(?![a-z0-9])"
_SPAN = rf"(?:{_COMPACT}|{_SPAN_PART}(?:(?:,|[ ]and)?[ ]{_SPAN_PART})?)"
_SPAN_PARTS = re.compile(
    rf"(?<![a-z])({_NUMBER})(?:(?<=\d)[ ]?|[ ])({_UNIT})(?![a-z])"
    r"|(\d+(?:\.\d+)?)([smhdw])(?![a-z])"
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY = (
    r"(?:today|yesterday|\d{4}-\d{2}-\d{2}|(?:last[ ])?(?:mon|tues|wednes|thurs|fri|satur|sun)day"
    rf"|{_MONTH}[ ]\d{{1,2}}(?:st|nd|rd|th)?(?![\d:])(?:,?[ ]\d{{4}})?"
    rf"|\d{{1,2}}(?:st|nd|rd|th)?[ ]{_MONTH}(?![a-z])(?:[ ]\d{{4}})?)"
)
_CLOCK = (
    r"(?:\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(?:[ ]?[ap]\.?m\b\.?)?"
    r"|\d{1,2}[ ]?[ap]\.?m\b\.?|\d{1,2}[ ]o'?clock|noon|midday|midnight)"
)
_ZONE = r"(?:[ ]?(?:z|utc|gmt)\b|[ ]?[+-]\d{2}:?\d{2}\b)"
_POINT = (
    rf"(?:{_DAY}(?:t|[ ]at[ ]|[ ],?|,[ ])(?:around[ ]|about[ ])?{_CLOCK}{_ZONE}?"
    rf"|{_CLOCK}{_ZONE}?(?:[ ](?:on[ ])?{_DAY})?|{_DAY}|now|{_SPAN}[ ]ago"
    r"|(?:this[ ])?(?:morning|afternoon|evening)|last[ ]night)"
)
_EDGE = r"(?<![\w.:/-])"


_BETWEEN = re.compile(
    _EDGE + rf"(?:(?P<day>{_DAY}),?[ ])?(?:between|from)[ ](?:the[ ])?(?P<start>{_POINT})[ ]?"
    rf"(?:and|to|till|until|through|-|–|—)[ ]?(?P<end>{_POINT})(?![\w:])"
    rf"(?:[ ](?:on[ ])?(?P<after>{_DAY}))?"
)
_BARE_BETWEEN = re.compile(
    _EDGE + rf"(?:(?P<day>{_DAY}),?[ ])?(?P<start>(?:{_DAY}[ t])?{_CLOCK}{_ZONE}?)[ ]?"
    rf"(?:to|till|until|-|–|—)[ ]?(?P<end>(?:{_DAY}[ t])?{_CLOCK}{_ZONE}?)(?![\w:])"
    rf"(?:[ ](?:on[ ])?(?P<after>{_DAY}))?"
)
_SINCE = re.compile(
    _EDGE
    + rf"(?:since|after|from|starting)[ ](?:at[ ]|about[ ]|around[ ])?(?P<point>{_POINT})(?![\w:])"
)
_LAST = re.compile(
    _EDGE + rf"(?:last|past|previous|recent)[ ](?:(?P<span>{_SPAN})|(?P<unit>hour|day|week|month))"
    r"(?![a-z])"
)
_AGO = re.compile(_EDGE + rf"(?P<span>{_SPAN})[ ]ago\b")
_PART = re.compile(
    _EDGE + rf"(?:(?P<day>{_DAY}|this|the)[ ])?(?P<part>morning|afternoon|evening)\b"
    r"|\b(?P<night>last[ ]night|overnight|tonight)\b"
)
_NAMED = re.compile(
    _EDGE + r"(?P<name>today|this[ ]week|this[ ]month|yesterday[ ]night"
    r"|(?:the[ ])?day[ ]before[ ]yesterday)\b"
)
_AT = re.compile(
    _EDGE
    + rf"(?:at|around|about|near)[ ](?P<point>{_CLOCK}{_ZONE}?(?:[ ](?:on[ ])?{_DAY})?)(?![\w:])"
)
_DATED = re.compile(
    _EDGE + rf"(?P<point>{_DAY}(?:t|[ ]at[ ]|[ ],?|,[ ])(?:around[ ]|about[ ])?{_CLOCK}{_ZONE}?"
    rf"|{_CLOCK}{_ZONE}?[ ](?:on[ ])?{_DAY}|{_DAY})(?![\w:])"
)
_ONLY_DAY = re.compile(_EDGE + rf"(?P<day>{_DAY})(?!\d)")
_HINT = re.compile(
    r"\d{1,2}:\d{2}|\d{4}-\d{2}-\d{2}|\bago\b|last|past|previous|recent|since|yesterday|today"
    r"|tonight|morning|afternoon|evening|night|week|month|day\b|noon|\d[ ]?[ap]\.?m\b"
    rf"|{_MONTH}[ ]\d|\d(?:st|nd|rd|th)?[ ]{_MONTH}"
)
_PARTS = {"morning": (6, 12), "afternoon": (12, 18), "evening": (18, 24)}
_LONGEST = timedelta(days=3660)


@dataclass(frozen=True, slots=True)
class _Point:
    """One end of a range as said.

    Attributes:
        start: Its earliest reading.
        end: Its latest: a repeated hour has two, a day lasts a day.
        has_day: Whether its day was said.
        around: How far "at 9:30" reaches to each side, when it stands alone.
    """

    start: datetime
    end: datetime
    has_day: bool
    around: timedelta = timedelta()


def parse_duration(text: str) -> timedelta | None:
    """Read a span such as "6h", "90m", "1h30m", "2 days" or "an hour and 30 minutes".

    Args:
        text: Nothing but the span.

    Returns:
        The span, more than zero and at most ten years; None when `text` is not one.
    """
    words = " ".join(text.lower().split())
    if not re.fullmatch(rf"(?:{_SPAN}|{_UNIT})", words) or re.fullmatch(r"[smhdw]", words):
        return None
    return _span(words)


def parse_time_range(text: str, now: datetime, zone: tzinfo) -> TimeRange | None:
    """Find the period that a question speaks of.

    "last week" means the last seven days; "2 hours ago" and "at 9:30" mean some time around that
    moment; a clock time without a day means its latest occurrence.

    Args:
        text: The question.
        now: The present moment, aware.
        zone: Where the asker lives.

    Returns:
        The period in UTC, or None when there are no words of time in `text`.
    """
    words = " ".join(text.lower().split())
    if not _HINT.search(words):
        return None
    try:
        return _Reader(now.astimezone(UTC), zone).read(words)
    except (ValueError, OverflowError):
        # "2026-02-31", "25:99" and years beyond the calendar are no times.
        return None


class _Reader:
    """Reads words against one present moment and zone."""

    def __init__(self, now: datetime, zone: tzinfo) -> None:
        self._now = now
        self._zone = zone
        self._today = now.astimezone(zone).date()

    def read(self, words: str) -> TimeRange | None:
        """The first way of saying that fits, most telling first."""
        for pattern in (_BETWEEN, _BARE_BETWEEN):
            if match := pattern.search(words):
                return self._between(match)
        if match := _LAST.search(words):
            span = _span(match["span"] or "1 " + match["unit"])
            return self._range(self._now - span, self._now) if span else None
        if match := _SINCE.search(words):
            point = self._point(match["point"], None)
            return self._range(point.start, self._now)
        if match := _AGO.search(words):
            point = self._point(match[0], None)
            return self._range(point.start - point.around, min(point.end + point.around, self._now))
        return self._named(words)

    def _named(self, words: str) -> TimeRange | None:
        if match := _PART.search(words):
            return self._part_of_day(match)
        if match := _NAMED.search(words):
            return self._calendar(match["name"])
        match = _DATED.search(words) or _AT.search(words)
        if match is None:
            return None
        point = self._point(match["point"], None)
        end = point.end + point.around
        if not point.around:
            end = min(end, max(self._now, point.start))
        return self._range(point.start - point.around, end)

    def _range(self, start: datetime, end: datetime) -> TimeRange | None:
        if start >= end:
            return None
        return TimeRange(start.astimezone(UTC), end.astimezone(UTC))

    def _between(self, match: re.Match[str]) -> TimeRange | None:
        said = match["day"] or match["after"]
        day = self._day(said) if said else None
        start_day = day or (self._day_in(match["end"]) if not _has_day(match["start"]) else None)
        start = self._point(match["start"], start_day)
        # "from 2026-03-01 10:00 to 11:00": the end stands on the day of the start.
        end_day = day
        if end_day is None and start.has_day:
            end_day = start.start.astimezone(self._zone).date()
        end = self._point(match["end"], end_day)
        first, last = start.start, end.end
        if last <= first and not _has_day(match["end"]):
            # "between 22:00 and 02:00" goes over midnight; both ends are in the past if they can.
            if start.has_day or day is not None:
                last = self._shift(last, 1)
            else:
                first = self._shift(first, -1)
        return self._range(first, last)

    def _day_in(self, words: str) -> date | None:
        """The calendar day that `words` name, or None."""
        match = _ONLY_DAY.search(words)
        return self._day(match["day"]) if match else None

    def _part_of_day(self, match: re.Match[str]) -> TimeRange | None:
        if match["night"] == "tonight":
            return self._clipped(self._today, 18, self._today + timedelta(days=1), 6)
        if match["night"]:
            yesterday = self._today - timedelta(days=1)
            return self._clipped(yesterday, 18, self._today, 6)
        from_hour, to_hour = _PARTS[match["part"]]
        said = match["day"]
        day = self._today if said in {None, "this", "the"} else self._day(said)
        if to_hour == 24:
            return self._clipped(day, from_hour, day + timedelta(days=1), 0)
        return self._clipped(day, from_hour, day, to_hour)

    def _clipped(self, day: date, hour: int, last_day: date, last_hour: int) -> TimeRange | None:
        start = self._local(day, time(hour))
        end = self._local(last_day, time(last_hour), is_later=True)
        if start >= self._now:
            # "this morning", asked at five: the part of it that there is.
            return self._range(self._local(day, time(0)), self._now)
        return self._range(start, min(end, self._now))

    def _calendar(self, name: str) -> TimeRange | None:
        first = self._today
        if name == "yesterday night":
            return self._clipped(first - timedelta(days=1), 18, first, 6)
        if name.endswith("before yesterday"):
            day = first - timedelta(days=2)
            return self._range(
                self._local(day, time(0)), self._local(day + timedelta(days=1), time(0))
            )
        if name == "this week":
            first -= timedelta(days=first.weekday())
        elif name == "this month":
            first = first.replace(day=1)
        return self._range(self._local(first, time(0)), self._now)

    def _point(self, words: str, day: date | None) -> _Point:
        """Read one end of a range; `day` is used where the words say none."""
        if words == "now":
            return _Point(self._now, self._now, has_day=True)
        if match := re.fullmatch(rf"({_SPAN})[ ]ago", words):
            return self._ago(match[1])
        if match := re.fullmatch(r"(?:this[ ])?(morning|afternoon|evening)|(last[ ]night)", words):
            hour = 18 if match[2] else _PARTS[match[1]][0]
            base = self._today - timedelta(days=1 if match[2] else 0)
            moment = self._local(base, time(hour))
            return _Point(moment, max(moment, self._now), has_day=True)
        said = _ONLY_DAY.search(words)
        rest = words
        if said is not None:
            day = self._day(said["day"])
            rest = words[: said.start()] + " " + words[said.end() :]
        clock = re.search(_CLOCK, rest)
        if clock is None:
            assert day is not None
            end = self._local(day + timedelta(days=1), time(0))
            return _Point(self._local(day, time(0)), end, has_day=True)
        zone = _offset(rest[clock.end() :])
        at = _clock(clock[0])
        first, last = (
            self._local(day or self._today, at, is_later=later, zone=zone)
            for later in (False, True)
        )
        if day is None and first > self._now:
            first, last = self._shift(first, -1), self._shift(last, -1)
        return _Point(first, last, has_day=said is not None, around=timedelta(minutes=15))

    def _ago(self, words: str) -> _Point:
        span = _span(words)
        if span is None:
            raise ValueError(words)
        moment = self._now - span
        if span >= timedelta(days=1) and not re.search(r"\dh|hour", words):
            day = moment.astimezone(self._zone).date()
            end = self._local(day + timedelta(days=1), time(0))
            return _Point(self._local(day, time(0)), end, has_day=True)
        around = min(max(timedelta(minutes=5), span / 2), timedelta(hours=1))
        return _Point(moment, moment, has_day=True, around=around)

    def _day(self, words: str) -> date:
        words = words.removeprefix("last ").replace(",", "")
        if words == "today":
            return self._today
        if words == "yesterday":
            return self._today - timedelta(days=1)
        if words in _DAYS:
            back = (self._today.weekday() - _DAYS.index(words)) % 7 or 7
            return self._today - timedelta(days=back)
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", words):
            return date.fromisoformat(words)
        numbers = [int(n) for n in re.findall(r"\d+", words)]
        letters = re.search(_MONTH, words)
        assert letters is not None
        month = _MONTHS.index(letters[0][:3]) + 1
        year = numbers[1] if len(numbers) > 1 else self._today.year
        day = date(year, month, numbers[0])
        if len(numbers) == 1 and day > self._today:
            day = day.replace(year=year - 1)
        return day

    def _local(
        self, day: date, at: time, *, is_later: bool = False, zone: tzinfo | None = None
    ) -> datetime:
        fold = 1 if is_later else 0
        local = datetime.combine(day, at).replace(tzinfo=zone or self._zone, fold=fold)
        return local.astimezone(UTC)

    def _shift(self, moment: datetime, days: int) -> datetime:
        """The same wall time on another day, also across a clock change."""
        local = moment.astimezone(self._zone)
        return self._local(local.date() + timedelta(days=days), local.time())


def _has_day(words: str) -> bool:
    return _ONLY_DAY.search(words) is not None or words == "now" or words.endswith(" ago")


def _clock(words: str) -> time:
    if words in {"noon", "midday"}:
        return time(12)
    if words == "midnight":
        return time(0)
    numbers = [int(n) for n in re.findall(r"\d+", words)]
    hour, minute, second = (*numbers[:3], 0, 0)[:3]
    if re.search(r"p\.?m", words) and hour < 12:
        hour += 12
    elif re.search(r"a\.?m", words) and hour == 12:
        hour = 0
    return time(hour, minute, second)


def _offset(words: str) -> tzinfo | None:
    """The zone said after a clock time, or None."""
    match = re.match(_ZONE, words)
    if match is None:
        return None
    found = match[0].strip()
    if found in {"z", "utc", "gmt"}:
        return UTC
    return datetime.strptime(found.replace(":", ""), "%z").tzinfo


def _span(words: str) -> timedelta | None:
    """Add up the parts of a span; None for zero and for more than ten years."""
    total = 0.0
    if re.fullmatch(_UNIT, words):
        words = "1 " + words
    for match in _SPAN_PARTS.finditer(words):
        number, unit = (match[1], match[2]) if match[1] else (match[3], match[4])
        amount = _NUMBER_WORDS.get(number)
        if amount is None:
            amount = float(number)
        total += amount * (2_592_000 if unit.startswith("mon") else _UNIT_SECONDS[unit[0]])
    if not 0 < total <= _LONGEST.total_seconds():
        return None
    return timedelta(seconds=total)
