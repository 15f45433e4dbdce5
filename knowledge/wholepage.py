"""What else the best page says: a search finds one section, the remedy stands in another.

The sections on cause and remedy of the page that fits best are put beside what was found, each
section in one piece and in the order of the page.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from core.answers import Passage, Scope
from core.questions import Intent, Reading
from knowledge.asked import is_factual
from knowledge.ports import Filter, Hit, VectorStore
from knowledge.retrieve import Ranked, passage_of, scope_filter

CAUSE = re.compile(
    r"\bwhy\b|\bcauses?\b|\breasons?\b|\bbackground\b|\bmeaning\b|\bmeans\b|reading what|"
    r"\bexplanation\b|\bhow .+ works?\b|\bwhat (?:a|the|happened|kubernetes|went)\b|\bsummary\b|"
    r"\bpatterns?\b|safety catch",
    re.IGNORECASE,
)
FIX = re.compile(
    r"\bfix\w*|\bmitigat\w+|\bresol\w+|\brepair\w*|\bremed\w+|\brecover\w*|what to do|"
    r"\bact(?:ion)?s?\b|"
    r"\bsteps?\b|\bprocedures?\b|\bforce\b|\bsolution\b|\bworkaround\b|"
    r"\bstop (?:it|the)\b|\brerun\b|"
    r"\broll ?back\b|\bin an emergency\b|\bfree (?:up )?space\b",
    re.IGNORECASE,
)
NOT_FIX = re.compile(
    r"\bnot\b|\bnever\b|\bfollow-?ups?\b|\bverify\b|\bafter(?:wards)?\b", re.IGNORECASE
)
SIZES = re.compile(
    r"\bresources?\b|\blimits?\b|\brequests?\b|\bquotas?\b|\bsizing\b", re.IGNORECASE
)
IMPACT = re.compile(r"\bimpact\b|who is hit|\busers see\b|\bis away\b|\baffected\b", re.IGNORECASE)
_INCIDENT = re.compile(r"\bincidents?\b|\binc-\d|post-?mortem", re.IGNORECASE)
_PLAN = frozenset({Intent.WHY, Intent.HOW, Intent.STATUS, Intent.IMPACT})
_MOST_CHUNKS = 60
_MOST_SECTION_CHARS = 4000
_MOST_ADDED = 4
_MOST_NEAR = 2


def is_incident(passage: Passage) -> bool:
    """Whether a passage is a report of the past, and not advice."""
    return passage.source == "past" or bool(_INCIDENT.search(f"{passage.location} {passage.title}"))


def section_of(passage: Passage) -> str:
    """The headings inside the page, its title left out."""
    parts = passage.heading.split(" › ")
    return " › ".join(part for part in parts if part and part != passage.title)


def is_fix(passage: Passage) -> bool:
    """Whether a passage's section tells what to do."""
    return tells_fix(section_of(passage))


def tells_fix(section: str) -> bool:
    """Whether a section of this name tells what to do."""
    return bool(FIX.search(section)) and not NOT_FIX.search(section)


def tells_cause(section: str) -> bool:
    """Whether a section of this name tells why."""
    return bool(CAUSE.search(section)) and not NOT_FIX.search(section)


def best_page(passages: Sequence[Passage], reading: Reading) -> str:
    """Where the page that answers best stands: on what is named, advice before reports; or ''."""
    prose = [p for p in passages if not p.is_fact and p.source in {"markdown", "past"}]
    if Intent.SIMILAR in reading.intents:
        reports = [p for p in prose if is_incident(p)]
        return reports[0].location if reports else ""
    prose = [p for p in prose if not is_incident(p)] or prose
    names = {name.lower() for name in reading.names}
    named = [p for p in prose if p.service.lower() in names]
    named = named or [p for p in prose if _in_title(p, names)]
    if Intent.LIMITS not in reading.intents:
        named = [p for p in named if "runbook" in p.location.lower()] or named
    return (named or prose)[0].location if prose else ""


def _in_title(passage: Passage, names: set[str]) -> bool:
    title = passage.title.lower()
    return any(re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", title) for name in names)


async def completed(
    store: VectorStore, passages: Sequence[Passage], reading: Reading, scope: Scope, limit: int
) -> tuple[Passage, ...]:
    """The passages with the telling sections of the best page behind its first one.

    Args:
        store: Where the page's other chunks are.
        passages: What was found, best first.
        reading: Says which sections tell.
        scope: Limits what may be read.
        limit: At most so many are given back.

    Raises:
        KnowledgeError: The store fails.
    """
    location = best_page(passages, reading) if _wants_more(reading) else ""
    if not location:
        return tuple(passages[:limit])
    known = next(p for p in passages if p.location == location)
    allowed = scope_filter(scope)
    filters = Filter({**(allowed.any_of if allowed else {}), "path": (location,)})
    hits = await store.search_sparse(known.title, _MOST_CHUNKS, filters)
    sections = _sections(hits, known)
    near = await store.search_sparse(reading.search_text, _MOST_NEAR, filters)
    headings = {hit.payload.get("heading") for hit in near}
    telling = [p for p in sections if _is_wanted(p, reading)][:_MOST_ADDED]
    wanted = [p for p in sections if p in telling or p.heading in headings]
    taken = {(p.location, p.heading) for p in wanted}
    found = [p for p in passages if (p.location, p.heading) not in taken]
    at = next((n for n, p in enumerate(found) if p.location == location), -1) + 1
    return shortened([*found[:at], *wanted, *found[at:]], reading, limit)


def shortened(passages: Sequence[Passage], reading: Reading, limit: int) -> tuple[Passage, ...]:
    """The first ones; what the best page tells of cause and remedy is the last to be left out."""
    location = best_page(passages, reading) if _wants_more(reading) else ""
    over = max(0, len(passages) - limit)
    others = [
        number
        for number, passage in enumerate(passages)
        if not location or passage.location != location or not _is_wanted(passage, reading)
    ]
    left_out = set(others[len(others) - over :] if over else ())
    return tuple(p for number, p in enumerate(passages) if number not in left_out)[:limit]


def _wants_more(reading: Reading) -> bool:
    intents = reading.intents
    wanted = _PLAN | {Intent.SIMILAR, Intent.LIMITS, Intent.CONFIG}
    return not intents or bool(intents & wanted) or is_factual(reading.question)


def _is_wanted(passage: Passage, reading: Reading) -> bool:
    if Intent.CONFIG in reading.intents and not reading.intents & _PLAN:
        return False
    if Intent.LIMITS in reading.intents and not reading.intents & _PLAN:
        return bool(SIZES.search(section_of(passage) or passage.text[:200]))
    if Intent.IMPACT in reading.intents and not reading.intents & {Intent.HOW, Intent.WHY}:
        return bool(IMPACT.search(section_of(passage))) or tells_cause(section_of(passage))
    return is_fix(passage) or tells_cause(section_of(passage))


def _sections(hits: Sequence[Hit], known: Passage) -> list[Passage]:
    """Chunks under one heading, joined, in the order of the page."""

    def place(hit: Hit) -> int:
        position = hit.payload.get("position")
        return position if isinstance(position, int) else 0

    joined: dict[str, Passage] = {}
    for hit in sorted(hits, key=place):
        part = passage_of(Ranked(hit, known.score), 1.0)
        if (part.source, part.title) != (known.source, known.title):
            continue
        before = joined.get(part.heading)
        if before is None:
            joined[part.heading] = replace(part, score=known.score)
        elif len(before.text) + len(part.text) <= _MOST_SECTION_CHARS:
            joined[part.heading] = replace(before, text=f"{before.text}\n\n{part.text}")
    return list(joined.values())
