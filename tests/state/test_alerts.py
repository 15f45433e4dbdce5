"""The newest state of each firing counts, and heartbeats are remembered."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from core.alerts import Alert
from state.alerts import SqlAlertStore
from state.database import Database
from tests.state.conftest import START

HOUR = timedelta(hours=1)
SLOW = Alert("Slow", {"alertname": "Slow", "service": "a"}, {"summary": "slow"}, START, "f1")


@pytest.fixture
def store(database: Database) -> SqlAlertStore:
    return SqlAlertStore(database)


async def test_what_is_resolved_fires_no_more_and_may_fire_again(store: SqlAlertStore) -> None:
    await store.put([SLOW], START)
    assert list(await store.firing(START)) == [SLOW]
    await store.put([SLOW, replace(SLOW, is_firing=False)], START + HOUR)
    assert list(await store.firing(START)) == []
    again = replace(SLOW, starts_at=START + 2 * HOUR)
    await store.put([again], START + 2 * HOUR)
    assert list(await store.firing(START)) == [again]


async def test_what_nobody_repeated_for_long_is_not_said_to_fire(store: SqlAlertStore) -> None:
    await store.put([SLOW], START)
    await store.put([], START)
    assert list(await store.firing(START + HOUR)) == []


async def test_the_last_heartbeat_is_known(store: SqlAlertStore) -> None:
    beat = replace(SLOW, name="Watchdog", fingerprint="w")
    await store.put([beat, SLOW], START)
    await store.put([beat], START + HOUR)
    assert await store.last_seen({"Watchdog", "DeadMansSwitch"}) == {"Watchdog": START + HOUR}
