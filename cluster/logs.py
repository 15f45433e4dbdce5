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
from core.redact import Redactor
from core.templates import group

READS_AT_ONCE = 8
MAX_LINES = 5
MAX_LINE_CHARS = 300
MAX_CONTAINERS = 3  # per finding: replicas of one workload fail alike

# Problems whose containers have run and may have said why they fail.
LOGGED_PROBLEMS = frozenset(
    {"bad-exit", "crash-loop", "job-failed", "not-ready", "oom", "rollout-stuck"}
)


@dataclass(frozen=True, slots=True)
class LogSource:
    """A container whose log is worth reading; `previous` for the instance before the restart."""

    namespace: str
    pod: str
    container: str
    previous: bool


def unhealthy_containers(pod: Pod) -> list[LogSource]:
    """Containers that ended badly or are not ready; of pods that leave, none."""
    if is_leaving(pod):
        return []
    meta = pod.metadata
    return [
        LogSource(meta.namespace, meta.name, status.name, _wants_previous(status))
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


def telling_lines(text: str) -> list[str]:
    """At most five lines: one for each kind of error, the latest of it, and the very last lines."""
    entries = [entry for entry in parse_log(text) if entry.message.strip()]
    if not entries:
        return []
    groups = group([entry for entry in entries if is_error(entry)])
    latest = sorted((found.last for found in groups), key=lambda entry: entry.line_number)
    last_words = entries[-2:]
    chosen: dict[int, LogEntry] = {}
    for entry in [*last_words, *reversed(latest)]:
        if len(chosen) < MAX_LINES:
            chosen[entry.line_number] = entry
    return [_line(chosen[number]) for number in sorted(chosen)]


def _line(entry: LogEntry) -> str:
    """The message's first line and, of a stack trace, its last, where the exception stands."""
    lines = [line.strip() for line in entry.message.splitlines() if line.strip()]
    is_traceback = lines[0].startswith("Traceback") and len(lines) > 1
    line = f"{lines[0]} … {lines[-1]}" if is_traceback else lines[0]
    level = f"{entry.level.name} " if entry.level and not line.startswith(entry.level.name) else ""
    told = level + line
    return told if len(told) <= MAX_LINE_CHARS else told[: MAX_LINE_CHARS - 1] + "…"


class LogReader:
    """Reads logs of one cluster, a few at a time."""

    def __init__(self, client: ClusterClient, redactor: Redactor) -> None:
        self._client = client
        self._redactor = redactor
        self._free = asyncio.Semaphore(READS_AT_ONCE)

    async def lines(self, sources: Iterable[LogSource]) -> tuple[list[str], list[Gap]]:
        """Telling lines of these containers, redacted, without repetition, at most five."""
        results = await asyncio.gather(*(self._read(source) for source in sources))
        lines: dict[str, None] = {}
        gaps: list[Gap] = []
        for found, gap in results:
            lines |= dict.fromkeys(found)
            gaps += [gap] if gap else []
        return list(lines)[:MAX_LINES], gaps

    async def _read(self, source: LogSource) -> tuple[list[str], Gap | None]:
        async with self._free:
            try:
                text = await self._fetch(source)
            except ClusterError as error:
                what = f"log of {source.namespace}/{source.pod} in cluster {self._client.name}"
                return [], Gap(what, error.wrong, error.remedy)
        return await asyncio.to_thread(self._tell, text or ""), None

    async def _fetch(self, source: LogSource) -> str | None:
        place = (source.namespace, source.pod, source.container)
        text = await self._client.pod_log(*place, previous=source.previous)
        if source.previous and not text:
            text = await self._client.pod_log(*place)
        return text

    def _tell(self, text: str) -> list[str]:
        return [self._redactor.redact(line) for line in telling_lines(text)]


async def attach_logs(
    client: ClusterClient, snapshot: Snapshot, findings: Sequence[Finding], redactor: Redactor
) -> tuple[list[Finding], list[Gap]]:
    """The findings, those about crashed or unready containers with their `log_lines`."""
    reader = LogReader(client, redactor)
    wanted = [
        sources_of(snapshot, finding) if finding.problem in LOGGED_PROBLEMS else []
        for finding in findings
    ]
    results = await asyncio.gather(*(reader.lines(sources) for sources in wanted))
    with_lines = [
        replace(finding, log_lines=tuple(lines)) if lines else finding
        for finding, (lines, _) in zip(findings, results, strict=True)
    ]
    return with_lines, [gap for _, gaps in results for gap in gaps]
