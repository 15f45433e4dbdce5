"""Warning Events that no status shows: repeated, recent, about an object that is still there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from cluster.detectors.building import build, created, event_evidence, is_leaving, is_recent
from cluster.events import first_seen, last_seen, text, times_seen
from cluster.objects import Event, KubeObject, Pod
from cluster.snapshot import Snapshot
from cluster.thresholds import Thresholds
from core.findings import Finding, Severity

# What the kubelet, the drainer and the node autoscaler complain of while all conditions look well.
# An autoscaler of pods has conditions; scheduling, crashes and images have statuses of their own.
REASONS = frozenset(
    {
        "ExceededGracePeriod",
        "FailedAttachVolume",
        "FailedCreatePodSandBox",
        "FailedDaemonPod",
        "FailedDraining",
        "FailedKillPod",
        "FailedMount",
        "FailedPreStopHook",
        "FailedToRetrieveImagePullSecret",
        "FreeDiskSpaceFailed",
        "NodeShutdown",
        "ScaleUpFailed",
        "VolumeFailedDelete",
    }
)
# A node that has just been made says it has no capacity yet.
STARTING = frozenset({"InvalidDiskCapacity"})


def detect(snapshot: Snapshot, now: datetime, thresholds: Thresholds) -> Iterator[Finding]:
    """One finding an object and reason, never on one occurrence."""
    seen: set[tuple[str, str, str, str]] = set()
    for event in sorted(snapshot.of(Event), key=last_seen, reverse=True):
        about = event.involved_object
        key = (about.kind, about.namespace, about.name, event.reason)
        if event.type != "Warning" or key in seen or not _matters(event):
            continue
        seen.add(key)
        obj = snapshot.find(about.kind, about.namespace, about.name)
        if obj is None or event not in snapshot.events_of(obj) or not _is_staying(obj):
            continue
        if event.reason in STARTING and is_recent(
            created(obj), last_seen(event), thresholds.event_recent_seconds
        ):
            continue
        if times_seen(event) < thresholds.event_minimum_count:
            continue
        if is_recent(last_seen(event), now, thresholds.event_recent_seconds):
            yield build(
                snapshot,
                obj,
                detector="warning_events",
                problem=f"event-{event.reason}",
                reason=event.reason,
                severity=Severity.MEDIUM,
                says=f"{event.reason} {times_seen(event)} times, {text(event)[:100]}",
                since=first_seen(event),
                until=last_seen(event),
                evidence=event_evidence(event),
                count=times_seen(event),
            )


def _matters(event: Event) -> bool:
    """A liveness failure kills containers; a readiness failure of a ready pod is noise."""
    if event.reason in {"ProbeError", "Unhealthy"}:
        return event.message.startswith("Liveness")
    return event.reason in REASONS or event.reason in STARTING


def _is_staying(obj: KubeObject) -> bool:
    """A pod that leaves, or has not begun, is told of by others."""
    return not (isinstance(obj, Pod) and (is_leaving(obj) or obj.status.phase == "Pending"))
