from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from core.clock import ManualClock
from core.digests import FindingHistory
from core.errors import StateError
from core.findings import Evidence, Finding, ObjectRef, Severity
from core.questions import TimeRange
from state.database import Database
from state.digests import SqlDigestStore

NINE = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
WINDOW = TimeRange(NINE - timedelta(hours=1), NINE)


def _history(name: str, count: int = 1) -> FindingHistory:
    pod = ObjectRef("demo", "Pod", "shop", f"{name}-1", "u1")
    owner = ObjectRef("demo", "Deployment", "shop", name)
    finding = Finding(
        "oom", "oom-killed", "OOMKilled", Severity.HIGH, f"{name}: OOMKilled", pod, owner,
        NINE - timedelta(minutes=30), NINE, (Evidence("limit", "256Mi"),), ("line",), count=count,
    )  # fmt: skip
    return FindingHistory(
        finding.identity,
        finding,
        finding.first_seen,
        finding.last_seen,
        (1, count),
        resolved_at=NINE,
    )


async def test_a_slot_is_claimed_once(database: Database, clock: ManualClock) -> None:
    first, second = SqlDigestStore(database, clock), SqlDigestStore(database, clock)
    claim = await first.claim("daily", "daily@9", WINDOW)
    assert claim is not None
    assert (claim.window, claim.is_retry) == (WINDOW, False)
    assert await second.claim("daily", "daily@9", WINDOW) is None
    assert await second.claim("weekly", "daily@9", WINDOW) is not None


async def test_a_committed_slot_and_its_histories_stay(
    database: Database, clock: ManualClock
) -> None:
    store = SqlDigestStore(database, clock)
    claim = await store.claim("daily", "daily@9", WINDOW)
    assert claim is not None
    assert await store.last_committed_end("daily") is None
    histories = [_history("payments", 14), _history("cart")]
    await store.commit(claim, "1.2", histories)
    clock.advance(timedelta(days=1))
    assert await store.claim("daily", "daily@9", WINDOW) is None
    assert await store.last_committed_end("daily") == NINE
    assert await store.history("daily") == {h.identity: h for h in histories}
    assert await store.history("weekly") == {}


async def test_a_commit_replaces_the_schedules_histories(
    database: Database, clock: ManualClock
) -> None:
    store = SqlDigestStore(database, clock)
    for slot, histories in (("1", [_history("a"), _history("b")]), ("2", [_history("b", 7)])):
        claim = await store.claim("daily", slot, WINDOW)
        assert claim is not None
        await store.commit(claim, slot, histories)
    assert [h.counts for h in (await store.history("daily")).values()] == [(1, 7)]
    claim = await store.claim("daily", "3", WINDOW)
    assert claim is not None
    await store.commit(claim, "3", [])
    assert await store.history("daily") == {}


async def test_a_released_claim_can_be_taken_at_once_as_a_retry(
    database: Database, clock: ManualClock
) -> None:
    store = SqlDigestStore(database, clock)
    claim = await store.claim("daily", "daily@9", WINDOW)
    assert claim is not None
    await store.release(claim)
    other = TimeRange(NINE - timedelta(hours=5), NINE)
    again = await store.claim("daily", "daily@9", other)
    assert again is not None
    assert (again.is_retry, again.window) == (True, WINDOW)


async def test_a_dead_holders_claim_is_taken_after_two_minutes(
    database: Database, clock: ManualClock
) -> None:
    store = SqlDigestStore(database, clock)
    dead = await store.claim("daily", "daily@9", WINDOW)
    assert dead is not None
    clock.advance(timedelta(minutes=1, seconds=59))
    assert await store.claim("daily", "daily@9", WINDOW) is None
    clock.advance(timedelta(seconds=1))
    again = await store.claim("daily", "daily@9", WINDOW)
    assert again is not None
    assert again.is_retry
    assert await store.claim("daily", "daily@9", WINDOW) is None
    # The first holder was only slow: it may neither commit nor release what it lost.
    with pytest.raises(StateError, match="taken it over"):
        await store.commit(dead, "1.2", [_history("a")])
    await store.release(dead)
    assert await store.claim("daily", "daily@9", WINDOW) is None
    assert await store.history("daily") == {}
    await store.commit(again, "1.3", [])


async def test_a_history_that_cannot_be_read_is_left_out(
    database: Database, clock: ManualClock
) -> None:
    store = SqlDigestStore(database, clock)
    claim = await store.claim("daily", "1", WINDOW)
    assert claim is not None
    await store.commit(claim, "1", [_history("a"), _history("b")])
    async with database.write("test") as connection:
        await connection.execute(
            text("UPDATE findings SET history = '{}' WHERE identity = :i"),
            {"i": _history("a").identity},
        )
    assert list(await store.history("daily")) == [_history("b").identity]


async def test_what_was_about_to_be_told_outlives_the_teller(
    database: Database, clock: ManualClock
) -> None:
    store = SqlDigestStore(database, clock)
    claim = await store.claim("daily", "daily@9", WINDOW)
    assert claim is not None
    assert await store.unfinished("daily") == []
    assert await store.prepared(claim) is None
    await store.prepare(claim, [_history("a")])
    assert await store.unfinished("daily") == [("daily@9", WINDOW)]
    clock.advance(timedelta(minutes=10))
    again = await store.claim("daily", "daily@9", WINDOW)
    assert again is not None
    assert await store.prepared(again) == (_history("a"),)
    with pytest.raises(StateError, match="taken it over"):
        await store.prepare(claim, [])
    await store.commit(again, "1.2", [_history("a")])
    assert await store.unfinished("daily") == []


async def test_what_was_not_posted_is_not_unfinished(
    database: Database, clock: ManualClock
) -> None:
    store = SqlDigestStore(database, clock)
    claim = await store.claim("daily", "1", WINDOW)
    assert claim is not None
    await store.prepare(claim, [])
    await store.prepare(claim, None)
    assert await store.unfinished("daily") == []
    await store.prepare(claim, [])
    later = await store.claim("daily", "2", TimeRange(NINE, NINE + timedelta(hours=1)))
    assert later is not None
    await store.commit(later, "1", [])
    assert await store.unfinished("daily") == []


async def test_a_preparation_that_cannot_be_read_is_none(
    database: Database, clock: ManualClock
) -> None:
    store = SqlDigestStore(database, clock)
    claim = await store.claim("daily", "1", WINDOW)
    assert claim is not None
    await store.prepare(claim, [])
    async with database.write("test") as connection:
        await connection.execute(text("UPDATE digest_slots SET prepared = '[{}]'"))
    assert await store.prepared(claim) is None
