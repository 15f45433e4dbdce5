"""Rules about Services, Ingresses, volume claims and nodes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cluster.detectors.table import DETECTORS
from cluster.network_objects import EndpointSlice, Service
from cluster.objects import KubeObject
from cluster.thresholds import Thresholds
from core.findings import Severity
from tests.cluster.payloads import (
    NOW,
    claim,
    condition,
    container_status,
    endpoint_slice,
    event,
    evidence,
    found_by,
    ingress,
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

    @pytest.mark.parametrize("struct", [EndpointSlice, Service])
    def test_nothing_is_said_missing_of_a_kind_that_was_not_read(
        self, struct: type[KubeObject]
    ) -> None:
        state = snapshot(service(), ingress("gone"))
        blind = replace(state, unread=frozenset({struct}))
        found = list(DETECTORS["services"](blind, NOW, Thresholds()))
        assert len(found) == 1
        assert (found[0].problem == "no-endpoints") == (struct is Service)


class TestIngress:
    def test_a_missing_backend_is_told(self) -> None:
        (finding,) = found_by("services", ingress("gone"))
        assert finding.problem == "ingress-backend"
        assert "Service gone does not exist" in finding.title

    def test_a_missing_port_is_told(self) -> None:
        objects: list[Any] = [service("frontend"), endpoint_slice("frontend", [True])]
        (finding,) = found_by("services", *objects, ingress(port={"number": 8080}))
        assert "no port 8080" in finding.title
        (finding,) = found_by("services", *objects, ingress(port={"name": "grpc"}))
        assert "no port grpc" in finding.title

    def test_backends_that_are_there_are_fine(self) -> None:
        objects: list[Any] = [service("frontend"), endpoint_slice("frontend", [True])]
        assert found_by("services", *objects, ingress(port={"name": "http"})) == []
        assert found_by("services", *objects, ingress()) == []
        outside = service("frontend", {}, type="ExternalName", ports=[])
        assert found_by("services", outside, ingress()) == []

    def test_the_default_backend_counts_and_resources_do_not(self) -> None:
        bare = ingress()
        bare["spec"] = {
            "defaultBackend": {"service": {"name": "gone", "port": {"number": 80}}},
            "rules": [{"host": "a"}, {"http": {"paths": [{"backend": {"resource": {}}}]}}],
        }
        assert len(found_by("services", bare)) == 1


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
