"""What a question costs: the whole retrieval, beside the sum of its parts."""

from __future__ import annotations

import asyncio
import random
import statistics
import sys
import tempfile
import time
from datetime import UTC
from pathlib import Path

from core.answers import Scope
from core.clock import SystemClock
from core.redact import Redactor
from evals.bench.corpus import make_corpus
from knowledge.index import index_sources
from knowledge.library import Library
from knowledge.minilm import MiniLmEmbedder
from knowledge.ranking import Legs, leg_limit, rank
from knowledge.sources import open_source
from knowledge.store_edge import EdgeStore

ASKED = 60
_PATTERNS = (
    "why is {} restarting with exit code 137",
    "how do I roll back {} after a bad deployment",
    "who is affected when {} is down",
    "what is the memory limit of {}",
)


async def run() -> None:
    """Print a row a part, then the whole, over the pages of `evals.bench.corpus`."""
    model = MiniLmEmbedder()
    redactor = Redactor(b"k" * 32)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        await asyncio.to_thread(make_corpus, folder / "pages")
        store = await EdgeStore.open(folder / "qdrant", model.name, model.size)
        source = open_source(f"markdown:{folder / 'pages'}")
        await index_sources([source], store, redactor)
        await _made_up_vectors(store, model.size)
        library = Library([source], store, model, redactor, SystemClock(), UTC)
        await library.start()
        try:
            await _ask(library, store, model)
        finally:
            await library.close()


async def _made_up_vectors(store: EdgeStore, size: int) -> None:
    """Any unit vectors cost a search the same; the model would need minutes for real ones."""
    rng = random.Random(5)  # noqa: S311  (sample data)
    while missing := await store.missing_dense(1_000):
        rows = {}
        for key, _ in missing:
            values = [rng.gauss(0, 1) for _ in range(size)]
            length = sum(value * value for value in values) ** 0.5
            rows[key] = [value / length for value in values]
        await store.set_dense(rows)


async def _ask(library: Library, store: EdgeStore, model: MiniLmEmbedder) -> None:
    taken: dict[str, list[float]] = {}

    def note(part: str, begin: float) -> float:
        now = time.perf_counter()
        taken.setdefault(part, []).append((now - begin) * 1_000)
        return now

    count = await store.count()
    limit = leg_limit(count)
    for number in range(ASKED + 1):
        question = _PATTERNS[number % len(_PATTERNS)].format(f"svc-{number * 19 % 1_200:04}")
        reading = library.read(question, frozenset(), frozenset())
        at = time.perf_counter()
        (vector,) = await model.embed([reading.search_text])
        at = note("the question's embedding", at)
        sparse = await store.search_sparse(reading.search_text, limit)
        at = note("text leg", at)
        dense = await store.search_dense(vector, limit)
        at = note("meaning leg", at)
        await asyncio.to_thread(rank, Legs(sparse, dense), reading, 8)
        at = note("ranking", at)
        await library.look(reading, Scope())
        note("all: what `look` takes", at)
        if not number:
            taken.clear()  # the first one loads the model
    for part, spent in taken.items():
        p95 = statistics.quantiles(spent, n=20)[-1]
        shown = f"median {statistics.median(spent):.1f} ms, p95 {p95:.1f} ms"
        sys.stdout.write(f"| {part}, {count:,} chunks | {shown} | | |\n")
    *parts, whole = taken.values()
    ratio = statistics.median(
        spent / sum(each) for spent, each in zip(whole, zip(*parts, strict=True), strict=True)
    )
    sys.stdout.write(f"| all ÷ sum of its parts | {ratio:.2f} | | |\n")
