"""A question for numbers is answered by the monitoring system, within what the channel may see."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.answers import Lookup, Passage, Scope
from core.clock import ManualClock
from core.errors import ClusterError
from core.questions import Intent, Reading, TimeRange
from core.series import Measured, Point, Series
from knowledge.livemetrics import DEFAULT_QUERIES, WithMeasurements

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PAGE = Passage("p", "markdown", "Payments", "payments.md", "How it works")
MEMORY = Reading(
    "how much memory does payments use",
    "memory payments",
    names=("shop/payments",),
    intents=frozenset({Intent.METRICS}),
)


class Written:
    """A retriever that always finds one page."""

    def read(self, question: str, names: frozenset[str], namespaces: frozenset[str]) -> Reading:
        return Reading(question, " ".join(names | namespaces))

    async def look(self, reading: Reading, scope: Scope, limit: int = 8) -> Lookup:
        return Lookup((PAGE,), looked_in=("documentation",))


class Numbers:
    """A monitoring system that answers every query with three values."""

    def __init__(self, measured: Measured | ClusterError | None = None) -> None:
        points = tuple(
            Point(NOW - timedelta(minutes=minutes), value)
            for minutes, value in ((30, 2.0**20), (20, 3 * 2.0**20), (10, 2 * 2.0**20))
        )
        self.measured = measured or Measured((Series("{}", points),), ("a shard is missing",))
        self.asked: list[tuple[str, TimeRange]] = []

    async def over(self, query: str, window: TimeRange, points: int = 240) -> Measured:
        assert points
        self.asked.append((query, window))
        if isinstance(self.measured, ClusterError):
            raise self.measured
        return self.measured


def asking(numbers: Numbers, **more: dict[str, str]) -> WithMeasurements:
    return WithMeasurements(Written(), numbers, ManualClock(NOW), UTC, **more)


async def test_numbers_come_first_with_their_course_and_warnings() -> None:
    numbers = Numbers()
    found = await asking(numbers).look(MEMORY, Scope())
    first, page = found.passages
    assert page == PAGE
    assert first.title == "Metric payments/memory_bytes"
    assert first.text.splitlines()[0] == (
        "payments/memory_bytes is at 2.0 MiB (last value, 2026-03-01 11:50 UTC); "
        "its highest was 3.0 MiB at 2026-03-01 11:40 UTC."
    )
    assert "average 2.0 MiB, lowest 1.0 MiB" in first.text
    assert "█" in first.text
    assert "Prometheus warns: a shard is missing" in first.text
    assert first.series is not None
    assert first.series.unit == "B"
    assert found.looked_in == ("documentation", "Prometheus")
    ((query, window),) = numbers.asked
    assert 'namespace=~".*",pod=~"payments-.+"' in query
    assert window == TimeRange(NOW - timedelta(hours=1), NOW)


async def test_a_channels_namespaces_limit_the_query_itself() -> None:
    numbers = Numbers()
    queries = {"memory_bytes": "sum(all_memory)", **DEFAULT_QUERIES}
    queries["memory_free_bytes"] = 'free{app="$service"}'
    await asking(numbers, queries=queries).look(
        MEMORY, Scope(namespaces=frozenset({"shop", "cart"}))
    )
    assert numbers.asked
    assert all('namespace=~"cart|shop"' in query for query, _ in numbers.asked)
    assert not any("free{" in query for query, _ in numbers.asked)


@pytest.mark.parametrize("name", ['x"}) or vector(1) #', "Payments Service", "-"])
async def test_only_names_of_objects_go_into_a_query(name: str) -> None:
    numbers = Numbers()
    reading = Reading("memory", "memory", names=(name,), intents=frozenset({Intent.METRICS}))
    await asking(numbers).look(reading, Scope())
    assert numbers.asked == []


async def test_dots_of_a_name_are_no_wildcards() -> None:
    numbers = Numbers()
    reading = Reading("cpu", "cpu", names=("api.v2",), intents=frozenset({Intent.METRICS}))
    await asking(numbers).look(reading, Scope())
    assert 'pod=~"api\\\\.v2-.+"' in numbers.asked[0][0]


async def test_other_questions_and_other_scopes_ask_for_no_numbers() -> None:
    numbers = Numbers()
    source = asking(numbers)
    plain = Reading("why", "why", names=("payments",))
    assert (await source.look(plain, Scope())).passages == (PAGE,)
    assert (await source.look(MEMORY, Scope(sources=frozenset({"markdown"})))).passages == (PAGE,)
    assert numbers.asked == []
    assert source.read("why", frozenset({"a"}), frozenset()).question == "why"


async def test_what_could_not_be_asked_is_a_gap_and_nothing_is_nothing() -> None:
    error = ClusterError("ask", "Prometheus cannot be reached", "Check its address")
    found = await asking(Numbers(error)).look(MEMORY, Scope())
    assert [gap.what for gap in found.gaps] == ["metrics of Prometheus"]
    assert found.passages == (PAGE,)
    silent = await asking(Numbers(Measured((Series("{}", ()),)))).look(MEMORY, Scope())
    assert silent.passages == (PAGE,)
    assert not silent.gaps


async def test_one_value_has_no_course() -> None:
    one = Measured((Series("{}", (Point(NOW, 5.0),)),))
    found = await asking(Numbers(one)).look(MEMORY, Scope())
    assert "equal parts" not in found.passages[0].text
