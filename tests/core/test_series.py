"""Values and their units, in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.series import Point, Series, bars, told, unit_of

START = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("payments/memory_bytes", 222_718_976.0, "212.4 MiB"),
        ("payments/memory_bytes", 512.0, "512 B"),
        ("worker-2/disk_used_percent", 91.0, "91 %"),
        ("checkout/latency_p99_ms", 1900.25, "1900.2 ms"),
        ("orders/age_seconds", 0.25, "0.25 s"),
        ("payments/restarts_total", 3.0, "3"),
    ],
)
def test_a_value_carries_the_unit_of_its_name(name: str, value: float, shown: str) -> None:
    assert told(value, unit_of(name)) == shown


def test_bars_are_averages_over_equal_parts_with_gaps() -> None:
    values = {0: 1.0, 1: 3.0, 10: 9.0, 11: 9.0}
    points = tuple(Point(START + timedelta(minutes=n), value) for n, value in values.items())
    assert bars(Series("a", points), parts=4) == "▁  █"
    assert bars(Series("a", ())) == ""
