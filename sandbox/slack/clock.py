"""The workspace's own time: it can be sped up and pushed forward, so that hours need no waiting."""

from __future__ import annotations

import asyncio
import contextlib
import time


class WorkspaceClock:
    """Seconds since the epoch, running `speed` times as fast as the wall clock.

    Message timestamps, stream and `response_url` lifetimes and retry delays follow it. The three
    seconds an app has to acknowledge do not: an app under test is no faster than it is.
    """

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed
        self._base = time.time()
        self._monotonic = time.monotonic()
        self._changed = asyncio.Event()

    @property
    def speed(self) -> float:
        """Workspace seconds per real second."""
        return self._speed

    def now(self) -> float:
        """Seconds since the epoch, in workspace time."""
        return self._base + (time.monotonic() - self._monotonic) * self._speed

    def advance(self, seconds: float) -> None:
        """Jump forward; sleepers whose time has come wake up."""
        self._rebase(self.now() + seconds, self._speed)

    def set_speed(self, speed: float) -> None:
        """Run `speed` times as fast from now on."""
        self._rebase(self.now(), speed)

    async def sleep(self, seconds: float) -> None:
        """Sleep for this many workspace seconds."""
        deadline = self.now() + seconds
        while (remaining := deadline - self.now()) > 0:
            changed = self._changed
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), remaining / self._speed)

    def _rebase(self, now: float, speed: float) -> None:
        self._base, self._monotonic, self._speed = now, time.monotonic(), speed
        self._changed.set()
        self._changed = asyncio.Event()
