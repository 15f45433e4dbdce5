"""Answers without a model: what was found, picked, ordered and cited.

Pure. Facts of the cluster, the graph and the logs come first, as they are; then what the best page
says, steps in their order and commands whole; last one command that only reads. Every line carries
the number of its passage, counted from 1 in the order given.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.answers import Passage
from core.questions import Intent, Reading
from knowledge import commands
from knowledge.blocks import Block, BlockKind, blocks, plain, sentences
from knowledge.claims import claims
from knowledge.differences import difference
from knowledge.nextcommand import EXACT, name_of, next_command
from knowledge.sentences import terms, vocabulary

_CAUSE = re.compile(
    r"\b(?:because|due to|caus\w+|root cause|reason|happens? when|result of|means?|leads? to|"
    r"came from|so that|fixed by|too (?:large|small|low|high|many|few))\b",
    re.IGNORECASE,
)
_TROUBLE = re.compile(
    r"kill|crash|back-?off|fail|error|exit|terminat|not ready|notready|unhealthy|pending|evict|"
    r"insufficient|not found|refused|timeout|exceed|oom|stuck|denied|unschedul|restart",
    re.IGNORECASE,
)


_PLAN = frozenset({Intent.HOW, Intent.WHY, Intent.STATUS})
_GRAPH = frozenset({Intent.OWNER, Intent.IMPACT, Intent.DEPENDENCIES})
_AS_FOUND = frozenset({Intent.LOGS, Intent.METRICS, Intent.SIMILAR})  # their order means something
_FIX = re.compile(
    r"fix|mitigat|resol|what to do|steps|recover|repair|force|first|remed", re.IGNORECASE
)

_ASKS_WHO_CALLS = re.compile(r"\bdepends? on\b|\bwho (?:calls|uses)\b|\buses?\b", re.IGNORECASE)
_CALLED = re.compile(r"\bcalled by\b|\b(?:is|are) hit\b|\baffects?\b", re.IGNORECASE)
_FACT_LINES = 5
_LONGEST_LINE_WORDS = 45


@dataclass(frozen=True, slots=True)
class _Unit:
    """Something that can be quoted on its own."""

    number: int
    text: str
    score: float
    order: int
    block: Block


class _Weights:
    """How telling each word of the question is among the passages at hand."""

    def __init__(self, reading: Reading, passages: Sequence[Passage]) -> None:
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
        if not reading.intents or reading.intents & _PLAN:
            # What the cluster says is wrong tells which part of a page is meant.
            for term in {stem for p in passages if p.is_fact for stem in _telling(p.text)}:
                if counts[term] and term not in self._weights:
                    self._weights[term] = 1.2 * math.log(1 + len(lines) / (1 + counts[term]))

    def score(self, text: str) -> float:
        """The weight of the question's words in a text, long ones damped."""
        words = vocabulary(text)
        hit = sum(weight for term, weight in self._weights.items() if term in words)
        return hit / (1 + math.log1p(len(text) / 160))


def extract(reading: Reading, passages: Sequence[Passage], limit_words: int = 120) -> str:
    """An answer in Markdown with `[n]` marks, of about `limit_words` words; '' without passages.

    Changing commands are marked, stand never first, and never as the next command.
    """
    numbered = list(enumerate(passages, start=1))
    facts = [(n, passage) for n, passage in numbered if passage.is_fact]
    prose = [(n, passage) for n, passage in numbered if not passage.is_fact]
    weights = _Weights(reading, passages)
    budget = _Budget(limit_words)
    parts: list[str] = []
    is_aside = bool(prose) and not reading.intents & (_GRAPH | _AS_FOUND)
    if is_aside and all(passage.source == "graph" for _, passage in facts):
        facts = []  # who owns it does not answer how or why
    seen = _facts(reading, facts, weights, budget.part(0.6) if prose else budget)
    if seen:
        parts.append(seen)
    if differing := difference(reading, facts, prose):
        parts.append(differing)
    if prose and Intent.SIMILAR in reading.intents:
        parts.append(_incidents(reading, prose, weights))
    elif prose and not (seen and reading.intents and reading.intents <= EXACT):
        parts += _pages(reading, prose, weights, budget, has_facts=bool(seen))
    if command := next_command(reading, facts, prose, "\n".join(parts)):
        parts.append(command)
    return "\n\n".join(parts)


