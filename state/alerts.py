"""Alerts that were pushed or pulled. Implements `cluster.ports.AlertStore`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import func, select

from core.alerts import Alert
from state.database import Database
from state.tables import alerts

_A = alerts.c


class SqlAlertStore:
    """The newest state of each firing, by fingerprint and start."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, seen: Sequence[Alert], seen_at: datetime) -> None:
        """Add alerts, or replace what was known of them.

        Raises:
            StateError: The database failed.
        """
        # A delivery may name one firing twice; the last one counts.
        rows = {
            (one.fingerprint, one.starts_at): {
                "fingerprint": one.fingerprint,
                "starts_at": one.starts_at,
                "name": one.name[:255],
                "is_firing": one.is_firing,
                "alert": msgspec.json.encode(one).decode(),
                "seen_at": seen_at,
            }
            for one in seen
        }
        if not rows:
            return
        insert = self._database.insert(alerts)
        changed = {name: insert.excluded[name] for name in ("is_firing", "alert", "seen_at")}
        statement = insert.on_conflict_do_update(
            index_elements=["fingerprint", "starts_at"], set_=changed
        )
        async with self._database.write("keep alerts") as connection:
            await connection.execute(statement, list(rows.values()))

    async def firing(self, since: datetime) -> Sequence[Alert]:
        """Alerts that fire as far as is known, told of since a moment; oldest first.

        Raises:
            StateError: The database failed.
        """
        query = (
            select(_A.alert)
            .where(_A.is_firing, _A.seen_at >= since)
            .order_by(_A.starts_at, _A.fingerprint)
        )
        async with self._database.read("look up alerts") as connection:
            rows = (await connection.execute(query)).scalars().all()
        return [msgspec.json.decode(text, type=Alert) for text in rows]

    async def last_seen(self, names: Collection[str]) -> dict[str, datetime]:
        """When alerts of these names were last seen firing; those never seen are left out.

        Raises:
            StateError: The database failed.
        """
        query = (
            select(_A.name, func.max(_A.seen_at))
            .where(_A.name.in_(names), _A.is_firing)
            .group_by(_A.name)
        )
        async with self._database.read("look up alerts") as connection:
            return {row[0]: row[1] for row in await connection.execute(query)}
