"""Work that one process at a time may do. Fits `digest.ports.Leases`."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from sqlalchemy import delete, update

from core.clock import Clock
from state.database import Database
from state.tables import digest_slots, leases


class SqlLeases:
    """Leases by name. One whose holder vanished runs out by itself."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    @asynccontextmanager
    async def hold(self, name: str, seconds: float) -> AsyncIterator[bool]:
        """Hold a lease while the block runs; False: somebody else has it.

        The block must end within `seconds`, which is for the caller to see to.

        Raises:
            StateError: The database failed.
        """
        now, holder = self._clock.now(), secrets.token_hex(8)
        values = {"holder": holder, "ends_at": now + timedelta(seconds=seconds)}
        take = (
            self._database.insert(leases)
            .values(name=name, **values)
            .on_conflict_do_update(
                index_elements=["name"], set_=values, where=leases.c.ends_at <= now
            )
        )
        async with self._database.write(f"take the lease {name}") as connection:
            is_held = (await connection.execute(take)).rowcount == 1
        if not is_held:
            yield False
            return
        try:
            yield True
        finally:
            give_back = delete(leases).where(leases.c.name == name, leases.c.holder == holder)
            async with self._database.write(f"give back the lease {name}") as connection:
                await connection.execute(give_back)


async def release_all(database: Database) -> None:
    """Free every lease and every claim on a digest: their holders are dead.

    For a process that has the database to itself, as it starts.

    Raises:
        StateError: The database failed.
    """
    async with database.write("free what an earlier process held") as connection:
        await connection.execute(delete(leases))
        uncommitted = digest_slots.c.committed_at.is_(None)
        await connection.execute(update(digest_slots).where(uncommitted).values(claimed_at=None))
