"""Search without a model: what stands where, with the lines that say it.

The filters are part of the query that the store answers, together with the channel's scope; they
never sift what was fetched already.

It is longer than others: the filters, their parser and their notices belong together.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import tzinfo
from typing import Protocol

from core.answers import Gap, Lookup, Passage, Scope
from core.clock import Clock
from core.errors import OpsbotError
from core.questions import Reading
from knowledge.codehits import code_hits
from knowledge.graph import ServiceGraph
from knowledge.logtable import LogTable
from knowledge.ports import Embedder, Filter, VectorStore
from knowledge.retrieve import Legs, leg_limit, passage_of, rank
from knowledge.searchquery import SOURCES, Mistake, SearchQuery, parse_search

MOST_HITS = 8
SNIPPET_LINES = 2
SNIPPET_CHARS = 180  # of one line
# A chunk that shares no word with the search is shown only when it is near in meaning: unrelated
# texts stand at 0 to 0.2, the right page of a question rarely below 0.4.
_NEAR_ENOUGH = 0.35
_SHOWN = {
    "markdown": "runbooks and documents",
    "csv-logs": "CSV logs",
    "graph": "the service graph",
    "past": "past digests",
}
_INDEX, _LOGS, _PAST = "documentation search", "CSV logs", "past digests"
# What was not looked at when one of these failed.
_MISSED = {_INDEX: ("markdown", "csv-logs", "graph"), _LOGS: ("csv-logs",), _PAST: ("past",)}
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z`])")
_HEADING = re.compile(r"\s*#{1,6}\s+(.+?)\s*#*$")
_BEGINS = re.compile(r"\s*(?:[-*+]\s|\d{1,3}[.)]\s|[|>])")
_FENCE = re.compile(r"^\s*(?:`{3,}|~{3,}).*$")
_RULE = re.compile(r"^[\s|:=*_-]*$")
_MARKUP = re.compile(r"`+|\*{1,3}|^\s*(?:[-*+]|\d{1,3}[.)])\s+|^\s*>\s?")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")


class Shelf(Protocol):
    """What is open for search. Implemented by `knowledge.library.Library`."""

    @property
    def graph(self) -> ServiceGraph:
        """Services and the teams that own them."""
        ...

    @property
    def log_tables(self) -> Sequence[LogTable]:
        """The lines of the CSV logs."""
        ...

    def read(self, question: str, names: frozenset[str], namespaces: frozenset[str]) -> Reading:
        """Read words by rules; names and codes in them lift the hits that are about them."""
        ...


class Past(Protocol):
    """What digests told. Implemented by `knowledge.past`."""

    async def find(self, query: SearchQuery, scope: Scope) -> tuple[Passage, ...]:
        """Best first. Raises OpsbotError."""
        ...


class Searcher:
    """Finds passages. Fits `bot.services.Search`.

    Args:
        shelf: The graph and the log tables.
        store: The chunks.
        embedder: None for a search by text alone.
        redact: Takes secrets out of log lines; chunks were redacted before they were stored.
        clock: For "after:7d".
        zone: Days begin and times are told in it.
        kinds: Kinds of the sources there are, to say where was looked.
        past: What digests told, or None.
    """

    def __init__(  # noqa: PLR0917  (one caller, the composition root, which names them)
        self,
        shelf: Shelf,
        store: VectorStore,
        embedder: Embedder | None,
        redact: Callable[[str], str],
        clock: Clock,
        zone: tzinfo,
        kinds: Sequence[str],
        past: Past | None = None,
    ) -> None:
        self._shelf = shelf
        self._store = store
        self._embedder = embedder
        self._redact = redact
        self._clock = clock
        self._zone = zone
        self._kinds = frozenset(kinds) | ({"past"} if past else frozenset())
        self._past = past

    def read(self, text: str) -> SearchQuery | Mistake:
        """Read what was typed behind `search`."""
        return parse_search(text, self._clock.now(), self._zone)

    async def find(self, query: SearchQuery, scope: Scope = Scope()) -> Lookup:  # noqa: B008  (frozen)
        """Up to eight hits, exact log lines first; failures are gaps."""
        gaps: list[Gap] = []
        wanted = _Limits(query, scope)
        lines = await self._lines(query, scope, wanted, gaps)
        pages = await self._pages(query, wanted, gaps)
        past = await self._told(query, scope, wanted, gaps)
        missed = {kind for gap in gaps for kind in _MISSED.get(gap.what, ())}
        # What people wrote stands before what the bot itself said, but does not crowd it out.
        room = MOST_HITS - len(lines) - min(len(past), 2)
        hits = (*lines, *pages[: max(room, 0)], *past)[:MOST_HITS]
        return Lookup(
            passages=tuple(self._shown(hit, query) for hit in hits),
            gaps=tuple(gaps),
            looked_in=tuple(
                shown
                for kind, shown in _SHOWN.items()
                if kind in wanted.sources and kind in self._kinds and kind not in missed
            ),
        )

    async def _told(
        self, query: SearchQuery, scope: Scope, wanted: _Limits, gaps: list[Gap]
    ) -> tuple[Passage, ...]:
        if self._past is None or "past" not in wanted.sources:
            return ()
        try:
            return await self._past.find(query, scope)
        except OpsbotError as error:
            gaps.append(Gap(_PAST, error.wrong, error.remedy))
            return ()

    async def _lines(
        self, query: SearchQuery, scope: Scope, wanted: _Limits, gaps: list[Gap]
    ) -> tuple[Passage, ...]:
        if not query.codes or "csv-logs" not in wanted.sources:
            return ()
        graph = self._shelf.graph
        hidden = [name for name in graph.services if not graph.allows(name, scope)]
        teams = {team.lower() for team in query.teams}
        owned = [each.name for each in graph.services.values() if each.team.lower() in teams]
        found: list[Passage] = []
        for table in self._shelf.log_tables:
            try:
                found += await asyncio.to_thread(
                    code_hits,
                    table,
                    query,
                    scope,
                    self._zone,
                    owned=owned if teams else None,
                    hidden=hidden,
                )
            except OpsbotError as error:
                gaps.append(Gap(_LOGS, error.wrong, error.remedy))
        return tuple(found[:MOST_HITS])

    async def _pages(
        self, query: SearchQuery, wanted: _Limits, gaps: list[Gap]
    ) -> tuple[Passage, ...]:
        if wanted.filter is None:
            return ()
        text = query.words or " ".join(query.codes)
        reading = self._shelf.read(f"{query.words} {' '.join(query.codes)}", _NONE, _NONE)
        try:
            limit = leg_limit(await self._store.count())
            sparse = await self._store.search_sparse(text, limit, wanted.filter)
        except OpsbotError as error:
            gaps.append(Gap(_INDEX, error.wrong, error.remedy))
            return ()
        shared = {hit.id for hit in sparse}
        dense = []
        if self._embedder is not None:
            try:
                (vector,) = await self._embedder.embed([text])
                dense = [
                    hit
                    for hit in await self._store.search_dense(vector, limit, wanted.filter)
                    if hit.score >= _NEAR_ENOUGH or hit.id in shared
                ]
            except OpsbotError as error:
                gaps.append(Gap("search by meaning", error.wrong, error.remedy))
        reading = replace(reading, question=text, search_text=text)
        ranked = rank(Legs(sparse, dense), reading, limit)
        # Eight places are few: one hit a page, of its sections the one that says most of it.
        pages: dict[tuple[str, str], list[Passage]] = {}
        for item in ranked:
            passage = passage_of(item, ranked[0].score)
            pages.setdefault((passage.source, passage.location), []).append(passage)
        return tuple(max(sections, key=_said_of(query.marks)) for sections in pages.values())

    def _shown(self, hit: Passage, query: SearchQuery) -> Passage:
        """A hit as it is shown: its telling lines in place of its text."""
        text = self._redact(hit.text) if hit.is_fact else hit.text
        title = self._redact(hit.title) if hit.is_fact else hit.title
        if hit.is_fact:
            rows = text.splitlines()[:SNIPPET_LINES]
            return replace(hit, title=title, text="\n".join(_around(row, None) for row in rows))
        lines = snippet(text, query.marks)
        if hit.heading not in {"", hit.title}:
            return replace(hit, text=lines)
        # Short sections share a chunk: the one that is meant stands above the best line.
        return replace(hit, text=lines, heading=section(text, query.marks))


_NONE: frozenset[str] = frozenset()


class _Limits:
    """The query's filters and the channel's scope, as one."""

    def __init__(self, query: SearchQuery, scope: Scope) -> None:
        asked = query.sources or SOURCES
        self.sources = frozenset(kind for kind in asked if scope.allows_source(kind))
        self.filter = self._filter(query, scope)

    def _filter(self, query: SearchQuery, scope: Scope) -> Filter | None:
        """What the store is asked; None where nothing is left to see."""
        limits: dict[str, tuple[str, ...]] = {}
        if query.sources or scope.sources:
            limits["source"] = tuple(sorted(self.sources))
        for key, wanted, allowed in (
            ("namespace", query.namespaces, scope.namespaces),
            ("team", query.teams, scope.teams),
        ):
            if wanted:
                limits[key] = tuple(each for each in wanted if not allowed or each in allowed)
            elif allowed:
                # Pages of no namespace or team are for all.
                limits[key] = ("", *sorted(allowed))
        if not all(limits.values()):
            return None
        return Filter(limits, since=query.since, phrases=query.codes)


def _said_of(pattern: re.Pattern[str] | None) -> Callable[[Passage], int]:
    """How many different words of the search stand in a passage's own text."""

    def count(passage: Passage) -> int:
        return len({match[0].lower() for match in pattern.finditer(passage.text)}) if pattern else 0

    return count


