"""Pods without a node: unschedulable, held by gates, or pending for no told reason."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from cluster.detectors.building import (
    build,
    condition,
    condition_evidence,
    containers,
    created,
    has_lasted,
    live_pods,
    newest,
    resource_evidence,
)
from cluster.detectors.reasons import CONFIG_REASONS, IMAGE_PULL_REASONS, STUCK_EVENTS
from cluster.objects import Pod
from cluster.snapshot import Snapshot
from cluster.thresholds import Thresholds
from core.findings import Evidence, Finding, Severity

# Words of the scheduler → what is short; the first that fits.
OBSTACLES = (
    ("persistentvolumeclaim", "its volume claim is not bound"),
    ("insufficient nvidia.com/gpu", "no GPU free"),
    ("gpu", "no GPU free"),
    ("insufficient memory", "insufficient memory"),
    ("insufficient cpu", "insufficient cpu"),
    ("insufficient", "insufficient resources"),
    ("too many pods", "too many pods on the nodes"),
    ("unschedulable", "nodes are cordoned"),
    ("affinity", "node affinity does not match"),
    ("taint", "taints are not tolerated"),
    ("topology spread", "topology spread cannot be met"),
)
TOLD_ELSEWHERE = IMAGE_PULL_REASONS | CONFIG_REASONS | {"CrashLoopBackOff"}


def detect(snapshot: Snapshot, now: datetime, thresholds: Thresholds) -> Iterator[Finding]:
    """One finding a pending pod."""
    for pod in live_pods(snapshot):
        scheduled = condition(pod.status.conditions, "PodScheduled")
        if scheduled and scheduled.status == "False":
            since = scheduled.last_transition_time or created(pod)
            if scheduled.reason == "SchedulingGated":
                gates = ", ".join(gate.name for gate in pod.spec.scheduling_gates)
                yield build(
                    snapshot,
                    pod,
                    detector="scheduling",
                    problem="scheduling-gated",
                    reason=scheduled.reason,
                    severity=Severity.INFO,
                    says="held back by scheduling gates",
                    since=since,
                    evidence=[Evidence("spec.schedulingGates", gates)],
                )
            elif has_lasted(since, now, thresholds.unschedulable_hold_seconds):
                yield build(
                    snapshot,
                    pod,
                    detector="scheduling",
                    problem="unschedulable",
                    reason=scheduled.reason or "Unschedulable",
                    severity=Severity.HIGH,
                    says=f"cannot be scheduled, {_obstacle(scheduled.message)}",
                    since=since,
                    evidence=[*condition_evidence(scheduled), *_requests(pod)],
                )
        elif _is_just_pending(snapshot, pod) and has_lasted(
            created(pod), now, thresholds.pending_hold_seconds
        ):
            yield build(
                snapshot,
                pod,
                detector="scheduling",
                problem="pending",
                reason=pod.status.reason or "Pending",
                severity=Severity.MEDIUM,
                says="pod is pending",
                since=created(pod),
                evidence=[
                    Evidence("status.phase", "Pending"),
                    *(
                        evidence
                        for item in pod.status.conditions
                        if item.status != "True"
                        for evidence in condition_evidence(item)
                    ),
                ],
            )


def _is_just_pending(snapshot: Snapshot, pod: Pod) -> bool:
    """Pending, and no other rule has a better word for it."""
    if pod.status.phase != "Pending":
        return False
    if newest(snapshot.events_of(pod), STUCK_EVENTS):
        return False
    return not any(
        status.state.waiting and status.state.waiting.reason in TOLD_ELSEWHERE
        for status in containers(pod)
    )


def _obstacle(message: str) -> str:
    lower = message.lower()
    return next((meaning for word, meaning in OBSTACLES if word in lower), "no node fits")


def _requests(pod: Pod) -> list[Evidence]:
    return [
        evidence
        for container in pod.spec.containers
        for evidence in resource_evidence(pod, container.name, "cpu", "memory", "nvidia.com/gpu")
        if "requests" in evidence.field
    ]