def _telling(text: str) -> list[str]:
    """Stems of the codes and reasons in a fact: OOMKilled, 137, ERR_STOCK_SYNC."""
    found = claims(text)
    names = [name for name in found.names if "/" not in name and "-" not in name]
    return [term for name in names for term in terms(name)]


class _Budget:
    """Words that may still be written; the first part is always let through."""

    def __init__(self, words: int) -> None:
        self._left = words

    def part(self, share: float) -> _Budget:
        """A share of this one, set apart."""
        words = int(self._left * share)
        self._left -= words
        return _Budget(words)

    def take(self, text: str) -> bool:
        """Whether a text still goes in; counts it when it does."""
        words = len(text.split())
        if self._left <= 0 or words > self._left + 15:
            return False
        self._left -= words
        return True


def _incidents(reading: Reading, prose: list[tuple[int, Passage]], weights: _Weights) -> str:
    """One line a document, incident reports before others."""
    ordered = sorted(prose, key=lambda item: not _is_incident(item[1]))
    if any(_is_incident(passage) for _, passage in ordered):
        ordered = [item for item in ordered if _is_incident(item[1])]
    lines: dict[str, str] = {}
    for n, passage in ordered:
        units = _page_units(reading, n, passage, weights)
        units = [
            unit
            for unit in units
            if unit.block.kind in _SAID and not commands.changing_commands(unit.text)
        ]
        if passage.location in lines or not units or len(lines) == 4:
            continue
        best = max(units, key=lambda unit: unit.score)
        text = f"**{plain(passage.title)}**: {_short(best.text)}"
        lines[passage.location] = f"- {_cite(text, n)}"
    return "\n".join(("**Written about something like it**", *lines.values())) if lines else ""


def _is_incident(passage: Passage) -> bool:
    return passage.source == "past" or bool(
        re.search(r"incident|\binc-\d", passage.location, re.IGNORECASE)
    )


def _facts(
    reading: Reading, facts: list[tuple[int, Passage]], weights: _Weights, budget: _Budget
) -> str:
    """The lead sentence and what is seen, from facts alone."""
    units = [unit for n, passage in facts for unit in _fact_units(reading, n, passage, weights)]
    if not units:
        return ""
    # What changes the cluster may be quoted, but is not what an answer begins with.
    first = [unit for unit in units if not _changes(unit.text)]
    best = max(first or units, key=lambda unit: (unit.score, -unit.order))
    if reading.intents and reading.intents <= _AS_FOUND:
        best = next(unit for unit in first or units if unit.number == best.number)
    titles = dict(facts)
    longest = 2 * _LONGEST_LINE_WORDS if reading.intents & EXACT else _LONGEST_LINE_WORDS
    lead = _short(_with_subject(titles[best.number], best.text), longest) if first else ""
    budget.take(lead)
    wants_all = bool(reading.intents & EXACT)
    rest = [
        unit
        for unit in units
        if not lead or (unit is not best and (wants_all or not _is_repeated(unit.text, lead)))
    ]
    most = max(_FACT_LINES, min(reading.limit or 0, 10)) + (3 if wants_all else 0)
    wants_lines = bool(reading.intents & {Intent.LOGS, Intent.METRICS}) or bool(reading.limit)
    if Intent.SIMILAR in reading.intents:
        most = 2  # the reports of the past are what was asked for
    floor = 0.0 if wants_all else best.score * 0.05
    chosen: list[_Unit] = []
    told = {_without_digits(best.text)} if lead else set()
    for unit in sorted(rest, key=lambda unit: (-unit.score, unit.order)):
        if not wants_lines and _without_digits(unit.text) in told:
            continue
        told.add(_without_digits(unit.text))
        if len(chosen) < most and unit.score >= floor and budget.take(_short(unit.text)):
            chosen.append(unit)
    lines = [_cite(lead, best.number)] if lead else []
    chosen.sort(key=lambda unit: (unit.number != best.number, unit.number, unit.order))
    if chosen:
        lines += [""] * bool(lead) + ["**What I see**"]
    shown = best.number if lead else 0
    for unit in chosen:
        text = unit.text
        if unit.number != shown:
            text, shown = _with_subject(titles[unit.number], text), unit.number
        text = f"{_short(text)} ({commands.CHANGES_MARK})" if _changes(text) else _short(text)
        lines.append(f"- {_cite(text, unit.number)}")
    return "\n".join(lines)


