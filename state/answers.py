"""Answers by reference, so that a button pressed later finds its answer, and people's votes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import select, update

from core.answers import Answer
from core.clock import Clock
from core.errors import StateError
from state.database import Database
from state.tables import answers, votes


@dataclass(frozen=True, slots=True)
class Vote:
    """What one person thought of one answer."""

    reference: str
    user: str
    is_helpful: bool
    comment: str
    voted_at: datetime


class SqlAnswerStore:
    """Keeps answers until `state.retention` purges them. Fits `bot.services.AnswerStore`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def put(self, reference: str, channel: str, answer: Answer) -> None:
        """Keep an answer; one of the same reference is replaced, and may be shared again.

        Raises:
            StateError: The database failed.
        """
        values = {
            "channel": channel,
            "answer": msgspec.json.encode(answer).decode(),
            "created_at": self._clock.now(),
            "shared_at": None,
        }
        statement = self._database.insert(answers).values(reference=reference, **values)
        statement = statement.on_conflict_do_update(
            index_elements=[answers.c.reference], set_=values
        )
        async with self._database.write("keep an answer") as connection:
            await connection.execute(statement)

    async def get(self, reference: str) -> Answer | None:
        """The answer of this reference, or None when it is unknown or gone.

        Raises:
            StateError: The database failed, or the kept answer cannot be read.
        """
        query = select(answers.c.answer).where(answers.c.reference == reference)
        async with self._database.read("look up an answer") as connection:
            text = (await connection.execute(query)).scalar_one_or_none()
        if text is None:
            return None
        try:
            return msgspec.json.decode(text, type=Answer)
        except (msgspec.ValidationError, msgspec.DecodeError) as error:
            raise StateError(
                "look up an answer",
                "it was kept by another version of this program",
                "Ask the question again.",
            ) from error

    async def mark_shared(self, reference: str) -> bool:
        """True for the first caller only; False also for an unknown reference.

        Raises:
            StateError: The database failed.
        """
        statement = (
            update(answers)
            .where(answers.c.reference == reference, answers.c.shared_at.is_(None))
            .values(shared_at=self._clock.now())
        )
        async with self._database.write("mark an answer as shared") as connection:
            return (await connection.execute(statement)).rowcount == 1

    async def vote(self, reference: str, user: str, is_helpful: bool, comment: str = "") -> None:
        """Keep one vote a user and answer; the last one wins.

        Raises:
            StateError: The database failed.
        """
        values = {"is_helpful": is_helpful, "comment": comment, "voted_at": self._clock.now()}
        statement = self._database.insert(votes).values(reference=reference, voter=user, **values)
        statement = statement.on_conflict_do_update(
            index_elements=[votes.c.reference, votes.c.voter], set_=values
        )
        async with self._database.write("keep a vote") as connection:
            await connection.execute(statement)

    async def votes(self, since: datetime) -> list[Vote]:
        """Votes from `since` on, oldest first.

        Raises:
            StateError: The database failed.
        """
        query = select(votes).where(votes.c.voted_at >= since).order_by(votes.c.voted_at)
        async with self._database.read("read the votes") as connection:
            rows = (await connection.execute(query)).all()
        return [
            Vote(row.reference, row.voter, row.is_helpful, row.comment, row.voted_at)
            for row in rows
        ]
