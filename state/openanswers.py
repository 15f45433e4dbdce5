"""Answers under way, so that one whose process died can be closed by the next."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta

from sqlalchemy import delete, insert, update

from core.answers import OpenAnswer
from core.clock import Clock
from state.database import Database
from state.deliveries import claimed
from state.tables import open_answers

# Keeps to the number of values that databases take in a statement.
_AT_ONCE = 500


@dataclass(eq=False, slots=True)
class _Wish:
    """A delivery that waits to be taken. `is_new` is None until that is decided."""

    keys: frozenset[str]
    answer: OpenAnswer
    is_new: bool | None = None


class OpenAnswerStore:
    """Those of this process, and the way to take over what others left.

    Args:
        database: Holds them.
        clock: For when this process was last alive.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._holder = secrets.token_hex(8)
        self._wishes: list[_Wish] = []
        self._taking = asyncio.Lock()

    async def take(self, keys: Sequence[str], answer: OpenAnswer) -> bool:
        """Claim a delivery by all its keys and write its answer down, in one transaction.

        So no process can die between the two: what it took, another can see.

        Returns:
            False where any key was seen before; nothing is written down then.

        Raises:
            StateError: The database failed.
        """
        wish = _Wish(frozenset(keys), answer)
        self._wishes.append(wish)
        try:
            async with self._taking:
                while wish.is_new is None:
                    await self._take_some()
        finally:
            if wish in self._wishes:
                self._wishes.remove(wish)
        return bool(wish.is_new)

    async def _take_some(self) -> None:
        """The first that wait, in one transaction and two statements.

        A crowd would wait for seconds if each of it were written by itself.
        """
        wishes = self._wishes[:_AT_ONCE]
        async with self._database.write("take a Slack delivery") as connection:
            now = self._clock.now()
            keys = frozenset[str]().union(*(wish.keys for wish in wishes))
            free = await claimed(connection, self._database, keys, now)
            found = []
            for wish in wishes:
                found.append(wish.keys <= free)
                free -= wish.keys
            rows = [
                asdict(wish.answer) | {"holder": self._holder, "seen_at": now}
                for wish, is_new in zip(wishes, found, strict=True)
                if is_new
            ]
            if rows:
                await connection.execute(insert(open_answers).values(rows))
        for wish, is_new in zip(wishes, found, strict=True):
            wish.is_new = is_new
            if wish in self._wishes:
                self._wishes.remove(wish)

    async def show(self, answer: OpenAnswer) -> None:
        """Remember what is shown of an answer by now, and where.

        Raises:
            StateError: The database failed.
        """
        statement = update(open_answers).where(open_answers.c.key == answer.key)
        async with self._database.write("note where an answer grows") as connection:
            await connection.execute(statement.values(asdict(answer)))

    async def end(self, key: str) -> None:
        """Forget an answer whose message is closed.

        Raises:
            StateError: The database failed.
        """
        async with self._database.write("note the end of an answer") as connection:
            await connection.execute(delete(open_answers).where(open_answers.c.key == key))

    async def renew(self) -> None:
        """Say that this process is alive, and its answers with it.

        Raises:
            StateError: The database failed.
        """
        statement = update(open_answers).where(open_answers.c.holder == self._holder)
        async with self._database.write("renew answers under way") as connection:
            await connection.execute(statement.values(seen_at=self._clock.now()))

    async def take_over(self, silent_for: timedelta) -> Sequence[OpenAnswer]:
        """Answers of other processes that were not heard of for so long; they are this one's then.

        One statement decides, so of two processes exactly one gets each.

        Raises:
            StateError: The database failed.
        """
        now, rows = self._clock.now(), open_answers.c
        statement = (
            update(open_answers)
            .where(rows.holder != self._holder, rows.seen_at <= now - silent_for)
            .values(holder=self._holder, seen_at=now)
            .returning(
                rows.key,
                rows.channel,
                rows.thread_ts,
                rows.message_ts,
                rows.response_url,
                rows.is_replaced,
            )
        )
        async with self._database.write("take over answers") as connection:
            taken = (await connection.execute(statement)).all()
        return [OpenAnswer(*row) for row in taken]

    async def give_back(self, key: str) -> None:
        """Let go of an answer that could not be closed, for a later try.

        Raises:
            StateError: The database failed.
        """
        statement = update(open_answers).where(open_answers.c.key == key)
        async with self._database.write("give an answer back") as connection:
            await connection.execute(statement.values(holder=""))
