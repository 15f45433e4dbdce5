"""Passages as evidence of one answer: merged, cited, numbered, and how far they carry. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from core.answers import Citation, Confidence, Lookup, Passage
from core.questions import Intent, Reading
from knowledge.sentences import outside_code, vocabulary

_MARK = re.compile(r"\[(\d+)\]")
_EXACT = frozenset(
    {
        Intent.OWNER,
        Intent.IMPACT,
        Intent.DEPENDENCIES,
        Intent.LIMITS,
        Intent.LOGS,
        Intent.METRICS,
        Intent.STATUS,
    }
)


def merge(lookups: Sequence[Lookup], most: int) -> tuple[Passage, ...]:
    """Facts first, then prose, each in the order found; a passage that was found twice once.

    Half of the room is kept for prose, so that a talkative cluster does not crowd out the runbook.
    """
    unique = {passage.id: passage for lookup in reversed(lookups) for passage in lookup.passages}
    ordered = dict.fromkeys(passage.id for lookup in lookups for passage in lookup.passages)
    found = [unique[identity] for identity in ordered]
    facts = [passage for passage in found if passage.is_fact]
    prose = [passage for passage in found if not passage.is_fact]
    room_for_facts = max(most - len(prose), most - most // 2)
    facts = facts[:room_for_facts]
    return (*facts, *prose[: most - len(facts)])


def citations(used: Sequence[Passage]) -> tuple[Citation, ...]:
    """Citations of these passages, numbered from 1."""
    return tuple(
        Citation(
            number=number,
            title=full_title(p),
            location=p.location,
            source=p.source,
            url=p.url,
            updated_at=p.updated_at,
        )
        for number, p in enumerate(used, start=1)
    )


def full_title(passage: Passage) -> str:
    """Title and heading path, without saying the title twice."""
    title, heading = passage.title, passage.heading
    if not heading or heading in title:
        return title
    return heading if heading.startswith(title) else f"{title} › {heading}"


def renumber(
    text: str, cited: Sequence[int], passages: Sequence[Passage]
) -> tuple[str, tuple[Passage, ...]]:
    """Number the `[n]` of a text 1, 2, … in order of appearance.

    Args:
        text: Markdown whose `[n]` is the n-th entry of `cited`.
        cited: Numbers of passages, from 1.
        passages: All passages.

    Returns:
        The text, and the passages it uses in their new order. A mark of no passage is removed.
    """
    order: dict[int, int] = {}

    def put(match: re.Match[str]) -> str:
        number = int(match[1])
        if not 1 <= number <= len(cited) or not 1 <= cited[number - 1] <= len(passages):
            return ""
        return f"[{order.setdefault(cited[number - 1], len(order) + 1)}]"

    renumbered = outside_code(text, lambda part: _MARK.sub(put, part))
    return renumbered, tuple(passages[number - 1] for number in order)


def confidence(reading: Reading, used: Sequence[Passage]) -> Confidence:
    """How far the cited evidence carries; no model is asked.

    Confirmed: a fact about the named object answers an exact question, or such a fact and a
    written passage speak of the same thing. Likely: anything else that is cited.
    """
    if not used:
        return Confidence.UNKNOWN
    names = {name.lower() for name in (*reading.names, *reading.codes)}
    facts = [passage for passage in used if passage.is_fact and _is_about(passage, names)]
    prose = [passage for passage in used if not passage.is_fact]
    if facts and reading.intents & _EXACT and Intent.WHY not in reading.intents:
        return Confidence.CONFIRMED
    asked = vocabulary(f"{reading.question} {reading.search_text}")
    for fact in facts:
        # What both speak of beyond the question's own words: a reason, a code, an object.
        shared = _telling(fact) - asked
        if any(shared & _telling(passage) for passage in prose):
            return Confidence.CONFIRMED
    return Confidence.LIKELY


def _is_about(passage: Passage, names: set[str]) -> bool:
    text = f"{passage.title} {passage.location} {passage.service} {passage.text}".lower()
    return not names or any(name in text for name in names)


def _telling(passage: Passage) -> set[str]:
    """Reasons and codes of a passage, such as oomkilled or err_stock_sync."""
    words = re.findall(
        r"\b(?:[A-Z][a-z]+(?:[A-Z][a-z]*)+|[A-Z]{2,}[a-z]+\w*|[A-Z]+_[A-Z_]+)\b", passage.text
    )
    return {word.lower() for word in words}
