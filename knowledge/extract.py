"""Answers without a model: what was found, composed by what was asked for, and cited.

Pure. Facts come as whole sentences, the most telling first, and lead; of pages the cause and the
steps are quoted, in their order and with their commands whole; last one command that only reads.
Every line carries the number of its passage, counted from 1 in the order given. The
module is longer than others: one walk by intent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from core.answers import Passage
from core.questions import Intent, Reading
from knowledge.asked import is_factual
from knowledge.blocks import BlockKind
from knowledge.composing import GRAPH, graph, incidents, log_lines, numbers
from knowledge.differences import difference
from knowledge.direct import direct
from knowledge.errorlist import error_list, is_error_list
from knowledge.nextcommand import name_of, next_command
from knowledge.quoting import (
    SAYS_WHY,
    Numbered,
    Unit,
    Weights,
    changes,
    chosen,
    fact_lines,
    heading,
    is_repeated,
    line,
    page_units,
    with_next,
)
from knowledge.steps import fence_beside, steps
from knowledge.wholepage import best_page, tells_cause

_SETTING = frozenset({Intent.CONFIG, Intent.LIMITS})
_PLAN = frozenset({Intent.HOW, Intent.WHY, Intent.STATUS})
_WELL = re.compile(r"\bruns well\b|\bis Ready\b(?!.*\bbut\b)|^\S+ runs: (\d+) of \1 ")
_TROUBLE = re.compile(
    r"kill|crash|back-?off|fail|error|exit|not ready|unhealthy|pending|evict|restart|refus|"
    r"timeout|exceed|oom|stuck|denied|unschedul|broken|wrong|down\b|hang|deadlock|not found|health",
    re.IGNORECASE,
)
_ASKS_MEANING = re.compile(
    r"\b(?:mean(?:s|ing)?|difference|explain|how long|retention|kept)\b", re.IGNORECASE
)
_ASKS_STEPS = re.compile(
    r"\bhow (?:do|can|should|would|could) (?:i|we|you|one)\b|\bhow to\b|\bsteps\b", re.IGNORECASE
)
_OPENER = re.compile(
    r"\s*(?:what|which|who\w*|when|where|how (?:many|much|long)|can|may)\b", re.IGNORECASE
)
_DETAIL = re.compile(
    r"^(?:Event |Log line:|Pod \S+ on |Container |Severity |Also affected|"
    r"Last rollout .*no image changed)"
)
_SEEN_LINES = 3


def extract(
    reading: Reading,
    passages: Sequence[Passage],
    remedies: Mapping[str, Sequence[str]] | None = None,
) -> str:
    """An answer in Markdown with `[n]` marks; '' without passages.

    Changing commands are marked, stand never first, and never as the next command.

    Args:
        reading: The question, read.
        passages: Facts and prose, best first.
        remedies: For a list of errors: passage id of an error → ids of passages on its remedy.
    """
    facts = [(n, p) for n, p in enumerate(passages, start=1) if p.is_fact]
    prose = [(n, p) for n, p in enumerate(passages, start=1) if not p.is_fact]
    if is_error_list(reading, passages) and (
        text := error_list(reading, facts, prose, remedies or {})
    ):
        return text
    intents = reading.intents
    weights = Weights(reading, passages)
    text = ""
    if Intent.SIMILAR in intents:
        text = incidents(reading, facts, prose, weights)
    if not text and not facts and is_factual(reading.question):
        text = direct(reading, prose, weights)
    if not text and _wants_lines(reading, facts):
        text = log_lines(reading, facts)
    if not text and Intent.METRICS in intents:
        text = numbers(facts)
    if not text and intents & GRAPH:
        text = graph(reading, facts, prose, weights)
    if not text and intents & _SETTING and not intents & _PLAN:
        text = _settings(reading, facts, prose, weights)
    return text or _plan(reading, facts, prose, weights)


def _wants_lines(reading: Reading, facts: list[Numbered]) -> bool:
    """Whether lines of a log were asked for, and not what a word in them means."""
    if _ASKS_MEANING.search(reading.question):
        return False
    has_table = any(p.source == "csv-logs" for _, p in facts)
    if Intent.LOGS in reading.intents:
        return has_table or bool(reading.names)
    return has_table and reading.time_range is not None and Intent.METRICS not in reading.intents


def _settings(
    reading: Reading, facts: list[Numbered], prose: list[Numbered], weights: Weights
) -> str:
    """The values in force, the documented ones, and where they differ; nothing else."""
    limits = [(n, p) for n, p in facts if p.id.endswith(":limits")]
    parts = [line(fact_lines(p)[0], n, 60) for n, p in limits[:2]]
    units = page_units(reading, prose, weights)
    rows = _rows(reading, units)
    differing = difference(reading, facts, prose)
    if differing:
        parts.append(differing)
    elif rows:
        parts.append("\n".join(f"- {line(u.text, u.number)}" for u in rows))
    elif not parts or Intent.CONFIG in reading.intents:
        parts += _said(units, 3, is_lead=not parts)
    return "\n\n".join(part for part in parts if part)


def _rows(reading: Reading, units: list[Unit]) -> list[Unit]:
    """Table rows on what was asked, at most three."""
    rows = [u for u in units if u.block.kind is BlockKind.ROW and not changes(u.text)]
    named = [u for u in rows if any(_is_key(name.lower(), u.text) for name in reading.names)]
    if reading.names and not named:
        return []
    best = sorted(named or rows, key=lambda unit: -unit.score)
    top = best[0].score if best else 0.0
    sentences = [u.score for u in units if u.block.kind is not BlockKind.ROW]
    if not named and top < 0.8 * max(sentences, default=0.0):
        return []
    return [unit for unit in best[:3] if unit.score >= 0.6 * top > 0]


def _is_key(name: str, row: str) -> bool:
    """Whether a row is headed by a name, and not by a sentence that mentions it."""
    first = re.split(r"[\s`*,/]+", row.lower().split(" — ")[0].strip("`* "))
    return name in first and len(first) <= 3


def _said(units: list[Unit], most: int, *, is_lead: bool) -> list[str]:
    """The best sentences: a lead and what supports it."""
    found = chosen(units, most, floor=0.55)
    if not found:
        return []
    first, *more = found
    if not is_lead:
        return ["\n".join(f"- {line(unit.text, unit.number)}" for unit in found)]
    lead = line(with_next(first, units), first.number, 60)
    rest = [u for u in more if not is_repeated(u.text, lead)]
    return [lead, "\n".join(f"- {line(unit.text, unit.number)}" for unit in rest)]


def _plan(reading: Reading, facts: list[Numbered], prose: list[Numbered], weights: Weights) -> str:
    """Lead, what is seen, what the runbook says, and the next safe command."""
    live = [(n, p) for n, p in facts if p.source == "cluster" and _says_something(p)]
    others = [(n, p) for n, p in facts if p.source not in {"cluster", "graph"}]
    parts: list[str] = []
    leads_live = bool(live) and (not prose or _is_on_trouble(reading, live[0][1]))
    if leads_live:
        parts += _seen(reading, live, others)
    elif not prose:
        parts += [part for n, p in facts[:2] for part in _told(n, p)]
    if leads_live and (differing := difference(reading, facts, prose)):
        parts.append(differing)
    if parts:
        weights = Weights(reading, [p for _, p in (*facts, *prose)], parts[0])
    parts += _pages(reading, prose, weights, "\n".join(parts), has_lead=bool(parts))
    is_named = bool(reading.names) and Intent.CONFIG not in reading.intents
    if not leads_live and prose and live and is_named:
        n, passage = live[0]
        parts.append(f"**Now:** {line(fact_lines(passage)[0], n)}")
    if leads_live and (command := next_command(reading, facts, prose, "\n".join(parts))):
        parts.append(command)
    return "\n\n".join(part for part in parts if part)


def _is_on_trouble(reading: Reading, passage: Passage) -> bool:
    """Whether the object is in trouble and the question is about that."""
    first = fact_lines(passage)[0]
    if Intent.CONFIG in reading.intents or reading.intents == {Intent.HOW}:
        return not _WELL.search(first) and bool(_TROUBLE.search(reading.question))
    is_bare = not reading.intents and not _OPENER.match(reading.question)
    if _WELL.search(first):
        return Intent.STATUS in reading.intents or is_bare
    asks = Intent.STATUS in reading.intents or bool(_TROUBLE.search(reading.question))
    return asks or is_bare


def _says_something(passage: Passage) -> bool:
    lines = fact_lines(passage)
    return bool(lines) and len(lines[0].split()) > 3


def _told(n: int, passage: Passage) -> list[str]:
    first, *more = fact_lines(passage) or [""]
    alike = {_without_digits(text): text for text in reversed(more)}
    kept = [t for t in more if alike[_without_digits(t)] == t]
    kept = [text for text in kept if _without_digits(text) != _without_digits(first)]
    rest = "\n".join(f"- {line(text, n)}" for text in kept[:_SEEN_LINES])
    return [line(first, n), rest] if first else []


def _without_digits(text: str) -> str:
    """The same for lines of a log that say the same at another time."""
    return re.sub(r"\d+", "#", text)


def _seen(reading: Reading, live: list[Numbered], others: list[Numbered]) -> list[str]:
    """The lead sentence from the cluster, and what supports it."""
    n, passage = live[0]
    first, *more = fact_lines(passage)
    safe = [text for text in (first, *more) if not changes(text)]
    lead = line(_with_subject(passage, safe[0]), n, 60) if safe else ""
    rest = [text for text in (first, *more) if not safe or text != safe[0]]
    own = [text for text in rest if not _DETAIL.match(text)] or rest
    seen = [(n, _lower_object(text)) for text in own if not is_repeated(text, lead)][:_SEEN_LINES]
    wants_more = not reading.names or reading.limit is not None
    further = live[1:10] if wants_more else [item for item in live[1:3] if _adds(item[1], lead)]
    seen += [(k, fact_lines(p)[0]) for k, p in further]
    seen += [(k, fact_lines(p)[0].split(";")[0]) for k, p in others[:1] if fact_lines(p)]
    told = "\n".join(f"- {line(text, k)}" for k, text in seen)
    return [part for part in (lead, f"**What I see**\n{told}" if told else "") if part]


def _with_subject(passage: Passage, text: str) -> str:
    """Puts the object in front of a sentence that does not say whom it speaks of."""
    known = (name_of(passage).lower(), passage.service.lower(), passage.title.lower())
    return text if any(n and n in text.lower() for n in known) else f"{passage.title}: {text}"


def _adds(passage: Passage, lead: str) -> bool:
    first = fact_lines(passage)[0]
    return not is_repeated(first, lead) and not _WELL.search(first)


def _lower_object(text: str) -> str:
    """The count of replicas without the object's kind and place in front."""
    return re.sub(r"^(?:[A-Z]\w+ )[\w./-]+: (?=\d)", "", text)


