"""What a search found: a hit is a title, the two lines that say it, and where and how old it is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from bot.blocks import parts
from bot.blocks.parts import Block, Message
from bot.mrkdwn import ago, clip, code, escape, is_web_address, link
from core.answers import Gap, Lookup, Passage
from knowledge.searchquery import SearchQuery

SHOWN_HITS = 8
_TITLE_CHARS = 110
_LINE_CHARS = 220
_SOURCES = {
    "markdown": "document",
    "csv-logs": "CSV logs",
    "csv-metrics": "CSV metrics",
    "graph": "service graph",
    "past": "past digests",
}
# Signs that would begin or end a style of their own inside a quoted line.
_JOINED = re.compile(r"[\w/\-=@#&]")
_STYLE_SIGNS = re.compile(r"[*`~]|(?<!\w)_|_(?!\w)")


def search_message(typed: str, query: SearchQuery, found: Lookup, now: datetime) -> Message:
    """The hits, best first, or where nothing was found; what could not be looked at is told.

    Args:
        typed: The search as typed.
        query: The same, read; its words are marked in the hits.
        found: At most eight of its passages are shown.
        now: Against which ages are told.
    """
    hits = found.passages[:SHOWN_HITS]
    asked = code(clip(typed, 150))
    blocks: list[Block] = []
    texts: list[str] = []
    if hits:
        shown = f"*{len(hits)} hit{'s' if len(hits) != 1 else ''} for* {asked}"
    else:
        shown = _nothing(asked, found, query)
    blocks.append(parts.section(shown))
    texts.append(shown)
    for number, hit in enumerate(hits, start=1):
        head = f"{number}.  *{link(hit.url, _title(hit))}*"
        quoted = "\n".join(f"> {_marked(line, query)}" for line in hit.text.splitlines())
        says = f"{head}\n{quoted}" if quoted else head
        blocks += [parts.section(says), parts.context(_origin(hit, now))]
        texts.append(f"{says}\n{_origin(hit, now)}")
    if found.gaps:
        told = "\n".join(_gap(gap) for gap in found.gaps[:3])
        blocks.append(parts.context(told))
        texts.insert(1, told)  # the list may be cut, this must not
    return parts.message("\n".join(texts), blocks)


def _title(hit: Passage) -> str:
    title = _STYLE_SIGNS.sub("", " ".join(hit.title.split()))
    section = " ".join(hit.heading.removeprefix(hit.title).strip(" ›").split())
    section = _STYLE_SIGNS.sub("", section)
    return clip(f"{title} › {section}" if section else title, _TITLE_CHARS)


def _origin(hit: Passage, now: datetime) -> str:
    facts = [_SOURCES.get(hit.source, escape(hit.source))]
    if hit.updated_at is not None:
        facts.append(ago(now - hit.updated_at))
    if not is_web_address(hit.url) and hit.location:
        facts.append(code(clip(hit.location, 120)))
    return " · ".join(facts)


def _marked(line: str, query: SearchQuery) -> str:
    """A line, escaped, its matched words in bold."""
    plain = clip(_STYLE_SIGNS.sub("", line), _LINE_CHARS)
    if query.marks is None:
        return escape(plain)
    pieces: list[str] = []
    end = 0
    for match in query.marks.finditer(plain):
        word = escape(match[0])
        # Slack takes the stars for a sign only where a word could begin and end.
        stands_alone = not _JOINED.search(
            plain[max(0, match.start() - 1) : match.start()] + plain[match.end() : match.end() + 1]
        )
        pieces += [escape(plain[end : match.start()]), f"*{word}*" if stands_alone else word]
        end = match.end()
    return "".join([*pieces, escape(plain[end:])])


def _nothing(asked: str, found: Lookup, query: SearchQuery) -> str:
    if found.looked_in:
        told = f"Nothing found for {asked}. I looked in {escape(_listed(found.looked_in))}."
    elif found.gaps:
        told = f"Nothing found for {asked}: the search is not available."
    else:
        told = f"Nothing found for {asked}: I have no source of that kind."
    is_narrowed = query.sources or query.namespaces or query.teams or query.codes or query.since
    if is_narrowed and not found.gaps:
        told += " Without the filters there may be more."
    return told


def _listed(places: Sequence[str]) -> str:
    if len(places) == 1:
        return places[0]
    return f"{', '.join(places[:-1])} and {places[-1]}"


def _gap(gap: Gap) -> str:
    what, why = (escape(clip(" ".join(text.split()), 200)) for text in (gap.what, gap.why))
    remedy = escape(clip(" ".join(gap.remedy.split()), 200))
    return f"⚠️ Could not look at {what}: {why}. {remedy}".strip()
