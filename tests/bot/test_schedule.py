from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.schedule import DigestClock, Schedule, looking_out
from core.clock import ManualClock, SystemClock
from core.errors import OpsbotError


async def _nothing(_: datetime) -> bool:
    return True


def _schedule(cron: str, zone: str = "UTC") -> Schedule:
    return Schedule("daily", cron, ZoneInfo(zone), _nothing)


@pytest.mark.parametrize(
    ("cron", "zone", "now", "due"),
    [
        ("0 9 * * *", "UTC", "2026-03-10T09:00:00", "2026-03-10T09:00:00"),
        ("0 9 * * *", "UTC", "2026-03-10T08:59:59", "2026-03-09T09:00:00"),
        ("*/2 * * * *", "UTC", "2026-03-10T09:03:30", "2026-03-10T09:02:00"),
        ("0 9 * * *", "Europe/Berlin", "2026-03-28T12:00:00", "2026-03-28T08:00:00"),
        # The clocks go forward on 29 March 2026: nine in Berlin is seven in UTC from then on.
        ("0 9 * * *", "Europe/Berlin", "2026-03-29T12:00:00", "2026-03-29T07:00:00"),
        ("0 9 1 1 *", "UTC", "2026-12-31T00:00:00", "2026-01-01T09:00:00"),
    ],
)
def test_the_last_tick_names_the_slot(cron: str, zone: str, now: str, due: str) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert _schedule(cron, zone).last_due(moment) == datetime.fromisoformat(due).replace(tzinfo=UTC)


def test_a_fraction_of_a_second_before_a_tick_the_tick_is_next() -> None:
    now = datetime(2026, 1, 1, 0, 14, 59, 1, tzinfo=UTC)
    assert _schedule("*/15 * * * *").next_due(now) == datetime(2026, 1, 1, 0, 15, tzinfo=UTC)


def test_a_date_that_never_comes_has_no_slot() -> None:
    assert _schedule("0 0 30 2 *").last_due(datetime(2026, 3, 1, tzinfo=UTC)) is None


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)),  # noqa: DTZ001
    st.sampled_from(["0 9 * * *", "*/15 * * * *", "30 2 * * 0", "0 */6 * * *"]),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"]),
)
def test_every_replica_computes_the_same_slot_until_the_next_tick(
    moment: datetime, cron: str, zone: str
) -> None:
    now = moment.replace(tzinfo=UTC)
    schedule = _schedule(cron, zone)
    last, following = schedule.last_due(now), schedule.next_due(now)
    assert last is not None
    assert following is not None
    assert last <= now < following
    assert schedule.last_due(following - timedelta(seconds=1)) == last
    assert schedule.last_due(following) == following


async def test_a_missed_slot_is_published_at_the_start() -> None:
    ran: list[datetime] = []

    async def run(slot_end: datetime) -> bool:
        ran.append(slot_end)
        return True

    clock = ManualClock(datetime(2026, 3, 10, 15, 0, tzinfo=UTC))
    ticker = DigestClock([Schedule("daily", "0 9 * * *", ZoneInfo("UTC"), run)], clock)
    ticker.start()
    await asyncio.sleep(0.05)
    await ticker.close()
    assert ran == [datetime(2026, 3, 10, 9, 0, tzinfo=UTC)]


async def test_a_failing_digest_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    ran: list[str] = []

    async def fail(_: datetime) -> bool:
        raise RuntimeError("no cluster")

    async def run(_: datetime) -> bool:
        ran.append("second")
        return True

    zone = ZoneInfo("UTC")
    schedules = [Schedule("a", "0 9 * * *", zone, fail), Schedule("b", "0 9 * * *", zone, run)]
    ticker = DigestClock(schedules, SystemClock())
    ticker.start()
    await asyncio.sleep(0.05)
    await ticker.close()
    assert ran == ["second"]
    assert "digest a" in caplog.text


async def test_a_slot_that_is_not_done_is_tried_again_until_it_is() -> None:
    tries: list[datetime] = []
    is_done = asyncio.Event()

    async def run(slot_end: datetime) -> bool:
        tries.append(slot_end)
        if len(tries) == 1:
            raise RuntimeError("no cluster")
        if len(tries) == 3:
            is_done.set()
        return is_done.is_set()

    schedule = Schedule("daily", "0 9 1 1 *", ZoneInfo("UTC"), run)
    ticker = DigestClock([schedule], SystemClock(), retry_seconds=0.01)
    ticker.start()
    await asyncio.wait_for(is_done.wait(), timeout=5)
    await asyncio.sleep(0.05)
    await ticker.close()
    assert len(tries) == 3
    assert len(set(tries)) == 1


async def test_closing_waits_until_a_digest_under_way_has_given_its_slot_back() -> None:
    began = asyncio.Event()
    said: list[str] = []

    async def hang(_: datetime) -> bool:
        began.set()
        try:
            return await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.01)
            said.append("given back")

    ticker = DigestClock([Schedule("a", "0 9 * * *", ZoneInfo("UTC"), hang)], SystemClock())
    ticker.start()
    await began.wait()
    await ticker.close()
    assert said == ["given back"]


async def test_a_scheduled_tick_publishes_and_is_waited_for_too(
    caplog: pytest.LogCaptureFixture,
) -> None:
    began = asyncio.Semaphore(0)
    said: list[str] = []

    async def run(_: datetime) -> bool:
        began.release()
        try:
            return await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.01)
            said.append("given back")

    schedule = Schedule("a", "* * * * *", ZoneInfo("UTC"), run)
    ticker = DigestClock([schedule], SystemClock())
    ticker.start()
    await began.acquire()
    job = ticker._scheduler.get_job("a")
    job.modify(next_run_time=datetime.now(UTC))
    await began.acquire()
    await ticker.close()
    await asyncio.sleep(0)
    assert said == ["given back"] * 2
    assert not caplog.records, "our own end is no failure"


class _LookOut:
    """Looks, and fails as it is told."""

    def __init__(self, *errors: Exception) -> None:
        self.errors, self.looks = list(errors), asyncio.Event()

    async def look(self) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.looks.set()


async def test_a_look_that_failed_is_not_the_last_one() -> None:
    look_out = _LookOut(OpsbotError("look", "the database failed", "Wait."), RuntimeError("bug"))
    async with looking_out([look_out], every_seconds=0.001):
        await asyncio.wait_for(look_out.looks.wait(), timeout=5)


async def test_without_a_channel_nobody_looks_out() -> None:
    before = len(asyncio.all_tasks())
    async with looking_out([]):
        assert len(asyncio.all_tasks()) == before
