"""Everything written down, behind one door: reads questions, looks in all sources, keeps the index.

Implements `knowledge.ports.Retriever`, and `digest.ports.Owners` and `Runbooks`. It is
longer than others, because each kind of source is asked, counted and excused here.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from operator import is_not
from typing import TYPE_CHECKING

from core.answers import Gap, Lookup, Passage, Scope
from core.clock import Clock
from core.digests import Ownership
from core.errors import KnowledgeError, OpsbotError
from core.findings import ObjectRef
from core.questions import Reading
from core.redact import Redactor
from core.topology import TopologyEdge
from knowledge.dense import fill_dense
from knowledge.documents import Listing, Source
from knowledge.found import is_found
from knowledge.graph import ServiceGraph
from knowledge.graphfacts import GRAPH_INTENTS, graph_passages
from knowledge.graphmerge import merge_graphs, problems_of
from knowledge.index import IndexReport, OnProgress, index_sources
from knowledge.late import LateEmbedder
from knowledge.livegraph import LiveGraph, live_passages
from knowledge.ports import Embedder, Filter, VectorStore
from knowledge.ranking import Legs, Ranked, rank
from knowledge.retrieve import passage_of, search
from knowledge.sources import open_source
from knowledge.sources.graph import GraphSource
from knowledge.sources.logs import LogSource
from knowledge.sources.metrics import MetricsSource
from knowledge.wholepage import completed

if TYPE_CHECKING:
    from knowledge.logtable import LogTable

ServicesOnNode = Callable[[str], Awaitable[Sequence[str]] | Sequence[str]]
Topology = Callable[[], Awaitable[Sequence[TopologyEdge]]]
# Told of each search the best scores of its legs: BM25 and cosine; None where one has no hit.
OnSearch = Callable[[float | None, float | None], None]
# What the reader is told was searched, in the order of a sentence.
_SHOWN = {
    "markdown": "runbooks and documents",
    "csv-logs": "CSV logs",
    "csv-metrics": "CSV metrics",
    "graph": "the service graph",
}


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """One source as `/k8s status` shows it.

    Attributes:
        uri: As configured.
        count: What it holds, in `unit`.
        unit: "chunks", "lines", "values" or "services".
        newest: When its newest part was changed, or None.
        problems: (path, why) of what cannot be used.
    """

    uri: str
    count: int
    unit: str
    newest: datetime | None
    problems: tuple[tuple[str, str], ...] = ()


class Library:
    """All sources of one bot. Await `start` before anything else and `close` at the end.

    Args:
        sources: Opened, or URIs, see `knowledge.sources.SCHEMES`.
        store: Holds the chunks; closed by `close`.
        embedder: None for a search by text alone.
        redactor: Secrets leave every text before it is stored and before it is handed out.
        clock: For "last 2h".
        zone: The zone times are read and told in.
        services_on_node: Names of services that the live cluster sees on a node.
        topology: The live cluster's edges; joined with the graph they tell more than names.
        on_search: See `OnSearch`.

    Raises:
        KnowledgeError: A URI is of no known kind.
    """

    def __init__(  # noqa: PLR0917  (one caller, the composition root, which names them)
        self,
        sources: Sequence[str | Source],
        store: VectorStore,
        embedder: Embedder | None,
        redactor: Redactor,
        clock: Clock,
        zone: tzinfo,
        services_on_node: ServicesOnNode | None = None,
        topology: Topology | None = None,
        on_search: OnSearch = lambda _bm25, _cosine: None,
    ) -> None:
        self._sources: tuple[Source, ...] = tuple(
            open_source(source) if isinstance(source, str) else source for source in sources
        )
        self._topology = topology
        self._graph_parts: tuple[ServiceGraph, ...] = ()
        self._graph = ServiceGraph()
        self._store = store
        self._embedder = embedder
        self._redactor = redactor
        self._clock = clock
        self._zone = zone
        self._services_on_node = services_on_node
        self._on_search = on_search
        self._listings: dict[str, Listing] = {}
        self._point_count = 0
        self._is_dense = False
        self._indexing = asyncio.Lock()
        self._filling = asyncio.Lock()

    async def start(self) -> None:
        """Load the graph and the tables, so that names are known; indexes nothing."""
        for source in self._sources:
            if not isinstance(source, GraphSource | LogSource | MetricsSource):
                continue
            self._listings[source.uri] = await asyncio.to_thread(source.listing)
        await self._count()

    @property
    def graph(self) -> ServiceGraph:
        """The graphs of all sources as one; empty without."""
        parts = tuple(source.graph for source in self._sources if isinstance(source, GraphSource))
        # A source that reads its graph again makes another one, so being the same is enough.
        if len(parts) != len(self._graph_parts) or any(map(is_not, parts, self._graph_parts)):
            self._graph = merge_graphs(parts)
            self._graph_parts = parts
        return self._graph

    @property
    def log_tables(self) -> tuple[LogTable, ...]:
        """The lines of the CSV logs, for exact look-ups; all their calls block."""
        return tuple(source.table for source in self._sources if isinstance(source, LogSource))

    def ownership(self, owner: ObjectRef) -> Ownership:
        """Who owns an object and who is hit when it fails, by the graph as it stands now."""
        return self.graph.ownership(owner)

    def read(self, question: str, names: frozenset[str], namespaces: frozenset[str]) -> Reading:
        """Read a question by rules; the graph's names are known besides the given ones."""
        # Imported here: `opsbot index` has no question to read, and need not wait for it.
        from knowledge.reading import read_question  # noqa: PLC0415

        graph = self.graph
        return read_question(
            question,
            names | graph.names,
            namespaces | graph.namespaces,
            self._clock.now(),
            self._zone,
        )

    async def index(self, progress: OnProgress | None = None) -> IndexReport:
        """Bring the index up to date; one run at a time, a second one waits its turn.

        Raises:
            KnowledgeError: The store fails.
        """
        async with self._indexing:
            report = await index_sources(self._sources, self._store, self._redactor, progress)
            for source in self._sources:
                listing = await asyncio.to_thread(source.listing)
                problems = report.by_source.get(source.uri, ())
                self._listings[source.uri] = replace(listing, problems=problems)
            if report.added or report.removed:
                await self._count()
            return report

    async def fill_dense(self, progress: OnProgress | None = None) -> int:
        """Fill in the dense vectors that are missing; gives how many.

        Raises:
            KnowledgeError: The store or the model fails.
        """
        if self._embedder is None:
            return 0
        async with self._filling:
            if isinstance(self._embedder, LateEmbedder):
                await self._embedder.connect()
                await self._store.resize(self._embedder.size)
                if not await self._store.count():
                    await self.index(progress)  # a collection of its own begins with the text
            done = await fill_dense(self._store, self._embedder, progress)
            self._is_dense = True
            return done

    async def look(self, reading: Reading, scope: Scope, limit: int = 8) -> Lookup:
        """Facts first, then up to `limit` passages best first; failures are gaps."""
        facts, gaps = await self._facts(reading, scope)
        passages: tuple[Passage, ...] = ()
        try:
            passages = await self._search(reading, scope, limit, gaps)
        except KnowledgeError as error:
            gaps.append(Gap("documentation search", error.wrong, error.remedy))
        kinds = {source.kind for source in self._sources if scope.allows_source(source.kind)}
        found = (*facts, *passages)
        return Lookup(
            passages=tuple(self._redacted(passage) for passage in found),
            gaps=tuple(gaps),
            looked_in=tuple(shown for kind, shown in _SHOWN.items() if kind in kinds),
        )

    async def _search(
        self, reading: Reading, scope: Scope, limit: int, gaps: list[Gap]
    ) -> tuple[Passage, ...]:
        text = reading.search_text.strip()
        if not text or limit < 1:
            return ()
        legs = await search(self._store, self._embedder, text, scope)
        self._on_search(*(leg[0].score if leg else None for leg in (legs.sparse, legs.dense)))
        if legs.failure is not None:
            gaps.append(Gap("search by meaning", legs.failure.wrong, legs.failure.remedy))
        ranked = await asyncio.to_thread(self._ranked, legs, reading, limit)
        if not ranked:
            return ()
        found = tuple(passage_of(item, ranked[0].score) for item in ranked)
        return await completed(self._store, found, reading, scope, limit)

    def _ranked(self, legs: Legs, reading: Reading, limit: int) -> tuple[Ranked, ...]:
        """The best of what was found, nothing where none of it can be the answer; in a thread."""
        is_dense = self._is_dense
        if not is_found(legs, reading, point_count=self._point_count, has_dense=is_dense):
            return ()
        return rank(legs, reading, limit)

    async def _facts(self, reading: Reading, scope: Scope) -> tuple[list[Passage], list[Gap]]:
        facts: list[Passage] = []
        gaps: list[Gap] = []
        graph = self.graph
        for source in self._sources:
            if not isinstance(source, LogSource | MetricsSource):
                continue
            try:
                facts += await asyncio.to_thread(self._rows, source, reading, scope)
            except KnowledgeError as error:
                gaps.append(Gap(_SHOWN[source.kind], error.wrong, error.remedy))
        on_nodes = await self._on_nodes(reading, graph, gaps)
        known = list(graph_passages(graph, reading, scope, on_nodes))
        known += await self._live(reading, scope, graph, gaps)
        # What was asked for stands first; elsewhere the graph is only the background.
        facts = [*known, *facts] if reading.intents & GRAPH_INTENTS else [*facts, *known]
        return facts, gaps

    def _rows(
        self, source: LogSource | MetricsSource, reading: Reading, scope: Scope
    ) -> tuple[Passage, ...]:
        """Facts of one CSV source, its files loaded again when they changed; in a thread."""
        listing = source.listing()
        self._listings[source.uri] = listing
        if not listing.is_complete and not source.table.count():
            place, why = listing.problems[0] if listing.problems else (source.uri, "not readable")
            raise KnowledgeError(f"read {place}", why, "Check the source's path")
        if isinstance(source, LogSource):
            return source.table.facts(reading, scope, self._zone)
        return source.table.facts(reading, scope, self._zone, self._hidden(scope))

    def _hidden(self, scope: Scope) -> frozenset[str]:
        graph = self.graph
        return frozenset(name for name in graph.services if not graph.allows(name, scope))

    async def _on_nodes(
        self, reading: Reading, graph: ServiceGraph, gaps: list[Gap]
    ) -> dict[str, Sequence[str]]:
        found: dict[str, Sequence[str]] = {}
        for name in reading.names:
            if name not in graph.nodes or self._services_on_node is None:
                continue
            try:
                answer = self._services_on_node(name)
                workloads = await answer if inspect.isawaitable(answer) else answer
            except KnowledgeError as error:
                gaps.append(Gap(f"pods on {name}", error.wrong, error.remedy))
                continue
            services = (graph.service_of(workload) for workload in workloads)
            found[name] = tuple(dict.fromkeys(item.name for item in services if item))
        return found

    async def _live(
        self, reading: Reading, scope: Scope, graph: ServiceGraph, gaps: list[Gap]
    ) -> tuple[Passage, ...]:
        """What the running cluster and the graph say together; nothing without either."""
        if self._topology is None or not graph.services or not reading.names:
            return ()
        try:
            edges = await self._topology()
        except OpsbotError as error:
            gaps.append(Gap("the live topology", error.wrong, error.remedy))
            return ()
        allowed = [edge for edge in edges if scope.allows_cluster(edge.needed.cluster)]
        now = self._clock.now()
        return await asyncio.to_thread(
            lambda: live_passages(LiveGraph(allowed), graph, reading, scope, now)
        )

    def _redacted(self, passage: Passage) -> Passage:
        redact = self._redactor.redact
        return replace(passage, text=redact(passage.text), title=redact(passage.title))

    async def status(self) -> tuple[SourceStatus, ...]:
        """Each source with its count and age; problems from the last time it was read."""
        return tuple([await self._status_of(source) for source in self._sources])

    async def _status_of(self, source: Source) -> SourceStatus:
        listing = self._listings.get(source.uri, Listing())
        moments = [entry.updated_at for entry in listing.entries if entry.updated_at]
        unit = "chunks"
        if isinstance(source, LogSource | MetricsSource):
            unit = "lines" if isinstance(source, LogSource) else "values"
            try:
                count = await asyncio.to_thread(source.table.count)
            except KnowledgeError:
                count = 0  # not loaded; its problems say why
            if source.table.table.updated_at:
                moments.append(source.table.table.updated_at)
        elif isinstance(source, GraphSource):
            count, unit = len(source.graph.services), "services"
        else:
            count = await self._chunks_of(source)
        newest = max(moments, default=None)
        problems = listing.problems
        if isinstance(source, GraphSource):
            problems = problems_of(source.graph, problems, self.graph)
        return SourceStatus(source.uri, count, unit, newest, problems)

    async def _chunks_of(self, source: Source) -> int:
        try:
            return await self._store.count(Filter({"origin": (source.uri,)}))
        except KnowledgeError:
            return 0  # the store's own line of the status tells it

    async def _count(self) -> None:
        """Take stock of the store; a store that fails is told by the next search."""
        try:
            self._point_count = await self._store.count()
            has_gap = bool(await self._store.missing_dense(1))
        except KnowledgeError:
            return
        # Until the last vector is there, a far nearest neighbour proves nothing.
        self._is_dense = bool(self._point_count) and not has_gap

    async def close(self) -> None:
        """Let go of the tables and the store."""
        for source in self._sources:
            if isinstance(source, LogSource | MetricsSource):
                await asyncio.to_thread(source.table.table.close)
        await self._store.close()
