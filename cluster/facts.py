"""Live facts on what a question names. Implements `knowledge.ports.LiveFacts`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from cluster.collect import ClusterCollector
from cluster.describe import describe, describe_finding
from cluster.describe_limits import describe_limits, limits_sentence, pod_spec
from cluster.describe_places import describe_namespace, describe_node, describe_service
from cluster.log_sources import LOGGED_PROBLEMS, LogSource, sources_of
from cluster.log_sources import unhealthy_containers as unhealthy
from cluster.logs import attach_logs
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
# A question that asks how everything is, and not about one kind of trouble.
_ASKS_FOR_ALL = re.compile(
    r"what(?:'s| is| are|s) (?:wrong|broken|failing|down|going on|critical|the problem)|"
    r"\b(?:any|which|what|list|show|all|summari[sz]e) (?:\w+ ){0,4}"
    r"(?:problems?|issues?|errors?|findings|troubles?|alerts?|incidents? now|unhealthy|"
    r"failing|broken|crashing|pending|(?:pods?|workloads?|services?|deployments?) "
    r"(?:are|is|keep)\b)|"
    r"\b(?:cluster|everything)\b.*\b(?:status|health\w*|state|ok|fine|well|doing)\b|"
    r"\b(?:status|health|state) of (?:the |our )?(?:cluster|everything)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"[a-z0-9]+(?:[-/.][a-z0-9]+)*")
_FEWEST_WORDS = 4
_SHARED_WORDS = 0.6
# Questions that the setting alone answers.
_SETTING_INTENTS = frozenset({Intent.LIMITS, Intent.CONFIG})
_ASKS_FOR_SERVICE = re.compile(r"\b(?:service|svc|endpoints?|ports?|selector)\b", re.IGNORECASE)


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
        if not scope.allows_source("cluster"):
            return Lookup()  # left out on purpose, which is no gap in what was found
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
        if reading.names and not spaces:
            return passages, []  # it names something that this cluster does not have
        wanted = [item for item in findings if not spaces or item.owner.namespace in spaces]
        if not asks_for_findings(reading):
            wanted = [item for item in wanted if is_meant(item, reading)]
        wanted = wanted[: reading.limit or DEFAULT_FINDINGS]
        reader = self._collector.log_reader(snapshot.cluster)
        told, gaps = await attach_logs(snapshot, wanted, reader)
        for rank, finding in enumerate(told):
            place = (finding.owner.kind, finding.owner.namespace, finding.owner.name)
            lines = describe_finding(finding, snapshot.taken_at)
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
        reader = self._collector.log_reader(snapshot.cluster)
        for rank, obj in enumerate(_telling(objects, reading)):
            ref = snapshot.ref(obj)
            place = (ref.kind, ref.namespace, ref.name)
            score = 1.0 - rank * 0.05
            if Intent.LIMITS in reading.intents and pod_spec(obj):
                lines = [limits_sentence(obj), *describe_limits(obj)]
                passages.append(self._passage(snapshot, place, lines, score=score, about="limits"))
                if reading.intents <= _SETTING_INTENTS:
                    continue
            sources = _log_sources(snapshot, obj, findings, reading)
            log_lines, log_gaps = await reader.lines(sources)
            lines = await asyncio.to_thread(_describe, snapshot, obj, findings, log_lines)
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


def asks_for_findings(reading: Reading) -> bool:
    """Whether a question that names no object wants to know what is wrong anywhere."""
    wants_lines = Intent.LOGS in reading.intents and (reading.codes or reading.time_range)
    if wants_lines and reading.limit is None:
        return False  # it wants these lines, and no others' troubles
    if reading.limit is not None or Intent.LOGS in reading.intents:
        return True
    return bool(_ASKS_FOR_ALL.search(reading.question)) or (
        bool(reading.namespaces) and bool(reading.intents & {Intent.STATUS, Intent.WHY})
    )


def is_meant(finding: Finding, reading: Reading) -> bool:
    """Whether a question quotes a finding: its reason, or most of its message's words."""
    if Intent.LOGS in reading.intents:
        return False
    codes = {code.lower() for code in reading.codes if not code.isdigit()}
    if finding.reason.lower() in codes:
        return True
    asked = set(_WORD.findall(reading.question.lower()))
    told = " ".join((finding.title, *(item.value for item in finding.evidence))).lower()
    shared = asked & set(_WORD.findall(told))
    return len(asked) >= _FEWEST_WORDS and len(shared) >= _SHARED_WORDS * len(asked)


def _telling(objects: Sequence[KubeObject], reading: Reading) -> list[KubeObject]:
    """A Service or autoscaler beside its workload is told by the workload, unless asked for."""
    if _ASKS_FOR_SERVICE.search(reading.question):
        return list(objects)
    places = {(o.metadata.namespace, o.metadata.name) for o in objects if pod_spec(o)}
    return [
        o for o in objects if pod_spec(o) or (o.metadata.namespace, o.metadata.name) not in places
    ]


def _describe(
    snapshot: Snapshot, obj: KubeObject, findings: Sequence[Finding], logs: Sequence[str]
) -> list[str]:
    if isinstance(obj, Node):
        own = [item for item in findings if named(item.owner, obj)]
        told = [line for item in own for line in describe_finding(item, snapshot.taken_at)]
        lines = describe_node(snapshot, obj)
        return [lines[0], *told, *lines[1:]]
    if isinstance(obj, Service):
        return describe_service(snapshot, obj)
    return describe(snapshot, obj, findings, logs)


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
