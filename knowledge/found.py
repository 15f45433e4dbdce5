"""Whether what was found answers the question at all; else the reply is "not found". Pure.

Three things speak, and none of them alone is enough: how near the nearest chunk is in meaning, how
much of the question one page speaks of, and how much of it nothing that was found speaks of. A
question about `TurboScheduler` is near to every page about the scheduler, and no page answers it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from core.questions import Reading
from knowledge.asked import is_factual
from knowledge.claims import claims
from knowledge.ports import Hit
from knowledge.ranking import Legs, holds
from knowledge.sentences import terms

# Logistic regression over 93 questions that a corpus of 14,243 chunks answers and 21 that it does
# not, rounded; leaving one out, the area under the curve is .97 (.96 by meaning and BM25 score).
_COVERED_SHARE = 0.2
_UNKNOWN_SHARE = 0.6
# The more chunks there are, the nearer the nearest one is by chance, so the mark grows with the
# logarithm of their number. The bounds are for collections far from those that were measured.
_FOUND_AT = 0.65
_FOUND_AT_CHUNKS = 14_243
_FOUND_SLOPE = 0.04
_FOUND_BOUNDS = (0.42, 0.68)
# The same by text alone, where there are no dense vectors.
_FOUND_BY_TEXT_AT = 0.3
# A question that names a known thing is about this world: more is let through.
_NAMED_RELIEF = 0.1
_PAGES_OF = 30  # hits of each leg whose pages are weighed
_EXACT_AMONG = 5


def is_found(legs: Legs, reading: Reading, *, point_count: int, has_dense: bool) -> bool:
    """Whether anything that was found can be the answer.

    Takes milliseconds: every word of the question is looked for in every hit.

    Args:
        legs: What was found.
        reading: The question.
        point_count: Points in the store; the nearest of many is near by chance.
        has_dense: Whether all points have their dense vector, so that its absence tells something.
    """
    if not legs.sparse and not legs.dense:
        return False
    first = (*legs.sparse[:_EXACT_AMONG], *legs.dense[:_EXACT_AMONG])
    if any(holds(hit, _errors(reading)) for hit in first):
        return True
    if is_factual(reading.question) and not reading.names and _asks_of_unknown(legs, reading):
        return False
    covered, unknown = coverage(legs, reading.search_text, point_count)
    relief = _NAMED_RELIEF if reading.names else 0.0
    if not has_dense or not legs.dense:
        return covered - unknown >= _FOUND_BY_TEXT_AT - relief
    score = legs.dense[0].score + _COVERED_SHARE * covered - _UNKNOWN_SHARE * unknown
    return score >= found_at(point_count) - relief


def found_at(point_count: int) -> float:
    """The mark that the score must reach in a store of so many points."""
    low, high = _FOUND_BOUNDS
    mark = _FOUND_AT + _FOUND_SLOPE * math.log(max(point_count, 1) / _FOUND_AT_CHUNKS)
    return min(max(mark, low), high)


def coverage(legs: Legs, text: str, point_count: int) -> tuple[float, float]:
    """How much of a question one page covers, and which share of its words stands nowhere.

    Args:
        legs: What was found. A rare word lifts the chunks that hold it, so one that none of
            hundreds holds is not in the store.
        text: The question's telling words.
        point_count: For how rare a word is.

    Returns:
        Two numbers from 0 to 1: the words of the best page, each weighed by how rare it is, and
        the share of words, not weighed, that no hit holds.
    """
    wanted = tuple(dict.fromkeys(terms(text)))
    if not wanted:
        return 0.0, 0.0
    by_text, by_meaning = _lowered(legs.sparse), _lowered(legs.dense)
    counts = {term: sum(term in hit for hit in by_text) for term in wanted}
    unknown = [
        term for term in wanted if not counts[term] and not any(term in hit for hit in by_meaning)
    ]
    rarity = {term: math.log(1 + point_count / (1 + counts[term])) for term in wanted}
    pages: dict[object, str] = {}
    for leg, texts in ((legs.sparse, by_text), (legs.dense, by_meaning)):
        for hit, held in zip(leg[:_PAGES_OF], texts, strict=False):
            path = hit.payload.get("path")
            pages[path] = f"{pages.get(path, '')} {held}"
    best = max(_weight(rarity, page) for page in pages.values())
    return best / sum(rarity.values()), len(unknown) / len(wanted)


def _errors(reading: Reading) -> tuple[str, ...]:
    """The error tokens; a type of a program, such as `v1.Pod`, is read as one and is none."""
    return tuple(
        code for code in reading.codes if "." not in code or code.endswith(("Error", "Exception"))
    )


def _asks_of_unknown(legs: Legs, reading: Reading) -> bool:
    """Whether a fact is asked of something with a name that stands in nothing that was found."""
    texts = [*_lowered(legs.sparse), *_lowered(legs.dense)]
    names = claims(reading.question).names
    return not all(any(name in text for text in texts) for name in names)


def _lowered(leg: Sequence[Hit]) -> list[str]:
    return [hit.text.lower() for hit in leg]


def _weight(rarity: Mapping[str, float], page: str) -> float:
    return sum(weight for term, weight in rarity.items() if term in page)
