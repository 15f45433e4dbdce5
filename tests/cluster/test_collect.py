"""The collector reads all clusters, isolates what fails, and says what it could not see."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cluster.client import ClusterClient
from cluster.collect import ClusterCollector
from cluster.detectors.table import DETECTORS
from cluster.kinds import KINDS, TLS_SECRETS
from cluster.secret_objects import Secret
from cluster.snapshot import Snapshot
from cluster.thresholds import Thresholds
from cluster.unusable import UnusableClient
from core.alerts import Alert
from core.answers import Scope
from core.clock import ManualClock
from core.errors import ClusterError
from core.findings import Finding
from core.questions import TimeRange
from core.redact import Redactor
from tests.cluster.api import FakeApi, connected, serving
from tests.cluster.payloads import (
    NOW,
    condition,
    container_status,
    event,
    node,
    pod,
    running,
    terminated,
    waiting,
    workload,
)

DAY = TimeRange(NOW - timedelta(days=1), NOW)
REDACTOR = Redactor(b"k" * 32)


def crashing(name: str = "payments-1", namespace: str = "shop", **more: Any) -> dict[str, Any]:
    status = container_status(
        waiting("CrashLoopBackOff"), last=terminated(1), restarts=4, name="app"
    )
    return pod(name, status, namespace=namespace, **more)


@asynccontextmanager
async def collecting(
    folder: Path, *apis: FakeApi, **more: Any
) -> AsyncIterator[tuple[ClusterCollector, ManualClock]]:
    """A collector over clusters named c0, c1 and so on."""
    clock = ManualClock(NOW)
    async with AsyncExitStack() as stack:
        clients: list[ClusterClient] = []
        for number, api in enumerate(apis):
            if not api.url:
                await stack.enter_async_context(serving(api))
            clients.append(await stack.enter_async_context(connected(api, folder, f"c{number}")))
        collector = ClusterCollector(clients, clock, REDACTOR, **more)
        try:
            yield collector, clock
        finally:
            await collector.close()


async def test_findings_come_with_redacted_evidence_and_telling_log_lines(tmp_path: Path) -> None:
    broken = crashing()
    secret = event(broken, "BackOff", "restarting with password=hunter2-and-more")
    api = FakeApi([broken, secret])
    api.logs["payments-1", True] = (
        "2026-03-01T11:50:00Z INFO starting\n"
        "2026-03-01T11:50:01Z ERROR cannot log in with password=hunter2-and-more\n"
    )
    async with collecting(tmp_path, api) as (collector, _):
        collected = await collector.collect(DAY, Scope())
    (finding,) = collected.findings
    assert collected.clusters == ("c0",)
    assert collected.gaps == ()
    assert any("cannot log in" in line for line in finding.log_lines)
    assert "hunter2" not in str(finding)
    assert "<REDACTED" in str(finding.log_lines)
    assert "<REDACTED" in str(finding.evidence)


async def test_without_a_previous_log_the_current_one_is_read(tmp_path: Path) -> None:
    api = FakeApi([crashing()])
    api.logs["payments-1", False] = "ERROR only the current log is left"
    async with collecting(tmp_path, api) as (collector, _):
        collected = await collector.collect(DAY, Scope())
    assert collected.findings[0].log_lines == ("ERROR only the current log is left",)


async def test_a_log_that_may_not_be_read_is_a_gap_beside_the_finding(tmp_path: Path) -> None:
    api = FakeApi([crashing()])
    api.answers["log"] = (403, "{}")
    async with collecting(tmp_path, api) as (collector, _):
        collected = await collector.collect(DAY, Scope())
    assert len(collected.findings) == 1
    assert collected.gaps[0].what == "log of shop/payments-1 in cluster c0"


async def test_a_kind_that_is_denied_costs_that_kind_alone(tmp_path: Path) -> None:
    api = FakeApi([crashing()])
    api.answers["ingresses"] = (403, "{}")
    api.answers["jobs"] = (200, '{"items": [{"metadata": {"name": 3}}]}')
    async with collecting(tmp_path, api) as (collector, _):
        collected = await collector.collect(DAY, Scope())
    assert len(collected.findings) == 1
    assert {gap.what for gap in collected.gaps} == {
        "ingresses of cluster c0",
        "jobs of cluster c0",
    }


class FakeAlerts:
    def __init__(self, *alerts: Alert, error: ClusterError | None = None) -> None:
        self.alerts, self.error = alerts, error

    async def firing(self, cluster: str) -> Sequence[Alert]:
        if self.error:
            raise self.error
        return [alert for alert in self.alerts if alert.labels.get("cluster") == cluster]


async def test_alerts_are_told_with_the_other_findings_of_their_owner(tmp_path: Path) -> None:
    labels = {"cluster": "c0", "namespace": "shop", "pod": "payments-1", "severity": "warning"}
    annotations = {"summary": "password=hunter2-and-more was used"}
    alert = Alert("KubePodCrashLooping", labels, annotations, NOW, "f1")
    source = FakeAlerts(alert)
    async with collecting(tmp_path, FakeApi([crashing()]), alerts=source) as (collector, _):
        (finding,) = (await collector.collect(DAY, Scope())).findings
    assert finding.problem == "crash-loop"
    (told,) = [item.value for item in finding.evidence if item.field == "also"]
    assert "KubePodCrashLooping" in told
    assert "hunter2" not in told


async def test_alerts_that_cannot_be_read_are_a_gap(tmp_path: Path) -> None:
    source = FakeAlerts(error=ClusterError("read alerts", "it does not answer", "Look at it"))
    async with collecting(tmp_path, FakeApi([crashing()]), alerts=source) as (collector, _):
        collected = await collector.collect(DAY, Scope())
    assert len(collected.findings) == 1
    assert [gap.what for gap in collected.gaps] == ["alerts of cluster c0"]


async def test_an_api_that_a_cluster_does_without_is_no_gap(tmp_path: Path) -> None:
    api = FakeApi([crashing()])
    api.answers["httproutes"] = api.answers["gateways"] = (404, "404 page not found")
    api.answers["ingresses"] = (404, "404 page not found")
    async with collecting(tmp_path, api) as (collector, _):
        collected = await collector.collect(DAY, Scope())
    assert [gap.what for gap in collected.gaps] == ["ingresses of cluster c0"]


async def test_a_cluster_that_cannot_be_read_is_a_gap_and_the_others_go_on(tmp_path: Path) -> None:
    gone, refused, blind = FakeApi(), FakeApi(), FakeApi()
    async with serving(gone):
        pass
    refused.valid_token = "another"
    blind.answers = {kind.plural: (403, "{}") for kind in KINDS}
    good = FakeApi([crashing()])
    async with collecting(tmp_path, gone, refused, blind, good) as (collector, _):
        collected = await collector.collect(DAY, Scope())
        pings = dict(await collector.ping())
    assert collected.clusters == ("c3",)
    assert [gap.what for gap in collected.gaps] == ["cluster c0", "cluster c1", "cluster c2"]
    assert len(collected.findings) == 1
    assert pings["c3"] == "v1.34.1"
    assert isinstance(pings["c0"], ClusterError)


async def test_each_try_to_read_a_cluster_is_told_with_its_end(tmp_path: Path) -> None:
    gone, good = FakeApi(), FakeApi([crashing()])
    async with serving(gone):
        pass
    told: list[tuple[str, bool]] = []

    def on_snapshot(name: str, seconds: float, is_read: bool) -> None:
        assert seconds > 0
        told.append((name, is_read))

    async with collecting(tmp_path, gone, good, on_snapshot=on_snapshot) as (collector, _):
        await collector.snapshots(Scope())
        await collector.snapshots(Scope())
    assert sorted(told) == [("c0", False), ("c0", False), ("c1", True)]


async def test_a_rule_that_fails_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    def broken(_snapshot: Snapshot, _now: datetime, _thresholds: Thresholds) -> Iterator[Finding]:
        raise KeyError("odd object")

    detectors = {**DETECTORS, "nodes": broken}
    api = FakeApi([crashing()])
    async with collecting(tmp_path, api, detectors=detectors) as (collector, _):
        collected = await collector.collect(DAY, Scope())
    assert len(collected.findings) == 1
    assert collected.gaps[0].what == "rule nodes on cluster c0"
    assert "KeyError" in collected.gaps[0].why


async def test_a_scope_is_applied_before_reading(tmp_path: Path) -> None:
    apis = [
        FakeApi([crashing(), crashing("q", "trading"), node()]),
        FakeApi([crashing()]),
    ]
    async with collecting(tmp_path, *apis) as (collector, _):
        scope = Scope(clusters=frozenset({"c0"}), namespaces=frozenset({"shop"}))
        collected = await collector.collect(DAY, scope)
    assert [str(item.owner) for item in collected.findings] == ["Pod shop/payments-1"]
    assert collected.clusters == ("c0",)
    paths = {path for _, path, _ in apis[0].requests if path.endswith("/pods")}
    assert paths == {"/api/v1/namespaces/shop/pods"}
    assert apis[1].requests == []


@pytest.mark.parametrize(
    "scope", [Scope(sources=frozenset({"markdown"})), Scope(clusters=frozenset({"elsewhere"}))]
)
async def test_a_scope_without_any_cluster_asks_none_and_never_tells_that_all_is_quiet(
    tmp_path: Path, scope: Scope
) -> None:
    api = FakeApi([crashing()])
    async with collecting(tmp_path, api) as (collector, _):
        collected = await collector.collect(DAY, scope)
    assert api.requests == []
    assert collected.findings == ()
    assert [gap.what for gap in collected.gaps] == ["the clusters"]


async def test_denied_namespaces_are_never_told_of(tmp_path: Path) -> None:
    api = FakeApi([crashing(), crashing("q", "vault")])
    async with collecting(tmp_path, api, denied_namespaces=frozenset({"vault"})) as (collector, _):
        everywhere = await collector.collect(DAY, Scope())
        there = await collector.collect(DAY, Scope(namespaces=frozenset({"vault"})))
    assert [item.owner.namespace for item in everywhere.findings] == ["shop"]
    assert there.findings == ()
    assert there.clusters == ("c0",)


async def test_a_snapshot_is_shared_while_it_is_fresh(tmp_path: Path) -> None:
    api = FakeApi([crashing()])
    async with collecting(tmp_path, api) as (collector, clock):
        await asyncio.gather(*(collector.snapshots(Scope()) for _ in range(5)))
        await collector.snapshots(Scope())
        assert len(api.asked("pods")) == 1
        clock.advance(timedelta(seconds=6))
        await collector.snapshots(Scope())
        assert len(api.asked("pods")) == 2


async def test_a_snapshot_that_is_stale_is_let_go_before_the_next_is_taken(tmp_path: Path) -> None:
    api = FakeApi([crashing()])
    async with collecting(tmp_path, api) as (collector, clock):
        (taken,), _ = await collector.snapshots(Scope())
        stale = weakref.ref(taken)
        del taken
        clock.advance(timedelta(seconds=6))
        api.hang.add("pods")
        asking = asyncio.create_task(collector.snapshots(Scope()))
        while len(api.asked("pods")) < 2:  # noqa: ASYNC110 (the server has no event to wait for)
            await asyncio.sleep(0.01)
        assert stale() is None
        api.released.set()
        await asking


async def test_closing_gives_up_what_is_being_read(tmp_path: Path) -> None:
    api = FakeApi()
    api.hang.add("pods")
    async with collecting(tmp_path, api) as (collector, _):
        asking = asyncio.create_task(collector.snapshots(Scope()))
        while not api.asked("pods"):  # noqa: ASYNC110 (the server has no event to wait for)
            await asyncio.sleep(0.01)
        await collector.close()
        with pytest.raises(asyncio.CancelledError):
            await asking


async def test_past_kills_stay_news_for_the_whole_window(tmp_path: Path) -> None:
    last = terminated(137, "OOMKilled", minutes=5 * 60)
    survivor = pod("p", container_status(running(), last=last, ready=True, restarts=1), ready=True)
    hour = TimeRange(NOW - timedelta(hours=1), NOW)
    async with collecting(tmp_path, FakeApi([survivor])) as (collector, _):
        assert (await collector.collect(hour, Scope())).findings == ()
        assert len((await collector.collect(DAY, Scope())).findings) == 1


async def test_replicas_that_say_the_same_are_quoted_once(tmp_path: Path) -> None:
    deployment = workload("Deployment", ready=0)
    objects = [crashing(f"payments-{number}", owner=deployment) for number in range(3)]
    api = FakeApi([deployment, *objects])
    for number in range(3):
        api.logs[f"payments-{number}", True] = f"ERROR lost connection {number} of pool"
    async with collecting(tmp_path, api) as (collector, _):
        (finding,) = (await collector.collect(DAY, Scope())).findings
    assert len(finding.log_lines) == 1


async def test_in_a_storm_only_the_worst_findings_get_their_logs_read(tmp_path: Path) -> None:
    api = FakeApi([crashing(f"pod-{number}") for number in range(43)])
    async with collecting(tmp_path, api) as (collector, _):
        collected = await collector.collect(DAY, Scope())
    assert len(collected.findings) == 43
    assert {query["container"] for query in api.asked("log")} == {"app"}
    assert [gap.what for gap in collected.gaps] == ["logs of 3 findings in cluster c0"]


async def test_a_cluster_that_could_not_be_configured_is_told_as_unread(tmp_path: Path) -> None:
    wrong = UnusableClient("c9", ClusterError("read a file", "it is not there", "Write it"))
    async with collecting(tmp_path, FakeApi()) as (collector, clock):
        both = ClusterCollector([collector.client("c0"), wrong], clock, REDACTOR)
        collected = await both.collect(DAY, Scope())
        pings = dict(await both.ping())
        await both.close()
    assert [(gap.what, gap.why) for gap in collected.gaps] == [("cluster c9", "it is not there")]
    assert isinstance(pings["c9"], ClusterError)


async def test_findings_of_all_clusters_come_worst_first(tmp_path: Path) -> None:
    lost = node("worker-1", condition("Ready", "Unknown"))
    async with collecting(tmp_path, FakeApi([crashing()]), FakeApi([lost])) as (collector, _):
        collected = await collector.collect(DAY, Scope())
    assert [item.owner.cluster for item in collected.findings] == ["c1", "c0"]
    assert collector.names == ("c0", "c1")


async def test_secrets_are_asked_for_only_when_certificates_are_to_be_told(tmp_path: Path) -> None:
    secret = {"kind": "Secret", "metadata": {"name": "tls", "namespace": "shop"}, "data": {}}
    silent, asked = FakeApi([secret]), FakeApi([secret])
    async with collecting(tmp_path, silent) as (collector, _):
        await collector.collect(DAY, Scope())
    async with collecting(tmp_path, asked, kinds=(*KINDS, TLS_SECRETS)) as (collector, _):
        (snapshot,), gaps = await collector.snapshots(Scope())
    assert silent.asked("secrets") == []
    assert [query["fieldSelector"] for query in asked.asked("secrets")] == [
        "type=kubernetes.io/tls"
    ]
    assert gaps == []
    assert [item.metadata.name for item in snapshot.of(Secret)] == ["tls"]
    assert snapshot.has_read(Secret)
