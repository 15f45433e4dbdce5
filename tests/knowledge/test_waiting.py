"""The line in front of the model: in order, bounded, people first, nobody lost."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.waiting import LineFullError, ModelLine, Place


async def _step() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


class Asker:
    """Someone in the line, who leaves when told."""

    def __init__(self, line: ModelLine, *, is_patient: bool = False) -> None:
        self.seen: list[int] = []
        self.is_served = False
        self._leave = asyncio.Event()
        self.task = asyncio.create_task(self._run(line, is_patient))

    async def _run(self, line: ModelLine, is_patient: bool) -> None:
        async with line.join(is_patient=is_patient) as place:
            async for ahead in place.positions():
                self.seen.append(ahead)
            self.is_served = True
            await self._leave.wait()

    async def leave(self) -> None:
        self._leave.set()
        await self.task
        await _step()


async def test_who_comes_first_is_served_first_and_the_others_see_where_they_stand() -> None:
    line = ModelLine(at_once=1)
    first, second, third = Asker(line), Asker(line), Asker(line)
    await _step()
    assert (first.is_served, first.seen) == (True, [])
    assert (second.seen, third.seen) == ([1], [2])
    await first.leave()
    assert second.is_served
    assert third.seen == [2, 1]
    await second.leave()
    assert third.is_served
    await third.leave()


async def test_people_go_before_a_digest_that_waits() -> None:
    line = ModelLine(at_once=1)
    busy = Asker(line)
    await _step()
    digest = Asker(line, is_patient=True)
    await _step()
    person = Asker(line)
    await _step()
    assert (digest.seen, person.seen) == ([1, 2], [1])
    await busy.leave()
    assert person.is_served
    assert not digest.is_served
    await person.leave()
    assert digest.is_served
    await digest.leave()


async def test_a_full_line_refuses_people_and_lets_a_digest_wait() -> None:
    line = ModelLine(at_once=1, longest=1)
    busy, waiting = Asker(line), Asker(line)
    await _step()
    with pytest.raises(LineFullError, match="1 questions wait"):
        async with line.join():
            pass
    digest = Asker(line, is_patient=True)
    await _step()
    for asker in (busy, waiting, digest):
        await asker.leave()


async def test_who_gives_up_while_waiting_frees_the_place() -> None:
    line = ModelLine(at_once=1)
    busy, impatient, last = Asker(line), Asker(line), Asker(line)
    await _step()
    impatient.task.cancel()
    await asyncio.gather(impatient.task, return_exceptions=True)
    await _step()
    assert last.seen == [2, 1]
    await busy.leave()
    assert last.is_served
    await last.leave()


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=12), st.integers(1, 3))
def test_everyone_is_served_once_and_never_more_than_allowed_at_once(
    askers: list[tuple[bool, bool]], at_once: int
) -> None:
    async def run() -> None:
        line = ModelLine(at_once=at_once, longest=50)
        using, most, served = 0, 0, 0

        async def ask(is_patient: bool, gives_up: bool) -> None:
            nonlocal using, most, served
            async with line.join(is_patient=is_patient) as place:
                if gives_up:
                    return
                await place.reached()
                using += 1
                most = max(most, using)
                await asyncio.sleep(0)
                using -= 1
                served += 1

        await asyncio.gather(*(ask(*asker) for asker in askers))
        assert served == sum(not gives_up for _, gives_up in askers)
        assert most <= at_once
        async with line.join() as place:  # and the line is as free as before
            assert [ahead async for ahead in place.positions()] == []

    asyncio.run(run())


async def test_a_place_tells_only_changes() -> None:
    place = Place(is_patient=False)
    place.move(2)
    place.move(2)
    positions = place.positions()
    assert await anext(positions) == 2
    place.move(0)
    with pytest.raises(StopAsyncIteration):
        await anext(positions)
