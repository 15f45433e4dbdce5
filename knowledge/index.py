"""Keeps the vector store equal to the sources: what is new goes in, what vanished goes out.

The store itself is the memory of what was indexed. Each point carries the stamp and the content
hash of the entry it came from and how many points that entry has, so a run that was cut short
anywhere is told from a finished one, and the next run does the rest. Text is searchable at once;
dense vectors are filled in behind by `fill_dense`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from core.redact import Redactor
from knowledge.documents import Entry, Listing, Source, UnreadableError
from knowledge.points import make_points
from knowledge.ports import Embedder, Point, VectorStore

ENTRIES_AT_ONCE = 32
POINTS_AT_ONCE = 256
TEXTS_AT_ONCE = 64
# So many texts that still need a vector are held in memory at a time.
TEXTS_A_ROUND = 10_000


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
    stamps: set[str] = field(default_factory=set)
    hashes: set[str] = field(default_factory=set)
    counts: set[int] = field(default_factory=set)

    @property
    def is_whole(self) -> bool:
        return len(self.hashes) == 1 and self.counts == {len(self.ids)}


@dataclass(frozen=True, slots=True)
class _Prepared:
    """One entry, read: `points` is None when the store has it as it is."""

    documents: int
    points: tuple[Point, ...] | None
    problem: str = ""


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


async def fill_dense(
    store: VectorStore, embedder: Embedder, progress: OnProgress | None = None
) -> int:
    """Give every point that lacks one its dense vector; can be cancelled and goes on next time.

    Returns:
        How many were filled in.

    Raises:
        KnowledgeError: The store or the model fails.
    """
    done = 0
    tried: set[str] = set()
    while True:
        missing = await store.missing_dense(TEXTS_A_ROUND)
        # A point that vanished meanwhile takes no vector; asking for it again would never end.
        fresh = [(key, text) for key, text in missing if key not in tried]
        if not fresh:
            return done
        total = done + len(fresh)
        for start in range(0, len(fresh), TEXTS_AT_ONCE):
            batch = fresh[start : start + TEXTS_AT_ONCE]
            vectors = await embedder.embed([text for _, text in batch])
            keys = [key for key, _ in batch]
            await store.set_dense(dict(zip(keys, vectors, strict=True)))
            tried.update(keys)
            done += len(batch)
            if progress:
                progress(IndexProgress("embedding", embedder.name, done, total))


async def _known(store: VectorStore) -> dict[tuple[str, str], _Known]:
    known: dict[tuple[str, str], _Known] = {}
    for key, payload in (await store.scan()).items():
        at = known.setdefault((str(payload.get("origin")), str(payload.get("entry"))), _Known())
        at.ids.add(key)
        at.stamps.add(str(payload.get("stamp")))
        at.hashes.add(str(payload.get("content")))
        count = payload.get("points")
        at.counts.add(count if isinstance(count, int) else -1)
    return known


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
        for start in range(0, len(listing.entries), ENTRIES_AT_ONCE):
            entries = listing.entries[start : start + ENTRIES_AT_ONCE]
            prepared = await asyncio.to_thread(self._prepare, source, entries)
            await self._write(source, entries, prepared)
            if self._progress:
                done = min(start + ENTRIES_AT_ONCE, len(listing.entries))
                self._progress(IndexProgress("indexing", source.uri, done, len(listing.entries)))
        if listing.is_complete:
            there = {entry.path for entry in listing.entries}
            await self._remove(
                key
                for (origin, path), known in self._known.items()
                if origin == source.uri and path not in there
                for key in known.ids
            )

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

    def _prepare(self, source: Source, entries: Sequence[Entry]) -> list[_Prepared]:
        """Read, redact and cut; in a thread."""
        prepared = []
        for entry in entries:
            known = self._known.get((source.uri, entry.path))
            if known and known.is_whole and known.stamps == {entry.stamp}:
                prepared.append(_Prepared(0, None))
                continue
            try:
                documents = source.load(entry)
            except UnreadableError as error:
                prepared.append(_Prepared(0, (), str(error)))
                continue
            points = make_points(source, entry, documents, self._redactor)
            # Touched, cloned anew, or the log only grew by lines of a known kind: same content.
            is_same = bool(
                known
                and known.is_whole
                and points
                and known.hashes == {points[0].payload["content"]}
            )
            prepared.append(_Prepared(len(documents), None if is_same else points))
        return prepared

    async def _write(
        self, source: Source, entries: Sequence[Entry], prepared: Sequence[_Prepared]
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
