"""Hybrid search: a text leg and a meaning leg, and what they found as passages."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from core.answers import Passage, Scope
from core.errors import KnowledgeError
from knowledge.alerts import without_identifiers
from knowledge.ports import Embedder, Filter, Hit, VectorStore
from knowledge.ranking import LEG_LIMIT, Legs, Ranked, leg_limit, rank, word_of

# Ranking is a part of retrieval, and whoever retrieves needs no second door.
__all__ = [
    "LEG_LIMIT",
    "Legs",
    "Ranked",
    "leg_limit",
    "passage_of",
    "rank",
    "scope_filter",
    "search",
]


async def search(store: VectorStore, embedder: Embedder | None, text: str, scope: Scope) -> Legs:
    """Ask both legs at once; without an embedder, or when it fails, only the text leg.

    Identifiers are left out of the text leg, where the rarest word has the most say.

    Raises:
        KnowledgeError: The store fails at the text leg already.
    """
    filters = scope_filter(scope)
    limit = leg_limit(await store.count())
    meaning = asyncio.create_task(_search_dense(store, embedder, text, limit, filters))
    try:
        sparse = await store.search_sparse(without_identifiers(text), limit, filters)
        dense, failure = await meaning
    finally:
        if not meaning.done():
            meaning.cancel()
            await asyncio.gather(meaning, return_exceptions=True)
    return Legs(sparse, dense, failure)


async def _search_dense(
    store: VectorStore, embedder: Embedder | None, text: str, limit: int, filters: Filter | None
) -> tuple[Sequence[Hit], KnowledgeError | None]:
    if embedder is None:
        return (), None
    try:
        (vector,) = await embedder.embed([text])
        return await store.search_dense(vector, limit, filters), None
    except KnowledgeError as error:
        return (), error


def scope_filter(scope: Scope) -> Filter | None:
    """The channel's scope as a part of the query. Pages of no namespace or team are for all."""
    limits: dict[str, tuple[str, ...]] = {}
    if scope.sources:
        limits["source"] = tuple(sorted(scope.sources))
    if scope.namespaces:
        limits["namespace"] = ("", *sorted(scope.namespaces))
    if scope.teams:
        limits["team"] = ("", *sorted(scope.teams))
    return Filter(limits) if limits else None


def passage_of(ranked: Ranked, best: float) -> Passage:
    """A found chunk as evidence; the score is relative to the best one's."""
    payload = ranked.hit.payload
    context_chars = payload.get("context_chars")
    start = context_chars if isinstance(context_chars, int) else 0
    updated_at = payload.get("updated_at")
    passage = Passage(
        id=ranked.hit.id,
        source=word_of(payload, "source"),
        title=word_of(payload, "title"),
        location=word_of(payload, "path"),
        text=ranked.hit.text[start:],
        heading=word_of(payload, "heading"),
        url=word_of(payload, "url"),
        score=round(ranked.score / best, 4) if best > 0 else 0.0,
        namespace=word_of(payload, "namespace"),
        service=word_of(payload, "service"),
        team=word_of(payload, "team"),
        kind=word_of(payload, "kind"),
    )
    if isinstance(updated_at, str) and updated_at:
        return replace(passage, updated_at=datetime.fromisoformat(updated_at))
    return passage
