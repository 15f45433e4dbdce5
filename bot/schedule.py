"""When digests are due: APScheduler runs the ticks, a pure function names the slots."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger

from core.clock import Clock
from core.errors import OpsbotError

log = logging.getLogger(__name__)

# Widening steps find the last tick of a minutely cron line as fast as that of a yearly one.
_LOOK_BACK = (timedelta(minutes=3), timedelta(hours=3), timedelta(days=3), timedelta(days=400))


# A critical finding is to be told within two minutes.
LOOK_EVERY_SECONDS = 60.0


class LookOut(Protocol):
    """Looks for what cannot wait. By `digest.urgent`."""

    async def look(self) -> None:
        """Tell what is urgent now."""
        ...


@dataclass(frozen=True, slots=True)
class Schedule:
    """One digest's times. `run(slot_end)` publishes the slot that ended then, at most once."""

    name: str
    cron: str
    zone: ZoneInfo
    run: Callable[[datetime], Awaitable[None]]

    @property
    def trigger(self) -> CronTrigger:
        """The cron line as APScheduler's trigger, in the schedule's own time zone."""
        return CronTrigger.from_crontab(self.cron, timezone=self.zone)

    def last_due(self, now: datetime) -> datetime | None:
        """The newest tick at or before `now`, in UTC; None when there was none in 400 days.

        Every replica and every restart computes the same, however late it wakes: the tick, not the
        moment of waking, names the slot.
        """
        trigger = self.trigger
        for step in _LOOK_BACK:
            due = _next(trigger, now - step)
            last: datetime | None = None
            while due is not None and due <= now:
                last, due = due, _next(trigger, due + timedelta(seconds=1))
            if last is not None:
                return last
        return None

    def next_due(self, now: datetime) -> datetime | None:
        """The first tick after `now`, in UTC."""
        return _next(self.trigger, now.replace(microsecond=0) + timedelta(seconds=1))


def _next(trigger: CronTrigger, after: datetime) -> datetime | None:
    due: datetime | None = trigger.get_next_fire_time(None, after)
    return due.astimezone(UTC) if due is not None else None


class DigestClock:
    """Runs every schedule at its ticks, and once at the start for a slot that was missed."""

    def __init__(self, schedules: Sequence[Schedule], clock: Clock) -> None:
        self._schedules = tuple(schedules)
        self._clock = clock
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._catch_up: asyncio.Task[None] | None = None
        self._running: set[asyncio.Task[None]] = set()

    @property
    def schedules(self) -> tuple[Schedule, ...]:
        """All schedules, in the order of the configuration."""
        return self._schedules

    def start(self) -> None:
        """Begin to tick. The first digest of a new installation comes at once."""
        for schedule in self._schedules:
            self._scheduler.add_job(
                self._tick,
                schedule.trigger,
                args=[schedule],
                id=schedule.name,
                # One run may be slow; the next tick then waits its turn instead of piling up, and a
                # tick that the machine slept through still counts, once.
                coalesce=True,
                max_instances=1,
                misfire_grace_time=None,
            )
        self._scheduler.start()
        self._catch_up = asyncio.create_task(self._run_missed(), name="digest catch-up")

    async def _run_missed(self) -> None:
        for schedule in self._schedules:
            await self._tick(schedule)

    async def _tick(self, schedule: Schedule) -> None:
        due = schedule.last_due(self._clock.now())
        if due is None:
            return
        task = asyncio.current_task()
        if task is not None:
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        try:
            await schedule.run(due)
        except Exception:  # a failed digest must not end the schedule; the next tick tries again
            log.exception("digest %s for the slot ending %s failed", schedule.name, due)

    async def close(self) -> None:
        """Stop ticking. A digest under way is cancelled, and waited for: it gives its slot back."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        # APScheduler cancels its jobs but does not wait for them; what they use closes after this.
        under_way = {*self._running, *([self._catch_up] if self._catch_up else [])}
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


@asynccontextmanager
async def looking_out(
    look_outs: Sequence[LookOut], every_seconds: float = LOOK_EVERY_SECONDS
) -> AsyncIterator[None]:
    """Look for urgent findings for as long as the block runs."""

    async def look() -> None:
        while True:
            await asyncio.sleep(every_seconds)
            for each in look_outs:
                try:
                    await each.look()
                except OpsbotError as error:
                    log.warning("no look for urgent findings: %s", error)
                except Exception:  # one look that failed must not be the last one
                    log.exception("a look for urgent findings failed")

    task = asyncio.create_task(look(), name="urgent findings") if look_outs else None
    try:
        yield
    finally:
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
