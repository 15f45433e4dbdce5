"""The telling lines of unhealthy containers' logs, read within bounds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import timedelta

from cluster.client import ClusterClient
from cluster.log_lines import MAX_LINES, ReadLog, finished, telling_lines
from cluster.log_sources import LOGGED_PROBLEMS, LogSource, sources_of
from cluster.snapshot import Snapshot
from core.answers import Gap
from core.errors import ClusterError
from core.findings import Finding
from core.logformats import stamp_of
from core.logscan import LogScan
from core.redact import Redactor
from core.templates import mask

READS_AT_ONCE = 8
PIECE_CHARS = 256 * 1024
MAX_FINDINGS = 40
QUESTION_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class LogLimits:
    """How much is read of logs.

    Attributes:
        window: How far back a log of a running container is read.
        bytes_a_log: Of a longer log the beginning of the window and the last lines are read.
        seconds_a_log: After this the reading of a log is given up.
        last_lines: So many lines are read from the end of a log that is too long, or silent.
        logs_a_cluster: At most so many are searched for errors in one go.
        seconds_a_cluster: After this the rest of them is given up.
    """

    window: timedelta = timedelta(hours=24)
    bytes_a_log: int = 64 << 20
    seconds_a_log: float = 20.0
    last_lines: int = 1000
    logs_a_cluster: int = 200
    seconds_a_cluster: float = 60.0

    def while_somebody_waits(self) -> LogLimits:
        """The same for a question, which is answered within seconds."""
        return replace(self, seconds_a_log=min(self.seconds_a_log, QUESTION_SECONDS))


class LogReader:
    """Reads logs of one cluster, a few at a time, each once.

    Make one for one question or one digest: what was read is remembered.

    Attributes:
        limits: How much it reads.
    """

    def __init__(
        self, client: ClusterClient, redactor: Redactor, limits: LogLimits | None = None
    ) -> None:
        self._client = client
        self._redactor = redactor
        self.limits = limits or LogLimits()
        self._free = asyncio.Semaphore(READS_AT_ONCE)
        self._results: dict[tuple[str, str, str, bool], tuple[ReadLog, list[Gap]]] = {}

    async def lines(self, sources: Iterable[LogSource]) -> tuple[list[str], list[Gap]]:
        """Telling lines of these containers, redacted, without repetition, at most five."""
        wanted = list(sources)
        results = await asyncio.gather(*(self._or_current(source) for source in wanted))
        lines: dict[str, str] = {}
        gaps: list[Gap] = []
        for source, (log, found) in zip(wanted, results, strict=True):
            for line in telling_lines(log, has_ended=source.has_ended):
                # Replicas say the same with other numbers.
                lines.setdefault(mask(line), self._redactor.redact(line))
            gaps += found
        return list(lines.values())[:MAX_LINES], gaps

    async def _or_current(self, source: LogSource) -> tuple[ReadLog, list[Gap]]:
        log, gaps = await self.read(source)
        if source.previous and not log.lines and not gaps:
            return await self.read(replace(source, previous=False))
        return log, gaps

    async def read(self, source: LogSource) -> tuple[ReadLog, list[Gap]]:
        """What a log tells, and a Gap where it could not be read, or not in full."""
        key = (source.namespace, source.pod, source.container, source.previous)
        if key not in self._results:
            self._results[key] = await self._scan(source)
        return self._results[key]

    async def _scan(self, source: LogSource) -> tuple[ReadLog, list[Gap]]:
        what = f"log of {source.namespace}/{source.pod} in cluster {self._client.name}"
        scan = LogScan()
        gaps: list[Gap] = []
        async with self._free:
            try:
                size = await self._window(scan, source)
                is_cut = size >= self.limits.bytes_a_log
                if is_cut:
                    gaps.append(_cut(what, self.limits))
                wants_end = is_cut or (not size and not source.previous)
            except ClusterError as error:
                gaps.append(Gap(what, error.wrong, error.remedy))
                # It broke off or took too long: its latest lines tell more than what came so far.
                wants_end = scan.lines > 0
            try:
                if wants_end:
                    await self._end(scan, source)
            except ClusterError as error:
                gaps.append(Gap(what, error.wrong, error.remedy))
        return await asyncio.to_thread(self._tell, scan), list(dict.fromkeys(gaps))

    async def _window(self, scan: LogScan, source: LogSource) -> int:
        """Feed the window's log to the scan; the number of characters read."""
        since = None if source.previous else int(self.limits.window.total_seconds())
        pieces = self._client.log_pieces(
            source.namespace,
            source.pod,
            source.container,
            previous=source.previous,
            since_seconds=since,
            limit_bytes=self.limits.bytes_a_log,
            timeout_seconds=self.limits.seconds_a_log,
        )
        size = 0
        async with aclosing(pieces):
            async for text in _joined(pieces):
                size += len(text)
                await asyncio.to_thread(scan.feed, text)
        return size

    async def _end(self, scan: LogScan, source: LogSource) -> None:
        """Feed the log's last lines, but for those that were read already."""
        pieces = self._client.log_pieces(
            source.namespace,
            source.pod,
            source.container,
            previous=source.previous,
            tail_lines=self.limits.last_lines,
            limit_bytes=self.limits.bytes_a_log,
            timeout_seconds=self.limits.seconds_a_log,
        )
        async with aclosing(pieces):
            text = "".join([piece async for piece in pieces])
        await asyncio.to_thread(_feed_after, scan, text)

    def _tell(self, scan: LogScan) -> ReadLog:
        log = finished(scan)
        redact = self._redactor.redact
        return replace(
            log, kinds=tuple(replace(kind, template=redact(kind.template)) for kind in log.kinds)
        )


async def _joined(pieces: AsyncIterable[str]) -> AsyncIterator[str]:
    """Pieces worth a thread's while: the network's may be as short as a line."""
    waiting: list[str] = []
    size = 0
    broken: ClusterError | None = None
    try:
        async for piece in pieces:
            waiting.append(piece)
            size += len(piece)
            if size >= PIECE_CHARS:
                yield "".join(waiting)
                waiting, size = [], 0
    except ClusterError as error:
        broken = error
    if waiting:
        yield "".join(waiting)
    if broken is not None:
        raise broken


def _feed_after(scan: LogScan, text: str) -> None:
    """Feed the lines that are later than what the scan has read."""
    last = scan.cut()
    lines = text.split("\n")
    start = 0
    if last is not None:
        while start < len(lines) and ((time := stamp_of(lines[start])) is None or time <= last):
            start += 1
    scan.feed("\n".join(lines[start:]))


def _cut(what: str, limits: LogLimits) -> Gap:
    return Gap(
        what,
        f"it is longer than {limits.bytes_a_log >> 20} MB: its beginning and its last "
        f"{limits.last_lines} lines were read",
        "Ask for a shorter time, or look with kubectl logs",
    )


async def attach_logs(
    snapshot: Snapshot, findings: Sequence[Finding], reader: LogReader
) -> tuple[list[Finding], list[Gap]]:
    """The findings, those about crashed or unready containers with their `log_lines`.

    `findings` come worst first: in a storm only the first of them get their logs read.
    """
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
                f"logs of {len(logged) - MAX_FINDINGS} findings in cluster {snapshot.cluster}",
                f"only those of the {MAX_FINDINGS} worst findings are read",
                "Ask for one of them by name",
            )
        )
    return with_lines, gaps
