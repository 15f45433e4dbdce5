"""Looks at one object from all sides: state, Events, logs, changes. Only reads."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from cluster.changes import timeline
from cluster.collect import ClusterCollector
from cluster.describe import describe, warnings_of
from cluster.describe_places import describe_node
from cluster.kinds import HISTORY_KINDS
from cluster.log_lines import ReadLog
from cluster.log_sources import LogSource, unhealthy_containers
from cluster.objects import KubeObject, Node, Pod
from cluster.snapshot import Snapshot, take_snapshot
from cluster.targets import namespaces_of, targets
from cluster.workload_objects import CronJob, Job, Workload
from core.answers import Gap, Scope
from core.changes import Change, Timeline
from core.clock import Clock
from core.errors import ClusterError
from core.findings import Evidence, Finding, ObjectRef
from core.inspections import Inspection, LoggedError, LogsRead, Targets
from core.logscan import headline
from core.questions import Reading, TimeRange
from core.redact import Redactor

MAX_LOGS = 4
MAX_ERRORS = 6
HEALTHY_LOGS = 2
_SHOWN_KINDS = (Workload, CronJob, Job, Node, Pod)


class ClusterTrail:
    """Implements `knowledge.ports.LiveTrail`.

    Args:
        collector: Gives snapshots and findings, and the clients for logs and history.
        redactor: Marks secrets in every text that leaves here.
    """

    def __init__(self, collector: ClusterCollector, redactor: Redactor, clock: Clock) -> None:
        self._collector = collector
        self._redactor = redactor
        self._clock = clock

    async def find(self, reading: Reading, scope: Scope) -> Targets:
        """Workloads and nodes that a text names, else namespaces; those in trouble first."""
        snapshots, gaps = await self._collector.snapshots(scope)
        found: list[tuple[int, ObjectRef]] = []
        for snapshot in snapshots:
            findings, rule_gaps = await self._collector.findings(snapshot)
            gaps += rule_gaps
            for ref in await asyncio.to_thread(_named, snapshot, reading):
                ranks = [item.severity.rank for item in findings if _same(item.owner, ref)]
                found.append((min(ranks, default=9), ref))
        found.sort(key=lambda item: item[0])
        looked_in = tuple(f"cluster {snapshot.cluster}" for snapshot in snapshots)
        return Targets(tuple(ref for _, ref in found), tuple(gaps), looked_in)

    async def inspect(self, about: ObjectRef, scope: Scope) -> Inspection:
        """How an object stands, with its Events."""
        snapshot, gaps = await self._snapshot(about, scope)
        if snapshot is None:
            return Inspection(about, self._clock.now(), "It could not be read.", gaps=tuple(gaps))
        findings, rule_gaps = await self._collector.findings(snapshot)
        made = await asyncio.to_thread(_inspect, snapshot, about, findings)
        redact = self._redactor.redact
        return replace(
            made,
            state=redact(made.state),
            lines=tuple(map(redact, made.lines)),
            events=tuple(map(redact, made.events)),
            gaps=(*gaps, *rule_gaps),
        )

    async def logs(self, about: ObjectRef, scope: Scope) -> LogsRead:
        """The errors of the current and the previous instance of its containers."""
        snapshot, gaps = await self._snapshot(about, scope)
        if snapshot is None:
            return LogsRead(gaps=tuple(gaps))
        sources = _sources(snapshot, about)
        reader = self._collector.log_reader(about.cluster)
        results = await asyncio.gather(*(reader.read(source) for source in sources))
        logs = [(source, log) for source, (log, _) in zip(sources, results, strict=True)]
        gaps += [gap for _, found in results for gap in found]
        redact = self._redactor.redact
        return LogsRead(
            tuple(replace(item, text=redact(item.text)) for item in _errors(logs)),
            sum(log.lines > 0 for _, log in logs),
            redact(_last_words(logs)),
            tuple(dict.fromkeys(gaps)),
        )

    async def changes(self, about: ObjectRef, window: TimeRange, scope: Scope) -> Timeline:
        """What changed about it in a window, and what stands just before its troubles."""
        snapshot, gaps = await self._snapshot(about, scope)
        if snapshot is None:
            return Timeline(about, window, self._clock.now(), gaps=tuple(gaps))
        findings, rule_gaps = await self._collector.findings(snapshot)
        history = await self._history(about)
        found = await asyncio.to_thread(timeline, snapshot, history, about, window, findings)
        redact = self._redacted
        return replace(
            found,
            changes=tuple(map(redact, found.changes)),
            troubles=tuple(
                replace(item, suspect=redact(item.suspect) if item.suspect else None)
                for item in found.troubles
            ),
            before=redact(found.before) if found.before else None,
            gaps=tuple(dict.fromkeys((*gaps, *rule_gaps, *found.gaps))),
        )

    async def _snapshot(self, about: ObjectRef, scope: Scope) -> tuple[Snapshot | None, list[Gap]]:
        only = replace(scope, clusters=frozenset({about.cluster}))
        if not scope.allows_cluster(about.cluster):
            return None, []
        snapshots, gaps = await self._collector.snapshots(only)
        return (snapshots[0] if snapshots else None), gaps

    async def _history(self, about: ObjectRef) -> Snapshot:
        """What only changes are read from, of the object's namespace; a node has none."""
        namespace = about.name if about.kind == "Namespace" else about.namespace
        empty = Snapshot(about.cluster, self._clock.now())
        if not namespace:
            return empty
        client = self._collector.client(about.cluster)
        try:
            return await take_snapshot(client, self._clock, {namespace}, HISTORY_KINDS)
        except ClusterError as error:
            what = f"revisions and ConfigMaps of {namespace} in cluster {about.cluster}"
            return replace(empty, gaps=(Gap(what, error.wrong, error.remedy),))

    def _redacted(self, change: Change) -> Change:
        redact = self._redactor.redact
        return replace(
            change,
            what=redact(change.what),
            by=redact(change.by),
            evidence=tuple(Evidence(item.field, redact(item.value)) for item in change.evidence),
        )


