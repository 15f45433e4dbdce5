"""Volumes that could not be reclaimed or bound."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from cluster.detectors.building import build, created, event_evidence, newest
from cluster.snapshot import Snapshot
from cluster.storage_objects import PersistentVolume
from cluster.thresholds import Thresholds
from core.findings import Evidence, Finding, Severity


def detect(snapshot: Snapshot, _now: datetime, _thresholds: Thresholds) -> Iterator[Finding]:
    """One finding a failed volume, with the claim that it belonged to."""
    for volume in snapshot.of(PersistentVolume):
        if volume.status.phase != "Failed":
            continue
        claim = volume.spec.claim_ref
        told = ": ".join(part for part in (volume.status.reason, volume.status.message) if part)
        yield build(
            snapshot,
            volume,
            detector="pv",
            problem="pv-failed",
            reason=volume.status.reason or "Failed",
            severity=Severity.HIGH,
            says=f"volume has failed{f', {told[:120]}' if told else ''}",
            since=created(volume),
            evidence=[
                Evidence("status.phase", f"Failed {told}".strip()),
                *([Evidence("spec.claimRef", f"{claim.namespace}/{claim.name}")] if claim else []),
                *event_evidence(newest(snapshot.events_of(volume))),
            ],
        )
