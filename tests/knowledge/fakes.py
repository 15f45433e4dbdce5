"""Stand-ins of our own for what the chain is given: a retriever, a cluster, passages."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from core.answers import Gap, Lookup, Passage, Scope
from core.questions import Intent, Reading

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)

POD = Passage(
    id="pod",
    source="cluster",
    title="Pod shop/payments-7d9f8c6b5-x2x4q",
    location="Pod/shop/payments-7d9f8c6b5-x2x4q",
    text=(
        "payments-7d9f8c6b5-x2x4q: CrashLoopBackOff, 14 restarts\n"
        "container payments: last state terminated, reason OOMKilled, exit code 137\n"
        "container payments: limits memory 256Mi, requests memory 128Mi\n"
        "image registry.example.com/shop/payments:3.9.0"
    ),
    updated_at=NOW,
    namespace="shop",
    service="payments",
    kind="Pod",
    is_fact=True,
)
RUNBOOK = Passage(
    id="runbook",
    source="markdown",
    title="payments restarts",
    heading="Look first",
    location="runbooks/payments-restarts.md",
    text=(
        "`Reason: OOMKilled` with exit code 137 means that the container of payments reached its\n"
        "memory limit, because the settlement batch is too large.\n"
        "\n"
        "1. What did it do last?\n"
        "\n"
        "   ```bash\n"
        "   kubectl -n shop logs POD -c payments --previous --tail=40\n"
        "   ```\n"
        "\n"
        "2. Go back to the version before.\n"
        "\n"
        "   ```bash\n"
        "   kubectl -n shop rollout undo deployment/payments\n"
        "   ```\n"
        "\n"
        "Do not delete the PVC of payments.\n"
    ),
    service="payments",
)
LIMITS = Passage(
    id="limits",
    source="markdown",
    title="Resource limits",
    location="config/limits.md",
    text=(
        "| workload | CPU | memory limit |\n"
        "|---|---|---|\n"
        "| payments | 1 | limit 512Mi |\n"
        "| matching-engine | 8 | limit 16Gi |\n"
    ),
)
OWNER = Passage(
    id="owner",
    source="graph",
    title="Service payments",
    location="graph/payments",
    text=(
        "payments is owned by team orders (#team-orders, primary Tomás Brandt).\n"
        "Called by: checkout.\n"
        "Calls: orders-db, kafka, risk-engine."
    ),
    service="payments",
    is_fact=True,
)
EVIDENCE = (POD, RUNBOOK, LIMITS)


async def let_go() -> None:
    """Lets the loop close what httpx leaves half read when a reply makes no sense."""
    gc.collect()
    for _ in range(40):
        await asyncio.sleep(0)


async def until(is_so: Callable[[], bool]) -> None:
    """Waits for something to become so; fails after five seconds."""
    async with asyncio.timeout(5):
        while not is_so():  # noqa: ASYNC110  (what is waited for has no event to set)
            await asyncio.sleep(0.005)


def reading(
    question: str,
    *,
    names: Sequence[str] = (),
    intents: Sequence[Intent] = (),
    codes: Sequence[str] = (),
    limit: int | None = None,
) -> Reading:
    """A question, read as a test needs it."""
    return Reading(
        question,
        question,
        names=tuple(names),
        codes=tuple(codes),
        intents=frozenset(intents),
        limit=limit,
    )


class WrittenDown:
    """A retriever that finds the passages it was given, or fails, or takes its time."""

    def __init__(
        self,
        passages: Sequence[Passage] = (),
        *,
        error: Exception | None = None,
        delay_seconds: float = 0.0,
        intents: Sequence[Intent] = (Intent.WHY,),
        limit: int | None = None,
    ) -> None:
        self.passages = tuple(passages)
        self.error = error
        self.delay_seconds = delay_seconds
        self.intents = intents
        self.limit = limit
        self.asked: list[str] = []
        self.was_cancelled = False

    def read(self, question: str, names: frozenset[str], namespaces: frozenset[str]) -> Reading:
        """Names are those known ones that occur in the question."""
        self.asked.append(question)
        found = [name for name in sorted(names - namespaces) if name in question]
        return reading(question, names=found, intents=self.intents, limit=self.limit)

    async def look(self, _: Reading, __: Scope, limit: int = 8) -> Lookup:
        """The passages, after the delay."""
        try:
            await asyncio.sleep(self.delay_seconds)
        except asyncio.CancelledError:
            self.was_cancelled = True
            raise
        if self.error is not None:
            raise self.error
        return Lookup(self.passages[:limit], looked_in=("12 runbooks",))


class LiveCluster:
    """A cluster that tells the facts it was given."""

    def __init__(
        self,
        facts: Sequence[Passage] = (),
        *,
        names: Sequence[str] = ("payments", "checkout", "kafka"),
        gap: Gap | None = None,
        is_hanging: bool = False,
    ) -> None:
        self.facts = tuple(facts)
        self.names = frozenset(names)
        self.gap = gap
        self.is_hanging = is_hanging

    async def known_names(self) -> frozenset[str]:
        """As given."""
        if self.is_hanging:
            await asyncio.sleep(3600)
        return self.names

    async def known_namespaces(self) -> frozenset[str]:
        """One."""
        return frozenset({"shop", "trading"})

    async def look(self, _: Reading, __: Scope) -> Lookup:
        """The facts, and the gap where there is one."""
        if self.is_hanging:
            await asyncio.sleep(3600)
        return Lookup(self.facts, (self.gap,) if self.gap else (), ("cluster demo",))
