"""Warning Events over time, out of those that are kept. Fits `digest.ports.ErrorCounts`."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func, or_, select

from core.answers import Scope
from core.questions import TimeRange
from state.database import Database
from state.tables import event_coverage, events

PARTS = 12
_E = events.c


class SqlErrorCounts:
    """How often Warning Events occurred."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def over(
        self, clusters: Collection[str], window: TimeRange, scope: Scope
    ) -> tuple[tuple[datetime, int], ...]:
        """Start of each of twelve equal parts of a window, and its count.

        A part before Events were first kept has no count and is left out; () where none is known.

        Raises:
            StateError: The database failed.
        """
        names = [name for name in clusters if scope.allows_cluster(name)]
        query = select(_E.last_seen, _E.count_change, _E.namespace).where(
            _E.cluster.in_(names),
            _E.type == "Warning",
            _E.last_seen >= window.start,
            _E.last_seen < window.end,
        )
        if scope.namespaces:
            query = query.where(or_(_E.namespace == "", _E.namespace.in_(scope.namespaces)))
        covered = select(func.min(event_coverage.c.start)).where(
            event_coverage.c.cluster.in_(names)
        )
        async with self._database.read("count kept Events") as connection:
            known_since = (await connection.execute(covered)).scalar_one_or_none()
            rows = (await connection.execute(query)).all() if known_since is not None else ()
        if known_since is None:
            return ()
        part = (window.end - window.start) / PARTS
        counts = [0] * PARTS
        for row in rows:
            counts[min(PARTS - 1, int((row.last_seen - window.start) / part))] += row.count_change
        starts = [window.start + number * part for number in range(PARTS)]
        return tuple(
            (start, count)
            for start, count in zip(starts, counts, strict=True)
            if start + part > known_since
        )
