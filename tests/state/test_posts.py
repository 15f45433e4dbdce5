from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from core.clock import ManualClock
from core.digests import Digest
from core.posts import Post, PostKind
from core.questions import TimeRange
from state.database import Database
from state.digests import SqlDigestStore
from state.leases import SqlLeases
from state.posts import SqlPostStore

NINE = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
WINDOW = TimeRange(NINE - timedelta(hours=1), NINE)


def _post(key: str, slot: str = "", made_at: datetime = NINE) -> Post:
    kind = PostKind.DIGEST if slot else PostKind.URGENT
    return Post(key, "daily", slot, "C1", Digest("daily", key, WINDOW, ()), made_at, kind)


async def test_a_team_s_part_is_due_once_its_digest_is_committed(
    database: Database, clock: ManualClock
) -> None:
    digests, posts = SqlDigestStore(database, clock), SqlPostStore(database, clock)
    claim = await digests.claim("daily", "daily@9", WINDOW)
    assert claim is not None
    await digests.prepare(claim, [], posts=[_post("first", "daily@9")])
    # A second try writes down anew what will be told.
    await digests.prepare(claim, [], posts=[_post("second", "daily@9")])
    assert await posts.due("daily") == []
    await digests.commit(claim, "1.0", [])
    assert [post.key for post in await posts.due("daily")] == ["second"]
    assert await posts.due("weekly") == []
    await posts.trying("second")
    assert [post.is_tried for post in await posts.due("daily")] == [True]
    await posts.posted("second", "2.0")
    assert await posts.due("daily") == []


async def test_what_was_not_posted_after_all_takes_its_parts_with_it(
    database: Database, clock: ManualClock
) -> None:
    digests, posts = SqlDigestStore(database, clock), SqlPostStore(database, clock)
    claim = await digests.claim("daily", "daily@9", WINDOW)
    assert claim is not None
    await digests.prepare(claim, [], posts=[_post("part", "daily@9")])
    await digests.prepare(claim, None)
    await digests.commit(claim, "1.0", [])
    assert await posts.due("daily") == []


async def test_an_urgent_message_is_due_at_once_and_written_down_once(
    database: Database, clock: ManualClock
) -> None:
    posts = SqlPostStore(database, clock)
    await posts.add(_post("urgent"))
    await posts.add(replace(_post("urgent"), channel="C2"))
    (due,) = await posts.due("daily")
    assert due == _post("urgent")


async def test_what_cannot_be_posted_for_a_day_is_given_up(
    database: Database, clock: ManualClock
) -> None:
    posts = SqlPostStore(database, clock)
    await posts.add(_post("urgent", made_at=clock.now()))
    clock.advance(timedelta(hours=25))
    assert await posts.due("daily") == []


async def test_urgent_messages_are_followed_until_they_were_closed_for_a_while(
    database: Database, clock: ManualClock
) -> None:
    posts = SqlPostStore(database, clock)
    await posts.add(_post("old"))
    await posts.add(_post("open"))
    later = NINE + timedelta(hours=3)
    changed = Digest("daily", "old", WINDOW, (), notes=("over",))
    await posts.redo("old", changed, NINE + timedelta(hours=1))
    assert [post.key for post in await posts.urgent("daily", later)] == ["open"]
    both = await posts.urgent("daily", NINE + timedelta(minutes=30))
    assert [post.key for post in both] == ["old", "open"]
    assert both[0].digest == changed


async def test_what_another_version_wrote_is_left_out(
    database: Database, clock: ManualClock
) -> None:
    posts = SqlPostStore(database, clock)
    await posts.add(_post("urgent"))
    async with database.write("test") as connection:
        await connection.execute(text("UPDATE posts SET content = '{}'"))
    assert await posts.due("daily") == []


async def test_a_lease_is_held_by_one_and_runs_out(database: Database, clock: ManualClock) -> None:
    first, second = SqlLeases(database, clock), SqlLeases(database, clock)
    async with first.hold("look", 60) as is_held:
        assert is_held
        async with second.hold("look", 60) as other:
            assert not other
        async with second.hold("another", 60) as other:
            assert other
        clock.advance(timedelta(seconds=60))
        async with second.hold("look", 60) as other:
            assert other, "the holder is taken for dead"
    async with second.hold("look", 60) as is_held:
        assert is_held


async def test_how_the_newest_run_went_is_told(database: Database, clock: ManualClock) -> None:
    store = SqlDigestStore(database, clock)
    assert await store.last_try("daily") is None
    claim = await store.claim("daily", "daily@9", WINDOW)
    assert claim is not None
    under_way = await store.last_try("daily")
    assert under_way is not None
    assert (under_way.end, under_way.committed_at, under_way.is_held) == (NINE, None, True)
    assert under_way.claimed_at == clock.now()
    await store.release(claim)
    failed = await store.last_try("daily")
    assert failed is not None
    assert not failed.is_held
    again = await store.claim("daily", "daily@9", WINDOW)
    assert again is not None
    await store.commit(again, "1.0", [])
    done = await store.last_try("daily")
    assert done is not None
    assert (done.committed_at, done.posted_ts, done.is_held) == (clock.now(), "1.0", False)


async def test_the_newest_full_message_is_the_one_to_refer_to(
    database: Database, clock: ManualClock
) -> None:
    store = SqlDigestStore(database, clock)
    for hour, (ts, is_full) in enumerate(
        [("1.0", True), ("2.0", True), ("3.0", False), ("", True)]
    ):
        window = TimeRange(NINE + timedelta(hours=hour - 1), NINE + timedelta(hours=hour))
        claim = await store.claim("daily", f"daily@{hour}", window)
        assert claim is not None
        await store.prepare(claim, [], is_full=is_full)
        await store.commit(claim, ts, [])
    assert await store.last_full("daily", NINE) == "2.0"
    assert await store.last_full("daily", NINE + timedelta(hours=2)) == ""
    assert await store.last_full("weekly", NINE) == ""
