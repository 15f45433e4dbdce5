"""What a scrape has to look up first: the index, the digests, whether the bot is ready."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from bot.health import HealthChecks
from bot.schedule import Schedule
from bot.telemetry.metrics import Meter
from core.clock import Clock
from core.errors import OpsbotError
from digest.ports import DigestStore, PostStore
from knowledge.ports import VectorStore

log = logging.getLogger(__name__)

# A scrape has ten seconds by default.
_LIMIT_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Gauges:
    """Brings a meter's gauges up to date. What cannot be looked up keeps its last value."""

    meter: Meter
    store: VectorStore
    schedules: Sequence[Schedule]
    digests: DigestStore
    posts: PostStore
    checks: HealthChecks
    clock: Clock

    async def refresh(self) -> None:
        """Look everything up at once; takes two seconds at most."""
        looks = (self._ready(), self._index(), self._digests())
        done = await asyncio.gather(
            *(asyncio.wait_for(look, _LIMIT_SECONDS) for look in looks), return_exceptions=True
        )
        for result in done:
            if isinstance(result, OpsbotError | TimeoutError):
                log.debug("a gauge keeps its last value: %s", result)
            elif isinstance(result, BaseException):
                raise result

    async def _ready(self) -> None:
        self.meter.ready.set(not await self.checks.missing())

    async def _index(self) -> None:
        self.meter.index_chunks.set(await self.store.count())
        self.meter.index_vectors.set(await self.store.count_dense())

    async def _digests(self) -> None:
        now, waiting = self.clock.now(), 0
        for schedule in self.schedules:
            due = schedule.last_due(now)
            last = await self.digests.last_committed_end(schedule.name)
            name = schedule.name
            self.meter.digest_due.labels(name).set(due.timestamp() if due else 0)
            self.meter.digest_posted.labels(name).set(last.timestamp() if last else 0)
            waiting += len(await self.posts.due(name))
        self.meter.queues.labels("outbox").set(waiting)
