"""Vectors kept in a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import KnowledgeError
from knowledge.vector_cache import CachedEmbedder
from tests.knowledge.conftest import WordEmbedder


async def test_a_text_is_embedded_once_however_often_it_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "eval/vectors.db"
    inner = WordEmbedder()
    texts = ["pods restart", "disk full", "pods restart"]
    first = await CachedEmbedder(inner, path).embed(texts)
    assert inner.texts_seen == ["pods restart", "disk full"]
    again = await CachedEmbedder(inner, path).embed([*texts, "new words"])
    assert inner.texts_seen == ["pods restart", "disk full", "new words"]
    expected = await WordEmbedder().embed([*texts, "new words"])
    for got, wanted in zip(again, expected, strict=True):
        assert got == pytest.approx(wanted)
    assert first == [pytest.approx(vector) for vector in expected[:3]]


async def test_more_texts_than_one_look_takes(tmp_path: Path) -> None:
    inner = WordEmbedder()
    embedder = CachedEmbedder(inner, tmp_path / "vectors.db")
    texts = [f"text {number}" for number in range(1201)]
    await embedder.embed(texts)
    assert len(await embedder.embed(texts)) == len(inner.texts_seen) == 1201
    assert await embedder.embed([]) == []
    assert (embedder.name, embedder.size) == (inner.name, inner.size)


async def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "vectors.db"
    path.write_text("no database " * 100)
    with pytest.raises(KnowledgeError, match=r"vectors\.db"):
        await CachedEmbedder(WordEmbedder(), path).embed(["a"])
