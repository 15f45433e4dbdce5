"""The state database: opened once, shared by all stores."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Table, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from core.errors import StateError
from state.migrate import migrate
from state.tables import deliveries

BUSY_TIMEOUT_SECONDS = 5.0
# How long a server that did not answer in time is not asked again.
REST_SECONDS = 5.0
_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}


class Database:
    """Connections to SQLite or PostgreSQL, with errors in our own words.

    Built by `open`; close it when done.
    """

    def __init__(self, engine: AsyncEngine, name: str) -> None:
        self._engine = engine
        self._name = name
        self._away_until = 0.0
        self._turn = asyncio.Lock() if self.dialect == "sqlite" else nullcontext()

    @classmethod
    async def open(cls, url: str) -> Database:
        """Connect, and bring the schema to its newest form under a lock.

        Args:
            url: `sqlite+aiosqlite:///path/to/file` or `postgresql+asyncpg://user:pass@host/db`.

        Raises:
            StateError: The address cannot be used, or the database cannot be opened.
        """
        parsed = _parse(url)
        name = parsed.render_as_string(hide_password=True)
        with explained(f"open the state database {name}"):
            await asyncio.to_thread(migrate, parsed)
            engine = _engine(parsed)
        database = cls(engine, name)
        try:
            await database.ping()
        except BaseException:
            await engine.dispose()
            raise
        return database

    @property
    def dialect(self) -> str:
        """The engine's kind: sqlite or postgresql."""
        return self._engine.dialect.name

    @asynccontextmanager
    async def read(self, asked: str) -> AsyncIterator[AsyncConnection]:
        """A connection to read with; `asked` says for what, should it fail."""
        with self._guarded(asked):
            async with self._engine.connect() as connection:
                yield connection

    @asynccontextmanager
    async def write(self, asked: str) -> AsyncIterator[AsyncConnection]:
        """A transaction: committed at the end, rolled back on any exception.

        SQLite's write lock is taken at its beginning: a transaction that reads first and writes
        later would fail at once, without waiting, when another one writes in between. In this
        process writers wait in order: SQLite's own waiting is a lottery, which some of a hundred
        lose.
        """
        with self._guarded(asked):
            async with self._turn, self._engine.connect() as reader:
                connection = await reader.execution_options(opsbot_writes=True)
                async with connection.begin():
                    yield connection

    def insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """An INSERT that knows ON CONFLICT, in this database's dialect."""
        if self.dialect == "sqlite":
            return sqlite.insert(table)
        return postgresql.insert(table)

    async def ping(self) -> None:
        """One round trip.

        Raises:
            StateError: No answer.
        """
        async with self.read(f"reach the state database {self._name}") as connection:
            await connection.execute(text("SELECT 1"))

    async def try_write(self) -> None:
        """One round trip that writes: a full disk or a standby can still be read.

        Raises:
            StateError: No answer, or nothing can be written.
        """
        row = {"key": "try-write", "seen_at": datetime.now(UTC)}
        statement = self.insert(deliveries).values(row)
        statement = statement.on_conflict_do_update(index_elements=["key"], set_=row)
        async with self.write(f"write to the state database {self._name}") as connection:
            await connection.execute(statement)

    async def revision(self) -> str:
        """The schema that it has, by the name of the last step that made it.

        Raises:
            StateError: No answer.
        """
        async with self.read(f"read the schema of {self._name}") as connection:
            found = await connection.scalar(text("SELECT version_num FROM alembic_version"))
        return str(found)

    async def close(self) -> None:
        """Let go of all connections."""
        await self._engine.dispose()

    @contextmanager
    def _guarded(self, asked: str) -> Iterator[None]:
        """Explain failures; a server that let somebody wait in vain lets nobody wait for a while.

        An answer asks the database several times: waiting each time would cost its reader half a
        minute.
        """
        if time.monotonic() < self._away_until:
            raise StateError(asked, _NO_ANSWER, _CHECK_SERVER)
        try:
            with explained(asked):
                yield
        except StateError as error:
            if isinstance(error.__cause__, TimeoutError):
                self._away_until = time.monotonic() + REST_SECONDS
            raise


