"""Who needs whom in a snapshot, and which declared services fail with a node."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import sandbox
from cluster.client import ClusterClient
from cluster.collect import ClusterCollector
from cluster.topology import LiveTopology, topology_of
from core.clock import SystemClock
from core.findings import ObjectRef
from core.redact import Redactor
from core.topology import Relation, TopologyEdge
from knowledge.graph import parse_graph
from knowledge.livegraph import LiveGraph, LiveHit
from sandbox.cluster.server import run_cluster
from tests.cluster.payloads import (
    endpoint_slice,
    ingress,
    node,
    pod,
    service,
    snapshot,
    workload,
)

APP = {"app": "payments", "tier": "back"}


def slice_of(name: str, pods: dict[str, bool | None]) -> dict[str, Any]:
    found = endpoint_slice(name)
    found["endpoints"] = [
        {
            "addresses": ["10.0.0.1"],
            "conditions": {"ready": ready},
            "targetRef": {"kind": "Pod", "name": one},
        }
        for one, ready in pods.items()
    ]
    return found


def told(*objects: dict[str, Any]) -> list[str]:
    edges = topology_of(snapshot(*objects))
    return [f"{edge}{'' if edge.is_ready else ' (not ready)'}" for edge in edges]


def test_a_pod_runs_on_its_node_and_its_workload_consists_of_it() -> None:
    owner = workload("StatefulSet")
    assert told(
        node(), owner, pod("a", owner=owner, ready=True), pod("b", node="", owner=owner)
    ) == [
        "StatefulSet shop/payments consists of Pod shop/a",
        "Pod shop/a runs on Node worker-1",
        "StatefulSet shop/payments consists of Pod shop/b (not ready)",
    ]


def test_a_node_that_was_not_read_is_still_needed() -> None:
    (edge,) = topology_of(snapshot(pod("a", node="worker-9")))
    assert edge == TopologyEdge(
        edge.dependent, Relation.RUNS_ON, ObjectRef("demo", "Node", "", "worker-9")
    )


def test_pods_that_are_over_need_nothing_and_back_nothing() -> None:
    over = [pod(f"p-{phase}", phase=phase, labels=APP) for phase in ("Succeeded", "Failed")]
    assert told(service(), *over, slice_of("payments", {"p-Failed": True})) == []


def test_a_service_is_backed_by_the_pods_its_selector_chooses() -> None:
    edges = told(
        service(selector=APP),
        pod("both", labels={**APP, "x": "y"}, ready=True, node=""),
        pod("one", labels={"app": "payments"}, ready=True, node=""),
        pod("away", labels=APP, namespace="other", node=""),
        service("none", selector={}),
        service("lost", selector={"app": "nobody"}),
    )
    assert edges == ["Service shop/payments is backed by Pod shop/both"]


def test_slices_say_who_serves_and_back_services_without_a_selector() -> None:
    edges = told(
        service(selector=APP),
        service("outside", selector={}),
        *(pod(name, labels=APP, ready=True, node="") for name in ("in", "out", "new")),
        slice_of("payments", {"in": None, "out": False, "gone": True}),
        slice_of("payments", {"in": False}),
        slice_of("outside", {"out": True}),
    )
    assert edges == [
        "Service shop/payments is backed by Pod shop/in",
        "Service shop/payments is backed by Pod shop/out (not ready)",
        "Service shop/payments is backed by Pod shop/new (not ready)",
        "Service shop/outside is backed by Pod shop/out",
    ]


@pytest.mark.parametrize("ready", [[], [True]])
def test_a_slice_that_names_no_pods_leaves_the_selector_to_tell(ready: list[bool | None]) -> None:
    edges = told(
        service(selector=APP),
        pod("a", labels=APP, ready=True, node=""),
        endpoint_slice("payments", ready),
    )
    assert edges == ["Service shop/payments is backed by Pod shop/a"]


def test_an_ingress_leads_to_services_that_are_there() -> None:
    door = ingress("frontend")
    door["spec"]["defaultBackend"] = {"service": {"name": "payments"}}
    door["spec"]["rules"] += [
        {"host": "x", "http": {"paths": [{"backend": {"service": {"name": "gone"}}}]}},
        {"host": "y", "http": {"paths": [{"backend": {"resource": {"kind": "Bucket"}}}]}},
        {"host": "z"},
    ]
    assert told(door, service("frontend"), service("payments")) == [
        "Ingress shop/shop leads to Service shop/payments",
        "Ingress shop/shop leads to Service shop/frontend",
    ]


class TestJoin:
    """Live edges and declared services, joined."""

    def test_a_node_hits_the_declared_services_whose_pods_it_runs(self) -> None:
        graph = parse_graph(
            "services:\n"
            "  pay: {namespace: shop, workload: Deployment/payments}\n"
            "  cart: {namespace: shop}\n"
            "  ledger: {namespace: trading, workload: StatefulSet/payments}\n",
            "graph.yaml",
        )
        deployment = workload("Deployment")
        replicas = workload("ReplicaSet", "payments-6d8f9", owner=deployment)
        objects = [
            node(),
            node("worker-2"),
            deployment,
            replicas,
            pod("pay-1", owner=replicas, labels={"app": "payments"}, ready=True),
            pod("pay-2", owner=replicas, labels={"app": "payments"}, ready=True, node="worker-2"),
            pod("pay-3", owner=replicas, labels={"app": "payments"}, node="worker-2"),
            pod("cart-1", labels={"app": "cart"}, ready=True),
            pod("stray", labels={"app": "unknown"}),
            service(),
            service("cart"),
            service("unknown"),
            ingress("cart"),
        ]
        live = LiveGraph(topology_of(snapshot(*objects)))
        assert live.hit_by_node("worker-1", graph) == (
            LiveHit("cart", ("shop/cart-1",), (), ("shop/shop",)),
            LiveHit("pay", ("shop/pay-1",), ("shop/pay-2",)),
        )
        assert [hit.is_down for hit in live.hit_by_node("worker-1", graph)] == [True, False]
        assert live.hit_by_node("worker-9", graph) == ()

    def test_a_pod_that_its_service_does_not_serve_by_counts_for_nothing(self) -> None:
        graph = parse_graph("services: {payments: {namespace: shop}}", "graph.yaml")
        owner = workload("StatefulSet")
        edges = topology_of(
            snapshot(
                owner,
                service(),
                *(pod(name, owner=owner, ready=True, labels={"app": "payments"}) for name in "ab"),
                slice_of("payments", {"a": True, "b": False}),
            )
        )
        first = next(edge.needed for edge in edges if edge.needed.name == "a")
        (hit,) = LiveGraph(edges).hit_by_pods([first], graph)
        assert hit.is_down


def test_the_edges_of_a_large_cluster_are_made_once_a_pod() -> None:
    pods = [pod(f"p-{i}", labels={"app": f"s-{i % 50}"}, ready=True) for i in range(500)]
    services = [service(f"s-{i}") for i in range(50)]
    edges = topology_of(snapshot(*pods, *services))
    assert sum(edge.relation is Relation.IS_BACKED_BY for edge in edges) == 500


async def test_the_recorded_cluster_is_joined_with_its_graph(tmp_path: Path) -> None:
    async with run_cluster(speed=0) as cluster:
        path = tmp_path / "kubeconfig"
        cluster.kubeconfig(path)
        client = await ClusterClient.from_kubeconfig(str(path), None, "demo")
        collector = ClusterCollector([client], SystemClock(), Redactor(b"k" * 32))
        live = LiveGraph(await LiveTopology(collector).edges())
        await collector.close()
    text = (Path(sandbox.__file__).parent / "knowledge" / "graph.yaml").read_text("utf-8")
    graph = parse_graph(text, "graph.yaml")
    assert "worker-3" in live.nodes
    hits = {hit.service: hit for hit in live.hit_by_node("worker-3", graph)}
    assert hits
    assert all(hit.lost for hit in hits.values())
    # What sandbox/README.md says is down; checkout's canary alone fails, so checkout serves.
    assert live.failing(graph) == {"inventory", "risk-engine"}
    assert graph.failing_path("frontend", live.failing(graph)) == (
        "frontend",
        "checkout",
        "inventory",
    )
