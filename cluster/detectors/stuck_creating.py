"""Pods that hang before their containers start: volumes, sandboxes, pull secrets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from cluster.detectors.building import (
    build,
    containers,
    created,
    event_evidence,
    has_lasted,
    live_pods,
    newest,
)
from cluster.detectors.reasons import CREATING_REASONS, STUCK_EVENTS
from cluster.events import first_seen, text, times_seen
from cluster.objects import Event, Pod
from cluster.snapshot import Snapshot
from cluster.thresholds import Thresholds
from core.findings import Evidence, Finding, Severity


def detect(snapshot: Snapshot, now: datetime, thresholds: Thresholds) -> Iterator[Finding]:
    """One finding a pod whose newest warning names the obstacle."""
    for pod in live_pods(snapshot):
        if pod.status.phase != "Pending" or not _is_creating(pod):
            continue
        event = newest(snapshot.events_of(pod))
        if event is None or event.reason not in STUCK_EVENTS:
            continue
        if not has_lasted(created(pod), now, thresholds.stuck_creating_hold_seconds):
            continue
        # One obstacle has several messages: what fails, and what waits for it.
        obstacles = [item for item in snapshot.events_of(pod) if _is_obstacle(item)]
        told = {text(item): item for item in obstacles[:3]}
        claims = ", ".join(
            volume.persistent_volume_claim.claim_name
            for volume in pod.spec.volumes
            if volume.persistent_volume_claim
        )
        yield build(
            snapshot,
            pod,
            detector="stuck_creating",
            problem="stuck-creating",
            reason=event.reason,
            severity=Severity.HIGH,
            says=f"pod cannot start, {event.reason}",
            since=first_seen(event),
            evidence=[
                *(evidence for item in told.values() for evidence in event_evidence(item)),
                Evidence("spec.nodeName", pod.spec.node_name),
                *([Evidence("persistentVolumeClaim", claims)] if claims else []),
            ],
            count=times_seen(event),
        )


def _is_obstacle(event: Event) -> bool:
    return event.type == "Warning" and event.reason in STUCK_EVENTS


def _is_creating(pod: Pod) -> bool:
    """All that is known says "being created"; an empty status says so too."""
    statuses = containers(pod)
    return not statuses or any(
        status.state.waiting is not None and status.state.waiting.reason in CREATING_REASONS
        for status in statuses
    )
