"""`opsbot eval digest`: what the digest tells of recorded cluster states, and what it repeats.

Each state is read as `opsbot eval findings` reads it, only that consequences are folded under their
cause as they are in the bot. Three digests in a row are made of the same state, its objects in
another order each time, without a model, runbooks or a service graph.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Column, Table

from bot.bars import progress_bars
from bot.evals.files import write_run
from bot.evals.findings import Case, RecordedCluster, items_of, read_cases, recorded_cluster
from cluster.fold import fold
from core.answers import Lookup, Scope
from core.digests import Digest, DigestItem, FindingHistory, ItemState, Marks, Ownership
from core.findings import Collected, ObjectRef, Severity
from core.questions import Reading, TimeRange
from digest.assemble import Assembler, DigestConfig, Frame
from digest.diff import diff, with_listed
from digest.precedents import Precedents
from knowledge.index import IndexProgress

REPLAYS = 3
_PERIOD = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class CaseResult:
    """How one state was told.

    Attributes:
        collected: What was found.
        digests: One a replay, in order.
    """

    case: Case
    collected: Collected
    digests: tuple[Digest, ...]

    @property
    def told(self) -> tuple[DigestItem, ...]:
        """All that the first digest names, in the channel or in its thread."""
        first = self.digests[0]
        return (*first.items, *first.rest, *first.flapping)

    @property
    def untold(self) -> int:
        """How many findings the first digest does not name."""
        told = {item.finding.identity for item in self.told}
        return sum(one.identity not in told for one in _relevant(self.collected).findings)

    @property
    def doubled(self) -> int:
        """How many items tell a problem that another item tells."""
        problems = Counter((item.finding.owner, item.finding.problem, item.finding.template)
                           for item in self.told)  # fmt: skip
        return sum(count - 1 for count in problems.values())

    @property
    def repeated(self) -> int:
        """How many items later digests call new once more."""
        return sum(
            item.state is not ItemState.ONGOING
            for digest in self.digests[1:]
            for item in (*digest.items, *digest.rest)
        )


async def eval_digest(cases: Path, out: Path) -> int:
    """Make the digests of every state; exit code 0.

    Args:
        cases: As for `opsbot eval findings`.
        out: Where the run goes, as for `opsbot eval findings`: all that the first digest names.

    Raises:
        OpsbotError: A file is missing or a line is not as it should be.
    """
    asked = await asyncio.to_thread(read_cases, cases, out)
    results: list[CaseResult] = []
    with progress_bars() as show:
        async with recorded_cluster() as recorded:
            for number, case in enumerate(asked, 1):
                results.append(await replayed(recorded, await asyncio.to_thread(case.load)))
                show(IndexProgress("telling", "states", number, len(asked)))
    rows: list[dict[str, object]] = [
        {"id": one.case.id, "items": items_of([item.finding for item in one.told])}
        for one in results
    ]
    await asyncio.to_thread(write_run, out, rows)
    Console(stderr=True).print(table_of(results))
    return 0


async def replayed(recorded: RecordedCluster, case: Case) -> CaseResult:
    """The digests of one state."""
    nothing = _Nothing()
    assembler = Assembler(
        nothing, nothing, Precedents(nothing, nothing, nothing), None, nothing.read, DigestConfig()
    )
    histories: dict[str, FindingHistory] = {}
    digests: list[Digest] = []
    found: list[Collected] = []
    for replay in range(REPLAYS):
        objects = list(case.objects)
        random.Random(replay).shuffle(objects)  # noqa: S311  (an order, no secret)
        collected = _relevant(await recorded.find(replace(case, objects=objects), fold))
        now = case.now + replay * _PERIOD
        changes = diff(histories, collected, now)
        frame = Frame("eval", "", TimeRange(now - _PERIOD, now), Scope())
        digest = await assembler.assemble(frame, collected, changes)
        listed = [item.finding.identity for item in digest.items]
        histories = {each.identity: each for each in with_listed(changes.histories, listed)}
        digests.append(digest)
        found.append(collected)
    return CaseResult(case, found[0], tuple(digests))


def table_of(results: Sequence[CaseResult]) -> Table:
    """A row a state, and their sums."""
    table = Table(
        Column("state", no_wrap=True),
        *("findings", "in the channel", "in the thread", "untold", "doubled", "repeated as new"),
    )
    sums = [0] * 6
    for one in results:
        first = one.digests[0]
        numbers = [len(one.collected.findings), len(first.items), len(one.told) - len(first.items),
                   one.untold, one.doubled, one.repeated]  # fmt: skip
        sums = [total + number for total, number in zip(sums, numbers, strict=True)]
        table.add_row(str(one.case.id), *map(str, numbers))
    table.add_section()
    table.add_row("all", *map(str, sums))
    return table


def _relevant(collected: Collected) -> Collected:
    """Without what is information only, as in the bot."""
    kept = tuple(one for one in collected.findings if one.severity is not Severity.INFO)
    return replace(collected, findings=kept)


class _Nothing:
    """No pages, no graph, no past: what is measured here needs none of them."""

    @staticmethod
    def read(text: str) -> Reading:
        return Reading(text, text)

    def ownership(self, owner: ObjectRef) -> Ownership:  # noqa: ARG002
        return Ownership()

    async def look(self, reading: Reading, scope: Scope, limit: int = 8) -> Lookup:  # noqa: ARG002
        return Lookup()

    async def resolved(self, scope: Scope, limit: int) -> Sequence[FindingHistory]:  # noqa: ARG002
        return ()

    async def all(self, schedule: str) -> dict[str, Marks]:  # noqa: ARG002
        return {}

    async def drop(self, schedule: str, identity: str, mark: object) -> None:
        """There is none."""
