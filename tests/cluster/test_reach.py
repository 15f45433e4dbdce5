"""What is out of reach, by configuration or by a channel's scope, is neither read nor told."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from cluster.client import ClusterClient
from cluster.collect import ClusterCollector
from cluster.kinds import BY_NAME
from cluster.objects import Node, Pod
from cluster.reach import Reach
from cluster.snapshot import Snapshot, let_go, take_snapshot
from core.alerts import Alert
from core.answers import Scope
from core.clock import ManualClock
from core.errors import ClusterError
from core.questions import TimeRange
from core.redact import Redactor
from tests.cluster.api import FakeApi, connected, kubeconfig, serving
from tests.cluster.payloads import NOW, node, pod

DAY = TimeRange(NOW - timedelta(days=1), NOW)


def test_reach_names_the_places_to_list() -> None:
    pods, nodes = BY_NAME["Pod"], BY_NAME["Node"]
    free = Reach(denied_namespaces=frozenset({"vault"}))
    assert free.places(pods) == ("",)
    assert free.places(pods, ["shop", "vault"]) == ("shop",)
    assert free.places(nodes, ["shop"]) == ("",)
    assert free.query(pods, "") == {"fieldSelector": "metadata.namespace!=vault"}
    assert free.query(pods, "shop") == free.query(nodes, "") == {}
    narrow = Reach(frozenset({"shop", "vault"}), frozenset({"vault"}))
    assert narrow.places(pods) == ("shop",)
    assert narrow.places(pods, ["other"]) == ()


async def test_a_denied_kind_and_namespace_are_never_asked_for(tmp_path: Path) -> None:
    reach = Reach(frozenset({"shop", "vault"}), frozenset({"vault"}), frozenset({"Ingress"}))
    async with serving(FakeApi([pod("a"), pod("b", namespace="vault"), node()])) as api:
        path = kubeconfig(tmp_path / "config", api.url)
        client = await ClusterClient.from_kubeconfig(path, None, "demo", reach=reach)
        snapshot = await take_snapshot(client, ManualClock(NOW))
        for kind, namespace in (("Ingress", "shop"), ("Pod", "vault")):
            with pytest.raises(ClusterError, match="configuration denies it"):
                await client.list_all(BY_NAME[kind], namespace)
        await client.close()
    assert [one.metadata.name for one in snapshot.of(Pod)] == ["a"]
    assert len(snapshot.of(Node)) == 1
    assert not snapshot.gaps
    assert not snapshot.has_read(BY_NAME["Ingress"].struct)
    asked = {path for _, path, _ in api.requests}
    assert "/api/v1/namespaces/shop/pods" in asked
    assert not [path for path in asked if "vault" in path or "ingresses" in path]


async def test_nothing_within_reach_is_an_empty_snapshot(tmp_path: Path) -> None:
    async with serving(FakeApi([pod("a")])) as api, connected(api, tmp_path) as client:
        client.reach = Reach(denied_kinds=frozenset(BY_NAME))
        snapshot = await take_snapshot(client, ManualClock(NOW))
    assert not snapshot.objects
    assert not api.requests


async def test_alerts_of_other_namespaces_are_not_told(tmp_path: Path) -> None:
    class Firing:
        async def firing(self, cluster: str) -> Sequence[Alert]:
            return [
                Alert(f"In {namespace or cluster}", {"namespace": namespace}, {}, NOW, namespace)
                for namespace in ("shop", "vault", "other", "")
            ]

    async with serving(FakeApi([pod("a")])) as api, connected(api, tmp_path) as client:
        collector = ClusterCollector(
            [client],
            ManualClock(NOW),
            Redactor(b"k" * 32),
            alerts=Firing(),
            denied_namespaces=frozenset({"vault"}),
        )
        everywhere = await collector.collect(DAY, Scope())
        narrow = await collector.collect(DAY, Scope(namespaces=frozenset({"shop", "vault"})))
        await collector.close()
    told = {finding.reason for finding in everywhere.findings if finding.detector == "alerts"}
    assert told == {"In shop", "In other", "In demo"}
    told = {finding.reason for finding in narrow.findings if finding.detector == "alerts"}
    assert told == {"In shop", "In demo"}


async def test_a_big_snapshot_is_let_go_while_others_work() -> None:
    state = Snapshot("demo", NOW, {Pod: tuple(Pod() for _ in range(5_500))})
    given, turns = [state], 0

    async def work() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(work())
    await let_go(given)
    task.cancel()
    assert given == []
    assert turns >= 5
    assert len(state.of(Pod)) == 5_500  # we still need it
