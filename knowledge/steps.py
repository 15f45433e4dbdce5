"""The steps of a page in their order, with their commands whole. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.answers import Passage
from core.questions import Intent, Reading
from knowledge.blocks import Block, BlockKind, blocks, sentences
from knowledge.quoting import Numbered, Unit, Weights, cite, fence, mark, parts_of, short
from knowledge.wholepage import NOT_FIX, tells_fix

MOST_STEPS = 6
MOST_FENCES = 5
_LONGEST_STEP_WORDS = 32
_MOST_WORDS = 110  # around commands; numbered steps are told to their end
# Points to a part of the page that is not quoted with it.
_POINTS = re.compile(
    r"\b(?:see|shown|described|explained|listed|mentioned|noted|discussed|given|outlined) "
    r"(?:the )?(?:(?:next |following )?(?:section|table|list|example)s? )?(?:below|above|here)\b"
    r"|\b(?:sections?|tables?|examples?|lists?) (?:below|above)\b",
    re.IGNORECASE,
)
_POINTER = re.compile(rf"\s*[,;(]?\s*(?:{_POINTS.pattern})\)?", re.IGNORECASE)
_MARKUP = re.compile(r"</?(?:table|t[dhr]|col|p|div|span)\b", re.IGNORECASE)
_LEADS_IN = re.compile(r":\s*(?:\[\d+\])?$")


@dataclass(frozen=True, slots=True)
class _Section:
    """A section of a page, and the number of the passage it stands in."""

    number: int
    passage: Passage
    name: str
    blocks: tuple[Block, ...]

    @property
    def title(self) -> str:
        """Page and section."""
        return f"{self.passage.title} › {self.name}" if self.name else self.passage.title


def steps(
    reading: Reading, page: Sequence[Numbered], weights: Weights, most: int = MOST_STEPS
) -> tuple[str, str]:
    """What a page says to do, and the name of the section it stands in; ("", "") if nothing.

    Sections on the remedy come first; a question for how gets the best section that holds steps or
    commands where there is none.
    """
    sections = [
        _Section(n, passage, name, tuple(body))
        for n, passage in page
        for name, body in parts_of(passage)
    ]
    remedies = [item for item in sections if tells_fix(item.name)]
    if Intent.HOW in reading.intents or not reading.intents:
        remedies.sort(key=lambda item: -_fit(item, weights))
        others = [i for i in sections if _has_steps(i) and not NOT_FIX.search(i.name)]
        remedies += sorted(others, key=lambda item: -_fit(item, weights))
    for item in remedies:
        if text := written(item.number, item.blocks, most):
            return text, item.title
    return "", ""


def _fit(item: _Section, weights: Weights) -> float:
    text = " ".join(block.text for block in item.blocks)
    return weights.score(item.title) + weights.score(text)


def _has_steps(item: _Section) -> bool:
    kinds = {block.kind for block in item.blocks}
    return BlockKind.STEP in kinds or BlockKind.FENCE in kinds


def written(n: int, found: Sequence[Block], most: int = MOST_STEPS) -> str:
    """A section's steps, or its sentences around commands, each cited."""
    is_numbered = any(block.kind is BlockKind.STEP for block in found)
    lines: list[str] = []
    shown = fences = words = 0
    for at, block in enumerate(found):
        if block.kind is BlockKind.FENCE:
            if fences < MOST_FENCES and (lines or not is_numbered):
                lines.append(fence(block, indent="   " if is_numbered else ""))
                fences += 1
        elif shown < most and not block.is_nested and _belongs(found, at, is_numbered=is_numbered):
            text = short(said(block), _LONGEST_STEP_WORDS)
            if not text or (not is_numbered and words + len(text.split()) > _MOST_WORDS):
                continue
            words += len(text.split())
            marker = f"{block.number}. " if block.kind is BlockKind.STEP else "- "
            lines.append(f"{marker}{cite(mark(text), n)}")
            shown += 1
        elif shown >= most:
            break
    while lines and _LEADS_IN.search(lines[-1]) and not lines[-1].endswith("```"):
        lines.pop()  # what it leads in to is not quoted
    return "\n".join(lines)


def without_pointers(text: str) -> str:
    """The text without "see below" and its like, where what it points to is not quoted."""
    return _POINTER.sub("", text)


def said(block: Block) -> str:
    """The first sentences of a block that say something by themselves, here and now."""
    told = [text for text in sentences(block)[:3] if not _POINTS.search(text)]
    return "" if _MARKUP.search(block.text) else " ".join(told)


def _belongs(found: Sequence[Block], at: int, *, is_numbered: bool) -> bool:
    block = found[at]
    if is_numbered:
        return block.kind is BlockKind.STEP
    return block.kind in {BlockKind.PARAGRAPH, BlockKind.BULLET, BlockKind.ROW, BlockKind.STEP}


def fence_beside(units: Sequence[Unit], passages: Mapping[int, Passage]) -> str:
    """The command block that stands in the passage of the best sentence."""
    best = max(units, key=lambda unit: unit.score, default=None)
    if best is None:
        return ""
    for block in blocks(passages[best.number].text):
        if block.kind is BlockKind.FENCE and len(block.text.splitlines()) <= 8:
            return f"From there [{best.number}]:\n{fence(block)}"
    return ""
