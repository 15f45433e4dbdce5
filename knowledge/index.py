"""Keeps the vector store equal to the sources: what is new goes in, what vanished goes out.

The store itself is the memory of what was indexed. Each point carries the edition of the entry it
came from, which tells how many points that entry has: a run that was cut short anywhere is told
from a finished one, and the next run does the rest. Text is searchable at once;
dense vectors are filled in behind by `knowledge.dense`.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from core.redact import Redactor
from knowledge.documents import Entry, Listing, Source
from knowledge.markdownpages import PageSource
from knowledge.points import Edition
from knowledge.ports import Point, VectorStore
from knowledge.prepare import Job, Prepared, prepare
from knowledge.processes import PROCESSES, Processes

ENTRIES_AT_ONCE = 32
# For fewer pages the start of processes costs more than it saves.
ENTRIES_FOR_PROCESSES = 200
POINTS_AT_ONCE = 256
_BOOKKEEPING = ("origin", "entry", "edition")


@dataclass(frozen=True, slots=True)
class IndexProgress:
    """How far a run is.

    Attributes:
        what: "indexing" or "embedding".
        place: The source's URI, or the model's name.
        done: Entries read, or chunks embedded.
        total: As far as is known.
    """

    what: str
    place: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What a run did.

    Attributes:
        documents: Read in this run.
        chunks: In the store now.
        added: Chunks written.
        removed: Chunks taken out.
        unchanged: Entries that did not have to be indexed again.
        problems: ("kind: path", why) of what could not be used.
        by_source: (path, why) by the URI of the source that has problems.
    """

    documents: int = 0
    chunks: int = 0
    added: int = 0
    removed: int = 0
    unchanged: int = 0
    problems: tuple[tuple[str, str], ...] = ()
    by_source: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)


OnProgress = Callable[[IndexProgress], None]


@dataclass(slots=True)
class _Known:
    """What the store holds of one entry."""

    ids: set[str] = field(default_factory=set)
    editions: set[object] = field(default_factory=set)

    @property
    def whole(self) -> Edition | None:
        """The edition that all points of the entry are of, when none of them is missing."""
        if len(self.editions) != 1:
            return None
        edition = Edition.read(*self.editions)
        return edition if edition and edition.points == len(self.ids) else None


_Batch = tuple[Entry, ...]
_Prepare = Callable[[_Batch], Coroutine[None, None, list[Prepared]]]


async def index_sources(
    sources: Sequence[Source],
    store: VectorStore,
    redactor: Redactor,
    progress: OnProgress | None = None,
) -> IndexReport:
    """Bring the store up to date with the sources.

    Raises:
        KnowledgeError: The store fails. What fails in a source is a problem of the report.
    """
    run = _Run(store, redactor, progress, await _known(store))
    for source in sources:
        await run.add(source)
    await run.forget({source.uri for source in sources})
    await store.activate()
    return IndexReport(
        documents=run.documents,
        chunks=await store.count(),
        added=run.added,
        removed=run.removed,
        unchanged=run.unchanged,
        problems=tuple(run.problems),
        by_source={uri: tuple(problems) for uri, problems in run.by_source.items()},
    )


async def _known(store: VectorStore) -> dict[tuple[str, str], _Known]:
    known: dict[tuple[str, str], _Known] = defaultdict(_Known)
    for key, payload in (await store.scan(fields=_BOOKKEEPING)).items():
        at = known[str(payload.get("origin")), str(payload.get("entry"))]
        at.ids.add(key)
        at.editions.add(payload.get("edition"))
    return dict(known)


