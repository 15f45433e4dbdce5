"""What Slack says of people, groups and channels, remembered for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from bot.notices import SLACK_FAILURES, slack_code
from core.clock import Clock

# A member may become a guest, or leave a group; nobody expects that to hold within minutes.
FRESH_FOR = timedelta(minutes=10)
# While Slack fails, what it last said counts for so long.
USABLE_FOR = timedelta(hours=12)
# A missing scope is asked about again: the app may be installed anew with it.
_REFUSED_FOR = timedelta(minutes=1)
_MOST_KNOWN = 2_000

_V = TypeVar("_V")


class Lookups(Generic[_V]):
    """Answers to one kind of question, by its key; many who ask at once ask Slack once.

    Args:
        ask: Asks Slack; raises what `slack_sdk` and aiohttp raise.
        clock: For their age.
    """

    def __init__(self, ask: Callable[[str], Awaitable[_V]], clock: Clock) -> None:
        self._ask = ask
        self._clock = clock
        self._known: dict[str, tuple[datetime, _V]] = {}
        self._refused_until: dict[str, datetime] = {}
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}

    def remember(self, key: str, value: _V) -> None:
        """Keep what is known without asking."""
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
            self._refused_until.clear()
        self._known[key] = (self._clock.now(), value)

    async def get(self, key: str) -> _V | None:
        """The answer, or None where there is none to be had. Never raises."""
        fresh = self._aged(key, FRESH_FOR)
        if fresh is not None:
            return fresh
        lock, waiting = self._locks.get(key, (asyncio.Lock(), 0))
        self._locks[key] = (lock, waiting + 1)
        try:
            async with lock:
                # Whoever held the lock before has asked: with success, or in vain.
                if not waiting and self._may_ask(key):
                    await self._look_up(key)
        finally:
            waiting = self._locks[key][1] - 1
            if waiting:
                self._locks[key] = (lock, waiting)
            else:
                del self._locks[key]
        return self._aged(key, USABLE_FOR)

    async def _look_up(self, key: str) -> None:
        try:
            self.remember(key, await self._ask(key))
        except SLACK_FAILURES as error:
            if slack_code(error) == "missing_scope":
                self._refused_until[key] = self._clock.now() + _REFUSED_FOR

    def _may_ask(self, key: str) -> bool:
        until = self._refused_until.get(key)
        return until is None or self._clock.now() >= until

    def _aged(self, key: str, limit: timedelta) -> _V | None:
        """What is known of a key and younger than the limit."""
        known = self._known.get(key)
        return known[1] if known and self._clock.now() - known[0] < limit else None
