"""Passages as evidence of one answer: merged, cited, numbered, and how far they carry. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from core.answers import Citation, Confidence, Lookup, Passage
from core.questions import Intent, Reading
from knowledge.asked import is_factual, is_short
from knowledge.quoting import parts_of
from knowledge.sentences import outside_code, vocabulary
from knowledge.wholepage import best_page, is_fix, shortened, tells_fix

_MARK = re.compile(r"\[(\d+)\]")
_KIND = r"(?:pod|deployment|statefulset|daemonset|cronjob|service|workload|app|node)"
# "pod billing", "the recommendation service"; a word of ordinary English is no object.
_OBJECT = re.compile(
    rf"\b(?:for|of|on|is|does|about) (?:the )?{_KIND} ([a-z][a-z0-9]*(?:-[a-z0-9]+)*)\b"
    rf"|\bthe ([a-z][a-z0-9]*(?:-[a-z0-9]+)*) {_KIND}\b",
    re.IGNORECASE,
)
_TICKET = re.compile(r"[A-Z]{2,}-\d+")
# A capitalised word inside a sentence is a product or a name.
_PRODUCT = re.compile(r"(?<=[a-z,] )([A-Z][a-z]{3,})\b")
_SECRET = re.compile(
    r"\bwhat(?:'s| is| are)\b[\w\s'-]*\b(?:passwords?|passphrases?|private keys?|api keys?|"
    r"(?:access|bearer|auth) tokens?)\b",
    re.IGNORECASE,
)
_NO_OBJECTS = frozenset(
    """
    a an and any are as at by can does for from get has have if in is it its last limit limits
    memory more name no not of old on one or other our ready same so status still that the their
    then there this to trading two under use when which while why with job jobs kubernetes failing
    default first main whole right wrong affected new
    """.split()  # noqa: SIM905  (one table reads better than many quotes)
)
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


def merge(lookups: Sequence[Lookup], reading: Reading, most: int) -> tuple[Passage, ...]:
    """Facts first, then prose, each in the order found; a passage that was found twice once.

    Half of the room is kept for prose, so that a talkative cluster does not crowd out the runbook;
    of the runbook its remedy stays to the last.
    """
    unique = {passage.id: passage for lookup in reversed(lookups) for passage in lookup.passages}
    ordered = dict.fromkeys(passage.id for lookup in lookups for passage in lookup.passages)
    found = [unique[identity] for identity in ordered]
    facts = [passage for passage in found if passage.is_fact]
    prose = [passage for passage in found if not passage.is_fact]
    room_for_facts = max(most - len(prose), most - most // 2)
    facts = facts[:room_for_facts]
    return (*facts, *shortened(prose, reading, most - len(facts)))


def remedy_of(reading: Reading, found: Sequence[Passage]) -> tuple[Passage, ...]:
    """Of what was found on one error, the section of its page that tells the remedy."""
    prose = [p for p in found if not p.is_fact]
    location = best_page(prose, reading)
    page = [p for p in prose if p.location == location]
    remedies = [p for p in page if is_fix(p)]
    remedies += [p for p in page if any(tells_fix(name) for name, _ in parts_of(p))]
    return tuple(remedies[:1])


def with_remedies(
    passages: Sequence[Passage], remedies: Mapping[str, Sequence[Passage]]
) -> tuple[Passage, ...]:
    """The facts, then what is written on each, then the other prose."""
    facts = [p for p in passages if p.is_fact]
    told = [p for found in remedies.values() for p in found]
    others = [p for p in passages if not p.is_fact]
    return tuple({p.id: p for p in (*facts, *told, *others)}.values())


def is_answerable(reading: Reading, passages: Sequence[Passage]) -> bool:
    """Whether what was found speaks of what the question names; a secret is never told.

    A question that names a thing nobody knows ("pod billing", "Terraform", "INC-2100") is not
    answered by what is written about others.
    """
    if _SECRET.search(reading.question):
        return False
    text = " ".join(f"{p.title} {p.location} {p.heading} {p.text}" for p in passages).lower()
    wanted = [code for code in reading.codes if _TICKET.fullmatch(code)]
    if is_short(reading.question):  # a story names much that its answer need not speak of
        wanted += [(m[1] or m[2]).removesuffix("s") for m in _OBJECT.finditer(reading.question)]
    if not reading.names and not reading.namespaces and is_factual(reading.question):
        wanted += _PRODUCT.findall(reading.question)
    return all(_speaks_of(word.lower(), text) for word in wanted if word.lower() not in _NO_OBJECTS)


def _speaks_of(word: str, text: str) -> bool:
    return bool(re.search(rf"(?<![\w]){re.escape(word)}", text))


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
    """Title and the section's own heading, without saying the title twice."""
    parts = [part for part in passage.heading.split(" › ") if part and part != passage.title]
    if not parts or passage.heading in passage.title:
        return passage.title
    return f"{passage.title} › {parts[-1]}"


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
