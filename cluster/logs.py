"""The telling lines of unhealthy containers' logs, read within bounds."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from cluster.client import ClusterClient
from cluster.detectors.building import is_leaving
from cluster.objects import ContainerStatus, Pod
from cluster.snapshot import Snapshot
from core.answers import Gap
from core.errors import ClusterError
from core.findings import Finding
from core.loglines import LogEntry, is_error, parse_log
from core.logscan import headline
from core.redact import Redactor
from core.templates import group, mask

READS_AT_ONCE = 8
MAX_LINES = 5
LAST_WORDS = 4
MAX_FINDINGS = 40
MAX_CONTAINERS = 3  # per finding: replicas of one workload fail alike

# Problems whose containers have run and may have said why they fail.
LOGGED_PROBLEMS = frozenset(
    {"bad-exit", "crash-loop", "job-failed", "not-ready", "oom", "rollout-stuck"}
)


@dataclass(frozen=True, slots=True)
class LogSource:
    """A container whose log is worth reading.

    Attributes:
        previous: Read the log of the instance before the last restart.
        has_ended: The log ends with the container's end, so that its last lines tell much.
    """

    namespace: str
    pod: str
    container: str
    previous: bool = False
    has_ended: bool = False


def unhealthy_containers(pod: Pod) -> list[LogSource]:
    """Containers that ended badly or are not ready; of pods that leave, none."""
    if is_leaving(pod):
        return []
    meta = pod.metadata
    return [
        LogSource(
            meta.namespace,
            meta.name,
            status.name,
            previous=_wants_previous(status),
            has_ended=bool(status.state.terminated or status.last_state.terminated),
        )
        for status in pod.status.init_container_statuses + pod.status.container_statuses
        if _is_unhealthy(status)
    ]


def _is_unhealthy(status: ContainerStatus) -> bool:
    ended = status.state.terminated
    if ended is not None:
        return ended.exit_code != 0
    has_run = status.restart_count > 0 or status.state.running is not None
    return has_run and (not status.ready or status.last_state.terminated is not None)


def _wants_previous(status: ContainerStatus) -> bool:
    """The crash is in the log of the instance that crashed, which a running one is not."""
    return status.state.terminated is None and status.last_state.terminated is not None


def sources_of(snapshot: Snapshot, finding: Finding) -> list[LogSource]:
    """The containers that a finding is about: those of its own pod first."""
    pods = list(snapshot.pods_of(finding.owner))
    pods.sort(key=lambda pod: pod.metadata.name != finding.involved.name)
    sources: list[LogSource] = []
    for pod in pods:
        sources += unhealthy_containers(pod)
    return sources[:MAX_CONTAINERS]


def telling_lines(text: str, *, has_ended: bool = True) -> list[str]:
    """At most five lines: the latest of each kind of error and, if it has ended, the last ones."""
    entries = [entry for entry in parse_log(text) if entry.message.strip()]
    if not entries:
        return []
    groups = group([entry for entry in entries if is_error(entry)])
    latest = sorted((found.last for found in groups), key=lambda entry: entry.line_number)
    last_words = entries[-LAST_WORDS:] if has_ended or not groups else []
    chosen: dict[int, LogEntry] = {}
    for entry in [*last_words, *reversed(latest)]:
        if len(chosen) < MAX_LINES:
            chosen[entry.line_number] = entry
    return [headline(chosen[number]) for number in sorted(chosen)]


class LogReader:
    """Reads logs of one cluster, a few at a time."""

    def __init__(self, client: ClusterClient, redactor: Redactor) -> None:
        self._client = client
        self._redactor = redactor
        self._free = asyncio.Semaphore(READS_AT_ONCE)

    async def lines(self, sources: Iterable[LogSource]) -> tuple[list[str], list[Gap]]:
        """Telling lines of these containers, redacted, without repetition, at most five."""
        results = await asyncio.gather(*(self._read(source) for source in sources))
        lines: dict[str, str] = {}
        gaps: list[Gap] = []
        for found, gap in results:
            for line in found:
                # Replicas say the same with other numbers.
                lines.setdefault(mask(line), line)
            gaps += [gap] if gap else []
        return list(lines.values())[:MAX_LINES], gaps

    async def _read(self, source: LogSource) -> tuple[list[str], Gap | None]:
        async with self._free:
            try:
                text = await self._fetch(source)
            except ClusterError as error:
                what = f"log of {source.namespace}/{source.pod} in cluster {self._client.name}"
                return [], Gap(what, error.wrong, error.remedy)
        return await asyncio.to_thread(self._tell, text or "", source), None

    async def _fetch(self, source: LogSource) -> str | None:
        place = (source.namespace, source.pod, source.container)
        text = await self._client.pod_log(*place, previous=source.previous)
        if source.previous and not text:
            text = await self._client.pod_log(*place)
        return text

    def _tell(self, text: str, source: LogSource) -> list[str]:
        lines = telling_lines(text, has_ended=source.has_ended)
        return [self._redactor.redact(line) for line in lines]


async def attach_logs(
    client: ClusterClient, snapshot: Snapshot, findings: Sequence[Finding], redactor: Redactor
) -> tuple[list[Finding], list[Gap]]:
    """The findings, those about crashed or unready containers with their `log_lines`.

    `findings` come worst first: in a storm only the first of them get their logs read.
    """
    reader = LogReader(client, redactor)
    logged = [item for item in findings if item.problem in LOGGED_PROBLEMS]
    chosen = {id(item) for item in logged[:MAX_FINDINGS]}
    wanted = [
        sources_of(snapshot, finding) if id(finding) in chosen else [] for finding in findings
    ]
    results = await asyncio.gather(*(reader.lines(sources) for sources in wanted))
    with_lines = [
        replace(finding, log_lines=tuple(lines)) if lines else finding
        for finding, (lines, _) in zip(findings, results, strict=True)
    ]
    gaps = [gap for _, found in results for gap in found]
    if len(logged) > MAX_FINDINGS:
        gaps.append(
            Gap(
                f"logs of {len(logged) - MAX_FINDINGS} findings in cluster {client.name}",
                f"only those of the {MAX_FINDINGS} worst findings are read",
                "Ask for one of them by name",
            )
        )
    return with_lines, gaps
