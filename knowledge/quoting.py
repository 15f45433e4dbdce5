"""How found text is quoted: weighed against the question, shortened, marked and cited. Pure."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from core.answers import Passage
from core.questions import Intent, Reading
from knowledge import commands
from knowledge.blocks import Block, BlockKind, blocks, plain, sentences
from knowledge.claims import claims
from knowledge.sentences import terms, vocabulary
from knowledge.wholepage import section_of, tells_fix

SAYS_WHY = re.compile(
    r"\b(?:because|due to|caus\w+|root cause|reason|happens? when|result of|means?|leads? to|"
    r"came from|so that|fixed by|too (?:large|small|low|high|many|few))\b",
    re.IGNORECASE,
)
LONGEST_LINE_WORDS = 45
_LEADS_ON = re.compile(r"(?:use|see|follow|read) (?:this|the) page|all of these", re.IGNORECASE)
# Sections that rarely answer: what was done afterwards, how to see that all is well.
_BESIDE = re.compile(r"follow-?ups?|verify|afterwards|timeline", re.IGNORECASE)
_ASKS_NUMBER = re.compile(r"\bhow (?:many|much|long|often)\b|^\s*when\b", re.IGNORECASE)
SAID = frozenset({BlockKind.PARAGRAPH, BlockKind.BULLET, BlockKind.ROW, BlockKind.STEP})
Numbered = tuple[int, Passage]


@dataclass(frozen=True, slots=True)
class Unit:
    """Something that can be quoted on its own: a sentence or row of passage `number`."""

    number: int
    text: str
    score: float
    order: int
    block: Block
    section: str = ""


class Weights:
    """How telling each word of the question is among the passages at hand."""

    def __init__(self, reading: Reading, passages: Sequence[Passage], also: str = "") -> None:
        asked = " ".join((reading.question, reading.search_text, *reading.names, *reading.codes))
        lines = [vocabulary(line) for passage in passages for line in passage.text.splitlines()]
        counts = Counter(term for line in lines for term in line)
        self._weights = {
            term: math.log(1 + len(lines) / (1 + counts[term])) + 0.1
            for term in set(terms(asked))
            if counts[term]
        }
        for name in (*reading.names, *reading.codes):
            for term in terms(name):
                if term in self._weights:
                    self._weights[term] *= 1.5
        if not reading.intents or reading.intents & {Intent.HOW, Intent.WHY, Intent.STATUS}:
            # What the cluster says is wrong tells which part of a page is meant.
            for term in {stem for p in passages if p.is_fact for stem in _telling(p.text)}:
                if counts[term] and term not in self._weights:
                    self._weights[term] = 1.2 * math.log(1 + len(lines) / (1 + counts[term]))

        for term in set(terms(also)):
            if counts[term] and term not in self._weights:
                self._weights[term] = 0.5 * math.log(1 + len(lines) / (1 + counts[term]))

    def score(self, text: str) -> float:
        """The weight of the question's words in a text, long ones damped."""
        return self.of(vocabulary(text)) / (1 + math.log1p(len(text) / 160))

    def of(self, words: frozenset[str]) -> float:
        """The weight of the question's words among these."""
        return sum(weight for term, weight in self._weights.items() if term in words)


def _telling(text: str) -> list[str]:
    """Stems of the codes and reasons in a fact: OOMKilled, 137, ERR_STOCK_SYNC."""
    found = claims(text)
    names = [name for name in found.names if "/" not in name and "-" not in name]
    return [term for name in names for term in terms(name)]


def fact_lines(passage: Passage) -> list[str]:
    """The lines of a fact without list marks; fences and lines that only lead in are left out."""
    found = []
    for line in passage.text.splitlines():
        text = re.sub(r"^\s*(?:[-*•]\s+)?", "", line).rstrip()
        if text and not re.fullmatch(r"[`~]{3,}\w*", text) and not text.endswith(":"):
            found.append(plain(text))
    return found


def parts_of(passage: Passage) -> list[tuple[str, list[Block]]]:
    """A passage by its sections, name and blocks; a small section may share its passage."""
    section = section_of(passage)
    found: list[tuple[str, list[Block]]] = [(section, [])]
    for block in blocks(passage.text):
        if block.kind is not BlockKind.HEADING:
            if not is_front_matter(block.text):
                found[-1][1].append(block)
        elif block.text != passage.title and not section.endswith(block.text):
            section = block.text
            found.append((section, []))
    return [(name, body) for name, body in found if body]


