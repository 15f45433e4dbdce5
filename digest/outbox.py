"""Posts what was written down to be posted: once, by one process at a time, whatever is killed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from core.digests import Digest
from core.errors import OpsbotError
from core.posts import Post, PostKind
from digest.ports import Leases, Poster, PostStore

log = logging.getLogger(__name__)

LEASE_SECONDS = 120.0
# Less than the lease, so that no two processes ever post at once.
LIMIT_SECONDS = 100.0
_FEWEST_BARS = 3
# So many rows, each cut, stay within the characters that Slack allows a table.
_ROWS_A_MESSAGE = 30
_MOST_MESSAGES = 3


class Outbox:
    """The way of messages into their channels.

    A message is marked as tried before it is sent, and with its ts afterwards. Nobody knows of one
    that was only tried whether it went through, so that one is looked for first.

    Args:
        store: What is to be posted.
        leases: Keeps other processes from it meanwhile.
        poster_for: The poster of a channel.
    """

    def __init__(
        self, store: PostStore, leases: Leases, poster_for: Callable[[str], Poster]
    ) -> None:
        self._store = store
        self._leases = leases
        self._poster_for = poster_for

    async def deliver(self, schedule: str) -> None:
        """Post what is due. What fails stays due, and is tried again at the next call.

        Raises:
            StateError: The database failed.
        """
        async with self._leases.hold(f"posts of {schedule}", LEASE_SECONDS) as is_held:
            if not is_held:
                return
            try:
                async with asyncio.timeout(LIMIT_SECONDS):
                    await self._deliver(schedule)
            except TimeoutError:
                log.warning("not all messages of the digest %s were posted in time", schedule)

    async def _deliver(self, schedule: str) -> None:
        seen: set[str] = set()
        # Each message that is posted may let a thread below it become due.
        while due := [post for post in await self._store.due(schedule) if post.key not in seen]:
            for post in due:
                seen.add(post.key)
                try:
                    await self.post(post)
                except OpsbotError as error:
                    log.warning("%s is not posted yet: %s", post.key, error)

    async def post(self, post: Post) -> str:
        """Post it unless it was; gives its ts.

        Raises:
            OpsbotError: It was not posted, or nobody knows whether it was.
        """
        ts = await self.find(post)
        if ts is None:
            await self._store.trying(post.key)
            ts = await self._poster_for(post.channel).send(post)
        await self._store.posted(post.key, ts)
        return ts

    async def find(self, post: Post) -> str | None:
        """The ts of a message that was posted, or None.

        Raises:
            OpsbotError: Its channel cannot be read, so nobody knows.
        """
        if post.posted_ts or not post.is_tried:
            return post.posted_ts or None
        return await self._poster_for(post.channel).find(post)

    async def update(self, post: Post) -> None:
        """Let a message that was posted tell what it tells now.

        Raises:
            OpsbotError: It was not changed.
        """
        await self._poster_for(post.channel).update(post)


@dataclass(frozen=True, slots=True)
class Rounds:
    """Posts what is left of a schedule's messages, again and again."""

    outbox: Outbox
    schedule: str

    async def look(self) -> None:
        """Post what is due.

        Raises:
            StateError: The database failed.
        """
        await self.outbox.deliver(self.schedule)


def thread_of(digest: Digest, slot: str, channel: str, now: datetime) -> tuple[Post, ...]:
    """A digest as messages: it, and in its thread the picture, one an item, and the rest by name.

    Args:
        digest: Its `slot` becomes the first message's key.
        slot: Of the digest that it is, or is a part of.
        channel: Where it goes.
        now: The present moment, aware UTC.
    """
    first = Post(digest.slot, digest.schedule, slot, channel, digest, now, PostKind.DIGEST)
    if digest.is_collapsed:
        return (first,)
    counts = [count for _, count in digest.error_counts]
    told: list[tuple[PostKind, Digest]] = []
    bare = Digest(digest.schedule, digest.slot, digest.window, ())
    if len(counts) >= _FEWEST_BARS and any(counts):
        told.append(
            (
                PostKind.CHART,
                replace(bare, error_counts=digest.error_counts, look_back=digest.look_back),
            )
        )
    told += [(PostKind.ITEM, replace(bare, items=(item,))) for item in digest.items]
    told += [(PostKind.REST, page) for page in rest_pages(digest)]
    replies = [
        replace(first, key=f"{first.key}/{number:03}", digest=part, kind=kind, parent=first.key)
        for number, (kind, part) in enumerate(told)
    ]
    return (first, *replies)


def rest_pages(digest: Digest) -> list[Digest]:
    """What a digest found besides its items, message by message: up to ninety, all counted."""
    shown = digest.rest[: _ROWS_A_MESSAGE * _MOST_MESSAGES]
    left = len(digest.rest) - len(shown)
    pages = [
        Digest(
            digest.schedule, digest.slot, digest.window, (), rest=shown[start:][:_ROWS_A_MESSAGE]
        )
        for start in range(0, len(shown), _ROWS_A_MESSAGE)
    ]
    if left:
        pages[-1] = replace(pages[-1], notes=(f"and {left} more",))
    return pages
