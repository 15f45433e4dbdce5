"""A hybrid search over 5,000 points: the embedded engine, against qdrant-client's local mode."""

from __future__ import annotations

import asyncio
import random
import tempfile
from pathlib import Path

from qdrant_client import AsyncQdrantClient

from evals.bench.harness import compare
from knowledge.ports import Point, VectorStore
from knowledge.store_edge import Bm25Encoder, EdgeStore
from knowledge.store_server import ServerOptions, ServerStore

POINTS, SIZE = 5000, 384
VOCABULARY = """
pod node service deployment restart memory limit probe timeout image pull volume claim kafka redis
order payment checkout latency error retry backoff scheduler taint quota replica log
"""


def _points(generator: random.Random) -> list[Point]:
    words = VOCABULARY.split()
    return [
        Point(
            id=f"00000000-0000-0000-0000-{number:012d}",
            text=" ".join(generator.choices(words, k=120)),
            payload={"source": "markdown", "path": f"page-{number // 5}.md"},
            dense=_vector(generator),
        )
        for number in range(POINTS)
    ]


def _vector(generator: random.Random) -> tuple[float, ...]:
    values = [generator.gauss(0, 1) for _ in range(SIZE)]
    length = sum(value * value for value in values) ** 0.5
    return tuple(value / length for value in values)


async def run() -> None:
    """Fill both stores with the same points, then ask both the same questions."""
    generator = random.Random(7)  # noqa: S311  (sample data)
    points = await asyncio.to_thread(_points, generator)
    vector = _vector(generator)
    encoder = Bm25Encoder()

    async def ask(store: VectorStore) -> None:
        await store.search_sparse("payment pod restart memory limit", 50)
        await store.search_dense(vector, 50)

    with tempfile.TemporaryDirectory() as folder:
        edge = await EdgeStore.open(Path(folder), "bench", SIZE, encoder)
        client = AsyncQdrantClient(":memory:")
        options = ServerOptions(url="")
        local = ServerStore(client, options, "bench", SIZE, encoder=encoder)
        try:
            for store in (edge, local):
                for start in range(0, POINTS, 500):
                    await store.upsert(points[start : start + 500])
            await compare(
                f"search {POINTS} points, sparse and dense",
                ("qdrant-edge, embedded", lambda: ask(edge)),
                ("qdrant-client, local mode", lambda: ask(local)),
            )
        finally:
            await edge.close()
            await local.close()
