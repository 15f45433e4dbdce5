"""The digest's parent message: what changed, in one screen; the rest waits in the thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from bot.blocks import parts
from bot.blocks.digest_lookback import look_back_message
from bot.blocks.digest_marks import muted_line
from bot.blocks.digest_table import place, plain_line, table_of
from bot.blocks.digest_words import (
    SEVERITY_BADGES,
    STATE_BADGES,
    problem,
    workload,
)
from bot.blocks.parts import Block, Message
from bot.mrkdwn import clip, date, duration, escape, link
from core.digests import Digest, DigestItem, ItemState

_SHOWN_RESOLVED = 8
_SHOWN_GAPS = 5
_SHOWN_PLACES = 2
_SHOWN_MUTED = 5
_SHOWN_FLAPPING = 5
_SHOWN_ONGOING = 3


def digest_message(
    digest: Digest,
    command: str,
    *,
    urls: Mapping[str, str] = MappingProxyType({}),
    is_preview: bool = False,
) -> Message:
    """The parent message, at most 15 blocks; one line when there is nothing new to tell.

    Args:
        digest: A preview or one to be posted.
        command: The slash command that it mentions.
        urls: Addresses of the messages that it refers to, by their ts, as far as they are known.
        is_preview: For one reader's eyes.
    """
    if digest.look_back is not None:
        return look_back_message(digest, digest.look_back, is_preview=is_preview)
    if not digest.items and not digest.resolved:
        return _quiet(digest, is_preview=is_preview)
    if digest.is_collapsed:
        return _collapsed(digest, urls.get(digest.full_ts, ""))
    totals = _totals(digest, is_preview=is_preview)
    window = _window(digest)
    blocks: list[Block] = [
        parts.header(_heading(digest, is_preview=is_preview)),
        parts.context(window),
        parts.section(totals),
    ]
    news, ongoing = _told_apart(digest)
    if news:
        blocks.append(table_of(digest, news))
    if ongoing:
        blocks.append(parts.section(_ongoing(ongoing, digest)))
    resolved = _resolved(digest.resolved)
    if resolved:
        blocks.append(parts.section(resolved))
    aside = "\n".join(line for line in (_told_before(digest, urls), _aside(digest)) if line)
    if aside:
        blocks.append(parts.context(aside))
    unseen = _caveats(digest)
    if unseen:
        blocks.append(parts.context(unseen))
    footer = _footer(digest, command, is_preview=is_preview)
    blocks.append(parts.context(footer))
    listing = "\n".join(plain_line(item) for item in digest.items)
    text = "\n".join(
        line
        for line in (
            f"*{escape(_heading(digest, is_preview=is_preview))}*",
            window,
            totals,
            listing,
            resolved,
            aside,
            unseen,
        )
        if line
    )
    return parts.message(text, blocks)


def urgent_message(digest: Digest) -> Message:
    """Many critical findings at once, as one message; single ones are told in full instead."""
    count = len(digest.items) + len(digest.resolved)
    head = f"⚡ {count} critical problems at once"
    state = f"{len(digest.items)} still there, {len(digest.resolved)} over"
    blocks: list[Block] = [parts.header(head), parts.context(f"{_window(digest)}  ·  {state}")]
    if digest.items:
        blocks.append(table_of(digest, digest.items))
    resolved = _resolved(digest.resolved)
    if resolved:
        blocks.append(parts.section(resolved))
    listing = [plain_line(item) for item in digest.items]
    text = "\n".join(line for line in (f"*{head}*", state, *listing, resolved) if line)
    return parts.message(text, blocks)


def _heading(digest: Digest, *, is_preview: bool) -> str:
    counts = dict(digest.totals)
    told = [f"{counts[state]} {state.value}" for state in ItemState if counts.get(state)]
    kind = "Digest preview" if is_preview else "Digest"
    return f"{kind}: {', '.join(told) or f'{len(digest.items)} listed'}"


def _window(digest: Digest) -> str:
    clusters = ", ".join(escape(clip(name, 60)) for name in digest.clusters)
    span = f"{date(digest.window.start)} → {date(digest.window.end)}"
    return f"{span}  ·  {clusters}" if clusters else span


def _totals(digest: Digest, *, is_preview: bool) -> str:
    told = _by_severity((*digest.items, *digest.rest))
    if digest.rest:
        where = "below" if is_preview else "in the thread"
        told.append(f"{len(digest.rest)} of them only named {where}")
    return "  ·  ".join(told) or "Nothing critical any more"


def _by_severity(items: Sequence[DigestItem]) -> list[str]:
    return [
        f"{badge} {count} {severity.value}"
        for severity, badge in SEVERITY_BADGES.items()
        if (count := sum(item.finding.severity is severity for item in items))
    ]


def _more(digest: Digest) -> str:
    return f"and {', '.join(f'{count} {severity}' for severity, count in digest.hidden)}"


def _told_apart(digest: Digest) -> tuple[list[DigestItem], list[DigestItem]]:
    """News for the table, and all that goes on for one line; without news the table is theirs."""
    news = [item for item in digest.items if item.is_news]
    if not news:
        return list(digest.items), []
    # All of them count, whether there was room for their detail or not.
    going_on = [item for item in digest.rest if item.state is ItemState.ONGOING]
    return news, [*(item for item in digest.items if not item.is_news), *going_on]


def _ongoing(items: Sequence[DigestItem], digest: Digest) -> str:
    """How many go on as they did, how bad they are, since when at most, and the first of them."""
    longest = max(digest.window.end - item.since for item in items)
    head = f"{STATE_BADGES[ItemState.ONGOING]} *{len(items)} ongoing*"
    named = [
        f"{escape(clip(place(item, digest), 80))} {escape(clip(item.finding.reason, 40))}"
        for item in items[:_SHOWN_ONGOING]
    ]
    left = len(items) - len(named)
    more = f" and {left} more" if left else ""
    facts = f"{head}  ·  {', '.join(_by_severity(items))}  ·  longest {duration(longest)}"
    return f"{facts}\n{', '.join(named)}{more}"


def _resolved(resolved: Sequence[DigestItem]) -> str:
    if not resolved:
        return ""
    shown = [
        f"✅ {escape(clip(workload(item), 80))}: {escape(clip(item.finding.reason, 60))}"
        for item in resolved[:_SHOWN_RESOLVED]
    ]
    if len(resolved) > _SHOWN_RESOLVED:
        shown.append(f"and {len(resolved) - _SHOWN_RESOLVED} more")
    return "\n".join(["*Resolved*", *shown])


def _collapsed(digest: Digest, full_url: str) -> Message:
    """One line for what goes on as it did, with the way to where it is told in full."""
    longest = max(digest.window.end - item.since for item in digest.items)
    facts = [
        f"{STATE_BADGES[ItemState.ONGOING]} *{len(digest.items)} ongoing, nothing new*",
        ", ".join([*_by_severity(digest.items), *([_more(digest)] if digest.rest else [])]),
        f"longest {duration(longest)}",
        link(full_url, "last full digest") if full_url else "",
    ]
    head = "  ·  ".join(fact for fact in facts if fact)
    line = "\n".join(line for line in (head, _aside(digest), _caveats(digest)) if line)
    return parts.message(line, [parts.section(line)])


def _told_before(digest: Digest, urls: Mapping[str, str]) -> str:
    """Links to the messages that told some of them as they came."""
    named = [
        link(urls[item.told_ts], clip(workload(item), 60))
        for item in (*digest.items, *digest.resolved)
        if urls.get(item.told_ts)
    ]
    return f"⚡ Told as they came: {', '.join(dict.fromkeys(named))}" if named else ""


def _aside(digest: Digest) -> str:
    """What is counted and named, but not listed: muted ones, and those that come and go."""
    lines = [muted_line(digest.muted, _SHOWN_MUTED)]
    if digest.flapping:
        named = [
            f"{SEVERITY_BADGES.get(item.finding.severity, '⚪')} "
            f"{escape(clip(workload(item), 80))}: {escape(clip(problem(item), 80))}"
            for item in digest.flapping[:_SHOWN_FLAPPING]
        ]
        left = len(digest.flapping) - _SHOWN_FLAPPING
        more = f" and {left} more" if left > 0 else ""
        lines.append(f"〰️ Comes and goes: {'; '.join(named)}{more}")
    return "\n".join(line for line in lines if line)


def _caveats(digest: Digest) -> str:
    places: dict[str, list[str]] = {}
    for gap in digest.gaps:
        places.setdefault(gap.why, []).append(gap.what)
    # One line a reason: a node that is down hides a dozen logs in the same way.
    lines = [
        f"⚠️ Could not look at {_places(what)}: {escape(clip(why, 200))}"
        for why, what in list(places.items())[:_SHOWN_GAPS]
    ]
    unshown = sum(len(what) for what in list(places.values())[_SHOWN_GAPS:])
    if unshown:
        lines.append(f"⚠️ and {unshown} more places")
    lines += [f"⚠️ {escape(clip(note, 300))}" for note in digest.notes]
    return "\n".join(lines)


def _places(what: Sequence[str]) -> str:
    named = ", ".join(escape(clip(each, 120)) for each in what[:_SHOWN_PLACES])
    left = len(what) - _SHOWN_PLACES
    return f"{named} and {left} more" if left > 0 else named


def _footer(digest: Digest, command: str, *, is_preview: bool) -> str:
    worded = (
        "Facts from the cluster, no model"
        if digest.model == "extractive"
        else f"Causes worded by {escape(digest.model)}, AI-generated"
    )
    if is_preview:
        return f"{worded}  ·  only you see this preview"
    more = f"evidence and next steps in the thread, `{escape(command)} ask …` for the rest"
    return f"{worded}  ·  {more}" if digest.items else worded


def _quiet(digest: Digest, *, is_preview: bool) -> Message:
    window = _window(digest)
    before = "Preview: " if is_preview else ""
    unseen = _caveats(digest)
    if digest.gaps:
        line = f"⚠️ {before}nothing critical where I could look  ·  {window}\n{unseen}"
    else:
        line = f"✅ {before}nothing critical  ·  {window}"
        line = f"{line}  ·  {_totals(digest, is_preview=is_preview)}" if digest.rest else line
        line = f"{line}\n{unseen}" if unseen else line
    aside = _aside(digest)
    line = f"{line}\n{aside}" if aside else line
    return parts.message(line, [parts.section(line)])
