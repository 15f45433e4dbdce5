from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from core.answers import Answer, Citation, Confidence, Gap, Passage
from core.clock import ManualClock
from core.errors import StateError
from state.answers import SqlAnswerStore
from state.database import Database
from state.retention import purge

ANSWER = Answer(
    question="why is payments down?",
    text="It ran out of memory [1]. \u2028 naïve ☂",
    citations=(Citation(1, "Payments", "runbooks/payments.md", "markdown"),),
    passages=(
        Passage(
            "p1", "markdown", "Payments", "runbooks/payments.md", "text", score=0.5,
            updated_at=datetime(2026, 2, 1, tzinfo=UTC), is_fact=True,
        ),
    ),
    confidence=Confidence.CONFIRMED,
    notes=("One note.",),
    gaps=(Gap("cluster prod", "timeout", "Check it."),),
    elapsed_seconds=1.5,
)  # fmt: skip


async def test_an_answer_comes_back_as_it_was(database: Database, clock: ManualClock) -> None:
    store = SqlAnswerStore(database, clock)
    await store.put("r1", "C1", ANSWER)
    assert await store.get("r1") == ANSWER
    assert await store.get("r2") is None


async def test_an_answer_is_replaced_and_can_be_shared_again(
    database: Database, clock: ManualClock
) -> None:
    store = SqlAnswerStore(database, clock)
    await store.put("r1", "C1", ANSWER)
    assert await store.mark_shared("r1")
    await store.put("r1", "C1", Answer("again?", "Yes."))
    assert (await store.get("r1")) == Answer("again?", "Yes.")
    assert await store.mark_shared("r1")


async def test_only_the_first_share_counts(database: Database, clock: ManualClock) -> None:
    store = SqlAnswerStore(database, clock)
    await store.put("r1", "C1", ANSWER)
    assert [await store.mark_shared("r1"), await store.mark_shared("r1")] == [True, False]
    assert not await store.mark_shared("unknown")


async def test_the_last_vote_of_a_user_wins(database: Database, clock: ManualClock) -> None:
    store = SqlAnswerStore(database, clock)
    await store.vote("r1", "U1", is_helpful=True)
    await store.vote("r1", "U2", is_helpful=True, comment="thanks")
    clock.advance(timedelta(minutes=1))
    await store.vote("r1", "U1", is_helpful=False, comment="wrong pod")
    votes = await store.votes(clock.now() - timedelta(hours=1))
    assert [(v.user, v.is_helpful, v.comment) for v in votes] == [
        ("U2", True, "thanks"),
        ("U1", False, "wrong pod"),
    ]
    assert votes[1].voted_at == clock.now()


async def test_an_answer_that_cannot_be_read_is_told(
    database: Database, clock: ManualClock
) -> None:
    store = SqlAnswerStore(database, clock)
    await store.put("r1", "C1", ANSWER)
    async with database.write("test") as connection:
        await connection.execute(text("UPDATE answers SET answer = '{\"old\": 1}'"))
    with pytest.raises(StateError, match="another version"):
        await store.get("r1")


async def test_old_answers_are_purged_and_votes_stay(
    database: Database, clock: ManualClock
) -> None:
    store = SqlAnswerStore(database, clock)
    await store.put("old", "C1", ANSWER)
    await store.vote("old", "U1", is_helpful=True)
    clock.advance(timedelta(days=8))
    await store.put("new", "C1", ANSWER)
    gone = await purge(database, clock.now())
    assert {table for table, rows in gone.items() if rows} == {"answers"}
    assert await store.get("old") is None
    assert await store.get("new") == ANSWER
    assert len(await store.votes(clock.now() - timedelta(days=30))) == 1
