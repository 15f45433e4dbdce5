"""Containers that cannot be created from what the pod says: a missing ConfigMap, Secret or key."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from cluster.detectors.building import build, created, event_evidence, newest, waiting_containers
from cluster.detectors.reasons import CONFIG_REASONS
from cluster.snapshot import Snapshot
from cluster.thresholds import Thresholds
from core.findings import Evidence, Finding, Severity


def detect(snapshot: Snapshot, now: datetime, thresholds: Thresholds) -> Iterator[Finding]:
    """One finding a container, in the runtime's own words."""
    hold_seconds = thresholds.config_error_hold_seconds
    for pod, status, waiting in waiting_containers(snapshot, CONFIG_REASONS, now, hold_seconds):
        message = waiting.message or waiting.reason
        yield build(
            snapshot,
            pod,
            detector="config_error",
            problem="config-error",
            reason=waiting.reason,
            severity=Severity.HIGH,
            says=f"container cannot be created: {message[:120]}",
            since=created(pod),
            evidence=[
                Evidence("container", status.name),
                Evidence(f"state.waiting.{waiting.reason}", message),
                *event_evidence(newest(snapshot.events_of(pod), {"Failed"})),
            ],
        )
