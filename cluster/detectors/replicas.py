"""Workloads with fewer ready pods than wanted. Folded under whatever ails their pods."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from cluster.detectors.building import (
    build,
    condition,
    condition_evidence,
    created,
    failing_node,
    has_lasted,
    is_leaving,
    is_ready,
    not_ready_since,
)
from cluster.objects import Pod
from cluster.snapshot import Snapshot
from cluster.thresholds import Thresholds
from cluster.workload_objects import DaemonSet, Deployment, StatefulSet, Workload
from core.findings import Evidence, Finding, Severity


def detect(snapshot: Snapshot, now: datetime, thresholds: Thresholds) -> Iterator[Finding]:
    """One finding a workload that has been short for its hold."""
    scaled: tuple[Workload, ...] = snapshot.of(Deployment) + snapshot.of(StatefulSet)
    for workload in scaled:
        # The API always fills in `replicas`; without it nothing can be said.
        wanted = workload.spec.replicas
        ready = workload.status.ready_replicas or workload.status.available_replicas
        if not wanted or ready >= wanted or workload.metadata.deletion_timestamp:
            continue
        failing = _failing_pods(snapshot, workload)
        since = _short_since(workload, failing)
        if not has_lasted(since, now, thresholds.replicas_short_hold_seconds):
            continue
        yield build(
            snapshot,
            workload,
            detector="replicas",
            problem="replicas-short",
            reason="ReplicasShort",
            severity=Severity.CRITICAL if ready == 0 else Severity.MEDIUM,
            says=f"{ready} of {wanted} replicas ready",
            since=since,
            evidence=[
                Evidence("spec.replicas", str(wanted)),
                Evidence("status.readyReplicas", str(ready)),
                *_failing_evidence(failing),
                *_unavailable_evidence(workload),
            ],
            node=failing_node(snapshot, failing),
            count=wanted - ready,
        )
    for daemon_set in snapshot.of(DaemonSet):
        yield from _daemon_set(snapshot, daemon_set, now, thresholds)


def _daemon_set(
    snapshot: Snapshot, workload: DaemonSet, now: datetime, thresholds: Thresholds
) -> Iterator[Finding]:
    status = workload.status
    wanted = status.desired_number_scheduled
    missing = max(status.number_unavailable, wanted - status.number_ready)
    if missing <= 0 or workload.metadata.deletion_timestamp:
        return
    failing = _failing_pods(snapshot, workload)
    is_rolling_out = status.updated_number_scheduled < wanted
    hold_seconds = (
        thresholds.daemonset_rollout_grace_seconds
        if is_rolling_out
        else thresholds.daemonset_hold_seconds
    )
    since = _short_since(workload, failing)
    if not has_lasted(since, now, hold_seconds):
        return
    yield build(
        snapshot,
        workload,
        detector="replicas",
        problem="daemonset-short",
        reason="DaemonSetShort",
        severity=Severity.HIGH,
        says=f"{missing} of {wanted} daemon pods unavailable",
        since=since,
        evidence=[
            Evidence("status.desiredNumberScheduled", str(wanted)),
            Evidence("status.numberReady", f"{status.number_ready} ready"),
            Evidence("status.numberUnavailable", str(missing)),
            *_failing_evidence(failing),
        ],
        node=failing_node(snapshot, failing),
        count=missing,
    )


def _failing_pods(snapshot: Snapshot, workload: Workload) -> list[Pod]:
    return [
        pod
        for pod in snapshot.pods_of(snapshot.ref(workload))
        if not is_ready(pod)
        and not is_leaving(pod)
        and pod.status.phase not in {"Succeeded", "Failed"}
    ]


def _short_since(workload: Workload, failing: list[Pod]) -> datetime:
    """The oldest of the present unready pods tells; without pods, the workload's condition."""
    if failing:
        return min(not_ready_since(pod) for pod in failing)
    available = condition(workload.status.conditions, "Available")
    if available and available.status == "False" and available.last_transition_time:
        return available.last_transition_time
    return created(workload)


def _failing_evidence(failing: list[Pod]) -> list[Evidence]:
    if not failing:
        return []
    names = ", ".join(sorted(pod.metadata.name for pod in failing)[:5])
    return [Evidence("pods not ready", names)]


def _unavailable_evidence(workload: Workload) -> list[Evidence]:
    available = condition(workload.status.conditions, "Available")
    return condition_evidence(available) if available and available.status == "False" else []
