"""Live facts on what a question names. Implements `knowledge.ports.LiveFacts`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from cluster.collect import ClusterCollector
from cluster.describe import describe, describe_finding, describe_limits, pod_spec
from cluster.describe_places import describe_namespace, describe_node, describe_service
from cluster.logs import LOGGED_PROBLEMS, LogReader, LogSource, attach_logs, sources_of
from cluster.logs import unhealthy_containers as unhealthy
from cluster.network_objects import Service
from cluster.objects import KubeObject, Node, Pod
from cluster.snapshot import Snapshot
from cluster.targets import named, names_of, namespaces_of, targets
from core.answers import Gap, Lookup, Passage, Scope
from core.clock import Clock
from core.findings import Finding
from core.questions import Intent, Reading
from core.redact import Redactor

logger = logging.getLogger(__name__)

NAMES_TTL = timedelta(seconds=60)
FIRST_NAMES_TIMEOUT_SECONDS = 3.0
MAX_OBJECTS = 6
DEFAULT_FINDINGS = 10
FINDING_INTENTS = frozenset({Intent.LOGS, Intent.STATUS, Intent.WHY})


class ClusterFacts:
    """Looks into the clusters of a collector; close it before the collector.

    Args:
        collector: Gives snapshots and findings, and the clients for logs.
        redactor: Marks secrets in every text that leaves here.
    """

    def __init__(self, collector: ClusterCollector, redactor: Redactor, clock: Clock) -> None:
        self._collector = collector
        self._redactor = redactor
        self._clock = clock
        self._names: frozenset[str] = frozenset()
        self._namespaces: frozenset[str] = frozenset()
        self._names_at: datetime | None = None
        self._refreshing: asyncio.Task[None] | None = None

    async def known_names(self) -> frozenset[str]:
        """Names of workloads, pods' owners, services, nodes and namespaces; may be empty.

        Never raises. The first call waits a little for the first snapshot; later ones answer at
        once and refresh behind the scenes.
        """
        await self._refresh()
        return self._names

    async def known_namespaces(self) -> frozenset[str]:
        """Names of the namespaces seen; may be empty. Never raises."""
        await self._refresh()
        return self._namespaces

    async def look(self, reading: Reading, scope: Scope) -> Lookup:
        """Facts on what the question names; without names, the top findings if it asks for them."""
        snapshots, gaps = await self._collector.snapshots(scope)
        passages: list[Passage] = []
        for snapshot in snapshots:
            findings, rule_gaps = await self._collector.findings(snapshot)
            found, log_gaps = await self._look_into(snapshot, findings, reading)
            passages += found
            gaps += rule_gaps + log_gaps
        looked_in = tuple(f"cluster {snapshot.cluster}" for snapshot in snapshots)
        return Lookup(tuple(passages), tuple(gaps), looked_in)

    async def workloads_on_node(self, node: str) -> tuple[str, ...]:
        """Names of the workloads that have pods on a node; () where no cluster has the node."""
        snapshots, _ = await self._collector.snapshots(Scope())
        pods = [(snapshot, pod) for snapshot in snapshots for pod in snapshot.pods_on(node)]
        running = [
            snapshot.owner(pod).name
            for snapshot, pod in pods
            if pod.status.phase not in {"Succeeded", "Failed"}
        ]
        return tuple(dict.fromkeys(sorted(running)))

    async def close(self) -> None:
        """Give up a refresh that is under way."""
        if self._refreshing is not None:
            self._refreshing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._refreshing

    async def _look_into(
        self, snapshot: Snapshot, findings: Sequence[Finding], reading: Reading
    ) -> tuple[list[Passage], list[Gap]]:
        objects = await asyncio.to_thread(targets, snapshot, reading)
        if objects:
            return await self._objects(snapshot, objects[:MAX_OBJECTS], findings, reading)
        passages: list[Passage] = []
        spaces = sorted(set(reading.namespaces) & namespaces_of(snapshot))
        for namespace in spaces:
            lines = describe_namespace(snapshot, namespace, findings)
            passages.append(self._passage(snapshot, ("Namespace", "", namespace), lines, score=0.9))
        asks_for_findings = reading.limit is not None or bool(reading.intents & FINDING_INTENTS)
        if reading.names and not spaces:
            return passages, []  # it names something that this cluster does not have
        if not asks_for_findings:
            return passages, []
        wanted = [item for item in findings if not spaces or item.owner.namespace in spaces]
        wanted = wanted[: reading.limit or DEFAULT_FINDINGS]
        client = self._collector.client(snapshot.cluster)
        told, gaps = await attach_logs(client, snapshot, wanted, self._redactor)
        for rank, finding in enumerate(told):
            place = (finding.owner.kind, finding.owner.namespace, finding.owner.name)
            lines = describe_finding(finding)
            score = 0.8 - rank * 0.01
            passages.append(self._passage(snapshot, place, lines, score=score, about="finding"))
        return passages, gaps

    async def _objects(
        self,
        snapshot: Snapshot,
        objects: Sequence[KubeObject],
        findings: Sequence[Finding],
        reading: Reading,
    ) -> tuple[list[Passage], list[Gap]]:
        passages: list[Passage] = []
        gaps: list[Gap] = []
        reader = LogReader(self._collector.client(snapshot.cluster), self._redactor)
        for rank, obj in enumerate(objects):
            ref = snapshot.ref(obj)
            place = (ref.kind, ref.namespace, ref.name)
            score = 1.0 - rank * 0.05
            if Intent.LIMITS in reading.intents and pod_spec(obj):
                lines = describe_limits(obj)
                passages.append(self._passage(snapshot, place, lines, score=score, about="limits"))
            lines = await asyncio.to_thread(_describe, snapshot, obj, findings)
            sources = _log_sources(snapshot, obj, findings, reading)
            log_lines, log_gaps = await reader.lines(sources)
            lines += [f"Log line: {line}" for line in log_lines]
            gaps += log_gaps
            passages.append(self._passage(snapshot, place, lines, score=score))
        return passages, gaps

    def _passage(
        self,
        snapshot: Snapshot,
        place: tuple[str, str, str],
        lines: Iterable[str],
        *,
        score: float,
        about: str = "",
    ) -> Passage:
        kind, namespace, name = place
        path = "/".join(part for part in (kind, namespace, name) if part)
        shown = f"{namespace}/{name}" if namespace else name
        words = {"limits": f"Limits of {kind} {shown}", "finding": f"Finding on {kind} {shown}"}
        title = words.get(about, f"{kind} {shown}")
        if len(self._collector.names) > 1:
            title += f" in cluster {snapshot.cluster}"
        return Passage(
            id=":".join(part for part in ("cluster", snapshot.cluster, path, about) if part),
            source="cluster",
            title=title,
            location=path,
            text=self._redactor.redact("\n".join(lines)),
            score=score,
            updated_at=snapshot.taken_at,
            namespace=name if kind == "Namespace" else namespace,
            service=name,
            kind=kind,
            is_fact=True,
        )

    async def _refresh(self) -> None:
        is_old = self._names_at is None or self._clock.now() - self._names_at > NAMES_TTL
        if is_old and (self._refreshing is None or self._refreshing.done()):
            self._refreshing = asyncio.create_task(self._read_names())
        if self._names_at is None and self._refreshing is not None:
            await asyncio.wait([self._refreshing], timeout=FIRST_NAMES_TIMEOUT_SECONDS)

    async def _read_names(self) -> None:
        try:
            snapshots, _ = await self._collector.snapshots(Scope())
        except Exception:
            # Names only sharpen a question; whatever goes wrong here is told when facts are read.
            logger.exception("Could not read the names that the clusters know")
            snapshots = []
        if snapshots:
            self._names = frozenset().union(*(names_of(snapshot) for snapshot in snapshots))
            self._namespaces = frozenset().union(*(namespaces_of(item) for item in snapshots))
        self._names_at = self._clock.now()


def _describe(snapshot: Snapshot, obj: KubeObject, findings: Sequence[Finding]) -> list[str]:
    if isinstance(obj, Node):
        own = [item for item in findings if named(item.owner, obj)]
        told = [line for item in own for line in describe_finding(item)]
        return describe_node(snapshot, obj) + told
    if isinstance(obj, Service):
        return describe_service(snapshot, obj)
    return describe(snapshot, obj, findings)


def _log_sources(
    snapshot: Snapshot, obj: KubeObject, findings: Sequence[Finding], reading: Reading
) -> list[LogSource]:
    """Logs of what is unhealthy; of healthy pods only when the question asks for logs."""
    if isinstance(obj, Node | Service):
        return []
    own = [item for item in findings if named(item.owner, obj) and item.problem in LOGGED_PROBLEMS]
    sources = [source for item in own for source in sources_of(snapshot, item)]
    pods = (obj,) if isinstance(obj, Pod) else snapshot.pods_of(snapshot.ref(obj))
    if not sources:
        sources = [source for pod in pods for source in unhealthy(pod)][:3]
    if not sources and Intent.LOGS in reading.intents:
        sources = [
            LogSource(pod.metadata.namespace, pod.metadata.name, container.name)
            for pod in pods[:2]
            for container in pod.spec.containers[:2]
        ]
    return sources
