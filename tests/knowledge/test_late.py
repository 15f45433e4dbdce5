"""An embedding model that is down at the start: text search first, vectors when it is back."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

import pytest

from core.answers import Scope
from core.clock import ManualClock
from core.errors import KnowledgeError
from core.redact import Redactor
from knowledge.late import LateEmbedder
from knowledge.library import Library
from knowledge.ports import Embedder
from knowledge.store_edge import EdgeStore
from tests.knowledge.conftest import WordEmbedder


class Server:
    """A model's server that is down until it is started."""

    def __init__(self) -> None:
        self.is_up = False
        self.asked = 0

    async def open(self) -> Embedder:
        self.asked += 1
        if not self.is_up:
            raise KnowledgeError("embed with ollama:e", "it does not answer", "Start Ollama")
        return WordEmbedder("ollama:e")


async def test_vectors_are_filled_in_when_the_model_comes_back(
    tmp_path: Path, clock: ManualClock
) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "redis.md").write_text("# Redis\n\nRestart redis by hand.\n")
    server = Server()
    late = LateEmbedder("ollama:e", server.open)
    with pytest.raises(KnowledgeError):
        await late.connect()
    store = await EdgeStore.open(tmp_path / "qdrant", late.name, late.size)
    library = Library([f"markdown:{tmp_path}/docs"], store, late, Redactor(b"k" * 32), clock, UTC)
    await library.start()
    await library.index()
    reading = library.read("how do I restart redis", frozenset(), frozenset())
    lookup = await library.look(reading, Scope())
    assert [passage.location for passage in lookup.passages] == ["redis.md"]
    (gap,) = lookup.gaps
    assert (gap.what, gap.why) == ("search by meaning", "it does not answer")
    with pytest.raises(KnowledgeError, match="does not answer"):
        await library.fill_dense()
    assert server.asked == 2, "a question does not wait for a lost model"

    server.is_up = True
    assert await library.fill_dense() == 1
    assert late.failure is None
    assert (await store.count(), await store.count_dense()) == (1, 1)
    lookup = await library.look(reading, Scope())
    assert [passage.location for passage in lookup.passages] == ["redis.md"]
    assert lookup.gaps == ()
    assert await library.fill_dense() == 0
    await library.close()


async def test_before_anybody_looked_for_the_model_a_text_is_not_embedded() -> None:
    late = LateEmbedder("ollama:e", Server().open)
    assert late.size == 0
    with pytest.raises(KnowledgeError, match="not found yet"):
        await late.embed(["text"])
