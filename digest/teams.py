"""A team's part of a digest, for the team's own channel. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from core.digests import Digest, DigestItem, ItemState
from core.posts import Post
from digest.outbox import thread_of


def team_posts(digest: Digest, channels: Mapping[str, str], now: datetime) -> tuple[Post, ...]:
    """What goes to teams besides the digest's own channel: their news, not what only goes on.

    Args:
        digest: As it will be posted.
        channels: By the name of a team in the service graph.
        now: The present moment, aware UTC.
    """
    posts: list[Post] = []
    for team, channel in channels.items():
        items = tuple(item for item in digest.items if _is_of(item, team) and item.is_news)
        resolved = tuple(item for item in digest.resolved if _is_of(item, team))
        if not items and not resolved:
            continue
        states = Counter(item.state for item in (*items, *resolved))
        key = f"{digest.slot}#{team}"
        part = replace(
            digest,
            slot=key,
            items=items,
            resolved=resolved,
            totals=tuple((state, states[state]) for state in ItemState if states[state]),
            muted=(),
            flapping=(),
            full_ts="",
            error_counts=(),
            rest=(),
        )
        posts += thread_of(part, digest.slot, channel, now)
    return tuple(posts)


def _is_of(item: DigestItem, team: str) -> bool:
    return item.team.casefold() == team.casefold()
