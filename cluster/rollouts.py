"""Rollouts, edits and scalings of one workload, from its revisions, Events and writers. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from cluster.authors import SAME_ACT, Author, author_at, authors
from cluster.events import first_seen, last_seen, text
from cluster.history_objects import ControllerRevision, ReplicaSetRevision
from cluster.objects import Event, KubeObject
from cluster.revisions import REVISION
from cluster.sentences import image_name
from cluster.snapshot import Snapshot
from cluster.template_diff import differences
from cluster.template_objects import FullTemplate
from cluster.workload_objects import Workload
from core.changes import Change, ChangeKind
from core.findings import Evidence

# Old and new pods are exchanged step by step: what scales so soon after a rollout belongs to it.
ROLLOUT_LASTS = timedelta(minutes=10)
MAX_DIFFERENCES = 6
HISTORY = "deployment.kubernetes.io/revision-history"
_SCALED = re.compile(r"Scaled (?:up|down) replica set (\S+) (?:from (\d+) )?to (\d+)")


@dataclass(frozen=True, slots=True)
class Revision:
    """A pod template that a workload has had, and the name of the object that keeps it.

    Attributes:
        made_at: When the template first came; None where it came back under a new number.
    """

    number: int
    template: FullTemplate
    made_at: datetime | None
    kept_in: str


def history_of(history: Snapshot, workload: Workload) -> list[Revision]:
    """A workload's revisions as far as they are kept, newest first."""
    kind, meta = type(workload).__name__, workload.metadata

    def is_own(item: KubeObject) -> bool:
        return item.metadata.namespace == meta.namespace and any(
            (owner.kind, owner.name) == (kind, meta.name)
            for owner in item.metadata.owner_references
        )

    found = [
        Revision(
            item.revision,
            item.data.spec.template,
            item.metadata.creation_timestamp,
            item.metadata.name,
        )
        for item in filter(is_own, history.of(ControllerRevision))
    ]
    for item in filter(is_own, history.of(ReplicaSetRevision)):
        found += _numbered(item)
    return sorted(found, key=lambda revision: revision.number, reverse=True)


def _numbered(replica_set: ReplicaSetRevision) -> Iterator[Revision]:
    """A ReplicaSet under each number that it has had: a rollback gives it a new one."""
    meta = replica_set.metadata
    words = (*meta.annotations.get(HISTORY, "").split(","), meta.annotations.get(REVISION, ""))
    numbers = [int(word) for word in words if word.isdigit()] or [0]
    for number in numbers:
        made_at = meta.creation_timestamp if number == min(numbers) else None
        yield Revision(number, replica_set.spec.template, made_at, meta.name)


def rollouts(snapshot: Snapshot, history: Snapshot, workload: Workload) -> Iterator[Change]:
    """One change a revision that is still kept, newest first."""
    found = history_of(history, workload)
    writers = authors(workload)
    for index, revision in enumerate(found):
        before = found[index + 1] if index + 1 < len(found) else None
        at, what = revision.made_at, f"rolled out revision {revision.number}"
        if at is None or (before and before.made_at and at < before.made_at):
            if index:
                continue  # only of the newest may a trace of the act be left
            at = _rolled_back_at(snapshot, workload, revision, writers, before)
            what = f"rolled back, as revision {revision.number}"
        if at is None:
            continue
        if before is None:
            what = _first(workload, revision)
        else:
            what += f": {_told(differences(before.template, revision.template))}"
        yield Change(
            at,
            ChangeKind.ROLLOUT,
            snapshot.ref(workload),
            what,
            author_at(at, writers),
            (Evidence(f"revision {revision.kept_in}", at.isoformat()),),
        )


def _first(workload: Workload, revision: Revision) -> str:
    images = ", ".join(image_name(item.image) for item in revision.template.spec.containers)
    born = workload.metadata.creation_timestamp
    if born and revision.made_at and revision.made_at - born <= SAME_ACT:
        return f"was created with image {images}"
    return f"rolled out revision {revision.number} (image {images}; the one before is not kept)"


def _told(found: list[str]) -> str:
    if not found:
        return "nothing that I compare differs"
    more = len(found) - MAX_DIFFERENCES
    return ", ".join(found[:MAX_DIFFERENCES]) + (f" and {more} more fields" if more > 0 else "")


def _rolled_back_at(
    snapshot: Snapshot,
    workload: Workload,
    revision: Revision,
    writers: list[Author],
    before: Revision | None,
) -> datetime | None:
    """When an old template came back: by the Event that scaled it up, else by its last writer."""
    moments = [
        first_seen(event)
        for event in snapshot.events_of(workload)
        if (match := _SCALED.search(text(event)))
        and match[1] == revision.kept_in
        and match[2] in {None, "0"}
    ]
    moments += [author.at for author in writers if author.subresource != "scale"]
    after = before.made_at if before else None
    return min((moment for moment in moments if after is None or moment > after), default=None)


def edits(snapshot: Snapshot, workload: Workload, rolled_out: list[Change]) -> Iterator[Change]:
    """Writes that made no revision: a change of replicas, or of what pods are not made from."""
    born = workload.metadata.creation_timestamp
    moments = [change.at for change in rolled_out] + ([born] if born else [])
    for author in authors(workload):
        if any(abs(author.at - moment) <= SAME_ACT for moment in moments):
            continue
        is_scaled = author.subresource == "scale"
        wanted = workload.spec.replicas
        yield Change(
            author.at,
            ChangeKind.SCALE if is_scaled else ChangeKind.CONFIG,
            snapshot.ref(workload),
            f"scaled by hand; {wanted} replicas are wanted now"
            if is_scaled
            else "edited; what its pods are made from stayed the same",
            author.manager,
            (Evidence("metadata.managedFields.time", author.at.isoformat()),),
        )


def scalings(snapshot: Snapshot, workload: Workload, rolled_out: list[Change]) -> Iterator[Change]:
    """Changes of the number of pods that no rollout explains, from Events."""
    moments = [change.at for change in rolled_out]
    for event in snapshot.events_of(workload):
        seen = last_seen(event)
        match = _SCALED.search(text(event)) if event.reason == "ScalingReplicaSet" else None
        if match is None or any(
            timedelta() <= seen - moment + SAME_ACT <= ROLLOUT_LASTS for moment in moments
        ):
            continue
        before = f"from {match[2]} " if match[2] else ""
        yield _of_event(snapshot, workload, event, f"scaled {before}to {match[3]} pods")


def made_pods(snapshot: Snapshot, workload: Workload) -> Iterator[Change]:
    """Pods that a StatefulSet made or removed, from Events: each has a name of its own."""
    for event in snapshot.events_of(workload):
        match = re.match(r"(create|delete) Pod (\S+) in StatefulSet", text(event))
        if match is not None:
            done = "made pod" if match[1] == "create" else "removed pod"
            yield _of_event(snapshot, workload, event, f"{done} {match[2]}")


def _of_event(snapshot: Snapshot, obj: KubeObject, event: Event, what: str) -> Change:
    return Change(
        last_seen(event),
        ChangeKind.SCALE,
        snapshot.ref(obj),
        what,
        evidence=(Evidence(f"Event {event.reason}", text(event)),),
    )
