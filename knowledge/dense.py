"""Fills in the dense vectors behind the text search; see `knowledge.index`."""

from __future__ import annotations

from knowledge.index import IndexProgress, OnProgress
from knowledge.ports import Embedder, VectorStore

TEXTS_AT_ONCE = 64
# So many texts that still need a vector are held in memory at a time.
TEXTS_A_ROUND = 2048


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
    total = await store.count() - await store.count_dense()
    tried: set[str] = set()
    while True:
        missing = await store.missing_dense(TEXTS_A_ROUND)
        # A point that vanished meanwhile takes no vector; asking for it again would never end.
        fresh = [(key, text) for key, text in missing if key not in tried]
        if not fresh:
            return done
        for start in range(0, len(fresh), TEXTS_AT_ONCE):
            batch = fresh[start : start + TEXTS_AT_ONCE]
            vectors = await embedder.embed([text for _, text in batch])
            keys = [key for key, _ in batch]
            await store.set_dense(dict(zip(keys, vectors, strict=True)))
            tried.update(keys)
            done += len(batch)
            if progress:
                progress(IndexProgress("embedding", embedder.name, done, max(done, total)))
