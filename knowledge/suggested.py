"""Questions worth asking, made of what the indexed runbooks call themselves; no model is needed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.answers import Scope
from core.clock import Clock
from core.errors import KnowledgeError
from knowledge.ports import Filter, VectorStore
from knowledge.retrieve import scope_filter

MOST_SUGGESTED = 3
# Runbooks change by the week; a scan reads every chunk of theirs.
FRESH_FOR = timedelta(minutes=5)
# Help waits no longer than this, and comes without them then.
PATIENCE_SECONDS = 0.7
_MOST_SCOPES = 200
_TITLE_CHARS = 60
_FIELDS = ("title", "path", "service", "updated_at")
_RUNBOOKS = {"source": ("markdown",), "kind": ("runbook",)}
_LABEL = re.compile(r"^(?:runbook|playbook|sop)\b\s*(?:for\b|[:–—-])?\s*", re.IGNORECASE)
_ASIDE = re.compile(r"\s*[([][^)\]]*[)\]]\s*$")
_ASKS = re.compile(
    r"(?:how|why|what|when|where|who|which|can|should|is|are|do|does)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class _Page:
    title: str
    path: str
    service: str
    updated_at: str


class SuggestedQuestions:
    """Implements `bot.services.Suggestions`.

    Args:
        store: Holds the pages' chunks.
        clock: For the age of what was read.
        patience_seconds: After this there are no suggestions.
    """

    def __init__(
        self, store: VectorStore, clock: Clock, patience_seconds: float = PATIENCE_SECONDS
    ) -> None:
        self._store = store
        self._clock = clock
        self._patience_seconds = patience_seconds
        self._read: dict[tuple[frozenset[str], ...], tuple[datetime, tuple[_Page, ...]]] = {}

    async def questions(self, scope: Scope, near: str = "") -> tuple[str, ...]:
        """Up to three questions that a runbook of this scope answers. Never raises.

        Args:
            scope: Only pages within it count.
            near: Words that the pages should share, as of a question that found nothing; '' for
                the pages that changed last, each of another service.
        """
        try:
            async with asyncio.timeout(self._patience_seconds):
                pages = await self._pages(scope)
        except (KnowledgeError, TimeoutError):
            return ()
        chosen = _nearest(pages, near) if near else _spread(pages)
        return tuple(dict.fromkeys(question_of(page.title) for page in chosen))[:MOST_SUGGESTED]

    async def _pages(self, scope: Scope) -> tuple[_Page, ...]:
        """The runbooks of a scope, those that changed last first."""
        key = (scope.sources, scope.namespaces, scope.teams)
        now = self._clock.now()
        known = self._read.get(key)
        if known and now - known[0] < FRESH_FOR:
            return known[1]
        limits = scope_filter(scope) or Filter()
        # Both must hold: a channel that may not see pages has no runbooks either.
        if not scope.allows_source("markdown"):
            return ()
        filters = Filter({**limits.any_of, **_RUNBOOKS})
        pages = _pages_of(list((await self._store.scan(filters, _FIELDS)).values()))
        if len(self._read) >= _MOST_SCOPES:
            self._read.clear()
        # An index that is still empty is looked at again.
        if pages:
            self._read[key] = (now, pages)
        return pages


def question_of(title: str) -> str:
    """A page's title as the question that it answers.

    A title may be any sentence or noun, so nothing is built around it but its end.
    """
    topic = _ASIDE.sub("", _LABEL.sub("", " ".join(title.split()))).rstrip(" .:;,-–—?!") or title
    if len(topic) > _TITLE_CHARS:
        topic = topic[:_TITLE_CHARS].rpartition(" ")[0] or topic[:_TITLE_CHARS]
    return f"{topic}?" if _ASKS.match(topic) else f"{topic}: what should I do?"


def _pages_of(payloads: Sequence[Mapping[str, object]]) -> tuple[_Page, ...]:
    """The pages that chunks are of, each once."""
    found = {
        _Page(*(str(payload.get(field) or "") for field in _FIELDS))
        for payload in payloads
        if payload.get("title")
    }
    by_name = sorted(found, key=lambda page: (page.path, page.title))
    return tuple(sorted(by_name, key=lambda page: page.updated_at, reverse=True))


def _spread(pages: Sequence[_Page]) -> list[_Page]:
    """The first page of each service, then all others."""
    firsts: dict[str, _Page] = {}
    for page in pages:
        firsts.setdefault(page.service or page.path, page)
    leading = list(firsts.values())
    return leading + [page for page in pages if page not in leading]


def _nearest(pages: Sequence[_Page], words: str) -> list[_Page]:
    """Pages in the order of how much their names share with the words; equals stay as they were."""
    from rapidfuzz import fuzz  # noqa: PLC0415  (only where something was not found)

    wanted = words.casefold()

    def likeness(page: _Page) -> float:
        return fuzz.token_set_ratio(wanted, f"{page.title} {page.service}".casefold())

    return sorted(_spread(pages), key=likeness, reverse=True)
