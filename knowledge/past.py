"""The bot's own past: problems that its digests told as over, found again by likeness.

They are looked up when a question asks for something similar, not kept in the vector index. There
are few of them (tens a month), each is a handful of words that the detectors chose, and what makes
two problems alike is their owner and their class, which are exact. So a comparison of words over
all of them is quicker and surer than a search by meaning, forgets at once what the database
forgets, and needs no second copy whose privacy would have to be kept in step.

What is found is marked as machine-made, wherever it is shown. Answers are remembered only where a
person kept them, and for their own channel alone: see `knowledge.kept`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from core.answers import Gap, Lookup, Passage, Scope
from core.digests import FindingHistory
from core.errors import OpsbotError
from core.questions import Intent, Reading, TimeRange
from knowledge.graph import ServiceGraph
from knowledge.kept import KeptAnswers, alike_kept
from knowledge.ports import Retriever
from knowledge.searchquery import SearchQuery, stems

LOOKED_AT = 500
MOST_FOUND = 3
_NAME_COUNTS, _CODE_COUNTS, _WORD_COUNTS = 3.0, 2.0, 1.0
# A name or a code alone suffices; of other words it takes two.
_ALIKE_AT = 2.0
# What a question about the past is worded with; it tells nothing of the problem.
_PAST_WORDS = frozenset(
    stems(
        "anything before ever earlier happen happened history incident incidents issue known last "
        "like past previous previously problem problems seen similar something time times today "
        "week month yesterday pod pods service error errors"
    )
)


class PastFindings(Protocol):
    """Memory of what was told. Implemented by `state.past`."""

    async def resolved(self, scope: Scope, limit: int) -> Sequence[FindingHistory]:
        """Findings that are over, newest first, within the scope. Raises OpsbotError."""
        ...


class PastDigests:
    """Passages of source "past". Fits `knowledge.searching.Past`.

    Args:
        memory: What was told.
        graph: Which team owns what, for channels that are limited to teams.
        answers: Those that people kept; None where nobody can.
    """

    def __init__(
        self,
        memory: PastFindings,
        graph: ServiceGraphHolder,
        answers: KeptAnswers | None = None,
    ) -> None:
        self._memory = memory
        self._graph = graph
        self._answers = answers

    async def find(self, query: SearchQuery, scope: Scope) -> tuple[Passage, ...]:
        """What `search` shows of the past. Raises OpsbotError."""
        # Nobody knows here which of the words is a name; each may be one.
        names = tuple(query.words.split())
        reading = Reading(query.words, query.words, names=names, codes=query.codes)
        found = await self.similar(reading, scope)
        teams = {team.lower() for team in query.teams}
        if query.namespaces or teams or query.since or query.codes:
            found = [
                each
                for each in found
                if (not query.namespaces or each.finding.owner.namespace in query.namespaces)
                and (not teams or self._team(each).lower() in teams)
                and (query.since is None or each.last_seen >= query.since)
                and (not query.codes or _codes(each) & {code.lower() for code in query.codes})
            ]
        told = tuple(passage_of(each) for each in found[:MOST_FOUND])
        is_narrowed = query.namespaces or teams or query.since or query.codes
        return told if is_narrowed else (*await self.kept(reading, scope), *told)

    async def kept(self, reading: Reading, scope: Scope) -> tuple[Passage, ...]:
        """The answer to a question like this one that people kept in this channel, or ().

        Raises:
            OpsbotError: The memory cannot be read.
        """
        return await alike_kept(self._answers, reading, scope) if self._answers else ()

    async def similar(self, reading: Reading, scope: Scope) -> list[FindingHistory]:
        """Earlier problems like the one a question speaks of, best first, each once.

        Raises:
            OpsbotError: The memory cannot be read.
        """
        histories = await self._memory.resolved(scope, LOOKED_AT)
        if scope.teams:
            histories = [each for each in histories if self._team(each) in {"", *scope.teams}]
        return alike(reading, histories)

    def _team(self, history: FindingHistory) -> str:
        return self._graph.graph.ownership(history.finding.owner).team


class ServiceGraphHolder(Protocol):
    """Whatever has the service graph as it stands now."""

    @property
    def graph(self) -> ServiceGraph:
        """Services and their teams."""
        ...


class WithPast:
    """A retriever that also remembers. Fits `knowledge.ports.Retriever`.

    Args:
        retriever: Everything written down by people.
        past: What the bot told.
    """

    def __init__(self, retriever: Retriever, past: PastDigests) -> None:
        self._retriever = retriever
        self._past = past

    def read(self, question: str, names: frozenset[str], namespaces: frozenset[str]) -> Reading:
        """As the retriever reads."""
        return self._retriever.read(question, names, namespaces)

    async def look(self, reading: Reading, scope: Scope, limit: int = 8) -> Lookup:
        """As the retriever finds, with a kept answer; the past where similar ones are wanted."""
        found = await self._retriever.look(reading, scope, limit)
        if not scope.allows_source("past"):
            return found
        try:
            kept = await self._past.kept(reading, scope)
            found = replace(found, passages=_behind(found.passages, kept, limit))
            if Intent.SIMILAR not in reading.intents:
                return found
            told = await self._past.similar(reading, scope)
        except OpsbotError as error:
            gap = Gap("past digests", error.wrong, error.remedy)
            return replace(found, gaps=(*found.gaps, gap))
        past = tuple(passage_of(each) for each in told[:MOST_FOUND])
        return replace(
            found,
            passages=_joined(found.passages, past, reading, limit),
            looked_in=(*found.looked_in, "past digests"),
        )


def _behind(
    found: tuple[Passage, ...], kept: tuple[Passage, ...], limit: int
) -> tuple[Passage, ...]:
    """What people wrote, then what they only kept, within the limit for both."""
    prose = sum(not passage.is_fact for passage in found)
    left = max(0, prose + len(kept) - limit)
    return (*found[: len(found) - left], *kept)


def _joined(
    found: tuple[Passage, ...], past: tuple[Passage, ...], reading: Reading, limit: int
) -> tuple[Passage, ...]:
    """Facts, what people wrote, then the past: first where people wrote nothing about the name."""
    facts = tuple(passage for passage in found if passage.is_fact)
    prose = tuple(passage for passage in found if not passage.is_fact)
    prose = prose[: max(limit - len(past), 0)]
    is_written = any(_speaks_of(passage, reading) for passage in prose)
    return (*facts, *prose, *past) if is_written else (*facts, *past, *prose)


def _speaks_of(passage: Passage, reading: Reading) -> bool:
    text = f"{passage.title} {passage.text}".lower()
    is_report = passage.kind == "incident" or "incident" in passage.location.lower()
    return is_report and (not reading.names or any(name.lower() in text for name in reading.names))


def alike(reading: Reading, histories: Sequence[FindingHistory]) -> list[FindingHistory]:
    """Those that share the owner, a code or several words with the question, best first. Pure.

    A problem that was over several times is told once, as it was the last time.
    """
    names = {name.lower() for name in reading.names}
    codes = {code.lower() for code in reading.codes}
    words = set(stems(f"{reading.question} {reading.search_text}")) - _PAST_WORDS - names
    ranked: dict[str, tuple[float, FindingHistory]] = {}
    for history in histories:
        owner = history.finding.owner
        if reading.namespaces and owner.namespace not in reading.namespaces:
            continue
        if reading.time_range is not None and not _was_in(history, reading.time_range):
            continue
        score = _NAME_COUNTS * bool(names & _names(history))
        score += _CODE_COUNTS * bool(codes & _codes(history))
        score += _WORD_COUNTS * len(words & set(stems(_words_of(history))))
        # An elsewhere with the same symptom is alike; an elsewhere with the same small talk is not.
        if score >= _ALIKE_AT and history.identity not in ranked:
            ranked[history.identity] = (score, history)
    best = sorted(ranked.values(), key=lambda item: -item[0])
    return [history for _, history in best]


def _was_in(history: FindingHistory, period: TimeRange) -> bool:
    return history.first_seen < period.end and history.last_seen >= period.start


def _names(history: FindingHistory) -> set[str]:
    finding = history.finding
    return {finding.owner.name.lower(), finding.involved.name.lower(), finding.node.lower()} - {""}


def _codes(history: FindingHistory) -> set[str]:
    finding = history.finding
    values = {each.value.lower() for each in finding.evidence}
    return {finding.reason.lower(), finding.problem.lower(), *values}


def _words_of(history: FindingHistory) -> str:
    finding = history.finding
    evidence = " ".join(f"{each.field} {each.value}" for each in finding.evidence)
    return " ".join(
        (finding.title, finding.problem.replace("-", " "), finding.reason, finding.owner.name,
         finding.owner.namespace, finding.template, *finding.log_lines, evidence)
    )  # fmt: skip


def passage_of(history: FindingHistory) -> Passage:
    """An earlier problem as evidence, marked as the bot's own words."""
    finding, owner = history.finding, history.finding.owner
    over = history.resolved_at or history.last_seen
    period = f"{history.first_seen:%Y-%m-%d %H:%M} to {history.last_seen:%Y-%m-%d %H:%M} UTC"
    lines = [
        f"From the digest of {over:%Y-%m-%d}, machine-made: {finding.title.rstrip('.')}.",
        f"{owner} had it from {period}; then it was over.",
    ]
    lines += [f"{each.field}: {each.value}" for each in finding.evidence[:4]]
    lines += [f"Log line: {line}" for line in finding.log_lines[:2]]
    return Passage(
        id=f"past:{history.identity}",
        source="past",
        title=f"{finding.title.rstrip('.')} (from the digest of {over:%Y-%m-%d}, machine-made)",
        location=f"past/{owner.kind}/{owner.namespace or '-'}/{owner.name}",
        text="\n".join(lines),
        updated_at=over,
        namespace=owner.namespace,
        service=owner.name,
        kind="incident",
    )
