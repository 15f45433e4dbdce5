"""Events are followed through everything that happens to a connection, and none is missed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cluster.client import ClusterClient, Timeouts
from cluster.decode import decode_change
from cluster.objects import Event
from cluster.reach import Reach
from cluster.watching import EVENT_LIFE, NEW_EVENTS, EventFollower
from core.clock import ManualClock
from sandbox.cluster.recorded import Faults, RecordedCluster
from sandbox.cluster.server import RunningCluster, run_cluster
from tests.cluster.payloads import NOW, event, pod

POD = pod("payments-1")


def occurrence(reason: str, count: int = 1, namespace: str = "shop") -> dict[str, Any]:
    found = event(POD, reason, count=count)
    found["metadata"]["namespace"] = namespace
    return found


@pytest.fixture
async def cluster() -> AsyncIterator[RunningCluster]:
    world = RecordedCluster([POD, occurrence("BackOff", 3)], now=NOW)
    async with run_cluster(world, speed=0) as running:
        yield running


@asynccontextmanager
async def following(
    cluster: RunningCluster,
    folder: Path,
    *,
    watch_seconds: float = 60,
    reach: Reach = Reach(),  # noqa: B008  (frozen)
    place: str = "",
    clock: ManualClock | None = None,
) -> AsyncIterator[EventFollower]:
    client = await ClusterClient.from_kubeconfig(
        str(cluster.kubeconfig(folder / "config")),
        None,
        "demo",
        Timeouts(connect_seconds=2, total_seconds=2, watch_seconds=watch_seconds),
        reach,
    )
    follower = EventFollower(
        client, clock or ManualClock(NOW), place, first_pause_seconds=0.02, settle_seconds=0.1
    )
    task = asyncio.create_task(follower.run())
    try:
        yield follower
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await client.close()


async def taken(follower: EventFollower, number: int = 1) -> list[tuple[str, int | None]]:
    found: list[tuple[str, int | None]] = []
    while len(found) < number:
        got = await follower.take(100, wait_seconds=5)
        assert got, f"only {found} came"
        found += [(one.reason, one.count) for one in got]
    return found


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not is_so():  # noqa: ASYNC110  (a test looks from outside)
            await asyncio.sleep(0.01)


async def test_what_is_there_comes_first_then_what_happens(
    cluster: RunningCluster, tmp_path: Path
) -> None:
    async with following(cluster, tmp_path) as follower:
        assert not follower.is_live
        assert await taken(follower) == [("BackOff", 3)]
        await until(lambda: follower.is_live)
        cluster.world.store.put(occurrence("Killing"))
        cluster.world.store.put(occurrence("BackOff", 4))
        assert await taken(follower, 2) == [("Killing", 1), ("BackOff", 4)]
        assert follower.complete_since == NOW - EVENT_LIFE
        assert not follower.is_kept
        follower.done()
        assert follower.is_kept


async def test_an_event_that_has_outlived_its_hour_does_not_come_again(
    cluster: RunningCluster, tmp_path: Path
) -> None:
    async with following(cluster, tmp_path) as follower:
        await taken(follower)
        await until(lambda: follower.is_live)
        store = cluster.world.store
        events = store.find("", "v1", "events")
        assert events is not None
        store.delete(events, "shop", occurrence("BackOff")["metadata"]["name"])
        store.put(occurrence("Killing"))
        assert await taken(follower) == [("Killing", 1)]


async def test_a_cut_connection_goes_on_where_it_was(
    cluster: RunningCluster, tmp_path: Path
) -> None:
    async with following(cluster, tmp_path) as follower:
        await taken(follower)
        for number in range(4, 7):
            await until(lambda: follower.is_live)
            cluster.server.drop_watches()
            cluster.world.store.put(occurrence("BackOff", number))
            assert await taken(follower) == [("BackOff", number)]


async def test_a_watch_that_ends_in_peace_goes_on_from_its_bookmark(
    cluster: RunningCluster, tmp_path: Path
) -> None:
    async with following(cluster, tmp_path, watch_seconds=1) as follower:
        await taken(follower)
        # The version that the list had is forgotten; only a bookmark leads further.
        cluster.world.store.put(POD)
        await asyncio.sleep(1.2)
        cluster.world.store.forget_changes()
        cluster.world.store.put(occurrence("Killing"))
        assert await taken(follower) == [("Killing", 1)]


async def test_a_version_that_is_gone_means_listing_again(
    cluster: RunningCluster, tmp_path: Path
) -> None:
    async with following(cluster, tmp_path) as follower:
        await taken(follower)
        await until(lambda: follower.is_live)
        cluster.server.drop_watches()
        cluster.world.store.put(occurrence("Killing"))
        cluster.world.store.forget_changes()
        # Both are listed; the store knows which it has.
        assert sorted(await taken(follower, 2)) == [("BackOff", 3), ("Killing", 1)]
        assert follower.complete_since == NOW - EVENT_LIFE


@pytest.mark.parametrize("mode", ["down", "garbage", "throttled", "broken", "forbidden", "expired"])
async def test_it_waits_out_whatever_is_wrong(
    cluster: RunningCluster, tmp_path: Path, mode: str
) -> None:
    async with following(cluster, tmp_path) as follower:
        await taken(follower)
        cluster.world.faults = Faults(mode)
        cluster.server.drop_watches()
        await until(lambda: follower.problem is not None)
        assert not follower.is_live
        cluster.world.store.put(occurrence("Killing"))
        cluster.world.faults = Faults()
        assert ("Killing", 1) in await taken(follower)
        await until(lambda: follower.is_live)


@pytest.mark.parametrize(("away", "missed"), [(59, 0), (121, 61)])
async def test_only_a_gap_longer_than_the_life_of_events_is_one(
    cluster: RunningCluster, tmp_path: Path, away: int, missed: int
) -> None:
    clock = ManualClock(NOW)
    async with following(cluster, tmp_path, clock=clock) as follower:
        await taken(follower)
        await until(lambda: follower.is_live)
        cluster.world.faults = Faults("broken")
        cluster.server.drop_watches()
        await until(lambda: follower.problem is not None)
        clock.advance(timedelta(minutes=away))
        cluster.world.store.forget_changes()
        cluster.world.store.put(POD)
        cluster.world.store.forget_changes()
        cluster.world.faults = Faults()
        await until(lambda: follower.is_live)
        expected = NOW - EVENT_LIFE
        if missed:
            expected = NOW + timedelta(minutes=missed)
        assert follower.complete_since == expected


async def test_where_only_the_newer_view_is_granted_that_one_is_read(
    cluster: RunningCluster, tmp_path: Path
) -> None:
    refused: list[str] = []

    class Role(Faults):
        """Grants events.k8s.io alone: every other request for Events is refused."""

        def hits(self, plural: str) -> bool:
            refused.append(plural)
            return len(refused) == 1

    cluster.world.faults = Role("forbidden")
    async with following(cluster, tmp_path) as follower:
        assert await taken(follower) == [("BackOff", 3)]
        cluster.world.store.put(occurrence("BackOff", 9))
        assert await taken(follower) == [("BackOff", 9)]
        assert follower._kind is NEW_EVENTS  # else a second try would do as well


async def test_denied_namespaces_are_not_even_read(cluster: RunningCluster, tmp_path: Path) -> None:
    cluster.world.store.put(occurrence("Secret", namespace="vault"))
    reach = Reach(denied_namespaces=frozenset({"vault"}))
    async with following(cluster, tmp_path, reach=reach) as follower:
        assert await taken(follower) == [("BackOff", 3)]
        cluster.world.store.put(occurrence("Secret2", namespace="vault"))
        cluster.world.store.put(occurrence("Killing"))
        assert await taken(follower) == [("Killing", 1)]


def test_both_views_of_an_event_read_the_same() -> None:
    line = b"""{"type": "MODIFIED", "object": {"apiVersion": "events.k8s.io/v1", "kind": "Event",
      "metadata": {"name": "a.1", "namespace": "shop", "uid": "u", "resourceVersion": "17"},
      "eventTime": "2026-03-01T11:00:00.000000Z", "reason": "FailedScheduling", "type": "Warning",
      "regarding": {"kind": "Pod", "namespace": "shop", "name": "a"}, "note": "0/3 nodes",
      "series": {"count": 7, "lastObservedTime": "2026-03-01T11:30:00.000000Z"},
      "deprecatedCount": null, "deprecatedLastTimestamp": null}}"""
    change = decode_change(line, Event)
    assert (change.type, change.version) == ("MODIFIED", "17")
    assert change.obj is not None
    assert change.obj.involved_object.name == "a"
    assert change.obj.message == "0/3 nodes"
    assert change.obj.series is not None
    assert change.obj.series.last_observed_time == datetime.fromisoformat("2026-03-01T11:30:00Z")


def test_an_object_that_fits_no_struct_is_passed_over() -> None:
    assert decode_change(b'{"type":"ADDED","object":{"metadata":{"name":3}}}', Event).obj is None
    for line in (b"<html>", b'{"type":"ADDED"}', b"[]"):
        with pytest.raises(ValueError, match=r".+"):
            decode_change(line, Event)
