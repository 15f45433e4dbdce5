"""Answers begin when no delivery waits any more: Slack gives up on one after three seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

# Of a crowd that does not end, answers begin all the same.
_PATIENCE_SECONDS = 1.0


class Intake:
    """Counts the deliveries that are not confirmed yet."""

    def __init__(self, patience_seconds: float = _PATIENCE_SECONDS) -> None:
        self._patience_seconds = patience_seconds
        self._waiting = 0
        self._is_empty = asyncio.Event()
        self._is_empty.set()

    @contextmanager
    def confirming(self) -> Iterator[None]:
        """A delivery waits while the block runs."""
        self._waiting += 1
        self._is_empty.clear()
        try:
            yield
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._is_empty.set()

    async def pause(self) -> None:
        """Wait until all are confirmed, but not for long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience_seconds):
                await self._is_empty.wait()