def _without_digits(text: str) -> str:
    """The same for lines of a log that say the same at another time."""
    return re.sub(r"\d+", "#", text)


def _changes(text: str) -> bool:
    """Whether a fact tells a changing command; SQL in a log line is what happened, not advice."""
    return bool(commands.changing_commands(text, with_sql=False))


def _fact_units(reading: Reading, n: int, passage: Passage, weights: _Weights) -> list[_Unit]:
    units: list[_Unit] = []
    wants_trouble = not reading.intents or bool(reading.intents & _PLAN)
    for order, block in enumerate(_fact_blocks(passage.text)):
        text = plain(block.text)
        if block.kind is BlockKind.HEADING or not text or text.endswith(":"):
            continue
        score = weights.score(f"{passage.title} {text}") + 0.3 * weights.score(text) + 0.05
        if passage.source == "graph" and not reading.intents & _GRAPH:
            score *= 0.3  # who owns it is good to know, but not what was asked
        if passage.source == "cluster" and wants_trouble:
            score *= 1.5  # how it stands now says more than lines from before
        if _ASKS_WHO_CALLS.search(reading.question) and _CALLED.search(text):
            score *= 2.0
        if wants_trouble and _TROUBLE.search(text):
            score *= 1.6
        if Intent.WHY in reading.intents and _CAUSE.search(text):
            score *= 2.5
        if Intent.LIMITS in reading.intents and re.search(
            r"limit|request|quota", text, re.IGNORECASE
        ):
            score *= 1.8
        units.append(_Unit(n, text, score / (1 + 0.08 * order) / (1 + 0.1 * n), order, block))
    return units


def _fact_blocks(text: str) -> Iterable[Block]:
    """Lines of a fact stand for themselves; they are not wrapped prose."""
    in_table: list[str] = []
    for line in [*text.splitlines(), ""]:
        if line.lstrip().startswith("|"):
            in_table.append(line)
            continue
        if in_table:
            yield from blocks("\n".join(in_table))
            in_table = []
        if line.strip() and not re.fullmatch(r"\s*[`~]{3,}\w*\s*", line):
            text = re.sub(r"^\s*(?:[-*•]\s+)?", "", line).rstrip()
            whole = len(text.split()) <= 30 or text.lower().startswith("log line")
            for part in [text] if whole else sentences(Block(BlockKind.PARAGRAPH, text)):
                yield Block(BlockKind.PARAGRAPH, part)


def _pages(
    reading: Reading,
    prose: list[tuple[int, Passage]],
    weights: _Weights,
    budget: _Budget,
    *,
    has_facts: bool,
) -> list[str]:
    """What the pages say: rows for a setting, steps for a plan, else the best sentences."""
    units = [unit for n, passage in prose for unit in _page_units(reading, n, passage, weights)]
    if not units:
        return []
    titles = dict(prose)
    wants_rows = bool(reading.intents & {Intent.CONFIG, Intent.LIMITS})
    parts: list[str] = []
    rows = _best_rows(reading, units) if wants_rows else []
    if rows and all(budget.take(row.text) for row in rows[:1]):
        lines = [f"- {_cite(_short(row.text), row.number)}" for row in rows]
        parts.append("\n".join((_heading(titles[rows[0].number], has_facts), *lines)))
        if not reading.intents & _PLAN:
            return parts
    said = [unit for unit in units if unit.block.kind in _SAID]
    said.sort(key=lambda unit: -unit.score)
    wants_plan = not wants_rows and (not reading.intents or bool(reading.intents & _PLAN))
    steps = _steps(reading, prose, weights) if wants_plan else []
    quoted = _quotes(said, budget, 1 if steps else 3, "\n".join(parts))
    if quoted:
        is_lead = not has_facts and not parts
        first, *more = quoted
        lines = [_cite(_short(first.text), first.number)] if is_lead else []
        lines += [f"- {_cite(_short(u.text), u.number)}" for u in (more if is_lead else quoted)]
        body = "\n".join(lines if not (is_lead and more) else [lines[0], "", *lines[1:]])
        parts.append(body if is_lead else f"{_heading(titles[first.number], has_facts)}\n{body}")
    if steps:
        is_same_page = bool(quoted) and quoted[0].number == steps[0].number and bool(has_facts)
        parts.append(_written_steps(steps, budget, has_heading=not is_same_page))
    elif wants_plan and quoted and (fence := _fence_beside(quoted[0], titles)):
        parts.append(fence)
    return [part for part in parts if part]


