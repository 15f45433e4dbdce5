"""What the tests of knowledge share: a small encoder of our own, a clock that stands still."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from core.clock import ManualClock

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


class WordEmbedder:
    """Hashes words into 32 dimensions: texts that share words are near. Counts what it embeds."""

    def __init__(self, name: str = "words-32") -> None:
        self.name = name
        self.size = 32
        self.texts_seen: list[str] = []

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One unit vector a text."""
        self.texts_seen.extend(texts)
        return [self._one(text) for text in texts]

    def _one(self, text: str) -> list[float]:
        vector = [0.0] * self.size
        for word in re.findall(r"[a-z]{3,}", text.lower()):
            vector[hashlib.sha256(word.encode()).digest()[0] % self.size] += 1.0
        norm = math.sqrt(sum(value * value for value in vector)) or 1.0
        return [value / norm for value in vector]


@pytest.fixture
def embedder() -> WordEmbedder:
    return WordEmbedder()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)
