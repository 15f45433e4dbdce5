from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

import state
from core.answers import Answer, Citation, Confidence, Gap, Passage, Scope
from core.clock import ManualClock
from core.errors import StateError
from core.feedback import Shown
from state.answers import SqlAnswerStore
from state.database import Database
from state.retention import purge
from tests.state.conftest import START

OPS = Scope(channel="C1")

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
    await store.put("r1", OPS, ANSWER)
    assert await store.get("r1", OPS) == ANSWER
    assert await store.get("r2", OPS) is None


async def test_an_answer_is_replaced_and_can_be_shared_again(
    database: Database, clock: ManualClock
) -> None:
    store = SqlAnswerStore(database, clock)
    await store.put("r1", OPS, ANSWER)
    assert await store.mark_shared("r1")
    await store.put("r1", OPS, Answer("again?", "Yes."))
    assert (await store.get("r1", OPS)) == Answer("again?", "Yes.")
    assert await store.mark_shared("r1")


async def test_only_the_first_share_counts(database: Database, clock: ManualClock) -> None:
    store = SqlAnswerStore(database, clock)
    await store.put("r1", OPS, ANSWER)
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


async def test_a_thread_is_answered_once_an_answer_stands_in_it(
    database: Database, clock: ManualClock
) -> None:
    store = SqlAnswerStore(database, clock)
    await store.put("r1", OPS, ANSWER)
    assert not await store.is_answered("C1", "17.1")
    await store.put("r2", OPS, ANSWER, "U1", "17.1")
    await store.put("r3", OPS, ANSWER, "U1", "17.1")
    assert await store.is_answered("C1", "17.1")
    assert not await store.is_answered("C1", "17.2")
    assert not await store.is_answered("C2", "17.1")


async def test_an_answer_that_cannot_be_read_is_told(
    database: Database, clock: ManualClock
) -> None:
    store = SqlAnswerStore(database, clock)
    await store.put("r1", OPS, ANSWER)
    async with database.write("test") as connection:
        await connection.execute(text("UPDATE answers SET answer = '{\"old\": 1}'"))
    with pytest.raises(StateError, match="another version"):
        await store.get("r1", OPS)


async def test_old_answers_are_purged_and_votes_stay(
    database: Database, clock: ManualClock
) -> None:
    store = SqlAnswerStore(database, clock)
    await store.put("old", OPS, ANSWER)
    await store.vote("old", "U1", is_helpful=True)
    clock.advance(timedelta(days=8))
    await store.put("new", OPS, ANSWER)
    gone = await purge(database, clock.now())
    assert {table for table, rows in gone.items() if rows} == {"answers"}
    assert await store.get("old", OPS) is None
    assert await store.get("new", OPS) == ANSWER
    assert len(await store.votes(clock.now() - timedelta(days=30))) == 1


async def test_a_vote_keeps_what_the_answer_was_made_of(
    database: Database, clock: ManualClock
) -> None:
    store = SqlAnswerStore(database, clock, lambda text: text.replace("hunter2", "(redacted)"))
    other = Passage("p2", "cluster", "Pod shop/payments", "Pod/shop/payments", "text")
    asked = replace(
        ANSWER, question="why hunter2?", passages=(other, *ANSWER.passages), task="similar"
    )
    await store.put("r1", OPS, asked)
    await store.vote("r1", "U1", is_helpful=True)
    await store.vote("r1", "U2", is_helpful=False, comment="hunter2 is wrong")
    clock.advance(timedelta(days=30))
    await purge(database, clock.now())
    (judged,) = await store.judged(START)
    assert (judged.question, judged.channel) == ("similar why (redacted)?", "C1")
    assert (judged.text, judged.model) == (ANSWER.text, "extractive")
    assert judged.passages == (
        Shown("p1", "markdown", "Payments", "runbooks/payments.md", is_cited=True),
        Shown("p2", "cluster", "Pod shop/payments", "Pod/shop/payments"),
    )
    assert [(vote.user, vote.is_helpful, vote.comment) for vote in judged.votes] == [
        ("U1", True, ""),
        ("U2", False, "(redacted) is wrong"),
    ]
    clock.advance(timedelta(days=340))
    gone = await purge(database, clock.now())
    assert gone["judged_answers"] == 1
    assert await store.judged(START) == []


