"""Everything that changed about a workload, a namespace or a node, in order of time. Pure.

Secrets are not read: that one was changed is never known here. Events live for about an hour, so
that what only they tell is known no longer than that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cluster.authors import SAME_ACT, author_at, authors
from cluster.detectors.building import condition
from cluster.events import first_seen, last_seen, text
from cluster.history_objects import ConfigMap, PodDisruptionBudget, ResourceQuota
from cluster.network_objects import HorizontalPodAutoscaler
from cluster.nodechanges import node_changes
from cluster.objects import KubeObject, Node, Pod
from cluster.rollouts import edits, history_of, made_pods, rollouts, scalings
from cluster.snapshot import Snapshot
from cluster.template_diff import config_maps_of
from cluster.workload_objects import (
    CronJob,
    DaemonSet,
    Deployment,
    Job,
    StatefulSet,
    Workload,
)
from core.changes import Change, ChangeKind, Timeline, Trouble
from core.findings import Evidence, Finding, ObjectRef
from core.questions import TimeRange

# A change longer before the trouble than this is no suspect.
SUSPECT_FOR = timedelta(hours=6)
# A pod fails within seconds of its rollout, and times are told to the second.
_AT_ONCE = timedelta(seconds=30)
# What goes wrong whatever a pod's node does.
_NOT_OF_NODES = frozenset({"config-error", "hpa-cannot-act", "image-pull", "pvc"})
_ROLLED = (Deployment, StatefulSet, DaemonSet)


@dataclass(frozen=True, slots=True)
class _Area:
    """What a question is about: workloads of one namespace, the pods of these, their nodes."""

    namespace: str
    workloads: tuple[Workload, ...]
    jobs: tuple[Job, ...]
    pods: tuple[Pod, ...]
    nodes: tuple[Node, ...]
    owners: frozenset[ObjectRef]


def timeline(
    snapshot: Snapshot,
    history: Snapshot,
    about: ObjectRef,
    window: TimeRange,
    findings: Sequence[Finding],
) -> Timeline:
    """What changed about an object in a window.

    Args:
        snapshot: The cluster now.
        history: `HISTORY_KINDS` of the object's namespace.
        about: A workload, a CronJob, a node, or a namespace as "Namespace".
        window: What of the past is told.
        findings: Of the whole cluster; those of this object say when its trouble began.
    """
    area = _area(snapshot, about)
    every = sorted(_changes(snapshot, history, area), key=lambda change: change.at)
    inside = tuple(change for change in every if change.at in window)
    rolled_out = [change for change in every if change.kind is ChangeKind.ROLLOUT]
    earlier = [change for change in rolled_out if change.at < window.start]
    is_quiet = not any(change in inside for change in rolled_out)
    return Timeline(
        about=about,
        window=window,
        seen_at=snapshot.taken_at,
        changes=inside,
        troubles=tuple(
            _trouble(snapshot, history, finding)
            for finding in findings
            if _bare(finding.owner) in area.owners
        ),
        before=earlier[-1] if earlier and is_quiet else None,
        gaps=history.gaps,
    )


def _area(snapshot: Snapshot, about: ObjectRef) -> _Area:
    workloads: tuple[Workload, ...] = tuple(
        item
        for struct in _ROLLED
        for item in snapshot.of(struct)
        if _is_in(snapshot.ref(item), about)
    )
    crons = [item for item in snapshot.of(CronJob) if _is_in(snapshot.ref(item), about)]
    jobs = tuple(item for item in snapshot.of(Job) if _is_in(snapshot.owner(item), about))
    owners = {snapshot.ref(item) for item in (*workloads, *crons, *jobs)}
    pods = tuple(pod for ref in owners for pod in snapshot.pods_of(ref))
    names = {pod.spec.node_name for pod in pods} | ({about.name} if about.kind == "Node" else set())
    nodes = tuple(item for item in snapshot.of(Node) if item.metadata.name in names)
    if about.kind == "Node":
        owners.add(about)
    namespace = about.name if about.kind == "Namespace" else about.namespace
    return _Area(namespace, workloads, jobs, pods, nodes, frozenset(map(_bare, owners)))


def _is_in(ref: ObjectRef, about: ObjectRef) -> bool:
    if about.kind == "Namespace":
        return ref.namespace == about.name
    return (ref.kind, ref.namespace, ref.name) == (about.kind, about.namespace, about.name)


def _bare(ref: ObjectRef) -> ObjectRef:
    """Without its uid, which not every reference has."""
    return ObjectRef(ref.cluster, ref.kind, ref.namespace, ref.name)


def _changes(snapshot: Snapshot, history: Snapshot, area: _Area) -> Iterator[Change]:
    for workload in area.workloads:
        rolled_out = list(rollouts(snapshot, history, workload))
        yield from rolled_out
        yield from edits(snapshot, workload, rolled_out)
        yield from scalings(snapshot, workload, rolled_out)
        yield from made_pods(snapshot, workload)
        yield from _restarts(snapshot, workload)
    yield from _autoscaling(snapshot, area)
    yield from _configs(history, area)
    yield from _policies(history, area)
    yield from _runs(snapshot, area.jobs)
    for node in area.nodes:
        yield from node_changes(snapshot, node)


def _autoscaling(snapshot: Snapshot, area: _Area) -> Iterator[Change]:
    places = {(type(item).__name__, item.metadata.name): item for item in area.workloads}
    for hpa in snapshot.of(HorizontalPodAutoscaler):
        target = hpa.spec.scale_target_ref
        workload = places.get((target.kind, target.name))
        if workload is None or hpa.metadata.namespace != area.namespace:
            continue
        for event in snapshot.events_of(hpa):
            if event.reason == "SuccessfulRescale":
                yield Change(
                    last_seen(event),
                    ChangeKind.SCALE,
                    snapshot.ref(workload),
                    f"scaled by its autoscaler: {text(event)}",
                    evidence=(Evidence(f"Event {event.reason}", text(event)),),
                )
        yield from _written(snapshot, hpa, ChangeKind.SCALE)


def _configs(history: Snapshot, area: _Area) -> Iterator[Change]:
    newest = [history_of(history, item)[:1] for item in area.workloads]
    names = {name for found in newest for item in found for name in config_maps_of(item.template)}
    for config_map in history.of(ConfigMap):
        if config_map.metadata.name in names:
            yield from _written(history, config_map, ChangeKind.CONFIG)


def _policies(history: Snapshot, area: _Area) -> Iterator[Change]:
    for struct in (ResourceQuota, PodDisruptionBudget):
        for item in history.of(struct):
            if item.metadata.namespace == area.namespace:
                yield from _written(history, item, ChangeKind.POLICY)


def _written(snapshot: Snapshot, obj: KubeObject, kind: ChangeKind) -> Iterator[Change]:
    """That an object was made, and each later write that left its time."""
    born, known = obj.metadata.creation_timestamp, authors(obj)
    if born is not None:
        proof = Evidence("metadata.creationTimestamp", born.isoformat())
        yield Change(born, kind, snapshot.ref(obj), "created", author_at(born, known), (proof,))
    for author in known:
        if born is None or author.at - born > SAME_ACT:
            proof = Evidence("metadata.managedFields.time", author.at.isoformat())
            yield Change(author.at, kind, snapshot.ref(obj), "changed", author.manager, (proof,))


def _runs(snapshot: Snapshot, jobs: Iterable[Job]) -> Iterator[Change]:
    """The runs of each CronJob as one change at the last of them; a Job of its own likewise."""
    runs: dict[ObjectRef, list[tuple[datetime, Job]]] = defaultdict(list)
    for job in jobs:
        if job.status.start_time is not None:
            runs[_bare(snapshot.owner(job))].append((job.status.start_time, job))
    for owner, started in runs.items():
        at, last = max(started, key=lambda run: run[0])
        failed = condition(last.status.conditions, "Failed")
        how = "still running"
        if failed and failed.status == "True":
            how = f"failed ({failed.reason})"
        elif last.status.completion_time:
            how = "succeeded"
        again = f", one of {len(started)} runs that are kept" if len(started) > 1 else ""
        proof = Evidence(f"Job {last.metadata.name} status.startTime", at.isoformat())
        yield Change(at, ChangeKind.JOB, owner, f"ran, {how}{again}", evidence=(proof,))


def _restarts(snapshot: Snapshot, workload: Workload) -> Iterator[Change]:
    """All restarts of a workload's containers as one change, at the last of them."""
    ended = [
        (last.finished_at, last, status)
        for pod in snapshot.pods_of(snapshot.ref(workload))
        for status in pod.status.init_container_statuses + pod.status.container_statuses
        if (last := status.last_state.terminated) and last.finished_at and status.restart_count
    ]
    if not ended:
        return
    at, last, _ = max(ended, key=lambda item: item[0])
    count = sum(status.restart_count for *_, status in ended)
    times = "once" if count == 1 else f"{count} times so far"
    why = f" ({last.reason})" if last.reason not in {"", "Error"} else ""
    proof = Evidence("lastState.terminated.finishedAt", at.isoformat())
    what = f"restarted {times}, last exit {last.exit_code}{why}"
    yield Change(at, ChangeKind.RESTART, snapshot.ref(workload), what, evidence=(proof,))


