"""Warning Events of the window about objects that are no longer there, and whose workload is not.

Where a successor or the workload still stands, its own state says more than an old Event; and what
was deleted on purpose, as far as Events tell, is no news.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime

from cluster.detectors.building import build, event_evidence, is_recent
from cluster.events import EPOCH, first_seen, last_seen, text, times_seen
from cluster.kinds import KINDS
from cluster.objects import Event, InvolvedObject
from cluster.snapshot import Snapshot
from cluster.thresholds import Thresholds
from core.findings import Finding, ObjectRef, Severity

_READ = {kind.name: kind.struct for kind in KINDS}
STARTS = frozenset({"Created", "Pulled", "Pulling", "Started"})
# Reason → the Normal Events that, coming later, say that it was overcome.
TROUBLES: dict[str, frozenset[str]] = {
    "BackOff": frozenset(),
    "BackoffLimitExceeded": frozenset(),
    "DeadlineExceeded": frozenset(),
    "Failed": frozenset({"Pulled", "Started"}),
    "FailedAttachVolume": STARTS | {"SuccessfulAttachVolume"},
    "FailedCreate": frozenset({"SuccessfulCreate"}),
    "FailedCreatePodSandBox": STARTS,
    "FailedMount": STARTS,
    "FailedScheduling": STARTS | {"Scheduled"},
    "ProvisioningFailed": frozenset({"ProvisioningSucceeded"}),
    "Unhealthy": frozenset(),
}
_OVERCOME = {
    end: tuple(reason for reason, known in TROUBLES.items() if end in known)
    for end in frozenset[str]().union(*TROUBLES.values())
}
# Said only after several failures: one Event is enough.
PROVEN = frozenset({"BackOff", "BackoffLimitExceeded", "DeadlineExceeded"})
DELETING = "skip schedule deleting pod"

# What controllers append to names, of letters and digits that make no words.
_RANDOM = "[bcdfghjklmnpqrstvwxz2456789]"
_OF_REPLICA_SET = re.compile(rf"(.+)-{_RANDOM}{{6,10}}-{_RANDOM}{{5}}")
_OF_CONTROLLER = re.compile(rf"(.+)-(?:{_RANDOM}{{5}}|\d+)")
_MAKERS = ("ReplicaSet", "DaemonSet", "StatefulSet", "Job")


def detect(snapshot: Snapshot, now: datetime, thresholds: Thresholds) -> Iterator[Finding]:
    """One finding an owner and reason, never on one occurrence."""
    groups: dict[tuple[ObjectRef, str], list[Event]] = defaultdict(list)
    overcome = _overcome(snapshot, now)
    for event in snapshot.of(Event):
        about = event.involved_object
        if event.type != "Warning" or not _is_trouble(event) or not _is_gone(snapshot, about):
            continue
        until = overcome.get((about.kind, about.namespace, about.name, event.reason))
        if until is not None and until >= last_seen(event, now):
            continue
        if is_recent(last_seen(event, now), now, thresholds.gone_object_recent_seconds):
            groups[_owner(snapshot, about), event.reason].append(event)
    for (owner, reason), events in groups.items():
        count = sum(times_seen(event) for event in events)
        if reason not in PROVEN and count < thresholds.event_minimum_count:
            continue
        events.sort(key=lambda event: last_seen(event, now))
        newest = events[-1]
        about = newest.involved_object
        yield build(
            snapshot,
            ObjectRef(snapshot.cluster, about.kind, about.namespace, about.name, about.uid),
            owner=owner,
            detector="gone_objects",
            problem=f"event-{reason}",
            reason=reason,
            severity=Severity.MEDIUM,
            says=f"{reason} {count} times before it went, {text(newest)[:100]}",
            since=min(min(first_seen(event), last_seen(event, now)) for event in events),
            until=last_seen(newest, now),
            evidence=[
                evidence
                for told in {text(event): event for event in events}.values()
                for evidence in event_evidence(told)
            ][-3:],
            count=count,
        )


def _is_trouble(event: Event) -> bool:
    if event.reason == "Unhealthy":
        return event.message.startswith("Liveness")  # a pod that goes fails its readiness
    return event.reason in TROUBLES


def _overcome(snapshot: Snapshot, now: datetime) -> dict[tuple[str, str, str, str], datetime]:
    """When a trouble was last overcome, or its object deleted, by object and reason."""
    found: dict[tuple[str, str, str, str], datetime] = {}
    for event in snapshot.of(Event):
        about = event.involved_object
        reasons = TROUBLES if _says_deleted(event) else _OVERCOME.get(event.reason, ())
        for reason in reasons:
            key = (about.kind, about.namespace, about.name, reason)
            found[key] = max(last_seen(event, now), found.get(key, EPOCH))
    return found


def _says_deleted(event: Event) -> bool:
    return event.message.startswith(DELETING) or (
        event.reason == "Killing" and event.message.startswith("Stopping container")
    )


def _is_gone(snapshot: Snapshot, about: InvolvedObject) -> bool:
    """Neither it, nor one of its name, nor what made it is there, and we would have seen them."""
    struct = _READ.get(about.kind)
    if struct is None or not snapshot.has_read(struct):
        return False
    if snapshot.has_uid(about.uid) or snapshot.find(about.kind, about.namespace, about.name):
        return False
    return about.kind != "Pod" or not any(
        snapshot.find(maker, about.namespace, name)
        for match in (_OF_REPLICA_SET.fullmatch(about.name), _OF_CONTROLLER.fullmatch(about.name))
        if match
        for name in (match[1], about.name.rpartition("-")[0])
        for maker in ("Deployment", *_MAKERS)
    )


def _owner(snapshot: Snapshot, about: InvolvedObject) -> ObjectRef:
    """A Deployment's pod tells by its name whose it was."""
    match = _OF_REPLICA_SET.fullmatch(about.name) if about.kind == "Pod" else None
    if match:
        return ObjectRef(snapshot.cluster, "Deployment", about.namespace, match[1])
    return ObjectRef(snapshot.cluster, about.kind, about.namespace, about.name)
