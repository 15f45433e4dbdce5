from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.sparkline import course, sparkline


@pytest.mark.parametrize(
    ("values", "bars"),
    [([0, None, 7], "▁ █"), ([None, None], ""), ([], ""), ([5, 5], "▄▄"), ([0, 1, 2], "▁▄█")],
)
def test_a_sparkline_runs_from_the_lowest_to_the_highest(
    values: list[float | None], bars: str
) -> None:
    assert sparkline(values) == bars


@pytest.mark.parametrize(
    ("counts", "bars"),
    [
        ((0, 0, 1, 2, 4), "▃▅█"),
        ((4, 0, 1), "█▁▃"),
        ((0, 0, 7, 14), ""),
        ((3, 3, 3, 3), ""),
        ((0, 0), ""),
        ((), ""),
    ],
)
def test_a_course_begins_with_the_first_that_was_seen(counts: tuple[int, ...], bars: str) -> None:
    assert course(counts) == bars


@given(st.lists(st.integers(min_value=0, max_value=10**9), max_size=30))
def test_a_course_is_never_longer_than_its_counts(counts: list[int]) -> None:
    assert len(course(counts)) <= len(counts)
