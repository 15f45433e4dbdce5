"""Ranks what both legs found: fused, grouped by page, lifted by what speaks for a page. Pure.

The constants were chosen on 77 questions and 72 alerts over 1,197 public pages; the numbers, and
those of a cross-validation, stand in docs/benchmarks.md.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from core.errors import KnowledgeError
from core.questions import Reading
from knowledge.alerts import is_alert
from knowledge.pages import (
    PageKey,
    likeness,
    linked_pages,
    name_of,
    name_words,
    same_names,
    share,
    words_of,
)
from knowledge.ports import Hit

# The most chunks that a leg gives. A question is about a subject, so all that a page has on it
# counts, far down too; an alert has its one page, and of what is far down only the noise is added.
# In a small collection the same places are nowhere near the question: there a leg gives fewer.
LEG_LIMIT = 400
_LEG_FLOOR = 60
_POINTS_A_PLACE = 36
_ALERT_SHARE = 0.375
CHUNKS_A_PAGE = 2
# A page is as good as its best chunk, and a little better for having more of them.
_SHARES = (1.0, 0.3, 0.15)
# The page that the best chunks point to answers more than they do. Each chunk votes with its score;
# the root, because the tenth vote tells less than the first. Only for questions: of an alert's page
# others rarely speak.
_VOTERS = 20
_LINK_BOOST = 0.4
# All words of the title, or of the file's name, stand in the text: (for a question, for an alert).
_TITLE_BOOST = (0.1, 0.2)
_FILE_NAME_BOOST = (0.0, 0.3)
# Pages of one name in two places are equally right, as far as a best one carries the other.
_SAME_NAME_SHARE = 0.7
# A page's name or nearly so: "KubePodCrashLoop", "PodCrashLooping", "kube pod crash looping". Two
# words of three are not enough, for that is another alert of the family; and names of two words are
# those of kinds ("StatefulSet"), of which many pages speak.
_NEAR_NAME_BOOST = 1.0
_NEAR_NAME = 0.7
_FEWEST_NAME_WORDS = 3
# An alert's or error's name is the page's name; the page is about a service that the question
# names; it holds an error token word for word.
_EXACT_BOOST = 0.3
_NAME_BOOST = 0.25
_CODE_BOOST = 0.2
_CAMEL = re.compile(r"\b[A-Z][A-Za-z0-9]*[a-z0-9][A-Z][A-Za-z0-9]*\b")
_SMALLEST_SCORE = 1e-9


@dataclass(frozen=True, slots=True)
class Legs:
    """What both legs found, each best first; `failure` is why there is no second one."""

    sparse: Sequence[Hit]
    dense: Sequence[Hit]
    failure: KnowledgeError | None = None


@dataclass(frozen=True, slots=True)
class Ranked:
    """A chunk with its final score."""

    hit: Hit
    score: float


def leg_limit(point_count: int) -> int:
    """How many chunks a leg gives in a collection of so many."""
    return min(max(point_count // _POINTS_A_PLACE, _LEG_FLOOR), LEG_LIMIT)


def rank(legs: Legs, reading: Reading, limit: int) -> tuple[Ranked, ...]:
    """Fuse both legs, group by page, at most two chunks of each, best first."""
    is_for_alert = is_alert(reading.question)
    if is_for_alert:
        depth = max(round(_ALERT_SHARE * max(len(legs.sparse), len(legs.dense))), _LEG_FLOOR)
        legs = Legs(legs.sparse[:depth], legs.dense[:depth])
    pages: dict[PageKey, list[Ranked]] = {}
    hits = {hit.id: hit for hit in (*legs.dense, *legs.sparse)}
    for key, score in _fused(legs).items():
        hit = hits[key]
        boost = _CODE_BOOST if reading.codes and holds(hit, reading.codes) else 0.0
        pages.setdefault(_page(hit), []).append(Ranked(hit, score + boost))
    for chunks in pages.values():
        chunks.sort(key=lambda chunk: (-chunk.score, chunk.hit.id))
    boosts = _page_boosts(pages, reading, is_for_alert=is_for_alert)
    totals = {
        page: boosts[page]
        + sum(share * chunk.score for share, chunk in zip(_SHARES, chunks, strict=False))
        for page, chunks in pages.items()
    }
    lifts = _lifts(totals)
    ranked: list[Ranked] = []
    for page, chunks in pages.items():
        lift = lifts.get(page, 0.0)
        ranked.append(Ranked(chunks[0].hit, totals[page] + lift))
        ranked += [
            Ranked(chunk.hit, chunk.score + boosts[page] + lift)
            for chunk in chunks[1:CHUNKS_A_PAGE]
        ]
    ranked.sort(key=lambda chunk: (-chunk.score, chunk.hit.id))
    return tuple(ranked[:limit])


def _page(hit: Hit) -> PageKey:
    return PageKey(str(hit.payload.get("origin", "")), str(hit.payload.get("path", "")))


def _fused(legs: Legs) -> dict[str, float]:
    """Each leg's scores stretched over 0 … 1 and added: a confident leg keeps its lead.

    Fusion by rank gives a leg that is sure and one that guesses the same say.
    """
    scores: dict[str, float] = {}
    for leg in (legs.sparse, legs.dense):
        if not leg:
            continue
        low, high = leg[-1].score, leg[0].score
        width = high - low
        for hit in leg:
            part = (hit.score - low) / width if width > _SMALLEST_SCORE else 1.0
            scores[hit.id] = scores.get(hit.id, 0.0) + part
    return scores


def _page_boosts(
    pages: Mapping[PageKey, Sequence[Ranked]], reading: Reading, *, is_for_alert: bool
) -> dict[PageKey, float]:
    """What speaks for a page besides its chunks."""
    words = words_of(reading.search_text)
    called = _CAMEL.findall(reading.question)
    exact = {word.lower() for word in (*called, *reading.codes)}
    # A short question may be nothing but a page's name, in words.
    asked = {words, *map(name_words, called)}
    names = [name.lower() for name in reading.names]
    boosts = {}
    for page, chunks in pages.items():
        payload = chunks[0].hit.payload
        title, stem = word_of(payload, "title"), name_of(page.path)
        boost = _TITLE_BOOST[is_for_alert] * share(name_words(title), words)
        boost += _FILE_NAME_BOOST[is_for_alert] * share(name_words(stem), words)
        if exact and (title.lower() in exact or stem.lower() in exact):
            boost += _EXACT_BOOST
        boost += _NEAR_NAME_BOOST * _nearness(asked, (name_words(title), name_words(stem)))
        service = word_of(payload, "service").lower()
        if any(_is_about(name, title.lower(), stem.lower(), service) for name in names):
            boost += _NAME_BOOST
        boosts[page] = boost
    if not is_for_alert:
        for page, votes in _votes(pages).items():
            boosts[page] += _LINK_BOOST * math.sqrt(votes)
    return boosts


def _nearness(asked: Collection[frozenset[str]], own: Collection[frozenset[str]]) -> float:
    """How near a name in a question comes to one of a page's own; 0 where none is near."""
    telling = [name for name in own if len(name) >= _FEWEST_NAME_WORDS]
    nearest = max((likeness(one, name) for name in telling for one in asked), default=0.0)
    return nearest if nearest >= _NEAR_NAME else 0.0


