"""Events beyond the hour that clusters keep them. Implements `cluster.ports.EventStore`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from core.findings import ObjectRef
from core.questions import TimeRange
from core.sightings import Sighting
from state.database import Database
from state.tables import event_coverage, events

_E = events.c
_C = event_coverage.c


class SqlEventStore:
    """Sightings of Events, and the spans of time in which none was missed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, cluster: str, sightings: Sequence[Sighting]) -> None:
        """Keep sightings; those that are there already do not matter.

        Raises:
            StateError: The database failed.
        """
        if not sightings:
            return
        async with self._database.write("keep Events") as connection:
            counts = await self._counts(connection, cluster, {one.uid for one in sightings})
            rows = []
            for one in sightings:
                before = counts.get(one.uid, 0)
                # A count that fell is a source that began anew.
                change = one.count - before if one.count >= before else one.count
                counts[one.uid] = one.count
                rows.append(_row(cluster, one, change))
            insert = self._database.insert(events).on_conflict_do_nothing()
            await connection.execute(insert, rows)

    async def _counts(
        self, connection: AsyncConnection, cluster: str, uids: Collection[str]
    ) -> dict[str, int]:
        newest = (
            select(
                _E.uid,
                _E.count,
                func.row_number()
                .over(partition_by=_E.uid, order_by=(_E.last_seen.desc(), _E.count.desc()))
                .label("rank"),
            )
            .where(_E.cluster == cluster, _E.uid.in_(uids))
            .subquery()
        )
        query = select(newest.c.uid, newest.c.count).where(newest.c.rank == 1)
        return {row[0]: row[1] for row in await connection.execute(query)}

    async def during(
        self, cluster: str, window: TimeRange, namespaces: Collection[str] = ()
    ) -> Sequence[Sighting]:
        """The last sighting of each Event in a window, its count that of the window.

        Raises:
            StateError: The database failed.
        """
        ranked = select(
            *events.c,
            func.sum(_E.count_change).over(partition_by=_E.uid).label("times"),
            func.row_number()
            .over(partition_by=_E.uid, order_by=(_E.last_seen.desc(), _E.count.desc()))
            .label("rank"),
        ).where(_E.cluster == cluster, _E.last_seen >= window.start, _E.last_seen < window.end)
        if namespaces:
            ranked = ranked.where(or_(_E.namespace == "", _E.namespace.in_(namespaces)))
        inner = ranked.subquery()
        query = select(inner).where(inner.c.rank == 1).order_by(inner.c.last_seen, inner.c.uid)
        async with self._database.read("look up kept Events") as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [_sighting(cluster, row) for row in rows]

    async def cover(self, cluster: str, span: TimeRange) -> None:
        """Note that all Events of this time were read, joined with the notes it touches.

        Raises:
            StateError: The database failed.
        """
        async with self._database.write("note when Events were read") as connection:
            touched = (
                _C.cluster == cluster,
                _C.end >= span.start,
                _C.start <= span.end,
            )
            rows = (await connection.execute(select(_C.start, _C.end).where(*touched))).all()
            await connection.execute(delete(event_coverage).where(*touched))
            await connection.execute(
                event_coverage.insert().values(
                    cluster=cluster,
                    start=min([span.start, *(row.start for row in rows)]),
                    end=max([span.end, *(row.end for row in rows)]),
                )
            )

    async def uncovered(self, cluster: str, window: TimeRange) -> Sequence[TimeRange]:
        """The parts of a window in which Events were not read, oldest first.

        What was before they were read for the first time is nobody's omission, and left out.

        Raises:
            StateError: The database failed.
        """
        query = (
            select(_C.start, _C.end)
            .where(_C.cluster == cluster, _C.start < window.end)
            .order_by(_C.start)
        )
        async with self._database.read("look up when Events were read") as connection:
            rows = (await connection.execute(query)).all()
        missing: list[TimeRange] = []
        reached = max(window.start, rows[0].start) if rows else window.end
        for start, end in rows:
            if start > reached:
                missing.append(TimeRange(reached, start))
            reached = max(reached, end)
        if reached < window.end:
            missing.append(TimeRange(reached, window.end))
        return missing

    async def last_read(self, cluster: str) -> datetime | None:
        """Until when Events were read, or None.

        Raises:
            StateError: The database failed.
        """
        query = select(_C.end).where(_C.cluster == cluster).order_by(_C.end.desc()).limit(1)
        async with self._database.read("look up when Events were read") as connection:
            return (await connection.execute(query)).scalar_one_or_none()


def _row(cluster: str, one: Sighting, change: int) -> dict[str, Any]:
    return {
        "cluster": cluster,
        "uid": one.uid,
        "version": one.version,
        "count": one.count,
        "count_change": change,
        "kind": one.involved.kind,
        "namespace": one.involved.namespace,
        "name": one.involved.name,
        "involved_uid": one.involved.uid,
        "type": one.type,
        "reason": one.reason,
        "message": one.message,
        "first_seen": one.first_seen,
        "last_seen": one.last_seen,
    }


def _sighting(cluster: str, row: Mapping[Any, Any]) -> Sighting:
    return Sighting(
        uid=row["uid"],
        version=row["version"],
        involved=ObjectRef(
            cluster, row["kind"], row["namespace"], row["name"], row["involved_uid"]
        ),
        type=row["type"],
        reason=row["reason"],
        message=row["message"],
        first_seen=row["first_seen"],
        last_seen=row["last_seen"],
        count=int(row["times"]),
    )