class _Run:
    """One run over all sources."""

    def __init__(
        self,
        store: VectorStore,
        redactor: Redactor,
        progress: OnProgress | None,
        known: dict[tuple[str, str], _Known],
    ) -> None:
        self._store = store
        self._redactor = redactor
        self._progress = progress
        self._known = known
        self.documents = self.added = self.removed = self.unchanged = 0
        self.problems: list[tuple[str, str]] = []
        self.by_source: dict[str, list[tuple[str, str]]] = {}

    async def add(self, source: Source) -> None:
        """Index one source and forget what vanished from it."""
        listing: Listing = await asyncio.to_thread(source.listing)
        for path, why in listing.problems:
            self._note(source, path, why)
        due = [entry for entry in listing.entries if not self._has(source, entry)]
        done = len(listing.entries) - len(due)
        self.unchanged += done
        if done:
            self._tell(source, done, len(listing.entries))
        async with AsyncExitStack() as stack:
            work, ahead = await self._preparer(source, len(due), stack)
            async for entries, prepared in _in_order(work, due, ahead):
                await self._write(source, entries, prepared)
                done += len(entries)
                self._tell(source, done, len(listing.entries))
        if listing.is_complete:
            there = {entry.path for entry in listing.entries}
            await self._remove(
                key
                for (origin, path), known in self._known.items()
                if origin == source.uri and path not in there
                for key in known.ids
            )

    def _has(self, source: Source, entry: Entry) -> bool:
        edition = self._edition(source, entry)
        return edition is not None and edition.stamp == entry.stamp

    def _edition(self, source: Source, entry: Entry) -> Edition | None:
        known = self._known.get((source.uri, entry.path))
        return known.whole if known else None

    async def _preparer(
        self, source: Source, count: int, stack: AsyncExitStack
    ) -> tuple[_Prepare, int]:
        """What prepares a batch, and how many batches it is given ahead of their writing."""
        if isinstance(source, PageSource) and count >= ENTRIES_FOR_PROCESSES:
            processes = await stack.enter_async_context(Processes())
            pages = source.pages

            def send(entries: _Batch) -> Coroutine[None, None, list[Prepared]]:
                hashes = self._hashes(source, entries)
                return processes.do(Job(pages, source.uri, self._redactor.key, entries, hashes))

            return send, 2 * PROCESSES

        def call(entries: _Batch) -> Coroutine[None, None, list[Prepared]]:
            hashes = self._hashes(source, entries)
            return asyncio.to_thread(prepare, source, source.uri, self._redactor, entries, hashes)

        return call, 1

    def _hashes(self, source: Source, entries: _Batch) -> dict[str, str]:
        """Content hashes of those entries that the store holds as a whole."""
        editions = {entry.path: self._edition(source, entry) for entry in entries}
        return {path: edition.content for path, edition in editions.items() if edition}

    def _tell(self, source: Source, done: int, total: int) -> None:
        if self._progress:
            self._progress(IndexProgress("indexing", source.uri, done, total))

    def _note(self, source: Source, path: str, why: str) -> None:
        self.problems.append((f"{source.kind}: {path}", why))
        self.by_source.setdefault(source.uri, []).append((path, why))

    async def forget(self, uris: set[str]) -> None:
        """Remove what came from sources that are configured no more."""
        await self._remove(
            key
            for (origin, _), known in self._known.items()
            if origin not in uris
            for key in known.ids
        )

    async def _write(
        self, source: Source, entries: Sequence[Entry], prepared: Sequence[Prepared]
    ) -> None:
        new: list[Point] = []
        gone: list[str] = []
        for entry, item in zip(entries, prepared, strict=True):
            self.documents += item.documents
            if item.problem:
                self._note(source, entry.path, item.problem)
            if item.points is None:
                self.unchanged += 1
                continue
            new += item.points
            known = self._known.get((source.uri, entry.path))
            if known:
                gone += known.ids - {point.id for point in item.points}
        for start in range(0, len(new), POINTS_AT_ONCE):
            await self._store.upsert(new[start : start + POINTS_AT_ONCE])
        self.added += len(new)
        # Only now: a page is found by its old chunks until the new ones are there.
        await self._remove(gone)

    async def _remove(self, keys: Iterable[str]) -> None:
        ids = list(keys)
        for start in range(0, len(ids), POINTS_AT_ONCE):
            await self._store.delete(ids[start : start + POINTS_AT_ONCE])
        self.removed += len(ids)


async def _in_order(
    work: _Prepare, entries: Sequence[Entry], ahead: int
) -> AsyncGenerator[tuple[_Batch, list[Prepared]], None]:
    """Each batch with what was made of it; up to `ahead` more are under way meanwhile."""
    under_way: deque[tuple[_Batch, asyncio.Task[list[Prepared]]]] = deque()
    try:
        for start in range(0, len(entries), ENTRIES_AT_ONCE):
            batch = tuple(entries[start : start + ENTRIES_AT_ONCE])
            task = asyncio.create_task(work(batch), name=f"prepare {batch[0].path}")
            under_way.append((batch, task))
            if len(under_way) > ahead:
                batch, task = under_way.popleft()
                yield batch, await task
        while under_way:
            batch, task = under_way.popleft()
            yield batch, await task
    finally:
        for _, task in under_way:
            task.cancel()
        await asyncio.gather(*(task for _, task in under_way), return_exceptions=True)
