"""A delivery counts once, also where Slack sends it twice at the same moment."""

from __future__ import annotations

import asyncio

from bot.deliveries import SlackDeliveries
from core.clock import ManualClock
from tests.bot.fakes import FakeDeliveries
from tests.bot.samples import NOW


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
    deliveries = SlackDeliveries(staggered, ManualClock(NOW))
    first = asyncio.create_task(deliveries.is_new("event:1", "message:1"))
    await asyncio.sleep(0)
    second = await deliveries.is_new("event:1", "message:1")
    staggered.gate.set()
    assert [await first, second] == [True, False]
