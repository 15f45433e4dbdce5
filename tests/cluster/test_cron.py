"""Schedules as the CronJob controller reads them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from cluster.cron import parse_cron

NOW = datetime(2026, 3, 1, 12, 34, tzinfo=UTC)  # a Sunday


def last(schedule: str, until: datetime = NOW) -> str:
    cron = parse_cron(schedule)
    assert cron is not None
    due = cron.last_due(until)
    return f"{due:%Y-%m-%d %H:%M}" if due else "never"


@pytest.mark.parametrize(
    ("schedule", "due"),
    [
        ("* * * * *", "2026-03-01 12:34"),
        ("*/15 * * * *", "2026-03-01 12:30"),
        ("10/15 * * * *", "2026-03-01 12:25"),
        ("35 12 * * *", "2026-02-28 12:35"),
        ("34 12 * * *", "2026-03-01 12:34"),
        ("0 9-17/4 * * mon-fri", "2026-02-27 17:00"),
        ("0 0 * * 7", "2026-03-01 00:00"),
        ("0 0 13 * 5", "2026-02-27 00:00"),
        ("0 0 28 * *", "2026-02-28 00:00"),
        ("0 0 29 2 *", "2024-02-29 00:00"),
        ("0 0 1 JAN ?", "2026-01-01 00:00"),
        ("0 0 30 2 *", "never"),
        ("@weekly", "2026-03-01 00:00"),
        ("@hourly", "2026-03-01 12:00"),
    ],
)
def test_the_last_time_it_was_due(schedule: str, due: str) -> None:
    assert last(schedule) == due


def test_a_zone_moves_it_and_its_summer_time_too() -> None:
    cron = parse_cron("0 3 * * *")
    assert cron is not None
    berlin = ZoneInfo("Europe/Berlin")
    assert cron.last_due(NOW, berlin) == datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
    summer = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
    assert cron.last_due(summer, berlin) == datetime(2026, 7, 1, 1, 0, tzinfo=UTC)


def test_every_has_no_fixed_times() -> None:
    assert parse_cron("@every 5m") is None


@pytest.mark.parametrize(
    ("schedule", "told"),
    [
        ("", "0 fields"),
        ("every monday", "2 fields"),
        ("@often", "1 fields"),
        ("60 * * * *", "not within 0-59"),
        ("* * 0 * *", "not within 1-31"),
        ("5-1 * * * *", "not within"),
        ("* * * foo *", "no number"),
        ("*/0 * * * *", "no step"),
        ("*/x * * * *", "no step"),
        ("1, * * * *", "no number"),
    ],
)
def test_what_is_wrong_with_a_schedule_is_told(schedule: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        parse_cron(schedule)