def _pages(
    reading: Reading, prose: list[Numbered], weights: Weights, before: str, *, has_lead: bool
) -> list[str]:
    """Cause and steps of the best page; without facts its best sentences lead."""
    if not prose:
        return []
    location = best_page([p for _, p in prose], reading)
    page = [(n, p) for n, p in prose if p.location == location]
    units = page_units(reading, prose, weights)
    wants_plan = not reading.intents or bool(reading.intents & _PLAN)
    parts: list[str] = []
    if not has_lead and _ASKS_STEPS.search(reading.question):
        text, name = steps(reading, page, weights)
        if text:
            return [f"**What to do** ({name})\n{text}"]
    if not has_lead:
        is_how = Intent.HOW in reading.intents
        own = [unit for unit in units if unit.number in dict(page)]
        parts += _said(own if is_how and own else units, 3, is_lead=True)
        before = "\n".join(parts)
    is_short = not has_lead and Intent.HOW not in reading.intents and _answers_alone(reading)
    if has_lead or not is_short or Intent.IMPACT in reading.intents:
        parts += _causes(page, units, before, has_lead=has_lead)
    if wants_plan and page and not is_short:
        text, name = steps(reading, page, weights, most=4 if has_lead else 6)
        if text:
            parts.append(f"**What to do** ({name})\n{text}")
        elif not has_lead and (beside := fence_beside(units, dict(prose))):
            parts.append(beside)
    return [part for part in parts if part]


def _causes(page: list[Numbered], units: list[Unit], before: str, *, has_lead: bool) -> list[str]:
    """What the page says on the cause; after a lead from prose only what its section on it says."""
    titles = dict(page)
    own = [u for u in units if u.number in titles]
    causes = [u for u in own if tells_cause(u.section)]
    if has_lead:
        causes = causes or [u for u in own if SAYS_WHY.search(u.text)] or own
    told = sorted(chosen(causes, 2, before, floor=0.35), key=own.index)
    texts: dict[str, int] = {}
    for unit in told:
        if not any(unit.text in shown for shown in (before, *texts)):
            texts[with_next(unit, own)] = unit.number
    if not texts:
        return []
    lines = [f"- {line(text, number, 60)}" for text, number in texts.items()]
    return ["\n".join([heading(titles[told[0].number], told[0].section), *lines])]


def _answers_alone(reading: Reading) -> bool:
    """Whether a question wants to understand, and not to repair."""
    if _TROUBLE.search(reading.question):
        return bool(_ASKS_MEANING.search(reading.question))
    return bool(_OPENER.match(reading.question)) or reading.intents == {Intent.WHY}
