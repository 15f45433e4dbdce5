from __future__ import annotations

from datetime import timedelta

from core.clock import ManualClock
from state.database import Database
from state.deliveries import DeliveryStore


async def test_a_key_counts_once(database: Database, clock: ManualClock) -> None:
    store = DeliveryStore(database, clock)
    assert [await store.claim("a"), await store.claim("a"), await store.claim("b")] == [
        True,
        False,
        True,
    ]


async def test_a_key_counts_again_after_a_day(database: Database, clock: ManualClock) -> None:
    store = DeliveryStore(database, clock)
    await store.claim("a")
    clock.advance(timedelta(hours=23, minutes=59))
    assert not await store.claim("a")
    clock.advance(timedelta(minutes=1))
    assert await store.claim("a")
    assert not await store.claim("a")


async def test_a_key_may_count_again_sooner(database: Database, clock: ManualClock) -> None:
    store = DeliveryStore(database, clock)
    ten_minutes = timedelta(minutes=10)
    assert await store.claim("a", ten_minutes)
    clock.advance(timedelta(minutes=9))
    assert not await store.claim("a", ten_minutes)
    clock.advance(timedelta(minutes=1))
    assert await store.claim("a", ten_minutes)


async def test_long_keys_are_told_apart(database: Database, clock: ManualClock) -> None:
    store = DeliveryStore(database, clock)
    assert await store.claim("x" * 1000)
    assert await store.claim("x" * 999)
    assert not await store.claim("x" * 1000)
