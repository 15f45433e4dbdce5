"""Which Slack deliveries were seen: Slack sends again what it thinks was lost."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from core.clock import Clock
from state.database import Database
from state.tables import deliveries

REMEMBERED_FOR = timedelta(hours=24)
_MAX_KEY_CHARS = 255


class DeliveryStore:
    """Makes every delivery count once, across restarts and processes."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def claim(self, key: str, within: timedelta = REMEMBERED_FOR) -> bool:
        """True the first time a key is seen within 24 h, or within less, else False.

        One statement decides, so of two processes exactly one gets True.

        Raises:
            StateError: The database failed.
        """
        async with self._database.write("remember a Slack delivery") as connection:
            now = self._clock.now()
            return bool(await claimed(connection, self._database, {key}, now, within))


async def claimed(
    connection: AsyncConnection,
    database: Database,
    keys: Collection[str],
    now: datetime,
    within: timedelta = REMEMBERED_FOR,
) -> set[str]:
    """Claim keys within a transaction of the caller's; gives those that were not seen before."""
    if not keys:
        return set()
    stored = {_stored(key): key for key in keys}
    # In one order everywhere, or two processes could wait for each other.
    rows = [{"key": key, "seen_at": now} for key in sorted(stored)]
    statement = database.insert(deliveries).values(rows)
    statement = statement.on_conflict_do_update(
        index_elements=[deliveries.c.key],
        set_={"seen_at": now},
        where=deliveries.c.seen_at <= now - within,
    )
    result = await connection.execute(statement.returning(deliveries.c.key))
    return {stored[key] for key in result.scalars()}


def _stored(key: str) -> str:
    return key if len(key) <= _MAX_KEY_CHARS else hashlib.sha256(key.encode()).hexdigest()
