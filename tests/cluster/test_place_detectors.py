"""Rules about Services, Ingresses, volume claims and nodes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cluster.detectors.table import DETECTORS
from cluster.network_objects import EndpointSlice
from cluster.objects import KubeObject, Pod
from cluster.thresholds import Thresholds
from core.findings import Severity
from tests.cluster.payloads import (
    NOW,
    ago,
    claim,
    condition,
    container_status,
    endpoint_slice,
    event,
    evidence,
    found_by,
    node,
    pod,
    running,
    service,
    snapshot,
    workload,
)

LABELS = {"app": "payments"}


class TestServices:
    def test_without_ready_endpoints_it_is_told_of_the_workload_behind(self) -> None:
        deployment = workload("Deployment")
        sick = pod("payments-1", container_status(running()), owner=deployment, labels=LABELS)
        (finding,) = found_by(
            "services", service(), deployment, sick, endpoint_slice("payments", [False])
        )
        assert finding.problem == "no-endpoints"
        assert str(finding.owner) == "Deployment shop/payments"
        assert str(finding.involved) == "Service shop/payments"
        assert finding.severity is Severity.HIGH
        assert evidence(finding)["endpoints"] == "none ready of 1 pods selected"

    @pytest.mark.parametrize("ready", [True, None], ids=["ready", "not said, which means ready"])
    def test_one_ready_endpoint_is_enough(self, ready: bool | None) -> None:
        assert found_by("services", service(), endpoint_slice("payments", [False, ready])) == []

    def test_a_selector_that_matches_nothing_shows_labels_nearby(self) -> None:
        other = pod("payment-1", labels={"app": "payment"})
        (finding,) = found_by("services", service(), other, endpoint_slice())
        assert evidence(finding)["labels of pods nearby"] == "app=payment"
        assert finding.owner.kind == "Service"

    def test_waits_for_its_hold_since_the_last_pod_was_lost(self) -> None:
        long_gone = pod("payments-1", labels=LABELS, unready_since=60)
        just_gone = pod("payments-2", labels=LABELS, unready_since=1)
        assert found_by("services", service(), long_gone, just_gone) == []

    def test_some_have_no_endpoints_on_purpose(self) -> None:
        leader = service("leader")
        leader["metadata"]["annotations"] = {"control-plane.alpha.kubernetes.io/leader": "{}"}
        idle = workload("Deployment", "idle", replicas=0, ready=0)
        objects = [
            service("manual", {}),
            service("outside", type="ExternalName", externalName="example.com"),
            leader,
            service("idle"),
            idle,
        ]
        assert found_by("services", *objects) == []

    @pytest.mark.parametrize("struct", [EndpointSlice, Pod])
    def test_nothing_is_said_missing_of_a_kind_that_was_not_read(
        self, struct: type[KubeObject]
    ) -> None:
        blind = replace(snapshot(service()), unread=frozenset({struct}))
        assert list(DETECTORS["services"](blind, NOW, Thresholds())) == []


class TestPvc:
    def test_a_failed_provisioning_is_told_of_the_workload_that_waits(self) -> None:
        ledger = workload("StatefulSet", "ledger")
        waits = pod("ledger-1", phase="Pending", owner=ledger, claims=["data-ledger-1"])
        pending = claim()
        failed = event(pending, "ProvisioningFailed", 'storageclass "fast-nvme" not found')
        (finding,) = found_by("pvc", ledger, waits, pending, failed)
        assert finding.owner.name == "ledger"
        assert "fast-nvme" in finding.title

    def test_pending_without_a_failure_waits_for_its_first_consumer(self) -> None:
        pending = claim()
        waits = event(pending, "WaitForFirstConsumer", type_="Normal")
        assert found_by("pvc", pending, waits) == []

    def test_lost_is_told_and_bound_is_fine(self) -> None:
        (finding,) = found_by("pvc", claim(phase="Lost"), claim("other", phase="Bound"))
        assert finding.reason == "Lost"
        assert finding.owner.kind == "PersistentVolumeClaim"


class TestNodes:
    @pytest.mark.parametrize("status", ["False", "Unknown"])
    def test_not_ready_is_critical_and_names_the_workloads_hit(self, status: str) -> None:
        lost = node(
            "worker-3",
            condition("Ready", status, "NodeStatusUnknown", "Kubelet stopped posting node status."),
            condition("MemoryPressure", "Unknown"),
        )
        hit = pod("m-0", node="worker-3", owner=workload("StatefulSet", "matching-engine"))
        daemon = pod("d", node="worker-3", owner=workload("DaemonSet", "log-forwarder"))
        (finding,) = found_by("nodes", lost, hit, daemon)
        assert (finding.problem, finding.severity) == ("node-not-ready", Severity.CRITICAL)
        assert "Kubelet stopped posting" in finding.title
        assert evidence(finding)["workloads on the node"] == "StatefulSet shop/matching-engine"

    def test_a_clock_that_is_ahead_hides_nothing(self) -> None:
        (finding,) = found_by("nodes", node("worker-3", condition("Ready", "False", since=-2)))
        assert finding.first_seen == NOW

    def test_pressures_are_one_finding(self) -> None:
        pressed = node(
            "worker-2",
            condition("Ready", "True"),
            condition("DiskPressure", "True", "KubeletHasDiskPressure"),
            condition("PIDPressure", "True"),
            condition("FrequentKubeletRestart", "True"),
        )
        (finding,) = found_by("nodes", pressed)
        assert finding.reason == "DiskPressure"
        assert finding.title.endswith("DiskPressure, PIDPressure")

    def test_a_healthy_node_is_silent(self) -> None:
        well = node("w", condition("Ready", "True"), condition("DiskPressure", "False"))
        assert found_by("nodes", well) == []


class TestPv:
    def test_a_failed_volume_names_its_claim_and_why(self) -> None:
        spec = {"claimRef": {"namespace": "shop", "name": "data"}}
        failed = volume("pv-1", "Failed", spec, message="error deleting EBS volume")
        (finding,) = found_by("pv", failed, volume("pv-2", "Bound"), volume("pv-3", "Released"))
        assert str(finding.owner) == "PersistentVolume pv-1"
        assert evidence(finding)["spec.claimRef"] == "shop/data"
        assert "error deleting EBS volume" in finding.title


def volume(name: str, phase: str, spec: Any = None, **status: str) -> dict[str, Any]:
    return {
        "kind": "PersistentVolume",
        "metadata": {"name": name, "uid": name, "creationTimestamp": ago(90)},
        "spec": spec or {},
        "status": {"phase": phase, **status},
    }


class TestBudgets:
    def budget(self, since: float, status: str = "False", **spec: Any) -> dict[str, Any]:
        allowed = condition("DisruptionAllowed", status, "InsufficientPods", since=since)
        return {
            "kind": "PodDisruptionBudget",
            "metadata": {"name": "ledger", "namespace": "shop", "uid": "pdb"},
            "spec": {"selector": {"matchLabels": {"app": "ledger"}}} | spec,
            "status": {
                "conditions": [allowed],
                "currentHealthy": 2,
                "desiredHealthy": 2,
                "expectedPods": 3,
            },
        }

    def test_one_that_blocks_for_half_an_hour_is_information(self) -> None:
        (finding,) = found_by("budgets", self.budget(31))
        assert finding.severity is Severity.INFO
        assert evidence(finding)["spec.selector"] == "app=ledger"
        assert evidence(finding)["status.currentHealthy"] == "2 healthy of 3, 2 needed"

    def test_waits_and_is_silent_where_it_guards_nothing(self) -> None:
        assert found_by("budgets", self.budget(29)) == []
        assert found_by("budgets", self.budget(31, "True")) == []
        assert found_by("budgets", self.budget(31, selector={})) == []
