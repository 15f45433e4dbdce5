"""The line in front of the model: a local one answers one question at a time.

Without it every question would be sent at once, and each would wait inside the model's server
with nothing to tell and a clock running. People are served before digests.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

from knowledge.ports import ModelUnavailableError


class LineFullError(ModelUnavailableError):
    """So many questions wait already that this one would not be answered in time."""


class Place:
    """A place in the line; see `ModelLine.join`."""

    def __init__(self, *, is_patient: bool) -> None:
        self.is_patient = is_patient
        self._ahead = 0
        self._moved = asyncio.Event()

    async def positions(self) -> AsyncGenerator[int, None]:
        """1 for the next in line, and so on, whenever it changes; ends when it is one's turn."""
        while self._ahead:
            self._moved.clear()
            yield self._ahead
            await self._moved.wait()

    async def reached(self) -> None:
        """Wait for one's turn."""
        async for _ in self.positions():
            pass

    def move(self, ahead: int) -> None:
        """Take note of how many are to be served until it is this one's turn; 0: now."""
        if ahead != self._ahead:
            self._ahead = ahead
            self._moved.set()


class ModelLine:
    """Lets so many use a model at once, and the others wait in order.

    Args:
        at_once: How many may use it.
        longest: How many may wait; who is patient is not counted.
    """

    def __init__(self, at_once: int = 1, longest: int = 20) -> None:
        self._free = at_once
        self._longest = longest
        self._waiting: list[Place] = []

    def __len__(self) -> int:
        return len(self._waiting)

    @asynccontextmanager
    async def join(self, *, is_patient: bool = False) -> AsyncIterator[Place]:
        """A place in the line, kept until the context ends; first wait until it is reached.

        Args:
            is_patient: Lets everyone go first who is not: a digest has time.

        Raises:
            LineFullError: The line is as long as it may be.
        """
        place = Place(is_patient=is_patient)
        hurried = [other for other in self._waiting if not other.is_patient]
        if not is_patient and not self._free and len(hurried) >= self._longest:
            raise LineFullError(f"{len(hurried)} questions wait already")
        self._waiting.insert(len(self._waiting) if is_patient else len(hurried), place)
        self._serve()
        try:
            yield place
        finally:
            if place in self._waiting:  # gave up before it was its turn
                self._waiting.remove(place)
            else:
                self._free += 1
            self._serve()

    def _serve(self) -> None:
        while self._free and self._waiting:
            self._free -= 1
            self._waiting.pop(0).move(0)
        for ahead, place in enumerate(self._waiting, start=1):
            place.move(ahead)
