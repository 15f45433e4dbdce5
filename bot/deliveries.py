"""Each delivery of Slack's counts once; without the database, once in this process."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.interrupted import Underway, take, unwritten
from bot.services import Deliveries, OpenAnswers
from core.clock import Clock
from core.errors import StateError

log = logging.getLogger(__name__)

# Slack sends what was not confirmed again three times, the last after an hour.
SENT_AGAIN_WITHIN = timedelta(hours=2)


class SlackDeliveries:
    """Asks the database; whoever asks a question gets an answer while it is away, too.

    Two replicas that have both lost their database may then both answer. That is the lesser evil:
    when databases fail, people ask why.

    Args:
        store: Remembers across restarts and replicas.
        answers: Are written down together with the delivery that asks.
        clock: For how long ago a key was seen.
    """

    def __init__(self, store: Deliveries, answers: OpenAnswers, clock: Clock) -> None:
        self._store = store
        self._answers = answers
        self._clock = clock
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

    async def take(self, keys: Sequence[str], channel: str, thread_ts: str) -> Underway | None:
        """Take what is answered in a thread, and write its answer down, which its taker has to end.

        None when any key was seen before.
        """
        known = [key for key in keys if key]
        if any(key in self._unwritten for key in known):
            return None
        try:
            return await take(self._answers, known, channel, thread_ts)
        except StateError as error:
            self._remember(known, error)
            return unwritten(self._answers, channel, thread_ts)

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
