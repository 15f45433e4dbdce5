"""The tasks of the Slack edge: Bolt starts one a delivery and forgets it; this remembers them."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

# What a cancelled task may take to close its message.
CLOSING_SECONDS = 3.0


class TaskSet:
    """Running tasks, so that a stop can wait for them."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Start `work` as a task of this set."""
        task = asyncio.create_task(work, name=name)
        self.track(task)
        return task

    def track(self, task: asyncio.Task[Any]) -> None:
        """Remember a task that someone else started, until it is done."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def drain(self, seconds: float) -> int:
        """Wait up to `seconds` for all tasks, then cancel the rest and wait for their last words.

        Returns:
            How many had to be cancelled.
        """
        waiting = self._others()
        if waiting:
            await asyncio.wait(waiting, timeout=seconds)
        late = self._others()
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=CLOSING_SECONDS)
        return len(late)

    def _others(self) -> set[asyncio.Task[Any]]:
        return self._tasks - {asyncio.current_task()} if self._tasks else set()
