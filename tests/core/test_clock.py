from __future__ import annotations

from datetime import UTC, datetime

import pytest

from core.clock import skew_seconds

NOW = datetime(2026, 11, 23, 9, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("Mon, 23 Nov 2026 09:01:00 GMT", 60.0),
        ("Mon, 23 Nov 2026 10:59:30 +0200", -30.0),
        ("Mon, 23 Nov 2026 09:00:00 -0000", 0.0),
        ("", None),
        ("yesterday", None),
    ],
)
def test_the_date_header_tells_how_far_another_clock_is_ahead(
    header: str, seconds: float | None
) -> None:
    assert skew_seconds(header, NOW) == seconds
