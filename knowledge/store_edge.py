"""Qdrant embedded in this process (`qdrant_edge`): one folder, nothing to install.

Below the folder stands one collection a model and the file `current`, which names the one that is
searched. A new model fills its collection beside the old one, whose text search goes on until
`activate`. The engine may be called from several threads; every call here leaves the event loop.

It is longer than others: one module speaks to the engine.
"""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, TypeVar
from uuid import UUID

import qdrant_edge as engine

from core.errors import KnowledgeError
from knowledge import edge_folder
from knowledge.ports import Filter, Hit, Point
from knowledge.sparse import SparseEncoder, SparseTerms, with_parts

T = TypeVar("T")

# Typical length of a chunk in terms, for BM25's length normalisation.
AVERAGE_CHUNK_TERMS = 110.0
_SCROLL_PAGE = 5000


class Bm25Encoder:
    """The engine's own BM25 term weights; implements `knowledge.sparse.SparseEncoder`."""

    def __init__(self) -> None:
        self._bm25 = engine.Bm25(engine.Bm25Config(avg_len=AVERAGE_CHUNK_TERMS))

    def document(self, text: str) -> SparseTerms:
        """Terms of a stored text, weighted by frequency and length."""
        vector = self._bm25.embed_document(with_parts(text))
        return SparseTerms(tuple(vector.indices), tuple(vector.values))

    def query(self, text: str) -> SparseTerms:
        """Terms of a search, each with weight 1."""
        vector = self._bm25.embed_query(with_parts(text))
        return SparseTerms(tuple(vector.indices), tuple(vector.values))


