"""What reading clusters needs from others: a place to keep what the API soon forgets."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from core.alerts import Alert
from core.baseline import SeenTemplate
from core.questions import TimeRange
from core.sightings import Sighting

if TYPE_CHECKING:
    from cluster.loki import StoredErrors


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
        """The parts of a window in which Events were not read, oldest first.

        What was before they were read for the first time is nobody's omission, and left out.
        """
        ...

    async def last_read(self, cluster: str) -> datetime | None:
        """Until when Events were read, or None."""
        ...


class AlertStore(Protocol):
    """Keeps what alerting told. Implemented by `state.alerts`.

    All calls raise core.errors.StateError.
    """

    async def put(self, seen: Sequence[Alert], seen_at: datetime) -> None:
        """Add alerts, or replace what was known of the same firing."""
        ...

    async def firing(self, since: datetime) -> Sequence[Alert]:
        """Alerts that fire as far as is known, told of since a moment; oldest first."""
        ...

    async def last_seen(self, names: Collection[str]) -> Mapping[str, datetime]:
        """When alerts of these names were last seen firing; those never seen are left out."""
        ...


class BaselineStore(Protocol):
    """Keeps what workloads' logs say in good times. Implemented by `state.baselines`.

    All calls raise core.errors.StateError.
    """

    async def load(self, cluster: str) -> Sequence[SeenTemplate]:
        """All lines on a cluster's workloads."""
        ...

    async def save(
        self, cluster: str, lines: Sequence[SeenTemplate], forget_before: datetime
    ) -> None:
        """Add or replace lines, and drop those not seen since a moment."""
        ...


class LogStore(Protocol):
    """Keeps the logs of a cluster's containers. Implemented by `cluster.loki`."""

    async def errors(self, cluster: str, window: TimeRange) -> Sequence[StoredErrors]:
        """The errors of the containers that wrote most of them. Raises ClusterError."""
        ...
