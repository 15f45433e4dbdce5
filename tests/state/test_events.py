"""Events are kept once each, counted by what they grew, and gaps are known."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from core.findings import ObjectRef
from core.questions import TimeRange
from core.sightings import Sighting
from state.database import Database
from state.events import SqlEventStore
from state.retention import Retention, purge
from tests.state.conftest import START


@pytest.fixture
def store(database: Database) -> SqlEventStore:
    return SqlEventStore(database)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def span(start: float, end: float) -> TimeRange:
    return TimeRange(at(start), at(end))


def sighting(
    uid: str = "u1", count: int = 1, seen: float = 0, namespace: str = "shop", version: str = ""
) -> Sighting:
    pod = ObjectRef("prod", "Pod", namespace, "payments-1", "p1")
    return Sighting(
        uid, version or f"{count}-{seen}", pod, "Warning", "BackOff", "Back-off restarting",
        at(seen - 30), at(seen), count,
    )  # fmt: skip


async def test_a_recurrence_counts_by_what_it_grew(store: SqlEventStore) -> None:
    await store.put("prod", [sighting(count=3, seen=0)])
    await store.put("prod", [sighting(count=5, seen=10), sighting(count=9, seen=20)])
    (whole,) = await store.during("prod", span(-60, 60))
    assert (whole.count, whole.last_seen, whole.first_seen) == (9, at(20), at(-10))
    (later,) = await store.during("prod", span(5, 60))
    assert later.count == 6
    assert later.involved == ObjectRef("prod", "Pod", "shop", "payments-1", "p1")


async def test_the_same_sighting_twice_is_one(store: SqlEventStore) -> None:
    for _ in range(2):
        await store.put("prod", [sighting(count=3), sighting(count=3)])
    (found,) = await store.during("prod", span(-1, 1))
    assert found.count == 3


async def test_a_count_that_fell_began_anew(store: SqlEventStore) -> None:
    await store.put("prod", [sighting(count=8, seen=0), sighting(count=2, seen=10)])
    await store.put("prod", [sighting(count=4, seen=20)])
    (found,) = await store.during("prod", span(-1, 60))
    assert found.count == 12


async def test_windows_clusters_and_namespaces_are_kept_apart(store: SqlEventStore) -> None:
    await store.put("prod", [sighting("a"), sighting("b", namespace="pay")])
    await store.put("prod", [sighting("node", namespace=""), sighting("late", seen=60)])
    await store.put("test", [sighting("a", count=7)])
    assert [one.uid for one in await store.during("prod", span(0, 60))] == ["a", "b", "node"]
    assert [one.uid for one in await store.during("prod", span(0, 60), {"pay"})] == ["b", "node"]
    assert [one.count for one in await store.during("test", span(0, 60))] == [7]
    await store.put("prod", [])


async def test_gaps_are_what_no_note_covers(store: SqlEventStore) -> None:
    assert await store.last_read("prod") is None
    assert list(await store.uncovered("prod", span(0, 60))) == []
    await store.cover("prod", span(10, 20))
    await store.cover("prod", span(40, 50))
    await store.cover("other", span(0, 60))
    assert list(await store.uncovered("prod", span(0, 60))) == [span(20, 40), span(50, 60)]
    assert list(await store.uncovered("prod", span(25, 60))) == [span(25, 40), span(50, 60)]
    assert list(await store.uncovered("prod", span(12, 18))) == []
    assert await store.last_read("prod") == at(50)


async def test_spans_that_touch_become_one(store: SqlEventStore) -> None:
    await store.cover("prod", span(0, 10))
    await store.cover("prod", span(30, 40))
    await store.cover("prod", span(10, 30))
    assert list(await store.uncovered("prod", span(-5, 45))) == [span(40, 45)]


async def test_what_is_older_than_its_retention_is_forgotten(
    store: SqlEventStore, database: Database
) -> None:
    await store.put("prod", [sighting("old", seen=0), sighting("new", seen=60)])
    await store.cover("prod", span(-60, 0))
    await store.cover("prod", span(30, 60))
    gone = await purge(database, at(90), Retention(events=timedelta(hours=1)))
    assert (gone["events"], gone["event_coverage"]) == (1, 1)
    assert [one.uid for one in await store.during("prod", span(-1, 100))] == ["new"]
