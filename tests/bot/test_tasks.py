from __future__ import annotations

import asyncio

from bot.tasks import TaskSet
from bot.turns import Turns

KEY = ("T", "C", "1.0")


async def test_draining_waits_for_work_that_ends_in_time() -> None:
    tasks, done = TaskSet(), asyncio.Event()
    task = tasks.spawn(done.wait(), "work")
    asyncio.get_running_loop().call_soon(done.set)
    assert await tasks.drain(5) == 0
    assert task.done()
    assert len(tasks) == 0


async def test_draining_cancels_what_takes_too_long_and_hears_it_out() -> None:
    tasks, words = TaskSet(), []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            words.append("closed")

    task = tasks.spawn(work(), "work")
    await asyncio.sleep(0)
    assert await tasks.drain(0) == 1
    assert task.cancelled()
    assert words == ["closed"]


async def test_draining_from_within_does_not_wait_for_itself() -> None:
    tasks = TaskSet()
    assert await tasks.spawn(tasks.drain(1), "stop") == 0
    assert await tasks.drain(1) == 0


async def test_a_thread_has_one_turn_at_a_time_and_is_then_forgotten() -> None:
    turns, order = Turns(), []

    async def take(name: str) -> None:
        async with turns.take(KEY):
            order.append(f"{name} in")
            await asyncio.sleep(0)
            order.append(f"{name} out")

    await asyncio.gather(take("a"), take("b"))
    assert order == ["a in", "a out", "b in", "b out"]
    assert not turns.is_busy(KEY)
    assert len(turns) == 0
