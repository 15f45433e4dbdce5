"""One finding per owner: consequences go under what causes them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cluster.fold import by_owner, fold
from core.findings import Finding, ObjectRef, Severity
from tests.cluster.payloads import (
    NOW,
    claim,
    condition,
    container_status,
    endpoint_slice,
    event,
    evidence,
    found_by_all,
    node,
    pod,
    running,
    service,
    terminated,
    waiting,
    workload,
)


def folded(*objects: dict[str, Any]) -> list[Finding]:
    return fold(found_by_all(*objects))


def test_replicas_short_and_a_stuck_rollout_go_under_the_crash_that_causes_them() -> None:
    late = condition("Progressing", "False", "ProgressDeadlineExceeded")
    deployment = workload("Deployment", ready=0, conditions=[late])
    crash = container_status(waiting("CrashLoopBackOff"), last=terminated(1), restarts=4)
    pods = [pod(f"payments-{number}", crash, owner=deployment) for number in range(2)]
    (finding,) = folded(deployment, *pods)
    assert finding.problem == "crash-loop"
    assert finding.severity is Severity.CRITICAL  # nothing is ready
    assert finding.count == 8
    assert set(finding.members) == {"Pod shop/payments-1", "Deployment shop/payments"}
    also = [item.value for item in finding.evidence if item.field == "also"]
    assert also == [
        "payments: rollout stuck, ProgressDeadlineExceeded",
        "payments: 0 of 2 replicas ready",
    ]


def test_a_service_without_endpoints_goes_under_its_unready_workload() -> None:
    deployment = workload("Deployment", "inventory", replicas=1, ready=0)
    sick = pod(
        "inventory-1", container_status(running()), owner=deployment, labels={"app": "inventory"}
    )
    (finding,) = folded(
        deployment,
        sick,
        event(sick, "Unhealthy", "Readiness probe failed: statuscode: 503"),
        service("inventory"),
        endpoint_slice("inventory", [False]),
    )
    assert finding.problem == "not-ready"
    assert "Service shop/inventory" in finding.members


def test_claim_pod_and_stateful_set_are_one_trouble() -> None:
    ledger = workload("StatefulSet", "ledger", ready=0, replicas=1)
    unbound = condition(
        "PodScheduled", "False", "Unschedulable", "unbound immediate PersistentVolumeClaims"
    )
    waits = pod(
        "ledger-0",
        phase="Pending",
        node="",
        owner=ledger,
        claims=["data-ledger-0"],
        conditions=[unbound],
    )
    pending = claim("data-ledger-0")
    (finding,) = folded(ledger, waits, pending, event(pending, "ProvisioningFailed"))
    assert finding.problem == "pvc"
    assert {"StatefulSet shop/ledger", "Pod shop/ledger-0"} <= set(finding.members)


def lost_node(minutes: float = 10) -> dict[str, Any]:
    return node("worker-3", condition("Ready", "Unknown", "NodeStatusUnknown", since=minutes))


def test_a_lost_node_takes_in_what_its_pods_suffer() -> None:
    engine = workload("StatefulSet", "engine", replicas=1, ready=0)
    on_it = pod(
        "engine-0", container_status(running()), owner=engine, node="worker-3", unready_since=9
    )
    (finding,) = folded(lost_node(), engine, on_it, event(on_it, "Unhealthy"))
    assert finding.problem == "node-not-ready"
    assert set(finding.members) == {"Pod shop/engine-0", "StatefulSet shop/engine"}


def test_a_trouble_that_was_there_before_the_node_was_lost_stays() -> None:
    crash = container_status(waiting("CrashLoopBackOff"), last=terminated(1), restarts=4)
    before = pod("old", crash, node="worker-3", age=600)
    after = pod("new", crash, node="worker-3", age=20)
    assert [item.owner.name for item in folded(lost_node(30), before, after)] == ["worker-3", "old"]


def test_a_workload_hit_on_several_nodes_stays_its_own_finding() -> None:
    deployment = workload("Deployment", ready=0)
    pods = [
        pod(
            f"payments-{host}",
            container_status(running()),
            owner=deployment,
            node=host,
            unready_since=9,
        )
        for host in ("worker-3", "worker-4")
    ]
    assert {item.problem for item in folded(lost_node(), deployment, *pods)} == {
        "node-not-ready",
        "replicas-short",
    }


def test_what_fails_on_lost_nodes_alone_goes_under_the_first_of_them() -> None:
    lost = [node(f"worker-{n}", condition("Ready", "Unknown", since=10)) for n in (3, 4)]
    well = node("worker-5", condition("Ready", "True"))

    def daemons(name: str, *hosts: str) -> list[dict[str, Any]]:
        made = workload(
            "DaemonSet", name, desiredNumberScheduled=9, numberReady=7, updatedNumberScheduled=9
        )
        pods = [
            pod(
                f"{name}-{host}",
                container_status(running()),
                owner=made,
                node=host,
                unready_since=9,
            )
            for host in hosts
        ]
        return [made, *pods]

    found = folded(
        *lost,
        well,
        *daemons("agent", "worker-3", "worker-4"),
        *daemons("proxy", "worker-3", "worker-5"),
    )
    assert [(str(item.owner), item.members) for item in found] == [
        ("Node worker-3", ("DaemonSet shop/agent",)),
        ("Node worker-4", ()),
        ("DaemonSet shop/proxy", ()),
    ]


def test_evictions_go_under_the_pressure_of_their_node_and_nothing_else_does() -> None:
    pressed = node("worker-2", condition("Ready", "True"), condition("DiskPressure", "True"))
    evicted = pod("catalog-1", phase="Failed", node="worker-2", reason="Evicted")
    stuck = pod(
        "lf-1", container_status(waiting("ContainerCreating")), phase="Pending", node="worker-2"
    )
    found = folded(pressed, evicted, stuck, event(stuck, "FailedMount"))
    assert [(item.problem, item.members) for item in found] == [
        ("node-pressure", ("Pod shop/catalog-1",)),
        ("stuck-creating", ()),
    ]


def finding(problem: str, owner: str = "a", severity: Severity = Severity.HIGH) -> Finding:
    ref = ObjectRef("demo", "Deployment", "shop", owner)
    return Finding(
        detector="any",
        problem=problem,
        reason="Any",
        severity=severity,
        title=f"{owner}: {problem}",
        involved=ref,
        owner=ref,
        first_seen=NOW - timedelta(hours=1),
        last_seen=NOW,
    )


def test_the_worst_come_first() -> None:
    found = fold(
        [
            finding("oom", "b", Severity.MEDIUM),
            finding("not-ready", "c", Severity.CRITICAL),
            finding("crash-loop", "d"),
        ]
    )
    assert [item.owner.name for item in found] == ["c", "d", "b"]


@pytest.mark.parametrize("unknown", ["event-FailedKillPod", "something-new"])
def test_a_class_without_a_rank_never_leads(unknown: str) -> None:
    (root,) = fold([finding(unknown), finding("hpa-cannot-act")])
    assert root.problem == "hpa-cannot-act"
    assert evidence(root)["also"] == f"a: {unknown}"


def test_folding_does_not_change_an_identity() -> None:
    alone = fold([finding("oom")])[0].identity
    assert fold([finding("oom"), finding("replicas-short")])[0].identity == alone


def test_by_owner_leaves_pods_of_a_lost_node_to_themselves() -> None:
    lost = node("worker-3", condition("Ready", "Unknown", since=30))
    sick = pod("a-1", container_status(running()), node="worker-3", unready_since=20)
    found = found_by_all(lost, sick, event(sick, "Unhealthy", "Readiness probe failed"))
    assert [str(item.owner) for item in fold(found)] == ["Node worker-3"]
    assert {str(item.owner) for item in by_owner(found)} == {"Node worker-3", "Pod shop/a-1"}


def test_what_the_log_says_goes_along_with_its_owners_other_trouble() -> None:
    short = workload("Deployment", ready=1)
    (trouble,) = found_by_all(short)
    told = replace(trouble, problem="log-errors", log_lines=("ERROR no disk",), template="no disk")
    (finding,) = by_owner([trouble, told])
    assert (finding.problem, finding.log_lines) == ("replicas-short", ("ERROR no disk",))
    kept = replace(trouble, log_lines=("ERROR of its own",))
    assert by_owner([kept, told])[0].log_lines == ("ERROR of its own",)
