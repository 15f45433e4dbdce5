"""An embedder that remembers: what was embedded once is read from a file."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from array import array
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from core.errors import KnowledgeError
from knowledge.ports import Embedder

T = TypeVar("T")
Vectors = dict[bytes, list[float]]

_TEXTS_A_LOOK = 500


class CachedEmbedder:
    """Implements `knowledge.ports.Embedder` by another one, which is asked once for each text.

    For measuring, where an index is built again with every change of what goes into it, though
    most of its texts stay. The bot's own index keeps its vectors itself.

    Args:
        embedder: Does the work.
        path: The file; created where missing, one for each model.
    """

    def __init__(self, embedder: Embedder, path: Path) -> None:
        self._embedder = embedder
        self._path = path

    @property
    def name(self) -> str:
        """Names the model."""
        return self._embedder.name

    @property
    def size(self) -> int:
        """Length of each vector."""
        return self._embedder.size

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One unit-length vector a text, in order.

        Raises:
            KnowledgeError: The model fails, or the file cannot be used.
        """
        keys = [hashlib.sha256(text.encode()).digest() for text in texts]
        known = await self._call(self._read, keys)
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if missing:
            made = await self._embedder.embed(list(missing.values()))
            fresh = dict(zip(missing, made, strict=True))
            await self._call(self._write, fresh)
            known.update(fresh)
        return [known[key] for key in keys]

    def _read(self, keys: Sequence[bytes]) -> Vectors:
        found: Vectors = {}
        with closing(self._open()) as database:
            for start in range(0, len(keys), _TEXTS_A_LOOK):
                part = keys[start : start + _TEXTS_A_LOOK]
                marks = ",".join("?" * len(part))
                rows = database.execute(
                    f"SELECT key, vector FROM vectors WHERE key IN ({marks})",  # noqa: S608  (question marks only)
                    part,
                )
                found.update({key: array("f", vector).tolist() for key, vector in rows})
        return found

    def _write(self, vectors: Vectors) -> Vectors:
        rows = [(key, array("f", vector).tobytes()) for key, vector in vectors.items()]
        with closing(self._open()) as database, database:
            database.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)
        return vectors

    def _open(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(self._path, timeout=30)
        database.execute(
            "CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB) WITHOUT ROWID"
        )
        return database

    async def _call(self, work: Callable[[T], Vectors], given: T) -> Vectors:
        try:
            return await asyncio.to_thread(work, given)
        except (OSError, sqlite3.Error) as error:
            raise KnowledgeError(
                f"keep vectors in {self._path}", str(error), "Delete the file, or free some space"
            ) from error
