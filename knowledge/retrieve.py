"""Hybrid search: a text leg and a meaning leg, ranked together, cut where nothing fits."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from core.answers import Passage, Scope
from core.errors import KnowledgeError
from core.questions import Reading
from knowledge.alerts import without_identifiers
from knowledge.ports import Embedder, Filter, Hit, VectorStore
from knowledge.ranking import LEG_LIMIT, Legs, Ranked, holds, leg_limit, rank, word_of
from knowledge.sparse import with_parts

# Ranking is a part of retrieval, and whoever retrieves needs no second door.
__all__ = [
    "LEG_LIMIT",
    "Legs",
    "Ranked",
    "count_terms",
    "found_at",
    "is_found",
    "leg_limit",
    "passage_of",
    "rank",
    "scope_filter",
    "search",
]

# "Found" is: cosine of the best chunk plus a share of the best BM25 score, made comparable between
# collections and question lengths, reaches a mark. The more chunks there are, the nearer the
# nearest one is by chance, so the mark grows with the logarithm of their number. Of 165 questions
# over 14,243 chunks it keeps 99 % and refuses two fifths of 21 that stay inside Kubernetes but that
# no page answers; over 265 chunks the answerable lie above 0.52 and the others below 0.40.
_TEXT_SHARE = 0.2
_FOUND_AT = 0.63
_FOUND_AT_CHUNKS = 14_243
_FOUND_SLOPE = 0.04
_FOUND_BOUNDS = (0.42, 0.68)
# The same by text alone, where there are no dense vectors.
_FOUND_BY_TEXT_AT = 0.55
# A question that names a known thing is about this world: more is let through.
_NAMED_RELIEF = 0.1
_WORD = re.compile(r"[a-z0-9]+")


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


def is_found(
    legs: Legs, reading: Reading, *, term_count: int, point_count: int, has_dense: bool
) -> bool:
    """Whether what was found answers the question at all; else the reply is "not found".

    Args:
        legs: What was found.
        reading: The question.
        term_count: Different terms of the search; BM25 scores grow with them.
        point_count: Points in the store; rare words weigh more in a large one.
        has_dense: Whether all points have their dense vector, so that its absence tells something.
    """
    best = [leg[0] for leg in (legs.sparse, legs.dense) if leg]
    if not best:
        return False
    if any(holds(hit, reading.codes) for hit in (*legs.sparse[:5], *legs.dense[:5])):
        return True
    text = legs.sparse[0].score / math.sqrt(max(term_count, 1)) if legs.sparse else 0.0
    text /= math.log1p(max(point_count, 2))
    relief = _NAMED_RELIEF if reading.names else 0.0
    if not has_dense or not legs.dense:
        return text >= _FOUND_BY_TEXT_AT - relief
    return legs.dense[0].score + _TEXT_SHARE * text >= found_at(point_count) - relief


def found_at(point_count: int) -> float:
    """The mark that cosine and text together must reach in a store of so many points."""
    low, high = _FOUND_BOUNDS
    mark = _FOUND_AT + _FOUND_SLOPE * math.log(max(point_count, 1) / _FOUND_AT_CHUNKS)
    return min(max(mark, low), high)


def count_terms(text: str) -> int:
    """About how many different terms a text search of `text` adds up."""
    words = _WORD.findall(with_parts(without_identifiers(text)).lower())
    return sum(len(word) > 2 for word in set(words))


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
