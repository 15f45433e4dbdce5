"""Which containers' logs are searched for errors, and what comes of it: findings and a baseline.

Unhealthy containers come first, then one pod of each healthy workload, then the other replicas,
until the limits are reached; what could not be read is told. `ErrorLogs` is used once a digest;
questions about one workload read its logs by `cluster.logs` alone.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cluster.detectors.building import is_leaving
from cluster.log_errors import ContainerErrors, find_log_errors
from cluster.log_lines import ReadLog
from cluster.log_sources import LogSource, unhealthy_containers
from cluster.logs import LogLimits, LogReader
from cluster.network_objects import Service
from cluster.objects import Pod
from cluster.ports import BaselineStore, LogStore
from cluster.snapshot import Snapshot
from cluster.thresholds import Thresholds
from core.answers import Gap
from core.baseline import FORGOTTEN_AFTER, Baseline, Observation, SeenTemplate, owner_key
from core.clock import Clock
from core.errors import OpsbotError
from core.findings import Finding, ObjectRef, Severity
from core.questions import TimeRange
from core.redact import Redactor

_NAMES = ("app", "app.kubernetes.io/name", "k8s-app")


class ErrorLogs:
    """Finds new errors in the logs of a cluster, and learns what is normal.

    Args:
        baselines: Keeps what is normal.
        thresholds: For how long a crash is recent, and when an error that lasts is normal.
        store: Where logs are kept; then healthy containers' errors are looked up there.
        learns_first: Take for normal what healthy workloads say at the first look at a cluster;
            without, all of that is news.
    """

    def __init__(
        self,
        baselines: BaselineStore,
        clock: Clock,
        redactor: Redactor,
        thresholds: Thresholds | None = None,
        *,
        store: LogStore | None = None,
        learns_first: bool = True,
    ) -> None:
        self._baselines = baselines
        self._clock = clock
        self._redactor = redactor
        self._thresholds = thresholds or Thresholds()
        self._store = store
        self._learns_first = learns_first

    async def find(
        self, snapshot: Snapshot, findings: Sequence[Finding], reader: LogReader
    ) -> tuple[list[Finding], list[Gap]]:
        """Findings with problem "log-errors" (see `cluster.log_errors`), not folded, and gaps.

        Args:
            snapshot: The cluster.
            findings: What other rules found in it; their owners are troubled.
            reader: Of the snapshot's cluster. Hand it to `attach_logs` too: it reads nothing twice.
        """
        try:
            known = Baseline(await self._baselines.load(snapshot.cluster))
        except OpsbotError as error:
            # Without it all would be news.
            return [], [
                Gap(f"log baseline of cluster {snapshot.cluster}", error.wrong, error.remedy)
            ]
        recent = timedelta(seconds=self._thresholds.recent_crash_seconds)
        places = await asyncio.to_thread(
            _places, snapshot, snapshot.taken_at - recent, with_healthy=self._store is None
        )
        chosen = places[: reader.limits.logs_a_cluster]
        logs, gaps = await self._read(snapshot.cluster, chosen, reader)
        stored, store_gaps = await self._stored(
            snapshot, {place.pod.name for place in chosen}, reader.limits.window
        )
        logs += stored
        gaps += store_gaps
        if len(places) > len(chosen):
            gaps.append(_unread(snapshot.cluster, len(places) - len(chosen), reader.limits))
        told, learned = await asyncio.to_thread(self._judge, snapshot, findings, logs, known)
        try:
            before = self._clock.now() - FORGOTTEN_AFTER
            await self._baselines.save(snapshot.cluster, learned, before)
        except OpsbotError as error:
            gaps.append(
                Gap(f"log baseline of cluster {snapshot.cluster}", error.wrong, error.remedy)
            )
        return told, gaps

    async def _stored(
        self, snapshot: Snapshot, read: Collection[str], window: timedelta
    ) -> tuple[list[tuple[_Place, ReadLog]], list[Gap]]:
        """What the store has of pods that were not read, those that have gone included."""
        if self._store is None:
            return [], []
        now = self._clock.now()
        try:
            found = await self._store.errors(snapshot.cluster, TimeRange(now - window, now))
        except OpsbotError as error:
            what = f"logs of healthy containers in cluster {snapshot.cluster}"
            return [], [Gap(what, error.wrong, error.remedy)]
        logs: list[tuple[_Place, ReadLog]] = []
        for item in found:
            pod = snapshot.find("Pod", item.namespace, item.pod)
            ref = ObjectRef(snapshot.cluster, "Pod", item.namespace, item.pod)
            owner = snapshot.owner(pod) if pod is not None else ref
            source = LogSource(item.namespace, item.pod, item.container)
            node = pod.spec.node_name if isinstance(pod, Pod) else ""
            if item.pod not in read:
                logs.append((_Place(source, ref, owner, node), ReadLog(item.kinds)))
        return logs, []

    async def _read(
        self, cluster: str, places: Sequence[_Place], reader: LogReader
    ) -> tuple[list[tuple[_Place, ReadLog]], list[Gap]]:
        tasks = {asyncio.create_task(reader.read(place.source)): place for place in places}
        if not tasks:
            return [], []
        try:
            done, late = await asyncio.wait(tasks, timeout=reader.limits.seconds_a_cluster)
        finally:
            for task in tasks:
                task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        logs: list[tuple[_Place, ReadLog]] = []
        gaps: dict[Gap, None] = {}
        for task in (task for task in tasks if task in done):
            log, found = task.result()
            logs.append((tasks[task], log))
            gaps |= dict.fromkeys(found)
        if late:
            gaps[_unread(cluster, len(late), reader.limits)] = None
        return logs, list(gaps)

    def _judge(
        self,
        snapshot: Snapshot,
        findings: Sequence[Finding],
        logs: Sequence[tuple[_Place, ReadLog]],
        known: Baseline,
    ) -> tuple[list[Finding], list[SeenTemplate]]:
        now = self._clock.now()
        troubled = [item.owner for item in findings if item.severity is not Severity.INFO]
        is_first = self._learns_first and not known
        learned = known.learn(
            _observations(logs, troubled),
            now,
            is_first_look=is_first,
            normal_after=timedelta(days=self._thresholds.log_error_normal_days),
        )
        found = find_log_errors(
            (place.errors(log) for place, log in logs),
            baseline=learned,
            troubled=troubled,
            workloads=workload_names(snapshot),
            redact=self._redactor.redact,
            now=now,
        )
        before = set(known)
        return found, [line for line in learned if line not in before]


@dataclass(frozen=True, slots=True)
class _Place:
    """A log, and whose it is."""

    source: LogSource
    pod: ObjectRef
    owner: ObjectRef
    node: str

    def errors(self, log: ReadLog) -> ContainerErrors:
        return ContainerErrors(self.pod, self.owner, self.source.container, log.kinds, self.node)


def workload_names(snapshot: Snapshot) -> frozenset[str]:
    """What errors may call a workload: names of owners and Services, and what pods call it."""
    names = {service.metadata.name for service in snapshot.of(Service)}
    for pod in snapshot.of(Pod):
        names.add(snapshot.owner(pod).name)
        names |= {pod.metadata.labels[key] for key in _NAMES if key in pod.metadata.labels}
    return frozenset(names - {""})


def _places(snapshot: Snapshot, crashed_since: datetime, *, with_healthy: bool) -> list[_Place]:
    """All logs worth reading, the most telling first."""
    sick: list[_Place] = []
    healthy: dict[ObjectRef, list[list[_Place]]] = defaultdict(list)
    for pod in snapshot.of(Pod):
        if is_leaving(pod):
            continue
        owner = snapshot.owner(pod)
        ref = snapshot.ref(pod)
        sources = unhealthy_containers(pod, crashed_since)
        for source in sources:
            sick.append(_Place(source, ref, owner, pod.spec.node_name))
            if source.previous:
                now = replace(source, previous=False, has_ended=False)
                sick.append(_Place(now, ref, owner, pod.spec.node_name))
        if not with_healthy:
            continue
        seen = {source.container for source in sources}
        running = [
            _Place(LogSource(ref.namespace, ref.name, status.name), ref, owner, pod.spec.node_name)
            for status in pod.status.container_statuses
            if status.state.running is not None and status.name not in seen
        ]
        if running:
            healthy[owner].append(running)
    rounds = max((len(pods) for pods in healthy.values()), default=0)
    for replica in range(rounds):
        for pods in healthy.values():
            sick += pods[replica] if replica < len(pods) else []
    return sick


def _observations(
    logs: Iterable[tuple[_Place, ReadLog]], troubled: Iterable[ObjectRef]
) -> list[Observation]:
    upset = {owner_key(owner) for owner in troubled}
    owners: dict[ObjectRef, set[str]] = defaultdict(set)
    for place, log in logs:
        owners[place.owner] |= {kind.template for kind in log.kinds}
    return [
        Observation(owner, frozenset(templates), owner_key(owner) not in upset)
        for owner, templates in owners.items()
    ]


def _unread(cluster: str, count: int, limits: LogLimits) -> Gap:
    return Gap(
        f"logs of {count} containers in cluster {cluster}",
        f"at most {limits.logs_a_cluster} logs are searched within {limits.seconds_a_cluster:g} s",
        "Ask for one workload by name, or raise POD_LOGS or POD_LOGS_TIMEOUT_SECONDS",
    )
