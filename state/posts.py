"""Messages of digests, and what could not wait for one. Fits `digest.ports.PostStore`.

Each is written down before it is posted, so that none is lost, and marked before the try, so that
none is posted twice: what was tried is looked for in its channel first.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Select, and_, or_, select, update

from core.clock import Clock
from core.digests import Digest
from core.posts import Post, PostKind
from state.database import Database
from state.tables import digest_slots, posts

_P = posts.c
_PARENTS = posts.alias("parents")
# By then the next digests have told it.
_GIVEN_UP_AFTER = timedelta(days=1)


class SqlPostStore:
    """Messages that are to be posted, and those that were."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def add(self, post: Post) -> None:
        """Write down a message that belongs to no slot; one that is there already stays.

        Raises:
            StateError: The database failed.
        """
        statement = self._database.insert(posts).values(**post_row(post)).on_conflict_do_nothing()
        async with self._database.write(f"write down the message {post.key}") as connection:
            await connection.execute(statement)

    async def get(self, key: str) -> Post | None:
        """A message by its key; None where there is none that this version can read.

        Raises:
            StateError: The database failed.
        """
        found = await self._posts(_with_parents().where(_P.key == key))
        return found[0] if found else None

    async def due(self, schedule: str) -> Sequence[Post]:
        """What can be posted now, oldest first, and a thread's in their order.

        Of committed slots and of no slot; what stands in a thread once its parent is posted.

        Raises:
            StateError: The database failed.
        """
        slots = digest_slots.c
        query = (
            _with_parents()
            .outerjoin(digest_slots, and_(slots.schedule == _P.schedule, slots.slot == _P.slot))
            .where(
                _P.schedule == schedule,
                _P.posted_ts == "",
                _P.made_at >= self._clock.now() - _GIVEN_UP_AFTER,
                or_(_P.slot == "", slots.committed_at.is_not(None)),
                or_(_P.parent == "", _PARENTS.c.posted_ts != ""),
            )
        )
        return await self._posts(query)

    async def urgent(self, schedule: str, since: datetime) -> Sequence[Post]:
        """Those of no slot that are open, or were closed or made since then, oldest first.

        Raises:
            StateError: The database failed.
        """
        query = _with_parents().where(
            _P.schedule == schedule,
            _P.slot == "",
            or_(_P.closed_at.is_(None), _P.closed_at >= since, _P.made_at >= since),
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
        statement = update(posts).where(_P.key == key).values(**values)
        async with self._database.write(f"keep the message {key}") as connection:
            await connection.execute(statement)

    async def _posts(self, query: Select[Any]) -> list[Post]:
        async with self._database.read("look up messages of digests") as connection:
            rows = (await connection.execute(query)).all()
        found = []
        for each in rows:
            try:
                digest = msgspec.json.decode(each.content, type=Digest)
            except (msgspec.ValidationError, msgspec.DecodeError):
                continue  # of another version of this program
            found.append(
                Post(
                    key=each.key,
                    schedule=each.schedule,
                    slot=each.slot,
                    channel=each.channel,
                    digest=digest,
                    made_at=each.made_at,
                    kind=PostKind(each.kind),
                    parent=each.parent,
                    thread_ts=each.thread_ts or "",
                    is_tried=each.tried_at is not None,
                    posted_ts=each.posted_ts,
                    closed_at=each.closed_at,
                )
            )
        # Here, because databases sort by rules of their own.
        return sorted(found, key=lambda post: (post.made_at, post.key))


def _with_parents() -> Select[Any]:
    parents = _PARENTS.c
    return select(posts, parents.posted_ts.label("thread_ts")).outerjoin(
        _PARENTS, parents.key == _P.parent
    )


def post_row(post: Post) -> dict[str, object]:
    """A message as it is written down before it is posted."""
    return {
        "key": post.key,
        "schedule": post.schedule,
        "slot": post.slot,
        "channel": post.channel,
        "content": _encoded(post.digest),
        "made_at": post.made_at,
        "kind": post.kind.value,
        "parent": post.parent,
        "posted_ts": "",
    }


def _encoded(digest: Digest) -> str:
    return msgspec.json.encode(digest).decode()
