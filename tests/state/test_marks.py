from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from core.digests import Acknowledgement, KnownIssue, Marks, Mute
from core.findings import Severity
from state.database import Database
from state.marks import SqlMarkStore
from state.retention import purge

NINE = datetime(2026, 3, 1, 9, 0, 0, 123456, tzinfo=UTC)
MUTE = Mute("U1", "mira", NINE, NINE + timedelta(hours=1), Severity.HIGH, 14)
ISSUE = KnownIssue("U2", "jon", NINE, "https://tracker.example/OPS-1")
SEEN = Acknowledgement("U1", "mira", NINE)


async def test_each_kind_of_mark_is_kept_once_by_finding_and_schedule(database: Database) -> None:
    store = SqlMarkStore(database)
    for mark in (MUTE, ISSUE, SEEN):
        await store.put("daily", "f1", mark)
    await store.put("daily", "f2", SEEN)
    await store.put("weekly", "f1", ISSUE)
    assert await store.of("daily", "f1") == Marks(MUTE, ISSUE, SEEN)
    assert await store.all("daily") == {
        "f1": Marks(MUTE, ISSUE, SEEN),
        "f2": Marks(acknowledgement=SEEN),
    }
    assert await store.of("daily", "f3") == Marks()


async def test_a_new_mark_takes_the_place_of_an_earlier_one(database: Database) -> None:
    store = SqlMarkStore(database)
    later = replace(MUTE, by="U3", until=None)
    await store.put("daily", "f1", MUTE)
    await store.put("daily", "f1", later)
    assert (await store.of("daily", "f1")).mute == later


async def test_only_the_mark_that_was_meant_is_dropped(database: Database) -> None:
    store = SqlMarkStore(database)
    newer = replace(MUTE, at=NINE + timedelta(microseconds=1))
    await store.put("daily", "f1", newer)
    await store.put("daily", "f1", ISSUE)
    await store.drop("daily", "f1", MUTE)
    assert await store.of("daily", "f1") == Marks(newer, ISSUE)
    await store.drop("daily", "f1", newer)
    assert await store.of("daily", "f1") == Marks(known_issue=ISSUE)


async def test_what_cannot_be_read_is_left_out_and_the_old_is_purged(database: Database) -> None:
    store = SqlMarkStore(database)
    await store.put("daily", "f1", SEEN)
    await store.put("daily", "f1", ISSUE)
    async with database.write("test") as connection:
        await connection.execute(
            text("UPDATE finding_marks SET mark = '{}' WHERE kind = 'known_issue'")
        )
    assert await store.of("daily", "f1") == Marks(acknowledgement=SEEN)
    await purge(database, NINE + timedelta(days=731))
    assert await store.all("daily") == {}