def _votes(pages: Mapping[PageKey, Sequence[Ranked]]) -> dict[PageKey, float]:
    """The scores of the best chunks, summed over the pages that they link to."""
    chunks = [(chunk, page) for page, found in pages.items() for chunk in found]
    chunks.sort(key=lambda pair: (-pair[0].score, pair[0].hit.id))
    voters = chunks[:_VOTERS]
    votes: dict[PageKey, float] = {}
    linked = linked_pages([(page, chunk.hit.text) for chunk, page in voters], pages)
    for (chunk, _), targets in zip(voters, linked, strict=True):
        for page in targets:
            votes[page] = votes.get(page, 0.0) + chunk.score
    return votes


def _lifts(totals: Mapping[PageKey, float]) -> dict[PageKey, float]:
    """How far a page is carried up by the best one of its name."""
    lifts = {}
    for group in same_names(totals):
        best = max(totals[page] for page in group)
        for page in group:
            lifts[page] = _SAME_NAME_SHARE * (best - totals[page])
    return lifts


def _is_about(name: str, title: str, stem: str, service: str) -> bool:
    whole = rf"(?<![\w-]){re.escape(name)}(?![\w-])"
    return name == service or bool(re.search(whole, title) or stem.startswith(name))


def holds(hit: Hit, codes: Sequence[str]) -> bool:
    """Whether an error token stands in the chunk as a whole; bare numbers are no proof."""
    return any(
        re.search(rf"(?<!\w){re.escape(code)}(?!\w)", hit.text) is not None
        for code in codes
        if code in hit.text and not code.isdigit()
    )


def word_of(payload: Mapping[str, object], key: str) -> str:
    """A field of a payload where it is text, else ""."""
    value = payload.get(key)
    return value if isinstance(value, str) else ""