def page_units(reading: Reading, numbered: Sequence[Numbered], weights: Weights) -> list[Unit]:
    """Every sentence and row of the pages with its score, in their order."""
    wants_cause = Intent.WHY in reading.intents or not reading.intents
    names = {name.lower() for name in reading.names}
    wants_number = bool(_ASKS_NUMBER.search(reading.question))
    units: list[Unit] = []
    for rank, (n, passage) in enumerate(numbered):
        context = 0.35 * weights.score(f"{passage.title} {passage.heading}")
        prior = 1 / (1 + 0.12 * rank)
        if names and passage.service.lower() in names:
            prior *= 1.2
        parts = [(name, block) for name, body in parts_of(passage) for block in body]
        for order, (section, block) in enumerate(parts):
            fits = 0.6 if _BESIDE.search(section) else 1.0
            if Intent.HOW in reading.intents and tells_fix(section):
                fits *= 1.4
            for sentence in sentences(block):
                score = (weights.score(sentence) + context) * prior
                if wants_cause and SAYS_WHY.search(sentence):
                    score *= 1.4
                score *= _damping(sentence, block) * fits
                if wants_number and re.search(r"\d", sentence):
                    score *= 1.4
                units.append(Unit(n, plain(sentence), score, order, block, section))
    return units


def _damping(sentence: str, block: Block) -> float:
    """Less than 1 for what does not stand on its own."""
    if block.kind is BlockKind.FENCE:
        return 0.0
    if sentence.endswith(("?", ":")):
        return 0.3  # it asks, or leads in to something that would not be quoted with it
    if len(sentence.split()) < 4 and block.kind is not BlockKind.ROW:
        return 0.3
    return 0.6 if _LEADS_ON.match(sentence) else 1.0


def is_front_matter(text: str) -> bool:
    """Whether a block is a page's head and no sentence."""
    return text.startswith(("title:", "---")) and "service:" in text


def chosen(units: Sequence[Unit], most: int, before: str = "", floor: float = 0.5) -> list[Unit]:
    """The best sentences, best first, none twice and none that changes something."""
    found: list[Unit] = []
    said = [unit for unit in units if unit.block.kind in SAID and unit.score > 0]
    said.sort(key=lambda unit: -unit.score)
    for unit in said:
        if len(found) == most or unit.score < floor * said[0].score:
            break
        if changes(unit.text) or is_repeated(unit.text, before):
            continue
        if not any(is_repeated(unit.text, other.text) for other in found):
            found.append(unit)
    return found


def with_next(unit: Unit, units: Sequence[Unit]) -> str:
    """A sentence and the one after it in its paragraph, where the first is short or leads on."""
    if unit.block.kind is BlockKind.ROW or len(unit.text.split()) > 14:
        return unit.text
    same = [u for u in units if u.number == unit.number and u.block is unit.block]
    at = same.index(unit)
    is_on_it = at + 1 < len(same) and same[at + 1].score >= 0.35 * unit.score
    if is_on_it and not changes(same[at + 1].text):
        return f"{unit.text} {same[at + 1].text}"
    return unit.text


def changes(text: str) -> bool:
    """Whether a sentence holds a changing command; SQL in a log line is what happened."""
    return bool(commands.changing_commands(text, with_sql=False))


def is_repeated(text: str, other: str) -> bool:
    """Whether nearly all words of a text were said already."""
    words = set(terms(text))
    return not words or len(words & set(terms(other))) >= 0.85 * len(words)


def short(text: str, most_words: int = LONGEST_LINE_WORDS) -> str:
    """A text cut at a word, with balanced Markdown."""
    parts = text.split()
    if len(parts) <= most_words:
        return text
    cut = " ".join(parts[:most_words])
    cut = cut.replace("`", "") if cut.count("`") % 2 else cut
    cut = cut.replace("**", "") if cut.count("**") % 2 else cut
    return f"{cut.rstrip('.,;:')} …"


def mark(text: str) -> str:
    """A sentence with the mark of a changing command, where it holds one."""
    if not commands.changing_commands(text, with_sql=False):
        return text
    return f"{text.rstrip('.')} ({commands.CHANGES_MARK})."


def cite(text: str, number: int) -> str:
    """A sentence with `[number]` before its full stop."""
    ending = re.search(r"[.!?]?[*_]*$", text)
    cut = ending.start() if ending else len(text)
    return f"{text[:cut]} [{number}]{text[cut:]}"


def line(text: str, number: int, most_words: int = LONGEST_LINE_WORDS) -> str:
    """A found line, shortened, marked where it changes something, and cited."""
    return cite(mark(short(text, most_words)), number)


def fence(block: Block, indent: str = "") -> str:
    """A command block whole, marked when it changes the cluster."""
    body = block.text.replace("```", "'''")  # Slack knows no longer fences
    lines = [f"```{block.language}", *body.splitlines(), "```"]
    if commands.block_changes(block.text):
        lines.insert(0, f"{commands.CHANGES_MARK}:")
    return "\n".join(indent + one for one in lines)


def heading(passage: Passage, section: str) -> str:
    """What stands over quotes of a page: who says it, and where."""
    who = "What the runbook says" if "runbook" in passage.location.lower() else "What is written"
    name = f"{passage.title} › {section}" if section else passage.title
    return f"**{who}** ({plain(name)})"