def _trouble(snapshot: Snapshot, history: Snapshot, finding: Finding) -> Trouble:
    at = _began(snapshot, finding)
    changes = _changes(snapshot, history, _area(snapshot, finding.owner))
    near = [
        change
        for change in changes
        if at - SUSPECT_FOR <= change.at <= at + _AT_ONCE and _may_cause(change, finding)
    ]
    return Trouble(at, finding, _last_of(near, finding.owner))


def _began(snapshot: Snapshot, finding: Finding) -> datetime:
    """When a trouble was first seen: by the first warning about it, else as the rule says.

    A rule may know no better than the age of a pod that has crashed ever since.
    """
    involved = finding.involved
    obj = snapshot.find(involved.kind, involved.namespace, involved.name)
    about: list[KubeObject] = [obj] if obj is not None else []
    if isinstance(obj, Workload):
        about += snapshot.pods_of(involved)
    moments = [
        first_seen(event)
        for item in about
        for event in snapshot.events_of(item)
        if event.type == "Warning"
    ]
    return min(moments, default=finding.first_seen)


def _may_cause(change: Change, finding: Finding) -> bool:
    """Not what follows from a trouble, and not the trouble itself seen as a change of a node."""
    if change.kind in {ChangeKind.RESTART, ChangeKind.JOB}:
        return False
    if change.kind is not ChangeKind.NODE:
        return True
    if finding.problem == "unschedulable":
        return change.what == "cordoned"
    return finding.problem not in _NOT_OF_NODES and change.object.name != finding.owner.name


def _last_of(changes: Sequence[Change], owner: ObjectRef) -> Change | None:
    """The last change; of several at once, the owner's own."""
    newest = max((change.at for change in changes), default=None)
    if newest is None:
        return None
    at_once = [change for change in changes if newest - change.at <= SAME_ACT]
    own = [change for change in at_once if _bare(change.object) == _bare(owner)]
    return max(own or at_once, key=lambda change: change.at)
