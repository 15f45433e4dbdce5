"""Posts what was written down to be posted beside a digest: once, by one process at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from core.digests import SidePost
from core.errors import OpsbotError
from digest.ports import Leases, Poster, PostStore

log = logging.getLogger(__name__)

LEASE_SECONDS = 120.0
# Less than the lease, so that no two processes ever post at once.
LIMIT_SECONDS = 100.0


class SidePosts:
    """The way of side posts into their channels.

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
                    for post in await self._store.due(schedule):
                        await self._deliver(post)
            except TimeoutError:
                log.warning("not all messages beside the digest %s were posted in time", schedule)

    async def _deliver(self, post: SidePost) -> None:
        poster = self._poster_for(post.channel)
        try:
            # Nobody knows whether an earlier try went through, so it is looked for.
            ts = await poster.find(post.key) if post.is_tried else None
            if ts is None:
                await self._store.trying(post.key)
                send = poster.post if post.slot else poster.post_urgent
                ts = await send(post.digest)
            await self._store.posted(post.key, ts)
        except OpsbotError as error:
            log.warning("%s is not posted yet: %s", post.key, error)
