"""Alerts become findings on the objects that their labels name."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cluster.alerts import findings_from_alerts, read_alerts
from cluster.objects import Node, Pod
from core.alerts import Alert
from core.findings import Finding, Severity
from tests.cluster.payloads import (
    NOW,
    claim,
    daemon_set,
    evidence,
    node,
    pod,
    service,
    snapshot,
    workload,
)

STARTED = "2026-03-01T11:40:00.123Z"


def plain(name: str, *, state: str = "active", summary: str = "", **labels: str) -> dict[str, Any]:
    """An alert as API v2 gives it."""
    return {
        "annotations": {"summary": summary} if summary else {},
        "endsAt": "2026-03-01T12:04:00.000Z",
        "fingerprint": "",
        "receivers": [{"name": "ops"}],
        "startsAt": STARTED,
        "status": {"inhibitedBy": [], "silencedBy": [], "state": state},
        "updatedAt": "2026-03-01T12:00:00.000Z",
        "generatorURL": "http://prometheus/graph",
        "labels": {"alertname": name, **labels},
    }


def alerts(*items: dict[str, Any]) -> list[Alert]:
    found, unreadable = read_alerts(list(items))
    assert not unreadable
    return found


def found(items: list[dict[str, Any]], *objects: dict[str, Any]) -> list[Finding]:
    return findings_from_alerts(alerts(*items), snapshot(*objects), NOW)


def test_an_alert_on_a_pod_is_a_finding_on_its_deployment() -> None:
    deployment = workload("Deployment")
    one = pod("payments-1", owner=deployment)
    alert = plain(
        "KubePodCrashLooping",
        namespace="shop",
        pod="payments-1",
        container="app",
        severity="critical",
        summary="Pod is crash looping.",
    )
    (finding,) = found([alert], deployment, one)
    assert str(finding.owner) == "Deployment shop/payments"
    assert str(finding.involved) == "Pod shop/payments-1"
    assert finding.severity is Severity.CRITICAL
    assert finding.title == "payments: alert KubePodCrashLooping, Pod is crash looping"
    assert finding.first_seen == NOW - timedelta(minutes=20) + timedelta(milliseconds=123)
    assert finding.last_seen == NOW
    assert evidence(finding)["annotations.summary"] == "Pod is crash looping."
    assert evidence(finding)["labels.container"] == "app"


def test_one_alert_on_several_pods_of_a_workload_is_one_finding() -> None:
    deployment = workload("Deployment")
    pods = [pod(f"payments-{number}", owner=deployment) for number in range(3)]
    items = [plain("PodSlow", namespace="shop", pod=f"payments-{number}") for number in range(3)]
    (finding,) = found(items, deployment, *pods)
    assert finding.count == 3
    assert finding.members == ("Pod shop/payments-1", "Pod shop/payments-2")


@pytest.mark.parametrize(
    ("labels", "owner"),
    [
        ({"deployment": "payments"}, "Deployment shop/payments"),
        (
            {"namespace": "platform", "daemonset": "log-forwarder"},
            "DaemonSet platform/log-forwarder",
        ),
        ({"persistentvolumeclaim": "data-ledger-1"}, "PersistentVolumeClaim shop/data-ledger-1"),
        ({"node": "worker-1"}, "Node worker-1"),
        ({"instance": "worker-1:9100", "job": "node-exporter"}, "Node worker-1"),
        # One workload serves the Service: that is what has to be mended.
        ({"service": "payments"}, "Deployment shop/payments"),
        ({"job": "payments", "instance": "10.0.0.7:8080"}, "Deployment shop/payments"),
        # The exporter's own labels stand beside those of what it reports on.
        (
            {
                "deployment": "payments",
                "pod": "kube-state-metrics-1",
                "service": "kube-state-metrics",
            },
            "Deployment shop/payments",
        ),
        ({"node": "worker-1", "pod": "node-exporter-x"}, "Node worker-1"),
        (
            {"namespace": "monitoring", "exported_namespace": "shop", "exported_pod": "payments-1"},
            "Deployment shop/payments",
        ),
    ],
)
def test_labels_name_the_owner(labels: dict[str, str], owner: str) -> None:
    deployment = workload("Deployment")
    running = pod("payments-1", owner=deployment, labels={"app": "payments"})
    objects = [
        deployment, running, service(), daemon_set(), claim(), node(),
        pod("node-exporter-x", namespace="shop"), pod("kube-state-metrics-1", namespace="shop"),
    ]  # fmt: skip
    (finding,) = found([plain("Bad", **{"namespace": "shop", **labels})], *objects)
    assert str(finding.owner) == owner


def test_a_service_of_two_workloads_keeps_its_own_alert() -> None:
    pods = [
        pod(f"{name}-1", owner=workload("Deployment", name), labels={"app": "payments"})
        for name in ("blue", "green")
    ]
    (finding,) = found([plain("Slow", namespace="shop", service="payments")], service(), *pods)
    assert str(finding.owner) == "Service shop/payments"


def test_alerts_on_nothing_that_is_known_are_one_finding_a_name_and_namespace() -> None:
    items = [
        plain("TargetDown", namespace="watch", service=name, job=name, severity="warning")
        for name in ("grafana", "querier")
    ]
    items.append(plain("TargetDown", namespace="other", service="x"))
    items.append(plain("VersionOperatorDown", severity="critical", summary="It has gone."))
    first, second, third = found(items)
    assert str(first.owner) == "Alert watch/TargetDown"
    assert first.count == 2
    assert evidence(first)["about"] == "service watch/grafana, service watch/querier"
    assert str(second.owner) == "Alert other/TargetDown"
    assert str(third.owner) == "Alert VersionOperatorDown"
    assert third.title == "VersionOperatorDown: It has gone"


def test_an_object_of_a_kind_that_could_not_be_read_is_taken_at_the_alerts_word() -> None:
    blind = replace(snapshot(), unread=frozenset({Pod, Node}))
    items = alerts(plain("Bad", namespace="shop", pod="a-1"), plain("Full", node="worker-9"))
    one, two = findings_from_alerts(items, blind, NOW)
    assert str(one.owner) == "Pod shop/a-1"
    assert str(two.owner) == "Node worker-9"


def test_heartbeats_and_what_is_silenced_or_resolved_are_no_findings() -> None:
    resolved = plain("Over", namespace="shop") | {"status": "resolved"}
    items = [
        plain("Watchdog", severity="none"),
        plain("InfoInhibitor", severity="none"),
        plain("Silenced", state="suppressed", severity="critical"),
        resolved,
    ]
    assert found(items) == []
    assert [alert.name for alert in alerts(*items)] == ["Watchdog", "InfoInhibitor", "Over"]


@pytest.mark.parametrize(
    ("word", "severity"),
    [
        ("critical", Severity.CRITICAL),
        ("Page", Severity.CRITICAL),
        ("error", Severity.HIGH),
        ("warning", Severity.MEDIUM),
        ("", Severity.MEDIUM),
        ("none", Severity.INFO),
    ],
)
def test_severity_is_the_labels(word: str, severity: Severity) -> None:
    (finding,) = found([plain("Bad", severity=word)])
    assert finding.severity is severity


def test_the_worst_of_a_group_speaks_for_it() -> None:
    items = [
        plain("Full", node="worker-1", severity="warning", summary="90 %"),
        plain("Full", node="worker-1", severity="critical", summary="99 %", mountpoint="/"),
    ]
    (finding,) = found(items, node())
    assert finding.severity is Severity.CRITICAL
    assert finding.title.endswith("99 %")


def test_odd_alerts_are_counted_and_hide_no_others() -> None:
    found_alerts, unreadable = read_alerts([{"labels": 3}, "x", plain("Bad")])
    assert [alert.name for alert in found_alerts] == ["Bad"]
    assert unreadable == 2
    with pytest.raises(ValueError, match="list of alerts"):
        read_alerts({"error": "x"})


def test_a_set_of_labels_has_one_fingerprint_also_where_none_was_sent() -> None:
    one, same, other = alerts(plain("A", x="1"), plain("A", x="1"), plain("A", x="2"))
    assert one.fingerprint == same.fingerprint != other.fingerprint
