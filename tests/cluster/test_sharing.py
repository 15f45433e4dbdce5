"""Pods that differ in little share what is equal, and lose nothing that is read."""

from __future__ import annotations

from cluster.decode import convert
from cluster.objects import Pod
from cluster.sharing import LAST_APPLIED, Sharing
from cluster.workload_objects import Deployment
from tests.cluster.payloads import container_status, pod, running, terminated, workload


def read(*statuses: dict[str, object], name: str = "payments-1", node: str = "worker-1") -> Pod:
    deployment = workload("Deployment")
    plain = pod(
        name, *statuses, owner=deployment, labels={"app": "payments"}, node=node, claims=["data"]
    )
    plain["spec"]["volumes"].append({"name": "kube-api-access-x1"})
    return convert(plain, Pod)


def test_what_is_equal_is_kept_once() -> None:
    one = read(container_status(running()))
    other = read(container_status(running()), name="payments-2")
    Sharing().share([one, other])
    assert one.spec.containers is other.spec.containers
    assert one.metadata.labels is other.metadata.labels
    assert one.metadata.owner_references is other.metadata.owner_references
    assert one.spec.node_name is other.spec.node_name
    assert one.status.conditions[0].type is other.status.conditions[0].type
    assert one.metadata.name != other.metadata.name


def test_what_differs_stays_and_only_volumes_without_a_claim_go() -> None:
    crashed = container_status(running(), last=terminated(137, "OOMKilled"), restarts=3)
    one, other = read(crashed), read(container_status(running()), node="worker-2")
    expected, expected_other = read(crashed), read(container_status(running()), node="worker-2")
    Sharing().share([one, other])
    assert one.status == expected.status
    assert other.status == expected_other.status
    assert (one.spec.node_name, other.spec.node_name) == ("worker-1", "worker-2")
    assert one.spec.containers == expected.spec.containers
    assert [volume.name for volume in one.spec.volumes] == ["data"]


def test_the_copy_of_the_manifest_goes_and_other_annotations_stay() -> None:
    plain = workload("Deployment")
    plain["metadata"]["annotations"] = {LAST_APPLIED: "password: hunter2", "team": "shop"}
    deployment = convert(plain, Deployment)
    Sharing().share([deployment])
    assert deployment.metadata.annotations == {"team": "shop"}
