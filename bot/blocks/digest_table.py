"""Findings as rows of a table: the news of a digest, and what it only names in its thread."""

from __future__ import annotations

from collections.abc import Sequence

from bot.blocks import parts
from bot.blocks.digest_words import badges, count_and_change, problem, workload
from bot.blocks.parts import Block, Message
from bot.mrkdwn import clip, duration, escape
from core.digests import Digest, DigestItem, ItemState
from core.sparkline import course

_COLUMNS = (
    {"align": "left"},
    {"align": "left", "is_wrapped": True},
    {"align": "left"},
    {"align": "left"},
    {"align": "left"},
)
_HEAD = ["State", "Problem", "Workload", "Seen", "Team"]


def table_of(digest: Digest, items: Sequence[DigestItem]) -> Block:
    """A row an item."""
    return parts.table([_HEAD, *(_row(digest, item) for item in items)], _COLUMNS)


def rest_message(digest: Digest) -> Message:
    """Findings that no digest lists, for its thread; its notes say how many are left out."""
    head = "*Also found*"
    lines = [plain_line(item) for item in digest.rest]
    blocks = [parts.section(head), table_of(digest, digest.rest)]
    blocks += [parts.context(note) for note in digest.notes]
    return parts.message("\n".join((head, *lines, *digest.notes)), blocks)


def plain_line(item: DigestItem) -> str:
    """An item as a line of escaped mrkdwn, for who sees no table."""
    team = f" ({escape(item.team)})" if item.team else ""
    title = escape(clip(" ".join(item.finding.title.split()), 120))
    return f"{badges(item)} {title}, {escape(workload(item))}, {count_and_change(item)}{team}"


def place(item: DigestItem, digest: Digest) -> str:
    """The workload, with its cluster where the digest tells of more than one."""
    name, cluster = workload(item), item.finding.owner.cluster
    clusters = {told.finding.owner.cluster for told in (*digest.items, *digest.rest)}
    return f"{cluster}: {name}" if len(clusters) > 1 else name


def _row(digest: Digest, item: DigestItem) -> list[str]:
    state = f"{badges(item)} {'unmuted' if item.is_unmuted else item.state.value}"
    if item.state is ItemState.ONGOING:
        state = f"{state} {duration(digest.window.end - item.since)}"
    return [
        state,
        clip(problem(item), 140),
        clip(place(item, digest), 100),
        f"{count_and_change(item)} {course(item.buckets)}".strip(),
        clip(item.team, 40),
    ]
