from __future__ import annotations

from datetime import timedelta

from core.clock import ManualClock
from state.database import Database
from state.greetings import GreetingStore
from state.retention import purge


async def test_a_channel_is_greeted_once_and_never_again(
    database: Database, clock: ManualClock
) -> None:
    store = GreetingStore(database, clock)
    assert await store.claim("T1", "C1")
    clock.advance(timedelta(days=2000))
    await purge(database, clock.now())
    assert not await store.claim("T1", "C1")
    assert await store.claim("T1", "C2")
    assert await store.claim("T2", "C1")


async def test_what_was_not_said_may_be_said_later(database: Database, clock: ManualClock) -> None:
    store = GreetingStore(database, clock)
    await store.claim("T1", "C1")
    await store.give_back("T1", "C1")
    assert await store.claim("T1", "C1")
