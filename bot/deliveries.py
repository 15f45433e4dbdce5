"""Each delivery of Slack's counts once; without the database, once in this process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.interrupted import Underway
from bot.services import Deliveries, OpenAnswers
from bot.tasks import TaskSet
from core.answers import OpenAnswer
from core.clock import Clock
from core.errors import StateError

log = logging.getLogger(__name__)

# Slack sends what was not confirmed again three times, the last after an hour.
SENT_AGAIN_WITHIN = timedelta(hours=2)
# Slack waits three seconds for a confirmation.
_LIMIT_SECONDS = 1.5
_SLOW = StateError(
    "take a Slack delivery", "the database is slow", "Check its load, and the way to it."
)


class SlackDeliveries:
    """Asks the database; whoever asks a question gets an answer while it is away, too.

    Two replicas that have both lost their database may then both answer. That is the lesser evil:
    when databases fail, people ask why.

    Args:
        store: Remembers across restarts and replicas.
        answers: Are written down together with the delivery that asks.
        clock: For how long ago a key was seen.
        tasks: Gets what is still being written when Slack can wait no longer.
        limit_seconds: How long Slack can wait for what is written down before it is confirmed.
    """

    def __init__(
        self,
        store: Deliveries,
        answers: OpenAnswers,
        clock: Clock,
        tasks: TaskSet,
        limit_seconds: float = _LIMIT_SECONDS,
    ) -> None:
        self._store = store
        self._answers = answers
        self._clock = clock
        self._tasks = tasks
        self._limit_seconds = limit_seconds
        self._unwritten: dict[str, datetime] = {}

    async def is_new(self, *keys: str) -> bool:
        """Claim the keys that are not '' one by one; False at the first that was seen before.

        Not the others then: of two deliveries at once each could take a key of the other's, and
        both would be passed over.
        """
        for key in keys:
            if key and not await self._claim(key):
                return False
        return True

    async def take(self, keys: Sequence[str], answer: OpenAnswer) -> Underway | None:
        """Take what asks, and write its answer down, which its taker has to end.

        None when any key was seen before. Slack waits meanwhile, so a database that is slow counts
        as one that is away.
        """
        known = [key for key in keys if key]
        if any(key in self._unwritten for key in known):
            return None
        # Not cut off at the limit: other deliveries may be in the same transaction.
        taking = self._tasks.spawn(self._take(known, answer), "take a delivery")
        done, _ = await asyncio.wait({taking}, timeout=self._limit_seconds)
        if not done:
            self._remember(known, _SLOW)
        return Underway(self._answers, answer) if not done or taking.result() else None

    async def _take(self, keys: Sequence[str], answer: OpenAnswer) -> bool:
        try:
            return await self._answers.take(keys, answer)
        except StateError as error:
            self._remember(keys, error)
            return True

    async def _claim(self, key: str) -> bool:
        if key in self._unwritten:
            return False
        try:
            return await self._store.claim(key)
        except StateError as error:
            self._remember([key], error)
            return True

    def _remember(self, keys: Sequence[str], error: StateError) -> None:
        log.warning("%s", error)
        now = self._clock.now()
        kept = self._unwritten.items()
        self._unwritten = {old: at for old, at in kept if now - at < SENT_AGAIN_WITHIN}
        self._unwritten |= dict.fromkeys(keys, now)
