from __future__ import annotations

from pathlib import Path
from typing import Any

from cluster.collect import ClusterCollector
from cluster.limits import LiveLimits, resources_of
from core.answers import Scope
from core.clock import ManualClock
from core.questions import Reading
from core.redact import Redactor
from core.resources import ContainerResources
from tests.cluster.api import FakeApi, connected, serving
from tests.cluster.payloads import NOW, node, pod, snapshot, workload


def with_resources(obj: dict[str, Any], *containers: dict[str, Any]) -> dict[str, Any]:
    spec = obj["spec"]["template"]["spec"] if "template" in obj["spec"] else obj["spec"]
    spec["containers"] = list(containers)
    return obj


def container(name: str = "app", **resources: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "image": "x:1", "resources": resources}


def found(*objects: dict[str, Any], names: tuple[str, ...]) -> list[ContainerResources]:
    return resources_of(snapshot(*objects), Reading("", "", names=names))


def test_values_are_those_of_the_workload_as_the_api_writes_them() -> None:
    deployment = with_resources(
        workload("Deployment"),
        container(limits={"memory": "256Mi", "cpu": 1}, requests={"memory": "128Mi"}),
        container("proxy", limits={"memory": "64Mi"}),
    )
    main, proxy = found(deployment, names=("payments",))
    assert str(main.workload) == "Deployment shop/payments"
    assert (main.limits, main.requests) == ({"memory": "256Mi", "cpu": "1"}, {"memory": "128Mi"})
    assert (proxy.container, proxy.limits, proxy.requests) == ("proxy", {"memory": "64Mi"}, {})
    assert main.defaulted == frozenset()


def test_what_the_namespace_fills_in_is_taken_from_a_pod_and_marked() -> None:
    deployment = with_resources(workload("Deployment"), container(limits={"memory": "256Mi"}))
    its = with_resources(
        pod("payments-1", owner=deployment),
        container(limits={"memory": "512Mi", "cpu": "500m"}, requests={"cpu": "100m"}),
    )
    (main,) = found(deployment, its, names=("payments",))
    assert main.limits == {"memory": "256Mi", "cpu": "500m"}  # its own value counts
    assert main.defaulted == {("limit", "cpu"), ("request", "cpu")}


def test_a_pod_is_told_by_its_workload_and_a_lone_pod_by_itself() -> None:
    deployment = with_resources(workload("Deployment"), container(limits={"memory": "256Mi"}))
    its = with_resources(pod("payments-1", owner=deployment), container())
    lone = with_resources(pod("debug"), container(limits={"memory": "1Gi"}))
    (one,) = found(deployment, its, lone, names=("payments-1",))
    assert one.workload.kind == "Deployment"
    (other,) = found(deployment, its, lone, names=("debug",))
    assert (other.workload.kind, other.limits) == ("Pod", {"memory": "1Gi"})


def test_what_has_no_containers_has_no_limits() -> None:
    assert found(node("worker-1"), names=("worker-1",)) == []
    assert found(workload("Deployment"), names=("unknown",)) == []


async def test_only_clusters_and_namespaces_of_the_scope_are_read(tmp_path: Path) -> None:
    deployment = with_resources(workload("Deployment"), container(limits={"memory": "1Gi"}))
    asked = Reading("", "", names=("payments",))
    async with serving(FakeApi([deployment])) as api, connected(api, tmp_path) as client:
        collector = ClusterCollector([client], ManualClock(NOW), Redactor(b"k" * 32))
        live = LiveLimits(collector)
        found = await live.of(asked, Scope())
        assert [one.limits for one in found.containers] == [{"memory": "1Gi"}]
        assert found.looked_in == (f"cluster {client.name}",)
        assert not (await live.of(asked, Scope(namespaces=frozenset({"trading"})))).containers
        assert not (await live.of(asked, Scope(clusters=frozenset({"west"})))).containers
        await collector.close()


async def test_a_cluster_that_cannot_be_read_is_a_gap(tmp_path: Path) -> None:
    async with serving(FakeApi([])) as api, connected(api, tmp_path) as client:
        api.valid_token = "another"
        collector = ClusterCollector([client], ManualClock(NOW), Redactor(b"k" * 32))
        found = await LiveLimits(collector).of(Reading("", "", names=("x",)), Scope())
        assert not found.containers
        assert found.gaps
        await collector.close()
