"""Brings a database to the newest schema, one process at a time.

Runs in a thread of its own, for PostgreSQL with an event loop of its own: Alembic reads files and
waits for locks.
"""

from __future__ import annotations

import asyncio
import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, event, pool, text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import create_async_engine

from core.errors import StateError

LOCK_WAIT_SECONDS = 60.0
# Any number, the same in every process of this program.
_ADVISORY_KEY = 7_305_811_204


def migrate(url: URL, lock_wait_seconds: float = LOCK_WAIT_SECONDS) -> None:
    """Run the missing steps; blocks. To be called off the event loop.

    Raises:
        StateError: Another process holds the lock for too long.
        SQLAlchemyError, OSError: The database cannot be reached or written.
    """
    if url.get_backend_name() == "sqlite":
        assert url.database is not None
        path = Path(url.database)
        path.parent.mkdir(parents=True, exist_ok=True)
        with _file_lock(path.with_name(path.name + ".lock"), lock_wait_seconds):
            _upgrade_sqlite(url)
    else:
        asyncio.run(_upgrade_postgresql(url, lock_wait_seconds))


@contextmanager
def _file_lock(path: Path, wait_seconds: float) -> Iterator[None]:
    deadline = time.monotonic() + wait_seconds
    with path.open("a") as handle:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() >= deadline:
                    raise StateError(
                        "bring the state database to the newest schema",
                        f"another process holds {path.name} for more than {wait_seconds:.0f} s",
                        "Stop the other process, or wait for it to finish.",
                    ) from error
                time.sleep(0.05)
        # Closing the file gives the lock back.
        yield


def _upgrade_sqlite(url: URL) -> None:
    engine = create_engine(url.set(drivername="sqlite"), poolclass=pool.NullPool)
    # One transaction around all steps: a kill in the middle leaves the schema as it was.
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    with engine.begin() as connection:
        _run_steps(connection)


def _prepare(connection: Any, _record: object) -> None:
    # The driver begins no transactions by itself: the engine's listener does.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout={int(LOCK_WAIT_SECONDS * 1000)}")
    # The file keeps this mode for good. It is set here, under the lock, because changing it while
    # another connection writes fails at once, whatever the timeout.
    connection.execute("PRAGMA journal_mode=WAL")


async def _upgrade_postgresql(url: URL, lock_wait_seconds: float) -> None:
    engine = create_async_engine(url, poolclass=pool.NullPool)
    wait_ms = int(lock_wait_seconds * 1000)
    try:
        async with engine.begin() as connection:
            await connection.execute(text(f"SET LOCAL lock_timeout = {wait_ms}"))
            await connection.execute(text(f"SELECT pg_advisory_xact_lock({_ADVISORY_KEY})"))
            await connection.run_sync(_run_steps)
    finally:
        await engine.dispose()


def newest_revision() -> str:
    """The schema that this program brings a database to."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def _run_steps(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config
