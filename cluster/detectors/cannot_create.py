"""Controllers that are not allowed to make pods: quotas, admission, missing service accounts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from cluster.detectors.building import (
    build,
    condition,
    condition_evidence,
    created,
    event_evidence,
    has_lasted,
    is_recent,
    newest,
)
from cluster.events import first_seen, last_seen, times_seen
from cluster.objects import KubeObject
from cluster.snapshot import Snapshot
from cluster.thresholds import Thresholds
from cluster.workload_objects import DaemonSet, Job, ReplicaSet, StatefulSet
from core.findings import Finding, Severity


def detect(snapshot: Snapshot, now: datetime, thresholds: Thresholds) -> Iterator[Finding]:
    """ReplicaSets by their condition; the others by FailedCreate Events while they are short."""
    for replica_set in snapshot.of(ReplicaSet):
        failure = condition(replica_set.status.conditions, "ReplicaFailure")
        if failure is None or failure.status != "True" or not replica_set.spec.replicas:
            continue
        since = failure.last_transition_time or created(replica_set)
        if has_lasted(since, now, thresholds.cannot_create_hold_seconds):
            yield build(
                snapshot,
                replica_set,
                detector="cannot_create",
                problem="cannot-create-pods",
                reason=failure.reason or "FailedCreate",
                severity=Severity.HIGH,
                says=f"pods cannot be created: {failure.message[:120]}",
                since=since,
                evidence=condition_evidence(failure),
            )
    for obj in _short_ones(snapshot):
        event = newest(snapshot.events_of(obj), {"FailedCreate"})
        if (
            event is None
            or not is_recent(last_seen(event), now, thresholds.event_recent_seconds)
            or not has_lasted(first_seen(event), now, thresholds.cannot_create_hold_seconds)
        ):
            continue
        yield build(
            snapshot,
            obj,
            detector="cannot_create",
            problem="cannot-create-pods",
            reason=event.reason,
            severity=Severity.HIGH,
            says=f"pods cannot be created: {event.message[:120]}",
            since=first_seen(event),
            evidence=event_evidence(event),
            count=times_seen(event),
        )


def _short_ones(snapshot: Snapshot) -> Iterator[KubeObject]:
    """Those that still lack pods: an Event outlives its cause."""
    for job in snapshot.of(Job):
        if not job.status.active and not job.status.completion_time:
            yield job
    for stateful_set in snapshot.of(StatefulSet):
        if stateful_set.status.replicas < (stateful_set.spec.replicas or 0):
            yield stateful_set
    for daemon_set in snapshot.of(DaemonSet):
        status = daemon_set.status
        if status.current_number_scheduled < status.desired_number_scheduled:
            yield daemon_set
