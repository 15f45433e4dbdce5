"""Answers to exact questions: past incidents, log lines, series, the service graph. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from core.answers import Passage
from core.questions import Intent, Reading
from knowledge.blocks import Block, BlockKind, blocks, plain, sentences
from knowledge.quoting import (
    Numbered,
    Unit,
    Weights,
    changes,
    chosen,
    cite,
    fact_lines,
    line,
    page_units,
    parts_of,
)
from knowledge.wholepage import is_fix, is_incident, section_of, tells_fix

GRAPH = frozenset({Intent.OWNER, Intent.IMPACT, Intent.DEPENDENCIES})
_SHOWN_LINES = 8
_ITEMS = frozenset({BlockKind.STEP, BlockKind.BULLET})
_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_SUMMARY_OF_FIX = re.compile(r"\bfix(?:ed)?\b|\bresolved\b|\bsolved\b|\bmitigated\b", re.IGNORECASE)
_CLASS = re.compile(r"\b(?:root )?cause\b", re.IGNORECASE)


def live_line(facts: list[Numbered]) -> str:
    """How the first object that was looked at stands now, or ''."""
    for n, passage in facts:
        if passage.source == "cluster" and (lines := fact_lines(passage)):
            return f"**Now:** {line(lines[0], n, 60)}"
    return ""


def incidents(
    reading: Reading, facts: list[Numbered], prose: list[Numbered], weights: Weights
) -> str:
    """The nearest report: what happened, its cause and fix then; the others as one line."""
    reports = [(n, p) for n, p in prose if is_incident(p)]
    if not reports:
        return ""
    by_place: dict[str, list[Numbered]] = {}
    for n, passage in reports:
        by_place.setdefault(passage.location, []).append((n, passage))
    best, *others = by_place.values()
    number, report = best[0]
    name = plain(report.title)
    date = next((m[0] for _, p in best if (m := _DATE.search(p.text))), "")
    when = f" ({date})" if date and date not in name else ""
    parts = [cite(f"{_verdict(reading, best)}: **{name}**{when}.", number)]
    units = page_units(reading, best, weights)
    titles = dict(best)
    told: list[str] = []
    happened = chosen([u for u in units if not _is_about_fix(u, titles[u.number])], 1)
    cause = chosen([u for u in units if _CLASS.search(section_of(titles[u.number]))], 1, floor=0.2)
    told += [f"- **Then:** {line(u.text, u.number)}" for u in happened]
    told += [
        f"- **Cause then:** "
        f"{line(_first_said(blocks(titles[u.number].text)) or u.text, u.number, 60)}"
        for u in cause
        if u.text not in "".join(told)
    ]
    parts.append("\n".join(told))
    if fixed := _fixed(best, units):
        parts.append(fixed)
    parts.append(live_line(facts))
    if others:
        names = "; ".join(cite(plain(items[0][1].title), items[0][0]) for items in others[:3])
        parts.append(f"Also looked alike: {names}.")
    return "\n\n".join(part for part in parts if part)


def _verdict(reading: Reading, report: list[Numbered]) -> str:
    """How sure it is: a name or a code that both speak of; words alone make a report only near."""
    text = " ".join(f"{p.title} {p.text}" for _, p in report).lower()
    if reading.names:
        is_same = any(name.lower() in text for name in reading.names)
        return "Yes" if is_same else "The nearest report is about something else"
    is_same = any(code.lower() in text for code in reading.codes)
    return "Yes" if is_same else "The nearest report"


def _is_about_fix(unit: Unit, passage: Passage) -> bool:
    return (
        is_fix(passage)
        or "follow-up" in section_of(passage).lower()
        or (unit.block.kind is BlockKind.ROW)
    )


def _first_said(section: Sequence[Block]) -> str:
    """The first sentences of a section that is about one thing."""
    for block in section:
        if block.kind is BlockKind.PARAGRAPH:
            return plain(" ".join(sentences(block)[:2]))
    return ""


def _fixed(report: list[Numbered], units: list[Unit]) -> str:
    """What helped then: the steps of the report's section on it, else its sentence on it."""
    for n, passage in report:
        for section, body in parts_of(passage):
            if not tells_fix(section):
                continue
            found = [b for b in body if b.kind in _ITEMS]
            lines = [f"{b.number or at}. {line(b.text, n)}" for at, b in enumerate(found, start=1)]
            if lines:
                return "\n".join(("**Fix then**", *lines[:5]))
            if text := _first_said(body):
                return f"**Fix then:** {line(text, n, 60)}"
    said = [u for u in units if _SUMMARY_OF_FIX.search(u.text) and not changes(u.text)]
    return f"**Fix then:** {line(said[0].text, said[0].number, 60)}" if said else ""


