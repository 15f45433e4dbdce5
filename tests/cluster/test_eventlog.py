"""Events stay when the cluster has forgotten them, redacted; times when nobody read are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cluster.client import ClusterClient
from cluster.collect import ClusterCollector
from cluster.eventlog import EventKeeper, event_of, sighting_of, with_kept_events
from cluster.events import first_seen, last_seen, times_seen
from cluster.objects import Event, Pod
from cluster.reach import Reach
from cluster.snapshot import Snapshot
from cluster.thresholds import Thresholds
from core.answers import Scope
from core.clock import ManualClock
from core.errors import StateError
from core.findings import Finding
from core.questions import TimeRange
from core.redact import Redactor
from core.sightings import Sighting
from sandbox.cluster.recorded import RecordedCluster
from sandbox.cluster.server import RunningCluster, run_cluster
from state.database import Database
from state.events import SqlEventStore
from tests.cluster.payloads import NOW, event, pod, snapshot

POD = pod("payments-1")
REDACTOR = Redactor(b"k" * 32)
DAY = TimeRange(NOW - timedelta(days=1), NOW + timedelta(days=1))


def occurrence(reason: str, count: int = 1, message: str = "it happened") -> dict[str, Any]:
    found = event(POD, reason, message, count=count)
    found["metadata"]["uid"] = f"uid-{reason}"
    return found


def hours(number: float) -> datetime:
    return NOW + timedelta(hours=number)


@pytest.fixture
async def cluster() -> AsyncIterator[RunningCluster]:
    secret = "(combined from similar events): login with password=hunter2secret failed"
    world = RecordedCluster([POD, occurrence("Failed", 3, secret)], now=NOW)
    async with run_cluster(world, speed=0) as running:
        yield running


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlEventStore]:
    database = await Database.open(f"sqlite+aiosqlite:///{tmp_path / 'state.db'}")
    yield SqlEventStore(database)
    await database.close()


@asynccontextmanager
async def keeping(
    cluster: RunningCluster,
    store: Any,
    folder: Path,
    reach: Reach = Reach(),  # noqa: B008  (frozen)
) -> AsyncIterator[ManualClock]:
    path = str(cluster.kubeconfig(folder / "config"))
    client = await ClusterClient.from_kubeconfig(path, None, "demo", reach=reach)
    clock = ManualClock(NOW)
    keeper = EventKeeper(client, store, clock, REDACTOR, tick_seconds=0.02)
    keeper.start()
    try:
        yield clock
    finally:
        await keeper.close()
        await client.close()


async def kept(store: SqlEventStore, is_so: Callable[[Sequence[Sighting]], bool]) -> list[Sighting]:
    async with asyncio.timeout(5):
        while not is_so(found := await store.during("demo", DAY)):  # noqa: ASYNC110 (a database)
            await asyncio.sleep(0.01)
    return list(found)


async def until_read(store: SqlEventStore, moment: datetime) -> None:
    async with asyncio.timeout(5):
        while await store.last_read("demo") != moment:  # noqa: ASYNC110 (a database)
            await asyncio.sleep(0.01)


async def test_events_are_kept_redacted_and_counted(
    cluster: RunningCluster, store: SqlEventStore, tmp_path: Path
) -> None:
    async with keeping(cluster, store, tmp_path):
        (first,) = await kept(store, bool)
        assert "hunter2secret" not in first.message
        assert first.message.startswith("login with password=")
        cluster.world.store.put(occurrence("Failed", 8))
        (again,) = await kept(store, lambda found: found[0].count == 8)
        assert again.involved.name == "payments-1"
        await until_read(store, NOW)
    assert list(await store.uncovered("demo", TimeRange(hours(-1), NOW))) == []


async def test_a_restart_within_the_life_of_events_is_no_gap_and_a_long_one_is(
    cluster: RunningCluster, store: SqlEventStore, tmp_path: Path
) -> None:
    async with keeping(cluster, store, tmp_path):
        await until_read(store, NOW)
    async with keeping(cluster, store, tmp_path) as clock:
        clock.advance(timedelta(minutes=50))
        await until_read(store, clock.now())
    assert list(await store.uncovered("demo", TimeRange(NOW, hours(0.5)))) == []
    await store.cover("demo", TimeRange(hours(5), hours(6)))
    now_known, gaps = await with_kept_events(
        snapshot(POD, now=hours(6)), store, TimeRange(hours(-0.5), hours(6))
    )
    assert [one.reason for one in now_known.of(Event)] == ["Failed"]
    assert [gap.why for gap in gaps] == ["not read from 2026-03-01 12:50 to 2026-03-01 17:00 UTC"]


async def test_while_the_store_fails_nothing_is_lost_and_nothing_claimed(
    cluster: RunningCluster, store: SqlEventStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cluster.eventlog.RETRY_SECONDS", 0.05)

    class Failing:
        """Refuses the first tries to write, as a full disk does."""

        def __init__(self) -> None:
            self.refusals = 3

        async def put(self, name: str, sightings: Sequence[Sighting]) -> None:
            if self.refusals:
                self.refusals -= 1
                assert await store.last_read("demo") is None
                raise StateError("keep Events", "its disk is full", "Free some")
            await store.put(name, sightings)

        async def cover(self, name: str, span: TimeRange) -> None:
            await store.cover(name, span)

    failing = Failing()
    async with keeping(cluster, failing, tmp_path):
        assert len(await kept(store, bool)) == 1
    assert failing.refusals == 0


async def test_where_events_are_denied_nothing_is_read(
    cluster: RunningCluster, store: SqlEventStore, tmp_path: Path
) -> None:
    reach = Reach(denied_kinds=frozenset({"Event"}))
    async with keeping(cluster, store, tmp_path, reach):
        await asyncio.sleep(0.1)
    assert await store.last_read("demo") is None
    assert list(await store.during("demo", DAY)) == []


async def test_what_the_cluster_still_has_is_taken_from_there(store: SqlEventStore) -> None:
    live = occurrence("BackOff", 9)
    state = snapshot(POD, live)
    (now_there,) = state.of(Event)
    older = sighting_of(now_there, "demo", REDACTOR)
    gone = sighting_of(snapshot(occurrence("OOMKilling", 2)).of(Event)[0], "demo", REDACTOR)
    await store.put("demo", [older, gone])
    merged, gaps = await with_kept_events(state, store, DAY)
    assert not gaps
    assert sorted((one.reason, times_seen(one)) for one in merged.of(Event)) == [
        ("BackOff", 9), ("OOMKilling", 2),
    ]  # fmt: skip
    (of_pod,) = state.of(Pod)
    assert {one.reason for one in merged.events_of(of_pod)} == {"BackOff", "OOMKilling"}


async def test_a_kept_event_reads_as_it_did() -> None:
    (before,) = snapshot(occurrence("BackOff", 9)).of(Event)
    after = event_of(sighting_of(before, "demo", REDACTOR))
    for read in (first_seen, last_seen, times_seen):
        assert read(after) == read(before)
    assert after.involved_object == before.involved_object


async def test_a_store_that_fails_is_a_gap() -> None:
    class Broken:
        async def during(
            self, cluster: str, window: TimeRange, namespaces: Collection[str] = ()
        ) -> Sequence[Sighting]:
            raise StateError("look up kept Events", f"{cluster} {window} {namespaces}", "Look")

    state = snapshot(POD)
    same, gaps = await with_kept_events(state, Broken(), DAY)  # type: ignore[arg-type]  # enough
    assert same is state
    assert [gap.what for gap in gaps] == ["Events of cluster demo"]


async def test_a_digest_tells_of_what_the_cluster_has_forgotten(
    cluster: RunningCluster, store: SqlEventStore, tmp_path: Path
) -> None:
    asleep = occurrence("FailedCreatePodSandBox", 12, "failed to set up the pod's network")
    cluster.world.store.put(asleep)
    async with keeping(cluster, store, tmp_path):
        await kept(store, lambda found: len(found) == 2)
    events = cluster.world.store.find("", "v1", "events")
    assert events is not None
    for name in ("Failed", "FailedCreatePodSandBox"):
        cluster.world.store.delete(events, "shop", f"payments-1.{name}")
    path = str(cluster.kubeconfig(tmp_path / "config"))
    client = await ClusterClient.from_kubeconfig(path, None, "demo")
    seen: list[str] = []

    def look(state: Snapshot, now: datetime, thresholds: Thresholds) -> Iterator[Finding]:  # noqa: ARG001
        seen.extend(one.reason for one in state.of(Event))
        return iter(())

    collector = ClusterCollector(
        [client], ManualClock(NOW), REDACTOR, detectors={"look": look}, events=store
    )
    collected = await collector.collect(DAY, Scope())
    await collector.close()
    assert sorted(seen) == ["Failed", "FailedCreatePodSandBox"]
    assert not collected.gaps
