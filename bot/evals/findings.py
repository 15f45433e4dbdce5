"""`opsbot eval findings`: what the collector finds in recorded cluster states.

The path is the real one: each state is served over HTTP by the recorded cluster, a process of its
own, and read by the Kubernetes client. What differs is said here: the clock stands at the state's
own time, every hold counts as served, what is past counts whenever it was, and nothing is folded
under a node.
"""

from __future__ import annotations

import asyncio
import gzip
import json
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console

from bot.bars import progress_bars
from bot.child import child
from bot.evals.files import REDACTION_KEY, check_out, read_rows, write_run
from cluster.alerts import read_alerts
from cluster.client import ClusterClient
from cluster.collect import ClusterCollector
from cluster.fold import by_owner
from cluster.log_reading import ErrorLogs
from cluster.thresholds import Thresholds
from core.alerts import Alert
from core.answers import Scope
from core.baseline import OwnerKey, SeenTemplate
from core.clock import ManualClock
from core.errors import OpsbotError
from core.findings import Collected, Finding, Severity
from core.questions import TimeRange
from core.redact import Redactor
from knowledge.index import IndexProgress

WINDOW = timedelta(hours=1)
# A state shows what has happened to it, however long ago.
PAST_SECONDS = timedelta(days=3650).total_seconds()
_START_SECONDS = 30

Folding = Callable[[Iterable[Finding]], list[Finding]]

# The run's words for severities; information is left out.
SEVERITIES = {
    Severity.CRITICAL: "critical",
    Severity.HIGH: "critical",
    Severity.MEDIUM: "warning",
}


@dataclass(frozen=True, slots=True)
class Case:
    """A recorded cluster state.

    Attributes:
        objects: Kubernetes objects as the API gives them, Events among them.
        logs: Text by "namespace/pod/container", with "#previous" for the terminated instance.
        alerts: What a monitoring system says of it.
        baseline: Logs of the same objects in good times.
        now: The time of the state.
    """

    id: str | int
    objects: Sequence[dict[str, Any]]
    logs: dict[str, str]
    alerts: Sequence[Alert]
    baseline: dict[str, str]
    now: datetime

    async def firing(self, cluster: str) -> Sequence[Alert]:  # noqa: ARG002  (there is but one)
        """The alerts, as a monitoring system gives them."""
        return self.alerts


