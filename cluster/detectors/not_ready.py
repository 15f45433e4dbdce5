"""Containers that run but fail their probes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from cluster.detectors.building import (
    build,
    event_evidence,
    has_lasted,
    live_pods,
    newest,
    not_ready_since,
)
from cluster.events import times_seen
from cluster.snapshot import Snapshot
from cluster.thresholds import Thresholds
from core.findings import Evidence, Finding, Severity

PROBE_EVENTS = frozenset({"ProbeError", "Unhealthy"})


def detect(snapshot: Snapshot, now: datetime, thresholds: Thresholds) -> Iterator[Finding]:
    """One finding a pod, with the probe's own message."""
    for pod in live_pods(snapshot):
        if pod.status.phase != "Running":
            continue
        unready = [
            status.name
            for status in pod.status.container_statuses
            if not status.ready and not status.state.waiting and not status.state.terminated
        ]
        event = newest(snapshot.events_of(pod))
        if not unready or event is None or event.reason not in PROBE_EVENTS:
            continue
        since = not_ready_since(pod)
        if not has_lasted(since, now, thresholds.not_ready_hold_seconds):
            continue
        is_long = has_lasted(since, now, thresholds.not_ready_high_seconds)
        probe = next(
            (word for word in ("Readiness", "Liveness", "Startup") if word in event.message), ""
        )
        yield build(
            snapshot,
            pod,
            detector="not_ready",
            problem="not-ready",
            reason=event.reason,
            severity=Severity.HIGH if is_long else Severity.MEDIUM,
            says=f"not ready, {probe.lower() or 'its'} probe fails",
            since=since,
            evidence=[
                *event_evidence(event),
                Evidence("containerStatuses[].ready", f"false for {', '.join(unready)}"),
            ],
            count=times_seen(event),
        )
