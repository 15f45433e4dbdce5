"""A short factual question gets one sentence that answers it, and at most two that support it.

Pure. What can be quoted is a sentence, a table row, or a list item behind the sentence that leads
in to it; a sentence that leans on the one before ("(the default is 5)", "It expires …") is quoted
with it. What holds nothing of the kind that is asked for, such as a time, comes last.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.answers import Passage
from core.questions import Reading
from knowledge.asked import Wanted, wanted
from knowledge.blocks import Block, BlockKind, plain, sentences
from knowledge.quoting import (
    LONGEST_LINE_WORDS,
    SAID,
    Numbered,
    Weights,
    changes,
    is_repeated,
    line,
    parts_of,
)
from knowledge.sentences import vocabulary

# A sentence that does not say what it speaks of.
_LEANS = re.compile(
    r"\(|(?:it|its|this|these|that|they|which|the (?:default|value|limit)(?: value)?)\b",
    re.IGNORECASE,
)
_LISTED = frozenset({BlockKind.BULLET, BlockKind.STEP})
_MARKUP = re.compile(r"</?\w+[^>]*>")
_NUMBER = re.compile(r"\d[\d.,]*")
_CONTEXT_SHARE = 0.5
_HEADING_SHARE = 0.3
_OTHER_KIND_SHARE = 0.3
_UNFINISHED_SHARE = 0.3
_RANK_LOSS = 0.06
_MOST_WORDS = 100
_MOST_NUMBERS = 6
_MOST_SUPPORT = 2
_SUPPORT_FLOOR = 0.6


@dataclass(frozen=True, slots=True)
class _Claim:
    """Something that can be quoted, and what it is to be understood with.

    Attributes:
        text: What is quoted if it is chosen.
        own: The part of it that must answer.
        context: What stands around it: the lead-in or the sentence before.
    """

    number: int
    text: str
    own: str
    context: str
    heading: str


def direct(reading: Reading, prose: Sequence[Numbered], weights: Weights) -> str:
    """The answer in one sentence, then what supports it; '' where nothing shares a word."""
    scored = _best_first(reading, prose, weights)
    if not scored:
        return ""
    best, lead = scored[0]
    told = [line(lead.text, lead.number, 60)]
    said = lead.text
    for score, claim in scored[1:]:
        if len(told) > _MOST_SUPPORT or score < _SUPPORT_FLOOR * best:
            break
        # What leads in to it may stand there already.
        text = claim.own if claim.context and claim.context in said else claim.text
        shown = f"{said} {text}"
        if is_repeated(claim.own, said) or not _is_short(shown):
            continue
        told.append(f"- {line(text, claim.number)}")
        said = shown
    return "\n\n".join(part for part in (told[0], "\n".join(told[1:])) if part)


def disagrees(text: str, reading: Reading, passages: Sequence[Passage]) -> bool:
    """Whether a text gives another value than the sentence that answers best, or none.

    Only for a question that asks for a value, and only where documents alone can answer: a small
    model takes a number that stands nearby, and every word of what it says is in the evidence.
    """
    kind = wanted(reading.question)
    if kind is None or any(passage.is_fact for passage in passages):
        return False
    prose = list(enumerate(passages, start=1))
    scored = _best_first(reading, prose, Weights(reading, passages))
    if not scored:
        return False
    values = _values(kind, scored[0][1].own) - _values(kind, reading.question)
    return bool(values) and values.isdisjoint(_values(kind, text))


def _values(kind: Wanted, text: str) -> frozenset[str]:
    """The values of a kind in a text, as bare as they can be compared: "15 seconds" is 15."""
    found = (match[0] for match in kind.value.finditer(re.sub(r"\[\d+\]", "", text)))
    return frozenset(
        number[0].replace(",", "").rstrip(".") if (number := _NUMBER.search(value)) else value
        for value in found
    )


def _best_first(
    reading: Reading, prose: Sequence[Numbered], weights: Weights
) -> list[tuple[float, _Claim]]:
    kind = wanted(reading.question)
    scored = [
        (_score(claim, rank, kind, weights), claim)
        for rank, (number, passage) in enumerate(prose)
        for name, body in parts_of(passage)
        for claim in _claims(number, f"{passage.title} {passage.heading} {name}", body)
    ]
    scored = [(score, claim) for score, claim in scored if score > 0 and not changes(claim.text)]
    scored.sort(key=lambda pair: -pair[0])
    return scored


def _is_short(text: str) -> bool:
    return len(text.split()) <= _MOST_WORDS and len(_NUMBER.findall(text)) <= _MOST_NUMBERS


def _claims(number: int, heading: str, body: Sequence[Block]) -> Iterator[_Claim]:
    """What a section offers, in its order."""
    lead_in = ""
    for block in body:
        if block.kind not in SAID:
            continue
        before = ""
        if block.kind not in _LISTED:
            lead_in = ""
        for sentence in sentences(block):
            own = " ".join(plain(sentence).split())
            context = lead_in if block.kind in _LISTED else before
            leans = bool(context) and (block.kind in _LISTED or bool(_LEANS.match(own)))
            text = f"{context} {own}" if leans and _fits(context, own) else own
            yield _Claim(number, text, own, context, heading)
            before = own
        if block.kind is BlockKind.PARAGRAPH and before.endswith(":"):
            lead_in = before


def _fits(context: str, own: str) -> bool:
    return len(context.split()) + len(own.split()) <= LONGEST_LINE_WORDS + 10


def _score(claim: _Claim, rank: int, kind: Wanted | None, weights: Weights) -> float:
    own, around = vocabulary(claim.own), vocabulary(claim.context)
    score = weights.of(own) + _CONTEXT_SHARE * weights.of(around - own)
    score += _HEADING_SHARE * weights.of(vocabulary(claim.heading) - own - around)
    score /= 1 + 0.5 * math.log1p(len(claim.own) / 160)
    score /= 1 + _RANK_LOSS * rank
    if kind is not None and not kind.value.search(claim.own):
        score *= _OTHER_KIND_SHARE
    if claim.own.endswith(("?", ":")) or _MARKUP.search(claim.own):
        score *= _UNFINISHED_SHARE
    return score
