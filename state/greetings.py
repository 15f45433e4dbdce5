"""The channels in which the bot has introduced itself: once each, however often it is invited."""

from __future__ import annotations

from sqlalchemy import delete

from core.clock import Clock
from state.database import Database
from state.tables import greetings


class GreetingStore:
    """Remembers them for good. Fits `bot.services.Greetings`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def claim(self, team: str, channel: str) -> bool:
        """True for the first who asks, in all processes.

        Raises:
            StateError: The database failed.
        """
        statement = self._database.insert(greetings).values(
            team=team, channel=channel, greeted_at=self._clock.now()
        )
        statement = statement.on_conflict_do_nothing()
        async with self._database.write("remember a greeting") as connection:
            result = await connection.execute(statement.returning(greetings.c.channel))
            return result.first() is not None

    async def give_back(self, team: str, channel: str) -> None:
        """Let it be tried again: nothing was said after all.

        Raises:
            StateError: The database failed.
        """
        statement = delete(greetings).where(
            greetings.c.team == team, greetings.c.channel == channel
        )
        async with self._database.write("give a greeting back") as connection:
            await connection.execute(statement)
