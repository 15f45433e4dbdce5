"""What reading clusters needs from others: a place to keep what the API soon forgets."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from core.questions import TimeRange
from core.sightings import Sighting


class EventStore(Protocol):
    """Keeps Events beyond the hour that the API keeps them. Implemented by `state.events`.

    All calls raise core.errors.StateError.
    """

    async def put(self, cluster: str, sightings: Sequence[Sighting]) -> None:
        """Keep sightings; those that are there already do not matter."""
        ...

    async def cover(self, cluster: str, span: TimeRange) -> None:
        """Note that all Events of this time were read, joined with earlier such notes."""
        ...

    async def during(
        self, cluster: str, window: TimeRange, namespaces: Collection[str] = ()
    ) -> Sequence[Sighting]:
        """The last sighting of each Event in a window, its count that of the window.

        With `namespaces` only Events in these, and those about cluster-scoped objects.
        """
        ...

    async def uncovered(self, cluster: str, window: TimeRange) -> Sequence[TimeRange]:
        """The parts of a window in which Events were not read, oldest first."""
        ...

    async def last_read(self, cluster: str) -> datetime | None:
        """Until when Events were read, or None."""
        ...