async def eval_findings(cases: Path, out: Path) -> int:
    """Find what is wrong in every state; exit code 0.

    Args:
        cases: JSON lines with `id`, `objects`, `now`, perhaps `alerts` as Alertmanager's API gives
            them, and `logs` or `logs_gz`, a gzipped JSON file beside the cases.
        out: Where the run goes: JSON lines of `id` and `items`, one item an owner.

    Raises:
        OpsbotError: A file is missing or a line is not as it should be.
    """
    asked = await asyncio.to_thread(read_cases, cases, out)
    rows: list[dict[str, object]] = []
    with progress_bars() as show:
        async with recorded_cluster() as recorded:
            for number, case in enumerate(asked, 1):
                found = await recorded.find(await asyncio.to_thread(case.load))
                rows.append({"id": case.id, "items": items_of(found.findings)})
                show(IndexProgress("looking at", "states", number, len(asked)))
    write_run(out, rows)
    items = sum(len(row["items"]) for row in rows if isinstance(row["items"], list))
    told = f"{items} findings in {len(rows)} states."
    Console(stderr=True).print(told, highlight=False)
    return 0


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A case as its line says it; `load` reads the logs, which may be large."""

    id: str | int
    row: dict[str, Any]
    folder: Path

    def load(self) -> Case:
        """The case with its logs. Raises OpsbotError."""
        row = self.row
        asked = f"read the case {self.id}"
        try:
            logs = row.get("logs") or self._logs("logs_gz")
            alerts, _ = read_alerts(row.get("alerts") or [])
            now = datetime.fromisoformat(row["now"])
            return Case(self.id, row["objects"], logs, alerts, self._logs("baseline_gz"), now)
        except (OSError, EOFError) as error:
            raise OpsbotError(
                asked, f"its logs: {error}", "Check `logs_gz` and `baseline_gz`."
            ) from error
        except (KeyError, TypeError, ValueError) as error:
            wrong = f"`objects` or `now` is missing or wrong ({error})"
            raise OpsbotError(asked, wrong, "See docs/benchmarks.md for the format.") from error

    def _logs(self, field: str) -> dict[str, str]:
        name = self.row.get(field)
        if not name:
            return {}
        return dict(json.loads(gzip.decompress((self.folder / name).read_bytes())))


def read_cases(path: Path, out: Path) -> list[CaseFile]:
    """The cases of a file, without their logs. Raises OpsbotError."""
    check_out(out)
    rows = read_rows(path, "cases", '{"id": "1", "now": "…", "objects": []}')
    return [CaseFile(row["id"], row, path.parent) for _, row in rows]


def items_of(findings: Iterable[Finding]) -> list[dict[str, str]]:
    """Findings as a run has them."""
    return [
        {
            "kind": finding.owner.kind,
            "namespace": finding.owner.namespace,
            "name": finding.owner.name,
            "severity": SEVERITIES[finding.severity],
            "text": text_of(finding),
        }
        for finding in findings
        if finding.severity in SEVERITIES
    ]


def text_of(finding: Finding) -> str:
    """All that a finding says, in lines."""
    evidence = [f"{item.field}: {item.value}" for item in finding.evidence]
    return "\n".join([finding.title, finding.reason, *evidence, *finding.log_lines])


class _Baselines:
    """Keeps what is normal in one case. Implements `cluster.ports.BaselineStore`."""

    def __init__(self) -> None:
        self._lines: dict[tuple[OwnerKey, str], SeenTemplate] = {}

    async def load(self, cluster: str) -> Sequence[SeenTemplate]:  # noqa: ARG002
        """All that was saved."""
        return list(self._lines.values())

    async def save(
        self,
        cluster: str,  # noqa: ARG002  (a case is one cluster)
        lines: Sequence[SeenTemplate],
        before: datetime,  # noqa: ARG002  (and one moment)
    ) -> None:
        """Add lines, or replace those of the same owner and template."""
        self._lines |= {(line.owner, line.template): line for line in lines}


class RecordedCluster:
    """The process that serves recordings, one after another."""

    def __init__(self, process: Process, kubeconfig: Path) -> None:
        self._process = process
        self._kubeconfig = kubeconfig
        self._redactor = Redactor(REDACTION_KEY)

    async def find(self, case: Case, folding: Folding = by_owner) -> Collected:
        """What the collector finds in one case, after a look at its good times."""
        clock, baselines = ManualClock(case.now), _Baselines()
        if case.baseline:
            await self._collect(
                replace(case, logs=case.baseline, alerts=()), clock, baselines, folding
            )
        return await self._collect(case, clock, baselines, folding)

    async def _collect(
        self, case: Case, clock: ManualClock, baselines: _Baselines, folding: Folding
    ) -> Collected:
        await self._serve(case)
        client = await ClusterClient.from_kubeconfig(str(self._kubeconfig), "demo", "recorded")
        collector = ClusterCollector(
            [client],
            clock,
            self._redactor,
            Thresholds().without_holds().for_window(PAST_SECONDS),
            alerts=case,
            error_logs=ErrorLogs(
                baselines, clock, self._redactor, learns_first=bool(case.baseline)
            ),
            folding=folding,
        )
        try:
            return await collector.collect(TimeRange(case.now - WINDOW, case.now), Scope())
        finally:
            await collector.close()

    async def _serve(self, case: Case) -> None:
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise RuntimeError("the recorded cluster was started without pipes")
        recording = {"objects": case.objects, "logs": case.logs, "now": case.now.isoformat()}
        stdin.write(await asyncio.to_thread(_line, recording))
        try:
            await stdin.drain()
            line = await asyncio.wait_for(stdout.readline(), timeout=_START_SECONDS)
        except (TimeoutError, OSError):
            line = b""
        told = json.loads(line) if line else {"error": "the recorded cluster does not answer"}
        if "error" in told:
            raise OpsbotError(
                f"serve the case {case.id}", str(told["error"]), "See sandbox/cluster/recorded.py."
            )


def _line(recording: Mapping[str, object]) -> bytes:
    return json.dumps(recording).encode() + b"\n"


@asynccontextmanager
async def recorded_cluster() -> AsyncIterator[RecordedCluster]:
    """Start the process, and end it."""
    with TemporaryDirectory(prefix="opsbot-eval-") as folder:
        kubeconfig = Path(folder) / "kubeconfig"
        arguments = ["--recordings", "--kubeconfig", str(kubeconfig)]
        async with child("sandbox.cluster", *arguments) as process:
            yield RecordedCluster(process, kubeconfig)
