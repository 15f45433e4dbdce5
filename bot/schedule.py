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
# A slot that failed, or that another process holds and may leave, is tried again after so long.
RETRY_SECONDS = 60.0


class LookOut(Protocol):
    """Looks for what is to be posted between two digests. By `digest.urgent`, `digest.outbox`."""

    async def look(self) -> None:
        """Post it."""
        ...


@dataclass(frozen=True, slots=True)
class Schedule:
    """One digest's times.

    `run(slot_end)` publishes the slot that ended then, at most once; False: that is to be tried
    again.
    """

    name: str
    cron: str
    zone: ZoneInfo
    run: Callable[[datetime], Awaitable[bool]]

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
    """Runs every schedule at its ticks and at the start, again until its slot is published."""

    def __init__(
        self, schedules: Sequence[Schedule], clock: Clock, retry_seconds: float = RETRY_SECONDS
    ) -> None:
        self._schedules = tuple(schedules)
        self._clock = clock
        self._retry_after = timedelta(seconds=retry_seconds)
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._catch_up: asyncio.Task[None] | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._is_closing = False

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
        is_done = False
        try:
            is_done = await schedule.run(due)
        except asyncio.CancelledError:
            if not self._is_closing:
                raise
            return  # APScheduler would log our own end as a failure, with a trace
        except Exception:  # a failed digest must not end the schedule
            log.exception("digest %s for the slot ending %s failed", schedule.name, due)
        if not is_done:
            self._scheduler.add_job(
                self._tick,
                "date",
                run_date=datetime.now(UTC) + self._retry_after,
                args=[schedule],
                id=f"{schedule.name} again",
                replace_existing=True,
                misfire_grace_time=None,
            )

    async def close(self) -> None:
        """Stop ticking. A digest under way is cancelled, and waited for: it gives its slot back."""
        self._is_closing = True
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
    """Look for what is to be posted for as long as the block runs."""

    async def look() -> None:
        while True:
            await asyncio.sleep(every_seconds)
            for each in look_outs:
                try:
                    await each.look()
                except OpsbotError as error:
                    log.warning("not everything was posted: %s", error)
                except Exception:  # one look that failed must not be the last one
                    log.exception("a look for what is to be posted failed")

    task = asyncio.create_task(look(), name="look-out") if look_outs else None
    try:
        yield
    finally:
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