def _fence_beside(unit: _Unit, titles: dict[int, Passage]) -> str:
    """The command block that stands in the passage of the best sentence."""
    for block in blocks(titles[unit.number].text):
        if block.kind is BlockKind.FENCE and len(block.text.splitlines()) <= 8:
            return f"From there [{unit.number}]:\n{_fence(block, indent='')}"
    return ""


_SAID = frozenset({BlockKind.PARAGRAPH, BlockKind.BULLET, BlockKind.ROW, BlockKind.STEP})


def _page_units(reading: Reading, n: int, passage: Passage, weights: _Weights) -> list[_Unit]:
    wants_cause = Intent.WHY in reading.intents or not reading.intents
    units: list[_Unit] = []
    context = 0.35 * weights.score(f"{passage.title} {passage.heading}")
    is_fix = Intent.HOW in reading.intents and bool(_FIX.search(passage.heading))
    prior = 1 / (1 + 0.12 * (n - 1))
    for order, block in enumerate(blocks(passage.text)):
        if block.kind is BlockKind.HEADING or _is_front_matter(block.text):
            continue
        for sentence in sentences(block):
            score = (weights.score(sentence) + context) * prior
            if is_fix:
                score *= 1.5
            if wants_cause and _CAUSE.search(sentence):
                score *= 1.5
            if block.kind is BlockKind.PARAGRAPH and sentence.endswith(":"):
                score *= 0.3  # it leads in to something that would not be quoted with it
            if len(sentence.split()) < 4 and block.kind is not BlockKind.ROW:
                score *= 0.4
            units.append(_Unit(n, plain(sentence), score, order, block))
    return units


def _best_rows(reading: Reading, units: list[_Unit]) -> list[_Unit]:
    """Rows and "key: value" lines on what was asked, at most four."""
    rows = [
        unit
        for unit in units
        if (unit.block.kind is BlockKind.ROW or _is_setting(unit.text))
        and not commands.changing_commands(unit.text)
    ]
    named = [
        unit for unit in rows if any(_is_key(name.lower(), unit.text) for name in reading.names)
    ]
    best = sorted(named or rows, key=lambda unit: -unit.score)
    top = best[0].score if best else 0.0
    return [unit for unit in best[:4] if unit.score >= 0.5 * top > 0]


def _is_key(name: str, row: str) -> bool:
    """Whether a row is headed by a name, and not by a sentence that mentions it."""
    first = re.split(r"[\s`*,/]+", row.lower().split(" — ")[0].strip("`* "))
    return name in first and len(first) <= 3


def _is_setting(text: str) -> bool:
    return bool(re.fullmatch(r"[\w .`*/-]{2,40}[:=]\s*\S.{0,80}", text)) and len(text.split()) < 12


def _quotes(units: list[_Unit], budget: _Budget, most: int, before: str) -> list[_Unit]:
    chosen: list[_Unit] = []
    top = units[0].score if units else 0.0
    for unit in units:
        if len(chosen) == most or unit.score < 0.45 * top:
            break
        if commands.changing_commands(unit.text) or _is_repeated(unit.text, before):
            continue
        if any(_is_repeated(unit.text, other.text) for other in chosen):
            continue
        if budget.take(_short(unit.text)):
            chosen.append(unit)
    return chosen


