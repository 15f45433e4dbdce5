"""A digest of 500 findings in a cluster of 150,000 pods that is read already, made and laid out.

What is timed: every rule over the cluster's state, the comparison with what was told before, owners
of all findings in a graph of 10,000 services, the searches for what is listed (runbooks, and what
was like it among 500 earlier findings and the incident reports), and all messages for Slack. No
model. The alternative looks for a runbook for each finding, as a loop over findings would.

`python -m evals.bench.digest` takes a tenth of the cluster, with `--full` all of it.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.bars import progress_bars
from bot.blocks.digest import digest_message
from bot.blocks.digest_item import item_message
from bot.blocks.digest_table import rest_message
from bot.evals.retrieval import open_index
from bot.settings import load_settings
from cluster.client import ClusterClient
from cluster.collect import ClusterCollector
from cluster.snapshot import Snapshot, take_snapshot
from core.answers import Scope
from core.clock import SystemClock
from core.digests import Digest, FindingHistory, Mark, Marks, Ownership
from core.findings import Collected, Evidence, Finding, ObjectRef, Severity
from core.questions import TimeRange
from core.redact import Redactor
from digest.assemble import Assembler, DigestConfig, Frame
from digest.diff import diff
from digest.outbox import rest_pages
from digest.precedents import Precedents
from evals.bench.graph import made_graph
from evals.bench.harness import compare
from evals.bench.snapshot import FULL, big_cluster, kubeconfig
from knowledge.graph import ServiceGraph
from knowledge.library import Library
from sandbox.knowledge.generate import prepare

FINDINGS = 500
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
_PROBLEMS = (
    ("oom", "OOMKilled"),
    ("crash-loop", "CrashLoopBackOff"),
    ("image-pull", "ImagePullBackOff"),
    ("unschedulable", "FailedScheduling"),
    ("not-ready", "Unhealthy"),
)


def made_findings() -> list[Finding]:
    """Problems of services that the graph knows, a fifth of each class."""
    rng = random.Random(7)  # noqa: S311  (a sample, no secret)
    findings = []
    for number in range(FINDINGS):
        problem, reason = _PROBLEMS[number % len(_PROBLEMS)]
        name, namespace = f"s{number}-app", f"ns{number % 40}"
        findings.append(
            Finding(
                problem.replace("-", "_"),
                problem,
                reason,
                Severity.CRITICAL if number % 2 else Severity.HIGH,
                f"{name}: {reason}, {number} restarts",
                ObjectRef("big", "Pod", namespace, f"{name}-7d9f8b6c5d-x2x7z"),
                ObjectRef("big", "Deployment", namespace, name),
                NOW - timedelta(hours=rng.randint(1, 9)),
                NOW,
                (Evidence("state.waiting.reason", reason), Evidence("exitCode", "137")),
                ("ERROR out of memory while reading the ledger",),
                count=rng.randint(1, 90),
            )
        )
    return findings


@dataclass(frozen=True, slots=True)
class Told:
    """What was told before, as the database would give it."""

    histories: Mapping[str, FindingHistory]

    async def resolved(self, scope: Scope, limit: int) -> Sequence[FindingHistory]:  # noqa: ARG002
        """Earlier problems, all of which are looked at."""
        return list(self.histories.values())[:limit]

    async def all(self, schedule: str) -> Mapping[str, Marks]:  # noqa: ARG002
        """Nobody said anything."""
        return {}

    async def drop(self, schedule: str, identity: str, mark: Mark) -> None:
        """There is none."""


@dataclass(frozen=True, slots=True)
class Owners:
    """Whose a workload is."""

    graph: ServiceGraph

    def ownership(self, owner: ObjectRef) -> Ownership:
        """By graph search."""
        return self.graph.ownership(owner)


class Making:
    """Makes the digest, again and again."""

    def __init__(self, library: Library, collector: ClusterCollector, snapshot: Snapshot) -> None:
        self._collector = collector
        self._snapshot = snapshot
        self._library = library
        self._owners = Owners(made_graph())
        self._findings = made_findings()
        # Half of them were told before.
        self._told = Told(
            {
                each.identity: FindingHistory(
                    each.identity, each, each.first_seen, NOW, (3,) * 12, was_listed=True
                )
                for each in self._findings[::2]
            }
        )

    async def digest(self, max_items: int) -> Digest:
        """From the cluster's state to the messages."""
        found, gaps = await self._collector.findings(self._snapshot)
        collected = Collected((*found, *self._findings), tuple(gaps), ("big",))
        assembler = Assembler(
            self._owners,
            self._library,
            Precedents(self._library, self._told, self._told),
            None,
            lambda text: self._library.read(text, frozenset(), frozenset()),
            DigestConfig(max_items=max_items, search_timeout_seconds=600),
        )
        frame = Frame("bench", "", TimeRange(NOW - timedelta(hours=1), NOW), Scope())
        digest = await assembler.assemble(
            frame, collected, diff(self._told.histories, collected, NOW)
        )
        digest_message(digest, "/k8s")
        for page in rest_pages(digest):
            rest_message(page)
        for item in digest.items:
            item_message(item, "bench")
        return digest


async def measure(nodes: int, pods: int, runs: int) -> None:
    """Print the row."""
    clock = SystemClock()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        await asyncio.to_thread(prepare, folder / "pages", NOW)
        settings = load_settings(opsbot_data_dir=folder / "data", opsbot_config=None)
        async with big_cluster(nodes, pods) as url:
            path = kubeconfig(folder / "config", url)
            client = await ClusterClient.from_kubeconfig(path, None, "big")
            snapshot = await take_snapshot(client, clock)
        collector = ClusterCollector([client], clock, Redactor(b"k" * 32))
        with progress_bars() as show:
            async with open_index(folder / "pages", settings, show) as (library, _, _):
                making = Making(library, collector, snapshot)
                digest = await making.digest(10)
                if len(digest.items) + len(digest.rest) != FINDINGS:
                    raise AssertionError(digest.totals)
                begin = time.process_time()
                await making.digest(10)
                spent = time.process_time() - begin
                sys.stderr.write(f"{spent:.1f} s of processor time for one digest\n")
                await compare(
                    f"digest of {FINDINGS} findings, {nodes:,} nodes and {pods:,} pods",
                    ("made and laid out", lambda: making.digest(10)),
                    ("a search for each finding", lambda: making.digest(FINDINGS)),
                    runs=runs,
                )
        await collector.close()


async def run() -> None:
    """A tenth of the cluster."""
    await measure(FULL[0] // 10, FULL[1] // 10, runs=3)


if __name__ == "__main__":
    size = FULL if "--full" in sys.argv else (FULL[0] // 10, FULL[1] // 10)
    asyncio.run(measure(*size, runs=3))
