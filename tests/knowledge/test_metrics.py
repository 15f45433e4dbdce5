"""Numbers over CSV metrics, and their picture."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.answers import Scope
from core.questions import Intent, Reading, TimeRange
from knowledge.metrics import MetricTable, choose_series

START = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)
METRICS = frozenset({Intent.METRICS})
NAMES = (
    "payments/memory_working_set_bytes",
    "payments/restarts_total",
    "checkout/latency_p99_ms",
    "worker-2/disk_used_percent",
    "up",
)


@pytest.fixture
def table(tmp_path: Path) -> MetricTable:
    rows = ["timestamp,series,value"]
    for minute in range(60):
        latency = 1900 if minute in (30, 31, 50) else 240 + minute % 9
        moment = (START + timedelta(minutes=minute)).isoformat().replace("+00:00", "Z")
        rows += [
            f"{moment},payments/memory_working_set_bytes,{(100 + minute) * 2**20}",
            f"{moment},payments/restarts_total,{minute // 10}",
            f"{moment},checkout/latency_p99_ms,{latency}",
            f"{moment},flat/queue_ratio,0.25",
        ]
    rows += ["2026-03-04T10:00:00Z,up,nan", "2026-03-04T10:00:00Z,up,x", "never,up,1"]
    (tmp_path / "m.csv").write_text("\n".join(rows) + "\n")
    table = MetricTable(f"{tmp_path}/*.csv")
    table.table.refresh()
    return table


def text_of(table: MetricTable, reading: Reading, scope: Scope | None = None) -> str:
    return "\n".join(fact.text for fact in table.facts(reading, scope or Scope(), UTC))


def test_least_most_last_average_and_when_the_most_was(table: MetricTable) -> None:
    reading = Reading("memory of payments", "", names=("payments",), intents=METRICS)
    (fact,) = table.facts(reading, Scope(), UTC)
    assert fact.text.startswith(
        "payments/memory_working_set_bytes is at 159.0 MiB (last value, 10:59 UTC); "
        "its highest was 159.0 MiB at 10:59 UTC.\n"
        "From 2026-03-04 10:00 UTC to 10:59 UTC: average 129.5 MiB, lowest 100.0 MiB, "
        "highest 159.0 MiB."
    )
    assert "▁▁▁▂" in fact.text
    assert fact.is_fact
    assert fact.service == "payments"


def test_a_counter_is_told_by_its_rate(table: MetricTable) -> None:
    text = text_of(table, Reading("payments restarts", "", names=("payments",), intents=METRICS))
    assert "It rose by 5, that is 5.08 an hour." in text


def test_stretches_outside_the_usual_range_are_told(table: MetricTable) -> None:
    text = text_of(table, Reading("is checkout slow", "", names=("checkout",), intents=METRICS))
    assert (
        "Outside its usual range: 10:30 UTC to 10:31 UTC (1900 ms), at 10:50 UTC (1900 ms)." in text
    )


def test_a_period_limits_the_numbers(table: MetricTable) -> None:
    period = TimeRange(START + timedelta(minutes=10), START + timedelta(minutes=12))
    text = text_of(table, Reading("memory of payments", "", names=("payments",), time_range=period))
    assert "is at 111.0 MiB (last value, 10:11 UTC)" in text
    assert "From 2026-03-04 10:10 UTC to 10:11 UTC" in text
    empty = TimeRange(START - timedelta(hours=2), START - timedelta(hours=1))
    assert (
        text_of(table, Reading("memory of payments", "", names=("payments",), time_range=empty))
        == ""
    )


def test_a_flat_series_has_a_flat_picture(table: MetricTable) -> None:
    text = text_of(table, Reading("queue of flat", "", names=("flat",), intents=METRICS))
    assert "▄▄▄▄" in text
    assert "is at 0.25 (last" in text
    assert "Outside" not in text


def test_values_that_are_no_numbers_are_malformed(table: MetricTable) -> None:
    assert table.table.malformed == 3
    assert table.count() == 240
    assert "up" not in table.series()


def test_the_scope_hides_source_and_services(table: MetricTable) -> None:
    reading = Reading("memory of payments", "", names=("payments",), intents=METRICS)
    assert text_of(table, reading, Scope(sources=frozenset({"graph"}))) == ""
    assert table.facts(reading, Scope(), UTC, frozenset({"payments"})) == ()


@pytest.mark.parametrize(
    ("question", "names", "intents", "chosen"),
    [
        ("ram of payments", ("payments",), METRICS, ["payments/memory_working_set_bytes"]),
        ("how often did payments restart", ("payments",), METRICS, ["payments/restarts_total"]),
        ("does payments restart in memory", ("payments",), set(), []),
        ("which latency is high", (), METRICS, ["checkout/latency_p99_ms"]),
        ("metrics of worker-2", ("worker-2",), METRICS, ["worker-2/disk_used_percent"]),
        ("memory of redis", ("redis",), METRICS, []),
        ("memory limit of payments", ("payments",), {Intent.LIMITS}, []),
        (
            "is payments close to its memory limit",
            ("payments",),
            {Intent.LIMITS, Intent.METRICS},
            ["payments/memory_working_set_bytes"],
        ),
        ("what is the p99 of the checkout page", (), METRICS, ["checkout/latency_p99_ms"]),
        ("explain the low latency", (), {Intent.METRICS, Intent.WHY}, []),
        ("how do I free memory", (), {Intent.HOW}, []),
        ("who owns payments", ("payments",), {Intent.OWNER}, []),
    ],
)
def test_series_are_chosen_by_subject_and_quantity(
    question: str, names: tuple[str, ...], intents: set[Intent], chosen: list[str]
) -> None:
    reading = Reading(question, "", names=names, intents=frozenset(intents))
    assert choose_series(NAMES, reading) == chosen


def test_what_is_drawn_keeps_every_peak_and_the_usual_range(table: MetricTable) -> None:
    reading = Reading("latency of checkout", "", names=("checkout",), intents=METRICS)
    (fact,) = table.facts(reading, Scope(), UTC)
    assert fact.series is not None
    values = [point.value for point in fact.series.points]
    assert values.count(1900) == 3
    assert fact.series.unit == "ms"
    assert fact.series.usual is not None
    assert fact.series.usual[1] < 1900
    assert [(s.start.minute, s.end.minute) for s in fact.series.outside] == [(30, 31), (50, 50)]


def test_a_long_series_is_thinned_to_what_a_picture_shows(tmp_path: Path) -> None:
    rows = [
        f"{(START + timedelta(seconds=second)).isoformat()},a/load_ratio,{second % 7}"
        for second in range(3000)
    ]
    (tmp_path / "m.csv").write_text("timestamp,series,value\n" + "\n".join(rows) + "\n")
    table = MetricTable(f"{tmp_path}/*.csv")
    table.table.refresh()
    (fact,) = table.facts(Reading("load of a", "", names=("a",), intents=METRICS), Scope(), UTC)
    assert fact.series is not None
    assert 120 <= len(fact.series.points) <= 242
    moments = [point.moment for point in fact.series.points]
    assert moments == sorted(moments)
