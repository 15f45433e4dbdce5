from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.timerange import parse_duration, parse_time_range

BERLIN = ZoneInfo("Europe/Berlin")
# A Tuesday, one hour ahead of UTC.
NOW = datetime(2026, 3, 3, 14, 0, tzinfo=BERLIN)


def _local(text: str, now: datetime = NOW) -> tuple[str, str] | None:
    found = parse_time_range(text, now, BERLIN)
    if found is None:
        return None
    assert found.start.tzinfo is UTC
    assert found.end.tzinfo is UTC
    start, end = found.start.astimezone(BERLIN), found.end.astimezone(BERLIN)
    return f"{start:%m-%d %H:%M}", f"{end:%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("what broke since 9:30?", "03-03 09:30", "03-03 14:00"),
        ("since 15:00", "03-02 15:00", "03-03 14:00"),
        ("errors in the last 2h", "03-03 12:00", "03-03 14:00"),
        ("past 30 minutes", "03-03 13:30", "03-03 14:00"),
        ("the last 1h30m", "03-03 12:30", "03-03 14:00"),
        ("in the last hour", "03-03 13:00", "03-03 14:00"),
        ("the past few minutes", "03-03 13:57", "03-03 14:00"),
        ("last half an hour", "03-03 13:30", "03-03 14:00"),
        ("previous 2 days", "03-01 14:00", "03-03 14:00"),
        ("last week", "02-24 14:00", "03-03 14:00"),
        ("last month", "02-01 14:00", "03-03 14:00"),
        ("yesterday", "03-02 00:00", "03-03 00:00"),
        ("Restarts Today?", "03-03 00:00", "03-03 14:00"),
        ("this week", "03-02 00:00", "03-03 14:00"),
        ("this month", "03-01 00:00", "03-03 14:00"),
        ("day before yesterday", "03-01 00:00", "03-02 00:00"),
        ("between 10:00 and 11:00", "03-03 10:00", "03-03 11:00"),
        ("between 22:00 and 02:00", "03-02 22:00", "03-03 02:00"),
        ("between 15:00 and 16:00", "03-02 15:00", "03-02 16:00"),
        ("yesterday between 10:00 and 11:00", "03-02 10:00", "03-02 11:00"),
        ("yesterday between 22:00 and 01:00", "03-02 22:00", "03-03 01:00"),
        ("from 10am to 2pm yesterday", "03-02 10:00", "03-02 14:00"),
        ("13:00-13:30", "03-03 13:00", "03-03 13:30"),
        ("from 2026-03-01 10:00 to 11:00", "03-01 10:00", "03-01 11:00"),
        ("between 2026-03-01 10:00 and 2026-03-02 09:00", "03-01 10:00", "03-02 09:00"),
        ("from 3 hours ago to 1 hour ago", "03-03 11:00", "03-03 13:00"),
        ("from 10:00 until now", "03-03 10:00", "03-03 14:00"),
        ("since 2026-03-01T10:00:00Z", "03-01 11:00", "03-03 14:00"),
        ("at 2026-03-01T10:00:00+02:00?", "03-01 08:45", "03-01 09:15"),
        ("what happened at 2026-03-01 10:00:00 UTC", "03-01 10:45", "03-01 11:15"),
        ("an hour ago", "03-03 12:30", "03-03 13:30"),
        ("5 minutes ago", "03-03 13:50", "03-03 14:00"),
        ("what restarted 2 days ago", "03-01 00:00", "03-02 00:00"),
        ("since an hour ago", "03-03 13:00", "03-03 14:00"),
        ("this morning", "03-03 06:00", "03-03 12:00"),
        ("this afternoon", "03-03 12:00", "03-03 14:00"),
        ("since this morning", "03-03 06:00", "03-03 14:00"),
        ("yesterday evening", "03-02 18:00", "03-03 00:00"),
        ("last night", "03-02 18:00", "03-03 06:00"),
        ("overnight", "03-02 18:00", "03-03 06:00"),
        ("since last night", "03-02 18:00", "03-03 14:00"),
        ("tonight", "03-03 00:00", "03-03 14:00"),
        ("on monday", "03-02 00:00", "03-03 00:00"),
        ("since tuesday", "02-24 00:00", "03-03 14:00"),
        ("since march 1", "03-01 00:00", "03-03 14:00"),
        ("1st March 2026", "03-01 00:00", "03-02 00:00"),
        ("on 2026-03-01", "03-01 00:00", "03-02 00:00"),
        ("since yesterday 14:00", "03-02 14:00", "03-03 14:00"),
        ("yesterday at 2pm", "03-02 13:45", "03-02 14:15"),
        ("around 3pm", "03-02 14:45", "03-02 15:15"),
        ("since noon", "03-03 12:00", "03-03 14:00"),
        ("since midnight", "03-03 00:00", "03-03 14:00"),
        ("since 12 am", "03-03 00:00", "03-03 14:00"),
        ("since 9 o'clock", "03-03 09:00", "03-03 14:00"),
    ],
)
def test_words_of_time_are_read_in_the_askers_zone(text: str, start: str, end: str) -> None:
    assert _local(text) == (start, end)


