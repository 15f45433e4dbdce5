"""What a dead process left open is taken over once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from core.answers import OpenAnswer
from core.clock import ManualClock
from state.database import Database
from state.deliveries import DeliveryStore
from state.openanswers import OpenAnswerStore

ONE = OpenAnswer("k1", "C1", "1.0")
TWO = OpenAnswer("k2", "C1", "", "", "https://hooks.example/1", is_replaced=True)
MINUTE = timedelta(minutes=1)
CROWD = 300  # twice as many deliveries are more than one transaction takes


async def test_what_a_dead_process_left_is_taken_over_once(
    database: Database, clock: ManualClock
) -> None:
    dead, left = OpenAnswerStore(database, clock), OpenAnswerStore(database, clock)
    assert await dead.take([], ONE)
    await dead.show(replace(ONE, message_ts="2.0"))
    assert await dead.take([], TWO)
    taken = await left.take_over(timedelta())
    assert sorted(taken, key=lambda each: each.key) == [OpenAnswer("k1", "C1", "1.0", "2.0"), TWO]
    assert await left.take_over(timedelta()) == []
    assert await OpenAnswerStore(database, clock).take_over(MINUTE) == []


async def test_what_is_over_is_nobodys(database: Database, clock: ManualClock) -> None:
    store = OpenAnswerStore(database, clock)
    assert await store.take([], ONE)
    await store.end("k1")
    assert await OpenAnswerStore(database, clock).take_over(timedelta()) == []


async def test_a_process_keeps_its_own_for_as_long_as_it_gives_signs_of_life(
    database: Database, clock: ManualClock
) -> None:
    alive, other = OpenAnswerStore(database, clock), OpenAnswerStore(database, clock)
    assert await alive.take([], ONE)
    for _ in range(3):
        clock.advance(timedelta(seconds=40))
        await alive.renew()
        assert await other.take_over(MINUTE) == []
        assert await alive.take_over(timedelta()) == []
    clock.advance(MINUTE)
    assert await other.take_over(MINUTE) == [ONE]


async def test_one_that_could_not_be_closed_is_tried_again_later(
    database: Database, clock: ManualClock
) -> None:
    dead, left = OpenAnswerStore(database, clock), OpenAnswerStore(database, clock)
    assert await dead.take([], ONE)
    assert await left.take_over(timedelta()) == [ONE]
    await left.give_back("k1")
    assert await left.take_over(MINUTE) == []
    clock.advance(MINUTE)
    assert await left.take_over(MINUTE) == [ONE]


async def test_a_delivery_is_taken_with_its_answer_or_not_at_all(
    database: Database, clock: ManualClock
) -> None:
    first, second = OpenAnswerStore(database, clock), OpenAnswerStore(database, clock)
    assert await first.take(["event:1", "message:1"], ONE)
    # The same message as another event: seen before, so nothing is written down.
    assert not await second.take(["event:2", "message:1"], TWO)
    assert await second.take_over(timedelta()) == [ONE]
    assert not await DeliveryStore(database, clock).claim("event:1")


async def test_of_a_crowd_each_delivery_is_taken_once(
    database: Database, clock: ManualClock
) -> None:
    store = OpenAnswerStore(database, clock)
    numbers = [number for number in range(CROWD) for _ in range(2)]
    took = await asyncio.gather(
        *(
            store.take([f"message:{number}"], OpenAnswer(f"k{position}", "C1", str(number)))
            for position, number in enumerate(numbers)
        )
    )
    assert sum(took) == CROWD
    left = await OpenAnswerStore(database, clock).take_over(timedelta())
    assert sorted(int(each.thread_ts) for each in left) == list(range(CROWD))
