"""How the search tells how far it has come, on a real embedded store."""

from __future__ import annotations

from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import pytest

from bot.checks import search_check
from core.answers import PartState
from core.errors import KnowledgeError
from knowledge.late import LateEmbedder
from knowledge.minilm import MiniLmEmbedder
from knowledge.ports import Embedder, Point
from knowledge.store_edge import EdgeStore

WORDS = MiniLmEmbedder()


async def test_the_search_tells_how_far_the_index_has_come(tmp_path: Path) -> None:
    store = await EdgeStore.open(tmp_path, "words", 3)
    check = search_check(store, WORDS)
    assert (await check.look()).state is PartState.DEGRADED
    points = [
        Point(str(uuid5(NAMESPACE_URL, str(number))), f"text {number}", {}, None)
        for number in range(1_203)
    ]
    await store.upsert(points)
    look = await check.look()
    assert (look.state, look.detail) == (PartState.OK, "1,203 chunks, meaning 0 % indexed")
    await store.set_dense({point.id: (1.0, 0.0, 0.0) for point in points[:506]})
    assert (await check.look()).detail == "1,203 chunks, meaning 42 % indexed"
    assert "words alone" in (await search_check(store, None).look()).detail
    await store.set_dense({point.id: (1.0, 0.0, 0.0) for point in points[506:]})
    assert (await check.look()).detail == "1,203 chunks"
    await store.close()


async def test_a_lost_embedding_model_is_told_beside_what_still_works(tmp_path: Path) -> None:
    async def nobody() -> Embedder:
        raise KnowledgeError("embed with ollama:e", "it does not answer", "Start Ollama")

    late = LateEmbedder("ollama:e", nobody)
    store = await EdgeStore.open(tmp_path, late.name, late.size)
    await store.upsert([Point(str(uuid5(NAMESPACE_URL, "a")), "text", {}, None)])
    with pytest.raises(KnowledgeError):
        await late.connect()
    look = await search_check(store, late).look()
    assert look.state is PartState.DEGRADED
    assert look.detail == "1 chunks, searched by their words alone: ollama:e: it does not answer"
    assert look.remedy == "Start Ollama"
    await store.close()
