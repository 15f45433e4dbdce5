"""Messages beside the digest's own: a team's part, and what could not wait. Fits `digest.ports`.

Each is written down before it is posted, so that none is lost, and marked before the try, so that
none is posted twice: what was tried is looked for in its channel first.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import and_, or_, select, update

from core.clock import Clock
from core.digests import Digest, SidePost
from state.database import Database
from state.tables import digest_slots, side_posts

_P = side_posts.c
# By then the next digests have told it.
_GIVEN_UP_AFTER = timedelta(days=1)


class SqlPostStore:
    """Messages that are to be posted, and those that were."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def add(self, post: SidePost) -> None:
        """Write down a message that belongs to no slot; one that is there already stays.

        Raises:
            StateError: The database failed.
        """
        statement = (
            self._database.insert(side_posts).values(**post_row(post)).on_conflict_do_nothing()
        )
        async with self._database.write(f"write down the message {post.key}") as connection:
            await connection.execute(statement)

    async def due(self, schedule: str) -> Sequence[SidePost]:
        """What is to be posted now, oldest first: of committed slots, and of no slot.

        Raises:
            StateError: The database failed.
        """
        slots = digest_slots.c
        query = (
            select(side_posts)
            .outerjoin(digest_slots, and_(slots.schedule == _P.schedule, slots.slot == _P.slot))
            .where(
                _P.schedule == schedule,
                _P.posted_ts == "",
                _P.made_at >= self._clock.now() - _GIVEN_UP_AFTER,
                or_(_P.slot == "", slots.committed_at.is_not(None)),
            )
            .order_by(_P.made_at, _P.key)
        )
        return await self._posts(query)

    async def urgent(self, schedule: str, since: datetime) -> Sequence[SidePost]:
        """Those of no slot that are open, or were closed or made since then, oldest first.

        Raises:
            StateError: The database failed.
        """
        query = (
            select(side_posts)
            .where(
                _P.schedule == schedule,
                _P.slot == "",
                or_(_P.closed_at.is_(None), _P.closed_at >= since, _P.made_at >= since),
            )
            .order_by(_P.made_at, _P.key)
        )
        return await self._posts(query)

    async def trying(self, key: str) -> None:
        """Note that a message may be posted from now on.

        Raises:
            StateError: The database failed.
        """
        await self._change(key, tried_at=self._clock.now())

    async def posted(self, key: str, ts: str) -> None:
        """Note that it was.

        Raises:
            StateError: The database failed.
        """
        await self._change(key, posted_ts=ts)

    async def redo(self, key: str, digest: Digest, closed_at: datetime | None) -> None:
        """Change what a message tells; closed: there is nothing more to come.

        Raises:
            StateError: The database failed.
        """
        await self._change(key, content=_encoded(digest), closed_at=closed_at)

    async def _change(self, key: str, **values: object) -> None:
        statement = update(side_posts).where(_P.key == key).values(**values)
        async with self._database.write(f"keep the message {key}") as connection:
            await connection.execute(statement)

    async def _posts(self, query: object) -> list[SidePost]:
        async with self._database.read("look up messages beside the digest") as connection:
            rows = (await connection.execute(query)).all()  # type: ignore[call-overload]  # a select
        posts = []
        for each in rows:
            try:
                digest = msgspec.json.decode(each.content, type=Digest)
            except (msgspec.ValidationError, msgspec.DecodeError):
                continue  # of another version of this program
            posts.append(
                SidePost(
                    key=each.key,
                    schedule=each.schedule,
                    slot=each.slot,
                    channel=each.channel,
                    digest=digest,
                    made_at=each.made_at,
                    is_tried=each.tried_at is not None,
                    posted_ts=each.posted_ts,
                    closed_at=each.closed_at,
                )
            )
        return posts


def post_row(post: SidePost) -> dict[str, object]:
    """A message as it is written down before it is posted."""
    return {
        "key": post.key,
        "schedule": post.schedule,
        "slot": post.slot,
        "channel": post.channel,
        "content": _encoded(post.digest),
        "made_at": post.made_at,
        "posted_ts": "",
    }


def _encoded(digest: Digest) -> str:
    return msgspec.json.encode(digest).decode()
