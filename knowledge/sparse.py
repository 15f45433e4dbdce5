"""Sparse vectors: what both stores need of a BM25 encoder."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

# OOMKilled, ErrImagePull, maxSurge: people also write their parts.
_CAMEL = re.compile(r"\b[A-Za-z]*[a-z0-9][A-Z][A-Za-z0-9]*\b")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


@dataclass(frozen=True, slots=True)
class SparseTerms:
    """Hashed terms with their weights."""

    indices: tuple[int, ...]
    values: tuple[float, ...]


class SparseEncoder(Protocol):
    """Text to BM25 terms; the IDF part is the store's."""

    def document(self, text: str) -> SparseTerms:
        """Terms of a stored text, weighted by frequency and length."""
        ...

    def query(self, text: str) -> SparseTerms:
        """Terms of a search."""
        ...


def with_parts(text: str) -> str:
    """The text, and behind it the parts of its CamelCase words, so that either form matches."""
    parts = [part for word in _CAMEL.findall(text) for part in _PART.findall(word)]
    return f"{text}\n{' '.join(parts)}" if parts else text