def log_lines(reading: Reading, facts: list[Numbered]) -> str:
    """How many lines there are, of whom, the newest as they are, and what kinds there are."""
    tables = [(n, p) for n, p in facts if p.source == "csv-logs"]
    if not tables:
        return _live_lines(facts)
    parts: list[str] = []
    for n, passage in tables[:2]:
        raw = [text for text in passage.text.splitlines() if text.startswith("- ")]
        told = [text for text in fact_lines(passage) if f"- {text}" not in raw]
        if not told:
            continue
        lead, *more = told
        kinds = [text for text in more if text.startswith("Kind: ")]
        by = [text for text in more if text.startswith("By ")]
        parts.append(line(lead, n, 60))
        if by:
            parts.append("\n".join(f"- {line(text, n)}" for text in by))
        if raw and not re.match(r"\s*how many\b", reading.question, re.IGNORECASE):
            shown = raw[: max(_SHOWN_LINES, min(reading.limit or 0, 20))]
            body = "\n".join(text[2:].replace("```", "'''") for text in shown)
            parts.append(
                f"The newest {len(shown)} [{n}]:\n```\n{body}\n```"
                if len(raw) > 1
                else f"```\n{body}\n```"
            )
        if len(kinds) > 1:
            grouped = "; ".join(text.removeprefix("Kind: ").rstrip(".") for text in kinds)
            parts.append(cite(f"By kind: {grouped}.", n))
    return "\n\n".join(parts)


def _live_lines(facts: list[Numbered]) -> str:
    """Lines of the live cluster, where no log file has any."""
    for n, passage in facts:
        found = [text for text in fact_lines(passage) if text.startswith("Log line: ")]
        if found:
            body = "\n".join(text.removeprefix("Log line: ") for text in found[-20:])
            body = body.replace("```", "'''")
            lead = line(fact_lines(passage)[0], n, 60)
            return f"{lead}\n\nThe telling lines of its log [{n}]:\n```\n{body}\n```"
    return ""


def numbers(facts: list[Numbered]) -> str:
    """Last value, highest, and a picture of each series; how the object stands now."""
    series = [(n, p) for n, p in facts if p.kind == "metrics"]
    parts: list[str] = []
    for n, passage in series[:2]:
        lead, *more = fact_lines(passage)
        parts.append(line(lead, n, 60))
        parts.append("\n".join(f"- {line(text, n, 60)}" for text in more))
    if parts:
        troubled = [i for i in facts if i[1].source == "cluster" and "runs well" not in i[1].text]
        parts.append(live_line(troubled))
    return "\n\n".join(part for part in parts if part)


def graph(reading: Reading, facts: list[Numbered], prose: list[Numbered], weights: Weights) -> str:
    """Who is hit, by whom it is owned, by what way; then what the page on it says."""
    known = [(n, p) for n, p in facts if p.source == "graph"]
    if not known:
        return ""
    parts: list[str] = []
    for n, passage in known[:3]:
        lines = _ordered(reading, fact_lines(passage))
        lead, *more = lines
        parts.append(line(lead, n, 80))
        table = [text for text in passage.text.splitlines() if text.startswith("|")]
        more = [text for text in more if not text.startswith(("|", "Its runbook"))]
        if table:
            parts.append("\n".join((f"By team [{n}]:\n", *table)))
        parts.append("\n".join(f"- {line(text, n, 60)}" for text in more[:4]))
    if Intent.IMPACT in reading.intents:
        names = {name.lower() for name in reading.names}
        own = [i for i in prose if not is_incident(i[1]) and i[1].service.lower() in names]
        units = page_units(reading, own or prose[:3], weights)
        told = chosen(units, 2, "\n".join(parts), floor=0.6)
        if told:
            lines = [f"- {line(unit.text, unit.number)}" for unit in told]
            parts.append("\n".join(("**What is written**", *lines)))
    if reading.intents & {Intent.IMPACT, Intent.STATUS}:
        parts.append(live_line(facts))
    return "\n\n".join(part for part in parts if part)


def _ordered(reading: Reading, lines: list[str]) -> list[str]:
    """What was asked for first: the owner, who calls it, or what it needs."""
    lines = [text for text in lines if not text.startswith("|")]
    intents = reading.intents
    wanted = ""
    if Intent.OWNER in intents and Intent.IMPACT not in intents:
        wanted = r"\bis owned by\b|names no owner|is reached at"
    elif (
        re.search(
            r"\bdepends? on\b(?!\s*\?*\s*$)|\bwho (?:calls|uses)\b|\bwhat (?:calls|uses)\b",
            reading.question,
            re.IGNORECASE,
        )
        and Intent.DEPENDENCIES in intents
    ):
        wanted = r"\bcalled by\b|\bit hits\b"
    if not wanted:
        return lines
    return sorted(lines, key=lambda text: not re.search(wanted, text, re.IGNORECASE))
