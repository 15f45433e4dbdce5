"""Findings of all clusters: snapshots, rules, folding, logs. Failures become gaps."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from time import monotonic
from typing import Protocol

from cluster.alerts import findings_from_alerts
from cluster.client import ClusterClient
from cluster.detectors.table import DETECTORS, Detector
from cluster.eventlog import with_kept_events
from cluster.fold import fold
from cluster.kinds import KINDS, Kind
from cluster.log_reading import ErrorLogs
from cluster.logs import LogLimits, LogReader, attach_logs
from cluster.ports import EventStore
from cluster.snapshot import Snapshot, let_go, take_snapshot
from cluster.thresholds import Thresholds
from core.alerts import Alert
from core.answers import Gap, Scope
from core.clock import Clock
from core.errors import ClusterError
from core.findings import Collected, Evidence, Finding
from core.questions import TimeRange
from core.redact import Redactor

logger = logging.getLogger(__name__)

SNAPSHOT_TIMEOUT_SECONDS = 90.0
_Key = tuple[str, frozenset[str]]


class AlertSource(Protocol):
    """A monitoring system that knows of alerts."""

    async def firing(self, cluster: str) -> Sequence[Alert]:
        """The alerts of a cluster that fire now. Raises ClusterError."""
        ...


class ClusterCollector:
    """Reads clusters and finds what is wrong in them. Implements `digest.ports.FindingSource`.

    Args:
        clients: One per cluster; `close` closes them.
        thresholds: When something counts.
        denied_namespaces: Never told of, whatever the scope.
        snapshot_ttl_seconds: For how long a snapshot answers again before a new one is taken.
        detectors: The rules, by name; for tests.
        kinds: What is read.
        alerts: A monitoring system, whose alerts are findings as well.
        error_logs: Finds new errors in logs; without, only logs of what fails are read.
        folding: Makes one finding an owner of many; a measurement leaves nodes out of it.
        events: Events that clusters have forgotten, for windows longer than their memory.
        log_limits: How much is read of logs.
        on_snapshot: Told of each try to read a cluster: its name, the seconds, whether it was read.
    """

    def __init__(
        self,
        clients: Sequence[ClusterClient],
        clock: Clock,
        redactor: Redactor,
        thresholds: Thresholds | None = None,
        *,
        denied_namespaces: frozenset[str] = frozenset(),
        snapshot_ttl_seconds: float = 5.0,
        detectors: Mapping[str, Detector] = DETECTORS,
        kinds: Collection[Kind] = KINDS,
        alerts: AlertSource | None = None,
        error_logs: ErrorLogs | None = None,
        folding: Callable[[Iterable[Finding]], list[Finding]] = fold,
        events: EventStore | None = None,
        log_limits: LogLimits | None = None,
        on_snapshot: Callable[[str, float, bool], None] = lambda _name, _seconds, _is_read: None,
    ) -> None:
        self._clients = {client.name: client for client in clients}
        self._clock = clock
        self._redactor = redactor
        self._thresholds = thresholds or Thresholds()
        self._denied = denied_namespaces
        self._ttl = timedelta(seconds=snapshot_ttl_seconds)
        self._detectors = detectors
        self._kinds = kinds
        self._alerts = alerts
        self._error_logs = error_logs
        self._fold = folding
        self._events = events
        self._log_limits = log_limits or LogLimits()
        self._on_snapshot = on_snapshot
        self._taken: dict[_Key, tuple[datetime, Snapshot]] = {}
        self._running: dict[_Key, asyncio.Task[Snapshot]] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The configured clusters."""
        return tuple(self._clients)

    def client(self, cluster: str) -> ClusterClient:
        """The client of a cluster."""
        return self._clients[cluster]

    def log_reader(self, cluster: str) -> LogReader:
        """A reader of a cluster's logs for one question."""
        limits = self._log_limits.while_somebody_waits()
        return LogReader(self._clients[cluster], self._redactor, limits)

    async def collect(self, window: TimeRange, scope: Scope) -> Collected:
        """All findings now, one per owner, worst first; past ones as far back as the window."""
        snapshots, gaps = await self.snapshots(scope)
        thresholds = self._thresholds.for_window((window.end - window.start).total_seconds())
        results = await asyncio.gather(
            *(self._collect_one(snapshot, thresholds, window) for snapshot in snapshots)
        )
        findings: list[Finding] = []
        for found, found_gaps in results:
            findings += found
            gaps += found_gaps
        findings.sort(key=lambda finding: finding.severity.rank)
        return Collected(
            tuple(findings), tuple(gaps), tuple(snapshot.cluster for snapshot in snapshots)
        )

    async def _collect_one(
        self, snapshot: Snapshot, thresholds: Thresholds, window: TimeRange
    ) -> tuple[list[Finding], list[Gap]]:
        client = self._clients[snapshot.cluster]
        reader = LogReader(client, self._redactor, self._log_limits)
        gaps: list[Gap] = []
        if self._events is not None:
            snapshot, gaps = await with_kept_events(
                snapshot, self._events, window, snapshot.namespaces
            )
        found, found_gaps = await self._found(snapshot, thresholds)
        gaps += found_gaps
        if self._error_logs is not None:
            told, log_gaps = await self._error_logs.find(snapshot, found, reader)
            found, gaps = found + told, gaps + log_gaps
        folded = await asyncio.to_thread(self._folded, found)
        with_logs, log_gaps = await attach_logs(snapshot, folded, reader)
        return with_logs, list(dict.fromkeys(gaps + log_gaps))

    async def findings(self, snapshot: Snapshot) -> tuple[list[Finding], list[Gap]]:
        """The folded and redacted findings of one snapshot, without logs."""
        found, gaps = await self._found(snapshot, self._thresholds)
        return await asyncio.to_thread(self._folded, found), gaps

    async def _found(
        self, snapshot: Snapshot, thresholds: Thresholds
    ) -> tuple[list[Finding], list[Gap]]:
        """What the rules and the alerts say, one by one."""
        alerts, gaps = await self._firing(snapshot)
        found, failed = await asyncio.to_thread(self._detect, snapshot, thresholds)
        return found + findings_from_alerts(alerts, snapshot, snapshot.taken_at), gaps + failed

    def _folded(self, found: Iterable[Finding]) -> list[Finding]:
        return [_redacted(finding, self._redactor) for finding in self._fold(found)]

    async def _firing(self, snapshot: Snapshot) -> tuple[Sequence[Alert], list[Gap]]:
        if self._alerts is None:
            return [], []
        try:
            alerts = await self._alerts.firing(snapshot.cluster)
        except ClusterError as error:
            what = f"alerts of cluster {snapshot.cluster}"
            return [], [Gap(what, error.wrong, error.remedy)]
        scope = Scope(namespaces=snapshot.namespaces)
        return [
            alert
            for alert in alerts
            if scope.allows_namespace(alert.namespace) and alert.namespace not in self._denied
        ], []

    def _detect(
        self, snapshot: Snapshot, thresholds: Thresholds
    ) -> tuple[list[Finding], list[Gap]]:
        found: list[Finding] = []
        gaps: list[Gap] = []
        for name, detect in self._detectors.items():
            try:
                found += list(detect(snapshot, snapshot.taken_at, thresholds))
            except Exception as error:
                # A rule that stumbles over an odd object must not silence the others.
                logger.exception("Detector %s failed on cluster %s", name, snapshot.cluster)
                gaps.append(
                    Gap(
                        f"rule {name} on cluster {snapshot.cluster}",
                        f"it failed with {type(error).__name__}",
                        "See the bot's log and report it",
                    )
                )
        return found, gaps

    async def snapshots(self, scope: Scope) -> tuple[list[Snapshot], list[Gap]]:
        """A fresh snapshot of every cluster in scope; what could not be read is a Gap."""
        clients = [client for client in self._clients.values() if scope.allows_cluster(client.name)]
        if self._clients and not (clients and scope.allows_source("cluster")):
            why = "what may be seen in this channel leaves them out"
            return [], [Gap("the clusters", why, "Ask in a channel where they may be seen")]
        results = await asyncio.gather(
            *(self._snapshot(client, scope.namespaces) for client in clients)
        )
        snapshots = [result for result in results if isinstance(result, Snapshot)]
        gaps = [result for result in results if isinstance(result, Gap)]
        gaps += [gap for snapshot in snapshots for gap in snapshot.gaps]
        return snapshots, gaps

    async def _snapshot(self, client: ClusterClient, namespaces: frozenset[str]) -> Snapshot | Gap:
        what = f"cluster {client.name}"
        key = (client.name, namespaces)
        if key in self._taken and key not in self._stale():
            return self._taken[key][1]
        task = self._running.get(key)
        if task is None:
            task = asyncio.create_task(self._take(client, namespaces))
            self._running[key] = task
            task.add_done_callback(lambda done: self._forget(key, done))
        try:
            # Shielded: one asker who gives up must not take the snapshot from the others.
            snapshot = await asyncio.shield(task)
        except TimeoutError:
            return Gap(
                what, f"not read within {SNAPSHOT_TIMEOUT_SECONDS:g} s", "Narrow the namespaces"
            )
        except ClusterError as error:
            return Gap(what, error.wrong, error.remedy)
        return snapshot

    def _forget(self, key: _Key, task: asyncio.Task[Snapshot]) -> None:
        self._running.pop(key, None)
        if not task.cancelled():
            task.exception()  # retrieved, also when every asker has gone

    async def _take(self, client: ClusterClient, namespaces: frozenset[str]) -> Snapshot:
        allowed = namespaces - self._denied
        if namespaces and not allowed:
            # An empty set would mean every namespace.
            return Snapshot(client.name, self._clock.now(), namespaces=namespaces)
        # Before the next one is taken: two of a big cluster would be twice the memory.
        await let_go([self._taken.pop(key)[1] for key in self._stale()])
        began, is_read = monotonic(), False
        try:
            async with asyncio.timeout(SNAPSHOT_TIMEOUT_SECONDS):
                snapshot = await take_snapshot(client, self._clock, allowed, self._kinds)
            is_read = True
        finally:
            self._on_snapshot(client.name, monotonic() - began, is_read)
        snapshot = _without(snapshot, self._denied)
        self._taken[client.name, namespaces] = (self._clock.now(), snapshot)
        return snapshot

    def _stale(self) -> list[_Key]:
        now = self._clock.now()
        return [key for key, (taken, _) in self._taken.items() if now - taken >= self._ttl]

    async def ping(self) -> list[tuple[str, str | ClusterError]]:
        """Every cluster with its version, or why it does not answer."""

        async def ask(client: ClusterClient) -> tuple[str, str | ClusterError]:
            try:
                return client.name, await client.version()
            except ClusterError as error:
                return client.name, error

        return list(await asyncio.gather(*(ask(client) for client in self._clients.values())))

    async def close(self) -> None:
        """Give up what is being read, and close the clients."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for client in self._clients.values():
            await client.close()


def _without(snapshot: Snapshot, denied: frozenset[str]) -> Snapshot:
    if not denied:
        return snapshot
    objects = {
        struct: tuple(item for item in items if item.metadata.namespace not in denied)
        for struct, items in snapshot.objects.items()
    }
    return replace(snapshot, objects=objects)


def _redacted(finding: Finding, redactor: Redactor) -> Finding:
    return replace(
        finding,
        title=redactor.redact(finding.title),
        evidence=tuple(
            Evidence(item.field, redactor.redact(item.value)) for item in finding.evidence
        ),
    )
