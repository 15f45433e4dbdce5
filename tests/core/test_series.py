"""Values and their units, in words."""

from __future__ import annotations

import pytest

from core.series import told, unit_of


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
