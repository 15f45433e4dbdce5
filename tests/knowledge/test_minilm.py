"""The embedded encoder: unit vectors, in order, meaning before words."""

from __future__ import annotations

import asyncio
import math

import pytest

from knowledge.minilm import MiniLmEmbedder


@pytest.fixture(scope="module")
def minilm() -> MiniLmEmbedder:
    return MiniLmEmbedder()


def cosine(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


async def test_vectors_have_unit_length_and_the_texts_order(minilm: MiniLmEmbedder) -> None:
    texts = [f"pod number {index} {'is restarting ' * (index % 4)}" for index in range(11)]
    vectors = await minilm.embed(texts)
    assert [len(vector) for vector in vectors] == [minilm.size] * len(texts)
    assert all(math.isclose(math.hypot(*vector), 1.0, abs_tol=1e-4) for vector in vectors)
    (alone,) = await minilm.embed([texts[5]])
    assert alone == vectors[5], "a text's vector depends on its neighbours"
    assert max(range(len(texts)), key=lambda index: cosine(alone, vectors[index])) == 5


async def test_texts_on_several_threads_come_back_in_their_order(minilm: MiniLmEmbedder) -> None:
    texts = [f"text number {index}" for index in range(5)]
    assert await MiniLmEmbedder(threads=2).embed(texts) == await minilm.embed(texts)


async def test_meaning_counts_more_than_shared_words(minilm: MiniLmEmbedder) -> None:
    question, near, far = await minilm.embed(
        [
            "the container was killed because it ran out of memory",
            "OOMKilled: process exceeded its RAM limit",
            "a fond memory of the garden came back to us",
        ]
    )
    assert cosine(question, near) > cosine(question, far)


async def test_words_behind_the_128th_still_count(minilm: MiniLmEmbedder) -> None:
    start = "pods restart now and then " * 30
    plain, ending = await minilm.embed([start, start + "unless kafka has lost its zookeeper"])
    assert cosine(plain, ending) < 0.999


async def test_nothing_to_embed_loads_no_model() -> None:
    embedder = MiniLmEmbedder()
    assert await embedder.embed([]) == []
    assert embedder.name == "minilm-l6-v2-int8"


async def test_an_empty_text_has_a_vector_too(minilm: MiniLmEmbedder) -> None:
    (vector,) = await minilm.embed([""])
    assert not any(math.isnan(value) for value in vector)


async def test_the_event_loop_goes_on_while_texts_are_embedded(minilm: MiniLmEmbedder) -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    ticking = asyncio.create_task(tick())
    await minilm.embed(["some text to embed"] * 4)
    ticking.cancel()
    assert ticks > 3
