"""What digests told as over: the bot's own memory of earlier problems. Fits `knowledge.past`."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec
from sqlalchemy import or_, select

from core.answers import Scope
from core.digests import FindingHistory
from state.database import Database
from state.tables import past_findings


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
        found: list[FindingHistory] = []
        for text in rows:
            try:
                found.append(msgspec.json.decode(text, type=FindingHistory))
            except (msgspec.ValidationError, msgspec.DecodeError):
                continue
        return found