def _parse(url: str) -> URL:
    asked = "open the state database"
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise StateError(
            asked,
            "its address cannot be read",
            "Use sqlite+aiosqlite:///path/to/file or postgresql+asyncpg://user@host/name.",
        ) from error
    driver = _DRIVERS.get(parsed.get_backend_name())
    if driver is None:
        raise StateError(
            asked,
            f"{parsed.get_backend_name()} is not a database it can use",
            "Use an address that begins with sqlite+aiosqlite or postgresql+asyncpg.",
        )
    if driver.startswith("sqlite") and parsed.database in {None, "", ":memory:"}:
        raise StateError(
            asked,
            "a database in memory forgets everything at a restart",
            "Name a file: sqlite+aiosqlite:///path/to/file.",
        )
    return parsed.set(drivername=driver)


def _engine(url: URL) -> AsyncEngine:
    if url.get_backend_name() == "sqlite":
        engine = create_async_engine(url)
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
        return engine
    return create_async_engine(
        url,
        pool_pre_ping=True,
        connect_args={"timeout": BUSY_TIMEOUT_SECONDS, "command_timeout": 30.0},
    )


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver begins no transactions by itself: `_begin_sqlite` does.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={int(BUSY_TIMEOUT_SECONDS * 1000)}",
        # With WAL (see `migrate`) a power cut may lose the last commits but never corrupts; a
        # posted digest must not be forgotten, so every commit is synced.
        "synchronous=FULL",
        "foreign_keys=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("opsbot_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


_NO_ANSWER = "the database did not answer in time"
_CHECK_SERVER = "Check that the state database is running and can be reached, then try again."
# What a driver's message tells, and what to do about it.
_REMEDIES: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (
        ("disk is full", "no space left", "diskfull", "could not extend file", "disk i/o error"),
        "its disk is full or fails",
        "Free some space on the disk that holds the state database, then try again.",
    ),
    (
        ("database is locked", "lock timeout", "locknotavailable"),
        "another process holds it locked",
        "Stop other programs that use the database file, then try again.",
    ),
    (
        ("malformed", "not a database", "file is encrypted"),
        "the file is damaged or is no SQLite database",
        "Restore it from a backup, or move it away: a new one is created at the next start.",
    ),
    (
        ("readonly", "read-only", "permission denied"),
        "it may not be written",
        "Give this program's user the right to write the file and its folder.",
    ),
    (
        ("unable to open", "is a directory", "not a directory", "file exists"),
        "the file cannot be opened",
        "Check that the path of the state database names a file in a folder that can be written.",
    ),
    (
        ("password authentication", "authentication failed", "invalidpassword", "role "),
        "the server refused the user or its password",
        "Check user and password in the address of the state database.",
    ),
    (
        ("can't locate revision",),
        "its schema is newer than this program",
        "Start the newer version of this program, or restore an older backup.",
    ),
)


@contextmanager
def explained(asked: str) -> Iterator[None]:
    """Turn whatever the database's libraries raise into a StateError.

    Args:
        asked: What was being done, as in "keep an answer".
    """
    # Alembic's errors are no SQLAlchemyErrors; imported here to keep the import light.
    from alembic.util.exc import CommandError  # noqa: PLC0415

    try:
        yield
    except (SQLAlchemyError, OSError, CommandError) as error:
        cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
        words = f"{type(cause).__name__} {cause}".lower()
        if isinstance(cause, TimeoutError):
            raise StateError(asked, _NO_ANSWER, _CHECK_SERVER) from cause
        for signs, wrong, remedy in _REMEDIES:
            if any(sign in words for sign in signs):
                raise StateError(asked, wrong, remedy) from error
        if isinstance(cause, OSError):
            raise StateError(asked, "the database cannot be reached", _CHECK_SERVER) from error
        raise StateError(
            asked, f"the database answered with {type(cause).__name__}", _CHECK_SERVER
        ) from error
