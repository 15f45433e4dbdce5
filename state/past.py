"""What digests told: the bot's memory of problems. Fits `knowledge.past` and `knowledge.tasks`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import msgspec
from sqlalchemy import or_, select

from core.answers import Scope
from core.digests import FindingHistory
from core.questions import TimeRange
from state.database import Database
from state.tables import findings, past_findings

_LOOKED_AT = 200


class SqlPast:
    """Resolved findings of some schedules, and of no other: each schedule has its own readers.

    Args:
        database: Holds them; `state.digests` writes them when a digest is committed.
        schedules: Those whose channel may be quoted.
    """

    def __init__(self, database: Database, schedules: Collection[str]) -> None:
        self._database = database
        self._schedules = tuple(schedules)

    async def resolved(self, scope: Scope, limit: int) -> Sequence[FindingHistory]:
        """Up to `limit` findings that are over, newest first; the scope is part of the query.

        One that was over several times comes once each time. What another version wrote and this
        one cannot read is left out.

        Raises:
            StateError: The database failed.
        """
        past = past_findings.c
        query = (
            select(past.history)
            .where(past.schedule.in_(self._schedules))
            .order_by(past.resolved_at.desc(), past.identity)
            .limit(limit)
        )
        if scope.clusters:
            query = query.where(past.cluster.in_(scope.clusters))
        if scope.namespaces:
            query = query.where(or_(past.namespace == "", past.namespace.in_(scope.namespaces)))
        async with self._database.read("look up earlier problems") as connection:
            rows = (await connection.execute(query)).scalars().all()
        return _readable(rows)

    async def seen(self, period: TimeRange, scope: Scope) -> Sequence[FindingHistory]:
        """Findings that were there in a period, those that are over and those that are not.

        Raises:
            StateError: The database failed.
        """
        query = select(findings.c.history).where(findings.c.schedule.in_(self._schedules))
        async with self._database.read("look up the problems of a period") as connection:
            rows = (await connection.execute(query)).scalars().all()
        known = [*_readable(rows), *await self.resolved(scope, _LOOKED_AT)]
        return [
            history
            for history in {(each.identity, each.first_seen): each for each in known}.values()
            if history.first_seen < period.end
            and history.last_seen >= period.start
            and scope.allows_cluster(history.finding.owner.cluster)
            and scope.allows_namespace(history.finding.owner.namespace)
        ]


def _readable(rows: Iterable[str]) -> list[FindingHistory]:
    """Those that this version of the program can read."""
    found: list[FindingHistory] = []
    for text in rows:
        try:
            found.append(msgspec.json.decode(text, type=FindingHistory))
        except (msgspec.ValidationError, msgspec.DecodeError):
            continue
    return found


def past_rows(schedule: str, histories: Sequence[FindingHistory]) -> list[dict[str, object]]:
    """Rows of what has been told as over; a digest tells each again until it forgets it."""
    return [
        {
            "schedule": schedule,
            "identity": history.identity,
            "resolved_at": history.resolved_at,
            "cluster": history.finding.owner.cluster,
            "namespace": history.finding.owner.namespace,
            "history": msgspec.json.encode(history).decode(),
        }
        for history in histories
        if history.resolved_at is not None
    ]