@dataclass(frozen=True, slots=True)
class _Plan:
    """The page whose steps are shown."""

    number: int
    passage: Passage
    blocks: tuple[Block, ...]


def _steps(reading: Reading, prose: list[tuple[int, Passage]], weights: _Weights) -> list[_Plan]:
    """The page whose numbered steps fit best, if any page has steps: none or one."""
    best: tuple[float, _Plan] | None = None
    names = [name.lower() for name in reading.names]
    on_it = [item for item in prose if any(name in _about(item[1]) for name in names)]
    for n, passage in (on_it or prose)[:5]:
        found = tuple(blocks(passage.text))
        if not any(block.kind is BlockKind.STEP for block in found):
            continue
        score = weights.score(f"{_about(passage)} {passage.text}") / (1 + 0.2 * n)
        if best is None or score > best[0]:
            best = (score, _Plan(n, passage, found))
    return [best[1]] if best else []


def _about(passage: Passage) -> str:
    return f"{passage.title} {passage.heading} {passage.service} {passage.location}".lower()


def _written_steps(plans: list[_Plan], budget: _Budget, *, has_heading: bool) -> str:
    """Steps in their order, each with the command that stands under it."""
    plan = plans[0]
    lines: list[str] = []
    for block in plan.blocks:
        if block.kind is BlockKind.STEP and not block.is_nested:
            text = _short(" ".join(sentences(block)[:2]))
            if not budget.take(text):
                break
            lines.append(f"{block.number}. {_cite(_mark(text), plan.number)}")
        elif block.kind is BlockKind.FENCE and lines and budget.take(block.text):
            lines.append(_fence(block, indent="   "))
        elif block.kind is BlockKind.HEADING and lines:
            break
    head = [_heading(plan.passage, has_facts=True)] if has_heading and lines else []
    return "\n".join(head + lines)


def _heading(passage: Passage, has_facts: bool) -> str:
    name = passage.heading.removeprefix(f"{passage.title} › ") or passage.title
    who = "What the runbook says" if "runbook" in passage.location.lower() else "What is written"
    return f"**{who}** ({plain(name)})" if has_facts or name else f"**{who}**"


def _fence(block: Block, indent: str) -> str:
    body = block.text.replace("```", "'''")  # Slack knows no longer fences
    lines = [f"```{block.language}", *body.splitlines(), "```"]
    if commands.block_changes(block.text):
        lines.insert(0, f"{commands.CHANGES_MARK}:")
    return "\n".join(indent + line for line in lines)


def _is_front_matter(text: str) -> bool:
    return text.startswith(("title:", "---")) and "service:" in text


def _with_subject(passage: Passage, text: str) -> str:
    """Puts the object's name in front where the line does not say whom it speaks of."""
    name = name_of(passage)
    if name and (name.lower() in text.lower() or passage.title.lower() in text.lower()):
        return text
    if passage.service and re.search(rf"\b{re.escape(passage.service)}\b", text):
        return text
    return f"{plain(passage.title)}: {text}"


def _is_repeated(text: str, other: str) -> bool:
    words = set(terms(text))
    return not words or len(words & set(terms(other))) >= 0.85 * len(words)


def _short(text: str, most_words: int = _LONGEST_LINE_WORDS) -> str:
    parts = text.split()
    if len(parts) <= most_words:
        return text
    cut = " ".join(parts[:most_words])
    cut = cut.replace("`", "") if cut.count("`") % 2 else cut
    cut = cut.replace("**", "") if cut.count("**") % 2 else cut
    return f"{cut.rstrip('.,;:')} …"


def _mark(text: str) -> str:
    if not commands.changing_commands(text):
        return text
    return f"{text.rstrip('.')} ({commands.CHANGES_MARK})."


def _cite(text: str, number: int) -> str:
    ending = re.search(r"[.!?]?[*_]*$", text)
    cut = ending.start() if ending else len(text)
    return f"{text[:cut]} [{number}]{text[cut:]}"
