"""One answer at a time in each thread."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

ThreadKey = tuple[str, str, str]


class Turns:
    """Locks by thread; a thread that nobody waits for is forgotten."""

    def __init__(self) -> None:
        self._threads: dict[ThreadKey, tuple[asyncio.Lock, int]] = {}

    def __len__(self) -> int:
        return len(self._threads)

    @property
    def waiting(self) -> int:
        """Questions behind the first one of their thread."""
        return sum(users - 1 for _, users in self._threads.values())

    def is_busy(self, thread: ThreadKey) -> bool:
        """Whether an answer is being worked on in this thread."""
        return thread in self._threads

    @asynccontextmanager
    async def take(self, thread: ThreadKey) -> AsyncIterator[None]:
        """Wait for the thread's earlier questions, then hold it; first come, first served."""
        lock, users = self._threads.get(thread, (asyncio.Lock(), 0))
        self._threads[thread] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            users = self._threads[thread][1] - 1
            if users:
                self._threads[thread] = (lock, users)
            else:
                del self._threads[thread]