def snippet(text: str, pattern: re.Pattern[str] | None) -> str:
    """The two lines that say most of what was looked for, in their order, without markup.

    Args:
        text: Markdown, or log lines.
        pattern: Matches the words looked for; without it the first lines are taken.
    """
    lines = [line for line in _lines(text) if line]
    if not lines:  # a page of headings alone
        lines = [match[1] for match in map(_HEADING.match, text.splitlines()) if match]
    scores = [len({match[0].lower() for match in pattern.finditer(line)}) if pattern else 0
              for line in lines]  # fmt: skip
    best = sorted(range(len(lines)), key=lambda at: (-scores[at], at))[:SNIPPET_LINES]
    return "\n".join(_around(lines[at], pattern) for at in sorted(best))


def section(text: str, pattern: re.Pattern[str] | None) -> str:
    """The last heading before the line that says most of what was looked for, or ''."""
    heading, best, found = "", 0, ""
    for line in text.splitlines():
        match = _HEADING.match(line)
        heading = match[1].strip() if match else heading
        score = len({word[0].lower() for word in pattern.finditer(line)}) if pattern else 0
        if score > best:
            best, found = score, heading
    return found


def _lines(text: str) -> list[str]:
    """Sentences, list items, table rows and lines of code, each on one line without markup."""
    found: list[str] = []
    is_code = False
    is_open = False  # the line before may go on in this one
    for line in text.splitlines():
        if _FENCE.match(line):
            is_code, is_open = not is_code, False
            continue
        if _RULE.match(line) or (_HEADING.match(line) and not is_code):
            is_open = False
            continue
        plain = _MARKUP.sub("", _LINK.sub(r"\1", line)).replace("|", " ")
        flat = " ".join(plain.split())
        if is_open and not _BEGINS.match(line):
            found[-1] += f" {flat}"
        else:
            found.append(flat)
        is_open = not is_code and not line.lstrip().startswith("|")
    sentences = (_SENTENCE.split(line) if len(line) > SNIPPET_CHARS else [line] for line in found)
    return [sentence for several in sentences for sentence in several]


def _around(line: str, pattern: re.Pattern[str] | None) -> str:
    """A line cut to its length around the first word that was looked for."""
    if len(line) <= SNIPPET_CHARS:
        return line
    match = pattern.search(line) if pattern else None
    start = max(0, match.start() - SNIPPET_CHARS // 3) if match else 0
    if start:
        start = line.rfind(" ", 0, start + 1) + 1
    cut = line[start : start + SNIPPET_CHARS - 2].rstrip()
    return ("…" if start else "") + cut + ("…" if start + len(cut) < len(line) else "")
