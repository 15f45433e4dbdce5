"""Volume claims that get no volume, or have lost theirs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from cluster.detectors.building import build, created, event_evidence, has_lasted, newest
from cluster.events import first_seen, text, times_seen
from cluster.network_objects import PersistentVolumeClaim
from cluster.snapshot import Snapshot
from cluster.thresholds import Thresholds
from core.findings import Evidence, Finding, ObjectRef, Severity


def detect(snapshot: Snapshot, now: datetime, thresholds: Thresholds) -> Iterator[Finding]:
    """One finding a claim; its owner is the workload whose pods mount it."""
    for claim in snapshot.of(PersistentVolumeClaim):
        meta, spec = claim.metadata, claim.spec
        storage_class = Evidence("spec.storageClassName", spec.storage_class_name or "default")
        if claim.status.phase == "Lost":
            yield build(
                snapshot,
                claim,
                detector="pvc",
                problem="pvc",
                reason="Lost",
                severity=Severity.HIGH,
                says=f"volume claim {meta.name} has lost its volume {spec.volume_name}",
                since=created(claim),
                evidence=[Evidence("status.phase", "Lost"), storage_class],
                owner=_user(snapshot, claim),
            )
        event = newest(snapshot.events_of(claim), {"ProvisioningFailed", "FailedBinding"})
        if claim.status.phase != "Pending" or event is None:
            continue
        if has_lasted(created(claim), now, thresholds.pvc_hold_seconds):
            yield build(
                snapshot,
                claim,
                detector="pvc",
                problem="pvc",
                reason=event.reason,
                severity=Severity.HIGH,
                says=f"volume claim {meta.name} is pending: {text(event)[:120]}",
                since=first_seen(event),
                evidence=[
                    Evidence("status.phase", "Pending"),
                    *event_evidence(event),
                    storage_class,
                ],
                owner=_user(snapshot, claim),
                count=times_seen(event),
            )


def _user(snapshot: Snapshot, claim: PersistentVolumeClaim) -> ObjectRef | None:
    for pod in snapshot.pods_in(claim.metadata.namespace):
        if any(
            volume.persistent_volume_claim
            and volume.persistent_volume_claim.claim_name == claim.metadata.name
            for volume in pod.spec.volumes
        ):
            return snapshot.owner(pod)
    return None
