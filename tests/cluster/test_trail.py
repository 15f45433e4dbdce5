"""One object from all sides, read over HTTP from the sandbox's recorded cluster."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from cluster.client import ClusterClient
from cluster.collect import ClusterCollector
from cluster.trail import ClusterTrail
from core.answers import Scope
from core.changes import Timeline
from core.clock import ManualClock
from core.findings import ObjectRef
from core.questions import Reading, TimeRange
from core.redact import Redactor
from sandbox.cluster.recorded import Faults, RecordedCluster
from sandbox.cluster.server import run_cluster
from sandbox.cluster.world import shop_world
from tests.cluster.api import FakeApi, connected, serving
from tests.cluster.histories import bare
from tests.cluster.payloads import container_status, pod, running, terminated, workload

PAYMENTS = ObjectRef("demo", "Deployment", "shop", "payments")
START = datetime.now(UTC)
DAY = TimeRange(START - timedelta(days=1), START + timedelta(seconds=1))


def named(*names: str, spaces: tuple[str, ...] = ()) -> Reading:
    return Reading("?", "?", names=names, namespaces=spaces)


@asynccontextmanager
async def opened(world: RecordedCluster, folder: Path) -> AsyncIterator[ClusterTrail]:
    async with run_cluster(world, speed=0) as cluster:
        path = folder / "kubeconfig"
        cluster.kubeconfig(path)
        client = await ClusterClient.from_kubeconfig(str(path), None, "demo")
        clock, redactor = ManualClock(START), Redactor(b"k" * 32)
        collector = ClusterCollector([client], clock, redactor)
        yield ClusterTrail(collector, redactor, clock)
        await collector.close()


@pytest.fixture(scope="module")
def world() -> RecordedCluster:
    return shop_world(START)


@pytest.fixture
async def trail(world: RecordedCluster, tmp_path: Path) -> AsyncIterator[ClusterTrail]:
    world.faults = Faults()
    async with opened(world, tmp_path) as found:
        yield found


def says(found: Timeline) -> list[tuple[str, str, str]]:
    return [(item.object.name, item.what, item.by) for item in found.changes]


async def test_names_lead_to_workloads_nodes_and_namespaces(trail: ClusterTrail) -> None:
    async def find(reading: Reading) -> list[str]:
        return [str(ref) for ref in (await trail.find(reading, Scope())).objects]

    assert await find(named("payments")) == ["Deployment shop/payments"]
    assert await find(named("worker-2")) == ["Node worker-2"]
    assert await find(named(spaces=("shop", "nowhere"))) == ["Namespace shop"]
    assert await find(named("nothing")) == []
    # Whichever is in trouble comes first.
    assert await find(named("checkout", "payments")) == [
        "Deployment shop/payments",
        "Deployment shop/checkout",
    ]


async def test_the_rollout_and_who_did_it_stand_before_the_trouble(trail: ClusterTrail) -> None:
    found = await trail.changes(PAYMENTS, DAY, Scope())
    rollout = (
        "rolled out revision 27: image payments:3.8.2 → payments:3.9.0,"
        " memory limit 512Mi → 256Mi, env SETTLEMENT_PAGE_ROWS has another value"
    )
    assert ("payments", rollout, "argocd-controller") in says(found)
    (trouble,) = found.troubles
    assert trouble.suspect is not None
    assert trouble.suspect.what == rollout
    assert found.gaps == ()


async def test_config_scaling_and_nodes_of_a_namespace_are_seen(trail: ClusterTrail) -> None:
    shop = ObjectRef("demo", "Namespace", "", "shop")
    told = says(await trail.changes(shop, DAY, Scope()))
    assert ("inventory-config", "changed", "kubectl-edit") in told
    assert ("worker-2", "reports DiskPressure", "") in told
    assert any("scaled by its autoscaler: New size: 2" in what for _, what, _ in told)
    redis = ObjectRef("demo", "StatefulSet", "platform", "redis")
    moved = await trail.changes(redis, DAY, Scope())
    assert ("redis", "made pod redis-0", "") in says(moved)
    worker = ObjectRef("demo", "Node", "", "worker-2")
    assert says(await trail.changes(worker, DAY, Scope())) == [
        ("worker-2", "reports DiskPressure", "")
    ]


async def test_a_kind_that_may_not_be_read_is_a_gap_and_the_rest_is_told(
    trail: ClusterTrail, world: RecordedCluster
) -> None:
    world.faults = Faults(mode="forbidden", resource="configmaps")
    found = await trail.changes(PAYMENTS, DAY, Scope())
    assert [gap.what for gap in found.gaps] == ["configmaps of cluster demo"]
    assert found.troubles[0].suspect is not None


async def test_a_cluster_that_is_down_is_a_gap_everywhere(
    trail: ClusterTrail, world: RecordedCluster
) -> None:
    world.faults = Faults(mode="down")
    assert (await trail.find(named("payments"), Scope())).gaps
    assert (await trail.inspect(PAYMENTS, Scope())).lines == ()
    assert (await trail.logs(PAYMENTS, Scope())).read == 0
    found = await trail.changes(PAYMENTS, DAY, Scope())
    assert found.changes == ()
    assert found.gaps


async def test_history_that_fails_alone_is_a_gap(
    trail: ClusterTrail, world: RecordedCluster
) -> None:
    await trail.find(named("payments"), Scope())  # the snapshot is kept for some seconds
    world.faults = Faults(mode="down")
    found = await trail.changes(PAYMENTS, DAY, Scope())
    assert [gap.what for gap in found.gaps] == ["revisions and ConfigMaps of shop in cluster demo"]
    assert found.troubles


async def test_state_and_events_of_an_object(trail: ClusterTrail) -> None:
    found = await trail.inspect(PAYMENTS, Scope())
    assert found.state.startswith("payments keeps restarting because")
    assert [item.problem for item in found.findings] == ["oom"]
    assert found.nodes == {"worker-4", "worker-5"}
    assert any(text.startswith("Event BackOff") for text in found.events)
    assert "Deployment shop/cart" in [str(item.owner) for item in found.elsewhere]
    node = await trail.inspect(ObjectRef("demo", "Node", "", "worker-2"), Scope())
    assert "DiskPressure" in node.state
    gone = await trail.inspect(ObjectRef("demo", "Deployment", "shop", "gone"), Scope())
    assert gone.lines == ()
    assert "not there any more" in gone.state


async def test_logs_tell_the_crash_first_and_no_secret(trail: ClusterTrail) -> None:
    found = await trail.logs(PAYMENTS, Scope())
    assert found.errors[0].is_previous
    assert "OutOfMemoryError" in found.errors[0].text
    assert found.last_words
    leaky = await trail.logs(ObjectRef("demo", "Deployment", "shop", "checkout"), Scope())
    assert leaky.read == 2
    assert "Bearer ey" not in " ".join(item.text for item in leaky.errors)
    inventory = await trail.logs(ObjectRef("demo", "Deployment", "shop", "inventory"), Scope())
    assert any("ERR_STOCK_SYNC" in item.text for item in inventory.errors)


async def test_an_error_far_back_in_a_log_is_told_with_when_it_began(tmp_path: Path) -> None:
    status = container_status(running(), last=terminated(1), restarts=1)
    api = FakeApi([pod("payments-1", status)])
    lines = [f"2026-03-01T10:00:00.000000001Z INFO request {number}" for number in range(3_000)]
    lines[700] = "2026-03-01T09:30:00.000000001Z ERROR disk full"
    lines[900] = "2026-03-01T09:40:00.000000001Z ERROR socket closed"
    api.logs["payments-1", False] = "\n".join(lines)
    api.logs["payments-1", True] = "2026-03-01T09:00:00.000000001Z ERROR disk full\n"
    clock, redactor = ManualClock(START), Redactor(b"k" * 32)
    async with serving(api), connected(api, tmp_path) as client:
        trail = ClusterTrail(ClusterCollector([client], clock, redactor), redactor, clock)
        found = await trail.logs(ObjectRef(client.name, "Pod", "shop", "payments-1"), Scope())
    # The crashed instance's comes first, and says nothing of what was before its first line.
    told, late = found.errors
    assert (told.text, told.count, told.is_previous) == ("ERROR disk full", 2, True)
    assert not told.began_before
    assert (late.text, late.is_previous, late.began_before) == ("ERROR socket closed", False, True)
    assert (found.read, found.last_words) == (2, "ERROR disk full")


async def test_logs_that_may_not_be_read_are_gaps(
    trail: ClusterTrail, world: RecordedCluster
) -> None:
    world.faults = Faults(mode="forbidden", resource="pods/log")
    found = await trail.logs(PAYMENTS, Scope())
    assert found.read == 0
    assert found.errors == ()
    assert "pods/log" in found.gaps[0].why


async def test_a_cluster_out_of_scope_is_not_looked_at(trail: ClusterTrail) -> None:
    elsewhere = Scope(clusters=frozenset({"other"}))
    assert (await trail.find(named("payments"), elsewhere)).objects == ()
    assert (await trail.inspect(PAYMENTS, elsewhere)).lines == ()
    assert (await trail.changes(PAYMENTS, DAY, elsewhere)).changes == ()


class Accepts(FakeApi):
    """Remembers in which form each list was asked for."""

    def __init__(self, objects: list[dict[str, Any]]) -> None:
        super().__init__(objects)
        self.forms: dict[str, str] = {}

    async def handle(self, request: web.Request) -> web.Response:
        self.forms[request.path] = request.headers["Accept"]
        return await super().handle(request)


async def test_config_maps_are_asked_for_without_their_data(tmp_path: Path) -> None:
    api = Accepts([workload("Deployment"), bare("ConfigMap", "payments-config")])
    clock, redactor = ManualClock(START), Redactor(b"k" * 32)
    async with serving(api), connected(api, tmp_path) as client:
        trail = ClusterTrail(ClusterCollector([client], clock, redactor), redactor, clock)
        await trail.changes(PAYMENTS, DAY, Scope())
    place = "/api/v1/namespaces/shop"
    for plural in ("configmaps", "resourcequotas"):
        assert "as=PartialObjectMetadataList" in api.forms[f"{place}/{plural}"]
    assert "PartialObject" not in api.forms["/api/v1/pods"]
    assert not [path for path in api.forms if "secrets" in path]