async def test_an_answer_is_kept_once_for_its_channel_and_can_be_forgotten(
    database: Database, clock: ManualClock
) -> None:
    store = SqlAnswerStore(database, clock)
    await store.put("r1", OPS, ANSWER)
    assert not await store.keep("r1", "U1")  # nobody has voted
    await store.vote("r1", "U1", is_helpful=True)
    assert [await store.keep("r1", "U1"), await store.keep("r1", "U2")] == [True, False]
    assert await store.is_kept("r1")
    (kept,) = await store.kept_for(OPS)
    assert (kept.reference, kept.kept_by, kept.kept_at) == ("r1", "U1", clock.now())
    assert await store.kept_for(Scope(channel="C2")) == []
    await store.vote("r1", "U2", is_helpful=False)  # a further vote changes nothing of it
    assert await store.is_kept("r1")
    assert [await store.forget("r1"), await store.forget("r1")] == [True, False]
    assert await store.kept_for(OPS) == []
    assert not await store.is_kept("r1")


async def test_a_vote_on_what_is_gone_or_unreadable_counts_all_the_same(
    database: Database, clock: ManualClock
) -> None:
    store = SqlAnswerStore(database, clock)
    await store.vote("gone", "U1", is_helpful=True)
    await store.put("old", OPS, ANSWER)
    async with database.write("test") as connection:
        await connection.execute(text("UPDATE answers SET answer = '{\"old\": 1}'"))
    await store.vote("old", "U1", is_helpful=True)
    assert len(await store.votes(START)) == 2
    assert await store.judged(START) == []


async def test_an_answer_is_for_its_channel_and_for_whoever_may_see_all_of_it(
    database: Database, clock: ManualClock
) -> None:
    store = SqlAnswerStore(database, clock)
    shop = replace(OPS, namespaces=frozenset({"shop"}))
    await store.put("wide", OPS, ANSWER)
    await store.put("narrow", shop, ANSWER)
    assert await store.get("wide", shop) is None
    assert await store.get("narrow", shop) == ANSWER
    assert await store.get("narrow", OPS) == ANSWER
    assert await store.get("wide", Scope(channel="C2")) is None
    for reference in ("wide", "narrow"):
        await store.vote(reference, "U1", is_helpful=True)
        await store.keep(reference, "U1")
    assert [kept.reference for kept in await store.kept_for(shop)] == ["narrow"]
    assert {kept.reference for kept in await store.kept_for(OPS)} == {"wide", "narrow"}


def go_back(connection: Connection) -> None:
    """To the schema of before there were scopes."""
    config = Config()
    config.set_main_option("script_location", str(Path(state.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.downgrade(config, "0005")


async def test_answers_of_before_there_were_scopes_are_as_wide_as_can_be(url: str) -> None:
    """A channel that is limited now must not show what was made without limits."""
    database = await Database.open(url)
    moment = "'2026-03-01 09:00:00'"
    rows = {
        "answers (reference, channel, created_at, answer)": f"'r1', 'C1', {moment}, :answer",
        "judged_answers (reference, channel, question, text, model, passages, judged_at, kept_by, "
        "kept_at)": f"'r1', 'C1', 'q', 't', 'm', '[]', {moment}, 'U1', {moment}",
    }
    async with database.write("go back") as connection:
        await connection.run_sync(go_back)
        for table, values in rows.items():
            given = {"answer": msgspec.json.encode(ANSWER).decode()} if ":answer" in values else {}
            statement = text(f"INSERT INTO {table} VALUES ({values})")  # noqa: S608  (words of ours)
            await connection.execute(statement, given)
    await database.close()
    database = await Database.open(url)
    store = SqlAnswerStore(database, ManualClock(START))
    shop = replace(OPS, namespaces=frozenset({"shop"}))
    assert await store.get("r1", OPS) == ANSWER
    assert await store.get("r1", shop) is None
    assert len(await store.kept_for(OPS)) == 1
    assert await store.kept_for(shop) == []
    await database.close()


async def test_what_somebody_asked_is_theirs_alone_and_newest_first(
    database: Database, clock: ManualClock
) -> None:
    store = SqlAnswerStore(database, clock)
    await store.put("r1", OPS, ANSWER, "U1")
    clock.advance(timedelta(minutes=1))
    await store.put("r2", Scope(channel="C2"), ANSWER, "U1")
    await store.put("r3", OPS, ANSWER, "U2")
    await store.put("r4", OPS, ANSWER)
    found = await store.recent("U1", 5)
    assert [(each.reference, each.channel) for each in found] == [("r2", "C2"), ("r1", "C1")]
    assert found[0].asked_at == clock.now()
    assert len(await store.recent("U1", 1)) == 1
