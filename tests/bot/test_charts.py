"""Pictures of numbers: small, in the reader's time, and told in words."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from PIL import Image

from bot.charts import BarChart, LineChart, charts_of, errors_over_time
from core.answers import Answer, Citation, Passage
from core.series import Point, Series, Stretch

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2026, 3, 4, 8, 0, tzinfo=UTC)
MOST_BYTES = 60_000


def series(name: str = "payments/memory_bytes", unit: str = "B", count: int = 240) -> Series:
    """Restless values with a peak; the worst case for a small file."""
    values = [2e8 + (n * 7919 % 97) * 4e5 + (4e8 if 100 <= n < 110 else 0) for n in range(count)]
    points = tuple(Point(START + timedelta(minutes=2 * n), value) for n, value in enumerate(values))
    stretch = Stretch(START + timedelta(minutes=200), START + timedelta(minutes=218), max(values))
    return Series(name, points, unit, (1.8e8, 2.6e8), (stretch,))


def cited(*passages: Passage) -> Answer:
    citations = tuple(
        Citation(number, each.title, each.location, each.source)
        for number, each in enumerate(passages, start=1)
    )
    return Answer("?", "Text.", citations=citations, passages=passages)


def metric(name: str, unit: str = "B", count: int = 240) -> Passage:
    return Passage(
        f"id-{name}", "csv-metrics", f"Metric {name}", "metrics/*.csv", "…",
        series=series(name, unit, count),
    )  # fmt: skip


def size_and_bytes(content: bytes) -> tuple[int, int, int]:
    with Image.open(io.BytesIO(content)) as picture:
        picture.load()
        return picture.width, picture.height, len(content)


@pytest.mark.parametrize(
    "chart",
    [
        LineChart((series(),)),
        LineChart(tuple(series(f"svc-{n}/latency_ms", "ms") for n in range(4))),
        LineChart((Series("a$b/x$y", (Point(START, 1.0), Point(START, 1.0))),)),
        errors_over_time([(START + timedelta(hours=n), n * n % 17) for n in range(24)]),
        errors_over_time([]),
    ],
)
def test_a_picture_is_twice_its_size_on_screen_and_small(chart: LineChart | BarChart) -> None:
    width, height, count = size_and_bytes(chart.png(BERLIN))
    assert (width, height) == (960, 460)
    assert count <= MOST_BYTES


def test_the_time_axis_is_the_readers() -> None:
    chart = LineChart((series(),))
    assert chart.png(BERLIN) != chart.png(ZoneInfo("UTC"))


def test_the_words_tell_least_most_last_and_when_it_left_its_range() -> None:
    assert LineChart((series(),)).alt_text(BERLIN) == (
        "Line chart of payments/memory_bytes from 04 Mar 09:00 CET to 04 Mar 16:58 CET: lowest "
        "190.7 MiB at 04 Mar 09:00 CET, highest 606.2 MiB at 04 Mar 12:20 CET, last 219.0 MiB. "
        "Outside its usual range of 171.7 MiB to 248.0 MiB: 04 Mar 12:20 CET to 04 Mar 12:38 CET."
    )


def test_the_words_tell_when_nothing_is_out_of_the_usual() -> None:
    calm = Series("a/b", (Point(START, 1), Point(START, 2)), "", (0.0, 3.0))
    assert LineChart((calm,)).alt_text(BERLIN).endswith("within its usual range of 0 to 3.")
    assert LineChart((Series("a/b", ()),)).alt_text(BERLIN) == "a/b: no data."
    unknown = Series("a/b", (Point(START, 1), Point(START, 2)))
    assert "usual" not in LineChart((unknown,)).alt_text(BERLIN)
    often = tuple(
        Stretch(START + timedelta(hours=n), START + timedelta(hours=n), 9) for n in range(5)
    )
    restless = Series("a/b", calm.points, "", (0.0, 3.0), often)
    assert LineChart((restless,)).alt_text(BERLIN).endswith("and 2 times before.")


def test_errors_are_told_by_their_sum_and_peak() -> None:
    buckets = [(START, 2), (START + timedelta(hours=1), 9), (START + timedelta(hours=2), 0)]
    assert errors_over_time(buckets).alt_text(BERLIN) == (
        "Errors over time, from 04 Mar 09:00 CET to 04 Mar 11:00 CET: 11 in all, "
        "most at 04 Mar 10:00 CET (9), 0 in the last part."
    )
    assert "none from" in errors_over_time([(START, 0)]).alt_text(BERLIN)
    assert errors_over_time([]).alt_text(BERLIN) == "Errors over time: no data."


def test_what_is_cited_is_drawn_one_picture_a_unit() -> None:
    answer = cited(metric("a/x_bytes"), metric("b/x_bytes"), metric("a/y_ms", "ms"))
    assert [chart.title for chart in charts_of(answer)] == ["a/x_bytes, b/x_bytes", "a/y_ms"]
    assert charts_of(answer)[0].file_name == "a-x-bytes.png"


def test_what_is_not_cited_or_has_no_course_is_not_drawn() -> None:
    shown, hidden, short = metric("a/x"), metric("b/x"), metric("c/x", count=1)
    answer = cited(shown, short)
    everything = Answer("?", "Text.", citations=answer.citations, passages=(shown, hidden, short))
    assert [chart.title for chart in charts_of(everything)] == ["a/x"]
