"""Answers by reference, so that a button pressed later finds its answer, and people's votes.

It is longer than others, because a vote writes down what its answer was made of.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.answers import Answer, AskedAnswer, Scope
from core.clock import Clock
from core.errors import StateError
from core.feedback import JudgedAnswer, Shown, Vote
from state.database import Database
from state.tables import answers, judged_answers, votes

_MODEL_CHARS = 255
_MOST_KEPT = 500


class SqlAnswerStore:
    """Keeps answers until `state.retention` purges them. Fits `bot.services.AnswerStore`.

    Args:
        database: Holds them.
        clock: For when they were kept.
        redact: Takes secrets out of what people typed; answers themselves hold none.
    """

    def __init__(
        self, database: Database, clock: Clock, redact: Callable[[str], str] = lambda text: text
    ) -> None:
        self._database = database
        self._clock = clock
        self._redact = redact

    async def put(
        self, reference: str, scope: Scope, answer: Answer, asker: str = "", thread_ts: str = ""
    ) -> None:
        """Keep an answer; one of the same reference is replaced, and may be shared again.

        Args:
            reference: Names it.
            scope: Where it was asked, and what it was made of at most.
            answer: Its question is redacted first.
            asker: The user who asked, or '' where nobody did.
            thread_ts: The thread it stands in, or '' where one person alone sees it.

        Raises:
            StateError: The database failed.
        """
        kept = replace(answer, question=self._redact(answer.question))
        values = {
            "channel": scope.channel,
            "scope": _encoded(scope),
            "answer": msgspec.json.encode(kept).decode(),
            "asker": asker,
            "thread_ts": thread_ts,
            "created_at": self._clock.now(),
            "shared_at": None,
        }
        statement = self._database.insert(answers).values(reference=reference, **values)
        statement = statement.on_conflict_do_update(
            index_elements=[answers.c.reference], set_=values
        )
        async with self._database.write("keep an answer") as connection:
            await connection.execute(statement)

    async def get(self, reference: str, scope: Scope) -> Answer | None:
        """The answer of this reference; None when it is unknown or gone, or not of this scope.

        It is for the channel that it was given in, and for as long as all that it may be made of
        can be seen there.

        Raises:
            StateError: The database failed, or the kept answer cannot be read.
        """
        query = select(answers.c.answer, answers.c.scope).where(answers.c.reference == reference)
        async with self._database.read("look up an answer") as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None or not _scope(row.scope).is_within(scope):
            return None
        return _answer(row.answer)

    async def is_answered(self, channel: str, thread_ts: str) -> bool:
        """Whether an answer is kept that stands in this thread.

        Raises:
            StateError: The database failed.
        """
        query = select(answers.c.reference).where(
            answers.c.thread_ts == thread_ts, answers.c.channel == channel
        )
        async with self._database.read("look for answers of a thread") as connection:
            return (await connection.execute(query.limit(1))).first() is not None

    async def recent(self, asker: str, limit: int) -> Sequence[AskedAnswer]:
        """What a user asked, newest first.

        Raises:
            StateError: The database failed.
        """
        query = (
            select(answers.c.reference, answers.c.channel, answers.c.created_at)
            .where(answers.c.asker == asker)
            .order_by(answers.c.created_at.desc(), answers.c.reference)
            .limit(limit)
        )
        async with self._database.read("look up a person's answers") as connection:
            rows = (await connection.execute(query)).all()
        return [AskedAnswer(row.reference, row.channel, row.created_at) for row in rows]

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
        """Keep one vote a user and answer, the last one wins; and what the answer was made of.

        Raises:
            StateError: The database failed.
        """
        values = {
            "is_helpful": is_helpful,
            "comment": self._redact(comment),
            "voted_at": self._clock.now(),
        }
        statement = self._database.insert(votes).values(reference=reference, voter=user, **values)
        statement = statement.on_conflict_do_update(
            index_elements=[votes.c.reference, votes.c.voter], set_=values
        )
        async with self._database.write("keep a vote") as connection:
            await connection.execute(statement)
            await self._judge(connection, reference)

    async def keep(self, reference: str, user: str) -> bool:
        """Make knowledge of an answer that was voted on; False where there is none, or it is kept.

        Raises:
            StateError: The database failed.
        """
        return await self._mark(reference, user, self._clock.now())

    async def forget(self, reference: str) -> bool:
        """Use a kept answer no more; False where it is not kept.

        Raises:
            StateError: The database failed.
        """
        return await self._mark(reference, "", None)

    async def is_kept(self, reference: str) -> bool:
        """Whether this answer is used as knowledge.

        Raises:
            StateError: The database failed.
        """
        judged = judged_answers.c
        query = select(judged.reference).where(
            judged.reference == reference, judged.kept_at.is_not(None)
        )
        async with self._database.read("look up a kept answer") as connection:
            return (await connection.execute(query)).first() is not None

    async def kept_for(self, scope: Scope) -> Sequence[JudgedAnswer]:
        """Answers that were made knowledge in a channel, newest first, at most 500.

        Those that were made of more than may be seen there now are left out.

        Raises:
            StateError: The database failed.
        """
        judged = judged_answers.c
        query = (
            select(judged_answers)
            .where(judged.channel == scope.channel, judged.kept_at.is_not(None))
            .order_by(judged.kept_at.desc(), judged.reference)
            .limit(_MOST_KEPT)
        )
        async with self._database.read("look up kept answers") as connection:
            rows = (await connection.execute(query)).all()
        return [_judged(row) for row in rows if _scope(row.scope).is_within(scope)]

    async def judged(self, since: datetime) -> Sequence[JudgedAnswer]:
        """Answers that were voted on from `since` on, each with its votes, oldest first.

        Raises:
            StateError: The database failed.
        """
        query = (
            select(judged_answers)
            .where(judged_answers.c.judged_at >= since)
            .order_by(judged_answers.c.judged_at, judged_answers.c.reference)
        )
        async with self._database.read("read the feedback") as connection:
            rows = (await connection.execute(query)).all()
            cast = (await connection.execute(select(votes).order_by(votes.c.voted_at))).all()
        by_answer: dict[str, list[Vote]] = {}
        for vote in cast:
            by_answer.setdefault(vote.reference, []).append(_vote(vote))
        return [_judged(row, by_answer.get(row.reference, ())) for row in rows]

    async def votes(self, since: datetime) -> list[Vote]:
        """Votes from `since` on, oldest first.

        Raises:
            StateError: The database failed.
        """
        query = select(votes).where(votes.c.voted_at >= since).order_by(votes.c.voted_at)
        async with self._database.read("read the votes") as connection:
            return [_vote(row) for row in (await connection.execute(query)).all()]

    async def _judge(self, connection: AsyncConnection, reference: str) -> None:
        """Note what the answer was made of: the answer itself is soon forgotten."""
        query = select(answers).where(answers.c.reference == reference)
        row = (await connection.execute(query)).first()
        now = self._clock.now()
        if row is None:
            await connection.execute(
                update(judged_answers)
                .where(judged_answers.c.reference == reference)
                .values(judged_at=now)
            )
            return
        try:
            answer = _answer(row.answer)
        except StateError:
            return  # kept by another version: the vote counts all the same
        statement = self._database.insert(judged_answers).values(
            reference=reference,
            channel=row.channel,
            scope=row.scope,
            question=f"{answer.task} {answer.question}".strip(),
            text=answer.text,
            model=answer.model[:_MODEL_CHARS],
            passages=msgspec.json.encode(_shown(answer)).decode(),
            judged_at=now,
            kept_by="",
        )
        statement = statement.on_conflict_do_update(
            index_elements=[judged_answers.c.reference], set_={"judged_at": now}
        )
        await connection.execute(statement)

    async def _mark(self, reference: str, user: str, kept_at: datetime | None) -> bool:
        judged = judged_answers.c
        is_other = judged.kept_at.is_(None) if kept_at else judged.kept_at.is_not(None)
        statement = (
            update(judged_answers)
            .where(judged.reference == reference, is_other)
            .values(kept_by=user, kept_at=kept_at)
        )
        async with self._database.write("keep or forget an answer") as connection:
            return (await connection.execute(statement)).rowcount == 1


def _answer(text: str) -> Answer:
    try:
        return msgspec.json.decode(text, type=Answer)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise StateError(
            "look up an answer",
            "it was kept by another version of this program",
            "Ask the question again.",
        ) from error


def _encoded(scope: Scope) -> str:
    axes = ("clusters", "namespaces", "sources", "teams")
    limits = {axis: sorted(getattr(scope, axis)) for axis in axes}
    return msgspec.json.encode(limits | {"channel": scope.channel}).decode()


def _scope(text: str) -> Scope:
    """As it was encoded; what an earlier version kept without one has no channel: nobody's."""
    return msgspec.json.decode(text, type=Scope)


