"""Deterministic embeddings: a hashed bag of words. Texts that share words are near each other."""

from __future__ import annotations

import hashlib
from math import sqrt
from typing import Final

from sandbox.ollama.quoting import words

SIZE: Final = 384


def embed(text: str, size: int = SIZE) -> list[float]:
    """A unit vector of `size` numbers, the same for the same text on every machine."""
    vector = [0.0] * size
    for word in words(text) or [text]:
        digest = hashlib.blake2b(word.encode(), digest_size=8).digest()
        place = int.from_bytes(digest[:4], "big") % size
        vector[place] += 1.0 if digest[4] & 1 else -1.0
    length = sqrt(sum(value * value for value in vector))
    if length == 0:  # words that cancel each other: still a vector of length one
        return [1.0] + [0.0] * (size - 1)
    return [value / length for value in vector]
