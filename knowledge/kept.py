"""Answers that people kept: used again in the channel they were given in, marked as machine-made.

A person's click made knowledge of each of them. Like the past problems of `knowledge.past` they are
few, and compared by their words instead of being kept in the vector index: what is forgotten is
gone at once, and a channel's answers are read for that channel alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from core.answers import Answer, Passage, Scope
from core.feedback import JudgedAnswer
from core.questions import Reading
from knowledge.searchquery import stems

MOST_KEPT = 1
# Written by people: what such an answer says holds longer than what the cluster showed that day.
_LASTING = frozenset({"markdown", "graph"})
_ALIKE = 0.6
_FEWEST_SHARED = 2
_MARK = re.compile(r"\s*\[\d+\]")


class KeptAnswers(Protocol):
    """Answers that were kept. Implemented by `state.answers`."""

    async def kept_for(self, scope: Scope) -> Sequence[JudgedAnswer]:
        """Those of its channel made within the scope, newest first. Raises OpsbotError."""
        ...


def is_worth_keeping(answer: Answer) -> bool:
    """Whether an answer may become knowledge: it cites what people wrote, not only the moment."""
    sources = {citation.source for citation in answer.citations}
    return answer.is_grounded and not answer.task and bool(sources & _LASTING)


async def alike_kept(memory: KeptAnswers, reading: Reading, scope: Scope) -> tuple[Passage, ...]:
    """The kept answer to a question like this one, as evidence; () without one.

    Raises:
        OpsbotError: The memory cannot be read.
    """
    if not scope.channel or not scope.allows_source("past"):
        return ()
    asked = set(stems(f"{reading.question} {' '.join(reading.names)}"))
    ranked = [
        (likeness, kept)
        for kept in await memory.kept_for(scope)
        if (likeness := _likeness(asked, set(stems(kept.question)))) >= _ALIKE
    ]
    best = sorted(ranked, key=lambda item: -item[0])[:MOST_KEPT]
    return tuple(passage_of_kept(kept) for _, kept in best)


def passage_of_kept(kept: JudgedAnswer) -> Passage:
    """A kept answer as evidence: when it was given, what it rested on, what it said."""
    day = f"{kept.kept_at or kept.judged_at:%Y-%m-%d}"
    cited = [shown for shown in kept.passages if shown.is_cited]
    rested_on = ", ".join(dict.fromkeys(shown.location for shown in cited))
    question = " ".join(kept.question.split())[:120]
    return Passage(
        id=f"kept:{kept.reference}",
        source="past",
        title=f"Answer to “{question}” (kept on {day}, machine-made)",
        location=f"kept/{kept.reference}",
        text=(
            f"A machine-made answer that a person kept on {day}; it rested on {rested_on}.\n\n"
            f"{_MARK.sub('', kept.text)}"
        ),
        url=next((shown.url for shown in cited if shown.url), ""),
        updated_at=kept.kept_at,
        kind="answer",
    )


def _likeness(asked: set[str], kept: set[str]) -> float:
    """Shared words as a part of all of both; 0 where a single word is all they share."""
    shared = asked & kept
    return len(shared) / len(asked | kept) if len(shared) >= _FEWEST_SHARED else 0.0