def _shown(answer: Answer) -> list[Shown]:
    """What the answer cites, in the order of its numbers, then what else it was given."""
    left = list(answer.passages)
    shown: list[Shown] = []
    for cited in answer.citations:
        # A citation's title is the passage's, with that of its section.
        fits = (p for p in left if p.location == cited.location and cited.title.startswith(p.title))
        passage = next(fits, None)
        if passage is not None:
            left.remove(passage)
        identity = passage.id if passage else ""
        shown.append(
            Shown(identity, cited.source, cited.title, cited.location, cited.url, is_cited=True)
        )
    return shown + [Shown(p.id, p.source, p.title, p.location, p.url) for p in left]


def _judged(row: Row[Any], cast: Sequence[Vote] = ()) -> JudgedAnswer:
    return JudgedAnswer(
        reference=row.reference,
        channel=row.channel,
        question=row.question,
        text=row.text,
        model=row.model,
        passages=tuple(msgspec.json.decode(row.passages, type=list[Shown])),
        judged_at=row.judged_at,
        kept_by=row.kept_by,
        kept_at=row.kept_at,
        votes=tuple(cast),
    )


def _vote(row: Row[Any]) -> Vote:
    return Vote(row.reference, row.voter, row.is_helpful, row.comment, row.voted_at)
