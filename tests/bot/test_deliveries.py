"""Without the database a delivery still counts once, as far as one process can tell."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from bot.deliveries import SENT_AGAIN_WITHIN, SlackDeliveries
from bot.interrupted import new_answer
from bot.tasks import TaskSet
from core.clock import ManualClock
from core.errors import StateError
from tests.bot.bench import Bench
from tests.bot.fakes import FakeDeliveries, FakeOpenAnswers
from tests.bot.samples import NOW

AWAY = StateError("remember a Slack delivery", "the database cannot be reached", "Start it.")


async def test_a_key_behind_one_that_was_seen_is_left_to_whoever_has_that_one() -> None:
    store = FakeDeliveries()
    deliveries = SlackDeliveries(store, FakeOpenAnswers(), ManualClock(NOW), TaskSet())
    assert await deliveries.is_new("a", "")
    assert not await deliveries.is_new("a", "b")
    assert await deliveries.is_new("c", "b")
    assert not await deliveries.is_new("d", "b")
    assert store.seen == {"a", "b", "c", "d"}


async def test_what_the_database_could_not_take_is_remembered_here() -> None:
    store, clock = FakeDeliveries(error=AWAY), ManualClock(NOW)
    deliveries = SlackDeliveries(store, FakeOpenAnswers(), clock, TaskSet())
    assert await deliveries.is_new("a", "b")
    assert not await deliveries.is_new("a", "b")
    store.error = None
    assert not await deliveries.is_new("a"), "it was answered while the database was away"
    assert await deliveries.is_new("c")
    clock.advance(SENT_AGAIN_WITHIN + timedelta(minutes=1))
    store.error = AWAY
    assert await deliveries.is_new("d")
    assert await deliveries.is_new("a"), "Slack has long given up sending it again"


async def test_what_is_taken_without_the_database_is_taken_once() -> None:
    store = FakeDeliveries(error=AWAY)
    answers = FakeOpenAnswers(deliveries=store)
    deliveries = SlackDeliveries(store, answers, ManualClock(NOW), TaskSet())
    opened = await deliveries.take(["event:1", ""], new_answer("C1"))
    assert opened is not None
    await opened.end()
    assert await deliveries.take(["event:1"], new_answer("C1")) is None
    assert not await deliveries.is_new("event:1")


async def test_slack_waits_for_a_slow_database_no_longer_than_it_can() -> None:
    answers, tasks = FakeOpenAnswers(gate=asyncio.Event()), TaskSet()
    deliveries = SlackDeliveries(
        FakeDeliveries(), answers, ManualClock(NOW), tasks, limit_seconds=0.01
    )
    assert await deliveries.take(["event:1"], new_answer("C1")) is not None
    assert await deliveries.take(["event:1"], new_answer("C1")) is None, "it is being answered"
    assert answers.gate is not None
    answers.gate.set()
    await tasks.drain(5)
    assert len(answers.opened) == 1, "others may wait for the same transaction"


async def test_a_question_is_answered_once_without_the_database(either: Bench) -> None:
    either.fakes.deliveries.error = AWAY
    either.say("<@UOPSBOT> why?")
    await either.settle()
    await either.type("ask why?")
    await either.settle()
    assert len(either.own()) == 1
    assert len(either.ephemerals()) == 1
    assert len(either.fakes.answerer.asked) == 2


class Staggered(FakeDeliveries):
    """Whoever is first to claim `event:1` is held up behind it."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()

    async def claim(self, key: str, *arguments: object) -> bool:
        is_first = await super().claim(key)
        if key == "event:1" and is_first:
            await self.gate.wait()
        return is_first


async def test_of_two_deliveries_at_once_exactly_one_is_new() -> None:
    staggered = Staggered()
    deliveries = SlackDeliveries(staggered, FakeOpenAnswers(), ManualClock(NOW), TaskSet())
    first = asyncio.create_task(deliveries.is_new("event:1", "message:1"))
    await asyncio.sleep(0)
    second = await deliveries.is_new("event:1", "message:1")
    staggered.gate.set()
    assert [await first, second] == [True, False]