@pytest.mark.parametrize(
    "text",
    [
        "why is payments down?",
        "summarise the last 10 critical errors",
        "when was the last restart of cart",
        "upgraded since 3.9.0",
        "timeout after 5s",
        "why is cart:2.8.1 failing",
        "service on 8080:80",
        "last and first pods",
        "from 2026-02-31 10:00 to 11:00",
        "since 25:99",
        "last 99999999 weeks",
        "since 999999 weeks ago",
        "from 12:00 to 12:00 on 2026-03-02 and from then",
        "",
    ],
)
def test_without_words_of_time_there_is_no_range(text: str) -> None:
    assert parse_time_range(text, NOW, BERLIN) is None


def test_a_day_is_as_long_as_the_calendar_says() -> None:
    # The clocks go forward on 29 March and back on 25 October 2026.
    spring = parse_time_range("yesterday", datetime(2026, 3, 30, 9, tzinfo=BERLIN), BERLIN)
    autumn = parse_time_range("yesterday", datetime(2026, 10, 26, 9, tzinfo=BERLIN), BERLIN)
    assert spring is not None
    assert autumn is not None
    assert spring.end - spring.start == timedelta(hours=23)
    assert autumn.end - autumn.start == timedelta(hours=25)


def test_a_repeated_hour_is_taken_whole() -> None:
    now = datetime(2026, 10, 25, 9, tzinfo=BERLIN)
    found = parse_time_range("between 2:10 and 2:50", now, BERLIN)
    assert found is not None
    assert found.end - found.start == timedelta(hours=1, minutes=40)


def test_a_skipped_hour_gives_a_range_all_the_same() -> None:
    now = datetime(2026, 3, 29, 9, tzinfo=BERLIN)
    found = parse_time_range("since 2:30", now, BERLIN)
    assert found is not None
    assert found.start < found.end


def test_this_morning_asked_before_it_is_the_night_so_far() -> None:
    now = datetime(2026, 3, 3, 5, 0, tzinfo=BERLIN)
    assert _local("this morning", now) == ("03-03 00:00", "03-03 05:00")


def test_a_date_without_a_year_lies_in_the_past() -> None:
    found = parse_time_range("since december 24", NOW, BERLIN)
    assert found is not None
    assert found.start.astimezone(BERLIN).year == 2025


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("6h", 360), ("90m", 90), ("2d", 2880), ("1h30m", 90), ("1h 30m", 90), ("30s", 0.5),
        ("1w", 10080), ("1.5h", 90), ("2 hours", 120), ("1 hour 30 minutes", 90), ("an hour", 60),
        ("half an hour", 30), ("2 days and 3 hours", 3060), ("hour", 60), (" 15 Min ", 15),
    ],
)  # fmt: skip
def test_durations_are_read(text: str, minutes: float) -> None:
    assert parse_duration(text) == timedelta(minutes=minutes)


@pytest.mark.parametrize("text", ["", "0", "0h", "x", "-1h", "99999999999d", "10", "m", "1h of it"])
def test_what_is_no_duration_is_none(text: str) -> None:
    assert parse_duration(text) is None


_WORDS = st.sampled_from(
    ["since", "last", "past", "between", "and", "from", "to", "until", "today", "yesterday", "at",
     "on", "9:30", "25:61", "10am", "2026-03-01", "2026-99-99", "2h", "30", "minutes", "hour",
     "ago", "this", "morning", "night", "monday",
     "march", "1", "now", "-", "T", "Z", "+02:00", "payments",
     "999999", "weeks", "half", "an", "a", "few", "noon"]
)  # fmt: skip


@given(st.lists(_WORDS, max_size=8).map(" ".join) | st.text(max_size=40), st.datetimes(
    datetime(1990, 1, 1), datetime(2090, 1, 1)  # noqa: DTZ001  (made aware below)
))  # fmt: skip
def test_any_words_give_a_forward_range_or_none(text: str, now: datetime) -> None:
    found = parse_time_range(text, now.replace(tzinfo=BERLIN), BERLIN)
    assert found is None or found.start < found.end
    duration = parse_duration(text)
    assert duration is None or duration > timedelta(0)