class EdgeStore:
    """Implements `knowledge.ports.VectorStore`. Make one with `EdgeStore.open`."""

    def __init__(  # noqa: PLR0917  (one caller, `_open`)
        self,
        folder: Path,
        lock: IO[str],
        shards: Mapping[str, Any],
        model: str,
        own: str,
        encoder: SparseEncoder,
    ) -> None:
        self._folder = folder
        self._model = model
        self._lock = lock
        self._shards = dict(shards)
        self._own = own
        self._encoder = encoder
        # Two updates that belong together (look, then write) must not be parted by a third.
        self._updating = threading.Lock()
        # Counting takes a second at 100,000 points; probes and status ask all the time.
        self._counts: dict[str, int] = {}

    @classmethod
    async def open(
        cls, folder: Path, model: str, size: int, encoder: SparseEncoder | None = None
    ) -> EdgeStore:
        """Open or create the collection of an embedding model.

        Args:
            folder: Holds all collections; created where missing.
            model: `Embedder.name`.
            size: `Embedder.size`; 0 while it is not known: then what was kept of the model before
                is used, or else no vectors until `resize`.
            encoder: BM25 terms; the engine's own by default.

        Raises:
            KnowledgeError: Another process holds the folder, it cannot be written, or its files
                do not load.
        """
        return await asyncio.to_thread(cls._open, folder, model, size, encoder or Bm25Encoder())

    @classmethod
    def _open(cls, folder: Path, model: str, size: int, encoder: SparseEncoder) -> EdgeStore:
        lock = edge_folder.take(folder)
        try:
            current = edge_folder.read_pointer(folder)
            size = size or edge_folder.size_in(current, model) or 1
            own = edge_folder.name_of(model, size)
            shards = {own: edge_folder.open_shard(folder / own, size)}
            if current and current != own and (folder / current).is_dir():
                shards[current] = edge_folder.load_shard(folder / current)
            elif current != own:
                edge_folder.write_pointer(folder, own)
        except BaseException:
            lock.close()
            raise
        return cls(folder, lock, shards, model, own, encoder)

    async def upsert(self, points: Sequence[Point]) -> None:
        """Add or replace points: always the sparse vector, the dense one where given."""
        if points:
            await self._call("write to", lambda: self._upsert(points))

    def _upsert(self, points: Sequence[Point]) -> None:
        made = [
            engine.Point(
                point.id,
                {
                    "sparse": _sparse(self._encoder.document(point.text)),
                    **({"dense": list(point.dense)} if point.dense is not None else {}),
                },
                {**point.payload, "text": point.text},
            )
            for point in points
        ]
        with self._updating:
            self._mine.update(engine.UpdateOperation.upsert_points(made))

    async def set_dense(self, vectors: Mapping[str, Sequence[float]]) -> None:
        """Fill in dense vectors; points that are gone by now are passed over."""
        if vectors:
            await self._call("write to", lambda: self._set_dense(vectors))

    def _set_dense(self, vectors: Mapping[str, Sequence[float]]) -> None:
        with self._updating:
            there = {
                str(record.id)
                for record in self._mine.retrieve(
                    list(vectors), with_payload=False, with_vector=False
                )
            }
            rows = [
                engine.PointVectors(key, {"dense": list(vector)})
                for key, vector in vectors.items()
                if key in there
            ]
            if rows:
                self._mine.update(engine.UpdateOperation.update_vectors(rows))

    async def missing_dense(self, limit: int) -> list[tuple[str, str]]:
        """Up to `limit` (id, text) of points that still lack a dense vector."""
        request = engine.ScrollRequest(
            limit=limit,
            filter=engine.Filter(must_not=[engine.HasVectorCondition("dense")]),
            with_payload=["text"],
        )
        records, _ = await self._call("read", lambda: self._mine.scroll(request))
        return [(str(record.id), str((record.payload or {}).get("text", ""))) for record in records]

    async def delete(self, ids: Sequence[str]) -> None:
        """Remove points; ids that are not there do not matter."""
        if ids:
            operation = engine.UpdateOperation.delete_points([UUID(key) for key in ids])
            await self._call("write to", lambda: self._update(operation))

    def _update(self, operation: Any) -> None:
        with self._updating:
            self._mine.update(operation)

    async def scan(
        self, filters: Filter | None = None, fields: Sequence[str] = ()
    ) -> dict[str, Mapping[str, object]]:
        """Payload of every point, by id: the given fields, or all but the text."""
        return await self._call("read", lambda: dict(self._scan(filters, fields)))

    def _scan(
        self, filters: Filter | None, fields: Sequence[str]
    ) -> Iterator[tuple[str, Mapping[str, object]]]:
        selector = engine.PayloadSelector
        wanted = selector.Include(list(fields)) if fields else selector.Exclude(["text"])
        offset = None
        while True:
            request = engine.ScrollRequest(
                offset=offset,
                limit=_SCROLL_PAGE,
                filter=_filter(filters),
                with_payload=wanted,
            )
            records, offset = self._mine.scroll(request)
            for record in records:
                yield str(record.id), record.payload or {}
            if offset is None:
                return

    async def search_sparse(
        self, text: str, limit: int, filters: Filter | None = None
    ) -> list[Hit]:
        """Best matches by BM25, in the collection that `current` names."""
        terms = self._encoder.query(text)
        if not terms.indices:
            return []
        query = engine.Query.Nearest(_sparse(terms), using="sparse")
        return await self._call(
            "search", lambda: _search(self._shards[self._searched], query, limit, filters)
        )

    async def search_dense(
        self, vector: Sequence[float], limit: int, filters: Filter | None = None
    ) -> list[Hit]:
        """Best matches by cosine, among points whose dense vector is filled in."""
        query = engine.Query.Nearest(list(vector), using="dense")
        return await self._call("search", lambda: _search(self._mine, query, limit, filters))

    async def count(self, filters: Filter | None = None) -> int:
        """How many points this model's collection holds."""
        return await self._counted(repr(filters), _filter(filters))

    async def count_dense(self) -> int:
        """How many of them have their dense vector."""
        has_vector = engine.Filter(must=[engine.HasVectorCondition("dense")])
        return await self._counted("dense", has_vector)

    async def _counted(self, what: str, filters: Any) -> int:
        counts = self._counts  # a write that ends meanwhile begins another dictionary
        if what not in counts:
            request = engine.CountRequest(filter=filters)
            counts[what] = await self._call("read", lambda: self._mine.count(request))
        return counts[what]

    async def resize(self, size: int) -> None:
        """Keep vectors of this length from now on, in a collection beside the one before."""
        await self._call("write to", lambda: self._resize(size))

    def _resize(self, size: int) -> None:
        own = edge_folder.name_of(self._model, size)
        if own == self._own:
            return
        with self._updating:
            searched = self._searched
            self._shards = {
                own: edge_folder.open_shard(self._folder / own, size),
                searched: self._shards[searched],
            }
            self._own = own

    async def activate(self) -> None:
        """Search this model's collection from now on, and remove the one searched before."""
        await self._call("write to", self._activate)

    def _activate(self) -> None:
        self._mine.flush()
        self._mine.optimize()
        old = [name for name in self._shards if name != self._own]
        if not old:
            return
        edge_folder.write_pointer(self._folder, self._own)
        for name in old:
            self._shards.pop(name).close()
            shutil.rmtree(self._folder / name, ignore_errors=True)

    async def close(self) -> None:
        """Flush and let go of the folder. A second call does nothing."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        with self._updating:
            for shard in self._shards.values():
                shard.flush()
                shard.close()
            self._shards.clear()
            self._lock.close()

    @property
    def _mine(self) -> Any:
        return self._shards[self._own]

    @property
    def _searched(self) -> str:
        return next((name for name in self._shards if name != self._own), self._own)

    async def _call(self, verb: str, work: Callable[[], T]) -> T:
        try:
            return await asyncio.to_thread(work)
        except KeyError as error:
            raise KnowledgeError(
                f"{verb} the embedded Qdrant", "it is closed", "Start the bot again"
            ) from error
        except Exception as error:
            if type(error) is not Exception:  # the engine raises the bare class; the rest is ours
                raise
            raise KnowledgeError(
                f"{verb} the embedded Qdrant in {self._folder}",
                edge_folder.brief(error),
                edge_folder.REBUILD,
            ) from error
        finally:
            if verb == "write to":
                self._counts = {}


def _search(shard: Any, query: Any, limit: int, filters: Filter | None) -> list[Hit]:
    request = engine.QueryRequest(
        limit=limit, query=query, filter=_filter(filters), with_payload=True
    )
    hits = []
    for found in shard.query(request):
        payload = dict(found.payload or {})
        text = str(payload.pop("text", ""))
        hits.append(Hit(str(found.id), found.score, text, payload))
    return hits


def _filter(filters: Filter | None) -> Any:
    if filters is None:
        return None
    must: list[Any] = [
        engine.FieldCondition(key, match=engine.MatchAny(list(values)))
        for key, values in filters.any_of.items()
    ]
    if filters.since is not None:
        period = engine.RangeDateTime(gte=filters.since.isoformat())
        must.append(engine.FieldCondition("updated_at", range=period))
    should: list[Any] = [
        engine.FieldCondition("text", match=engine.MatchPhrase(phrase))
        for phrase in filters.phrases
    ]
    if not must and not should:
        return None
    return engine.Filter(must=must or None, should=should or None)


def _sparse(terms: SparseTerms) -> Any:
    return engine.SparseVector(list(terms.indices), list(terms.values))
