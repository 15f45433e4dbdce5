"""A chain over a real library of four pages and a graph, with a cluster of our own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from core.answers import Answer, Done, Gap, Inquiry, Progress, Scope
from core.clock import ManualClock
from core.errors import KnowledgeError
from core.findings import ObjectRef
from core.questions import Reading
from core.redact import Redactor
from core.resources import ContainerResources, ResourcesFound
from knowledge.chain import RagChain
from knowledge.documented import DocumentedPages
from knowledge.library import Library
from knowledge.models import ModelConfig, Models
from knowledge.ports import Answerer, VectorStore
from knowledge.store_edge import EdgeStore
from knowledge.tasks.naming import Namer
from tests.knowledge.conftest import NOW
from tests.knowledge.fakes import LiveCluster

GRAPH = """
teams:
  orders: {on_call: Tomás Brandt, channel: "#team-orders"}
  trading: {on_call: Priya Raman}
services:
  checkout: {namespace: shop, team: orders, depends_on: [payments]}
  payments: {namespace: shop, team: orders, depends_on: [risk-engine]}
  risk-engine: {namespace: trading, team: trading}
nodes:
  worker-3: {runs: [payments]}
"""
PAGES = {
    "config/payments.md": """---
title: Configuration of payments
service: payments
namespace: shop
---
# Configuration of payments

## Resources

| | request | limit |
|---|---|---|
| memory | 256Mi | 512Mi |
| CPU | 250m | 1 |
""",
    "runbooks/redis.md": """---
title: Redis refuses connections
service: risk-engine
namespace: trading
---
# Redis refuses connections

The risk-engine logs `connect: connection refused` when REDIS_ADDR points at the old host.

## Fix

1. Compare REDIS_ADDR with the address of the service redis.
""",
    "incidents/inc-7.md": """---
title: "INC-7: payments OOMKilled at month-end"
service: payments
---
# INC-7: payments OOMKilled at month-end

On 2026-01-31 payments was OOMKilled with exit code 137 during the settlement.

## Root cause

The settlement read all rows of the month into memory.

## Fix

The settlement reads pages of 5000 rows since payments 3.7.1.
""",
    "notes/lunch.md": "# Lunch\n\nThe kitchen opens at noon.\n",
}
MEMORY = {"memory": "256Mi"}


def container(
    name: str = "app",
    *,
    limits: dict[str, str] | None = None,
    requests: dict[str, str] | None = None,
    defaulted: frozenset[tuple[str, str]] = frozenset(),
    workload: str = "payments",
) -> ContainerResources:
    return ContainerResources(
        workload=ObjectRef("demo", "Deployment", "shop", workload),
        container=name,
        limits=MEMORY if limits is None else limits,
        requests=requests or {},
        defaulted=defaulted,
        seen_at=NOW,
    )


class Cluster(LiveCluster):
    """Facts and limits as given, or nothing but a gap."""

    def __init__(self) -> None:
        super().__init__((), names=("payments", "checkout", "payments-db", "worker-3"))
        self.containers: tuple[ContainerResources, ...] = ()
        self.scopes: list[Scope] = []

    def go_down(self) -> None:
        """No names, no facts: only the gap."""
        self.names, self.facts, self.containers = frozenset(), (), ()
        self.gap = Gap("cluster demo", "connection refused", "Check its address.")

    async def known_namespaces(self) -> frozenset[str]:
        return frozenset({"shop", "trading"}) if self.names else frozenset()

    async def of(self, _: Reading, scope: Scope) -> ResourcesFound:
        self.scopes.append(scope)
        gaps = (self.gap,) if self.gap else ()
        return ResourcesFound(self.containers, gaps, () if gaps else ("cluster demo",))


class SwitchedStore:
    """A store that can go down."""

    def __init__(self, store: EdgeStore) -> None:
        self._store = store
        self.is_down = False

    def __getattr__(self, name: str) -> Any:
        if self.is_down:
            raise KnowledgeError("search", "Qdrant does not answer", "Start it.")
        return getattr(self._store, name)


@dataclass
class World:
    """What a task is built from."""

    folder: Path
    cluster: Cluster
    library: Library
    store: SwitchedStore
    chain: RagChain
    namer: Namer
    models: Models
    clock: ManualClock

    @property
    def pages(self) -> DocumentedPages:
        """What is written down."""
        return DocumentedPages(cast("VectorStore", self.store))

    def take_store_down(self) -> None:
        """From now on every search fails."""
        self.store.is_down = True

    async def write_page(self, name: str, text: str) -> None:
        """One page more, indexed."""
        (self.folder / "docs" / name).write_text(text, encoding="utf-8")
        await self.library.index()

    async def ask(self, task: Answerer, text: str, scope: Scope = Scope()) -> Answer:  # noqa: B008  (frozen)
        """The answer, after exactly one Done that comes last."""
        events = [event async for event in task.stream(Inquiry(text, scope=scope))]
        assert isinstance(events[0], Progress)
        assert [isinstance(event, Done) for event in events] == [False] * (len(events) - 1) + [True]
        done = events[-1]
        assert isinstance(done, Done)
        assert done.answer.question == text
        return done.answer


OpenWorld = Callable[..., Awaitable[World]]


@pytest.fixture
async def open_world(tmp_path: Path) -> AsyncIterator[OpenWorld]:
    """Builds a world; `pages` and `has_graph` say what is written, `model` who words it."""
    stores: list[EdgeStore] = []

    async def build(
        *,
        has_pages: bool = True,
        has_graph: bool = True,
        has_cluster: bool = True,
        config: ModelConfig | None = None,
    ) -> World:
        for name, text in PAGES.items() if has_pages else ():
            path = tmp_path / "docs" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        (tmp_path / "graph.yaml").write_text(GRAPH, encoding="utf-8")
        opened = await EdgeStore.open(tmp_path / "store", "none", 1)
        stores.append(opened)
        store = SwitchedStore(opened)
        uris = [f"markdown:{tmp_path}/docs"] if has_pages else []
        uris += [f"graph:{tmp_path}/graph.yaml"] if has_graph else []
        clock = ManualClock(NOW)
        redactor = Redactor(b"k" * 32)
        library = Library(uris, cast("VectorStore", store), None, redactor, clock, ZoneInfo("UTC"))
        await library.start()
        await library.index()
        cluster = Cluster()
        live = cluster if has_cluster else None
        models = Models(config or ModelConfig(model="extractive"), clock)
        chain = RagChain(library, live, models, clock, redact=redactor.redact)
        namer = Namer(live, library, library)
        return World(tmp_path, cluster, library, store, chain, namer, models, clock)

    yield build
    for store in stores:
        await store.close()


@pytest.fixture
async def world(open_world: OpenWorld) -> World:
    """Everything there."""
    return await open_world()