def _named(snapshot: Snapshot, reading: Reading) -> list[ObjectRef]:
    """Workloads and nodes by name, a pod's by its owner; else the namespaces."""
    objects = [
        item
        for item in targets(snapshot, reading)
        if isinstance(item, _SHOWN_KINDS) and snapshot.owner(item) == snapshot.ref(item)
    ]
    if objects or reading.names:
        return [snapshot.ref(item) for item in objects]
    spaces = sorted(set(reading.namespaces) & namespaces_of(snapshot))
    return [ObjectRef(snapshot.cluster, "Namespace", "", name) for name in spaces]


def _same(one: ObjectRef, other: ObjectRef) -> bool:
    return replace(one, uid="") == replace(other, uid="")


def _inspect(snapshot: Snapshot, about: ObjectRef, findings: Sequence[Finding]) -> Inspection:
    obj = snapshot.find(about.kind, about.namespace, about.name)
    if obj is None:
        return Inspection(about, snapshot.taken_at, f"{about} is not there any more.")
    pods = snapshot.pods_of(about)
    lines = (
        describe_node(snapshot, obj) if isinstance(obj, Node) else describe(snapshot, obj, findings)
    )
    around: list[KubeObject] = [obj, *pods]
    return Inspection(
        about=about,
        seen_at=snapshot.taken_at,
        state=lines[0] if lines else f"{about} is there.",
        lines=tuple(lines),
        findings=tuple(item for item in findings if _same(item.owner, about)),
        elsewhere=tuple(item for item in findings if not _same(item.owner, about)),
        nodes=frozenset(pod.spec.node_name for pod in pods) - {""},
        events=tuple(warnings_of(snapshot, around)),
    )


def _sources(snapshot: Snapshot, about: ObjectRef) -> list[LogSource]:
    """Logs of what is unhealthy, before and after its restart; else of two healthy containers."""
    pods = snapshot.pods_of(about)
    found: list[LogSource] = []
    for source in (item for pod in pods for item in unhealthy_containers(pod)):
        found.append(source)
        if source.previous:
            found.append(replace(source, previous=False, has_ended=False))
    if not found:
        found = [_of(pod) for pod in pods if pod.status.phase == "Running"][:HEALTHY_LOGS]
    return found[:MAX_LOGS]


def _of(pod: Pod) -> LogSource:
    meta = pod.metadata
    return LogSource(meta.namespace, meta.name, pod.spec.containers[0].name)


def _errors(logs: Sequence[tuple[LogSource, ReadLog]]) -> list[LoggedError]:
    """The kinds of errors of all logs, one each."""
    found: dict[str, LoggedError] = {}
    for source, log in logs:
        for kind in log.kinds:
            known = found.get(kind.template)
            if known is not None:
                found[kind.template] = replace(known, count=known.count + kind.count)
                continue
            found[kind.template] = LoggedError(
                headline(kind.last),
                kind.count,
                kind.first.timestamp,
                began_before=kind.first.line_number > 1,
                is_previous=source.previous,
            )
    ordered = sorted(found.values(), key=lambda item: (not item.is_previous, -item.count))
    return ordered[:MAX_ERRORS]


def _last_words(logs: Sequence[tuple[LogSource, ReadLog]]) -> str:
    """The last line of the first log whose instance has ended."""
    ended = (log.last[-1] for source, log in logs if source.has_ended and log.last)
    return next(map(headline, ended), "")
