"""Pods that are over, or whose state nobody knows, without a container that says why."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from cluster.detectors.building import (
    build,
    condition_evidence,
    containers,
    is_recent,
    live_pods,
    not_ready_since,
)
from cluster.objects import Pod
from cluster.snapshot import Snapshot
from cluster.thresholds import Thresholds
from core.findings import Evidence, Finding, Severity

# What other rules look at; of "Succeeded" nothing is to be told.
ORDINARY_PHASES = frozenset({"", "Pending", "Running"})


def detect(snapshot: Snapshot, now: datetime, thresholds: Thresholds) -> Iterator[Finding]:
    """One finding a pod: refused by its node, shut down with it, or in a phase of its own."""
    for pod in live_pods(snapshot):
        phase = pod.status.phase
        if phase in ORDINARY_PHASES or (phase == "Failed" and _has_ended_container(pod)):
            continue
        since = not_ready_since(pod)
        if not is_recent(since, now, thresholds.pod_failed_recent_seconds):
            continue
        reason = pod.status.reason or phase
        message = pod.status.message
        yield build(
            snapshot,
            pod,
            detector="pod_failed",
            problem="pod-failed",
            reason=reason,
            severity=Severity.MEDIUM,
            says=f"pod is {reason}{f', {message[:120]}' if message else ''}",
            since=since,
            evidence=[
                Evidence("status.phase", phase),
                *([Evidence("status.message", message)] if message else []),
                *(
                    evidence
                    for item in pod.status.conditions
                    if item.status != "True" and item.message
                    for evidence in condition_evidence(item)
                ),
                Evidence("spec.nodeName", pod.spec.node_name or "none"),
            ],
        )


def _has_ended_container(pod: Pod) -> bool:
    """Then the rules about exits tell it."""
    return any(
        status.state.terminated is not None and status.state.terminated.exit_code != 0
        for status in containers(pod)
    )
