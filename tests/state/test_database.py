from __future__ import annotations

import asyncio
import fcntl
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, make_url, text

from core.errors import StateError
from state.database import Database, _engine, explained
from state.migrate import migrate, newest_revision
from state.tables import metadata


async def test_the_migrations_make_the_tables_that_the_stores_use(database: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    async with database.read("compare") as connection:
        found = await connection.run_sync(differences)
    assert found == []


async def test_an_open_database_has_the_newest_schema(database: Database) -> None:
    assert await database.revision() == newest_revision()


async def test_opening_again_keeps_what_is_there(url: str) -> None:
    first = await Database.open(url)
    async with first.write("test") as connection:
        await connection.execute(
            text("INSERT INTO deliveries (key, seen_at) VALUES ('k', '2026-01-01 00:00:00')")
        )
    await first.close()
    second = await Database.open(url)
    async with second.read("test") as connection:
        count = (await connection.execute(text("SELECT count(*) FROM deliveries"))).scalar_one()
    await second.close()
    assert count == 1


async def test_several_openers_at_once_migrate_one_after_the_other(url: str) -> None:
    databases = await asyncio.gather(*(Database.open(url) for _ in range(4)))
    for database in databases:
        await database.ping()
        await database.close()


async def _write_and_fail(database: Database) -> None:
    async with database.write("test") as connection:
        await connection.execute(
            text("INSERT INTO deliveries (key, seen_at) VALUES ('k', '2026-01-01 00:00:00')")
        )
        raise RuntimeError


async def test_a_failed_transaction_leaves_nothing(database: Database) -> None:
    with pytest.raises(RuntimeError):
        await _write_and_fail(database)
    async with database.read("test") as connection:
        count = (await connection.execute(text("SELECT count(*) FROM deliveries"))).scalar_one()
    assert count == 0


async def test_sqlite_waits_for_writers_and_keeps_a_write_ahead_log(tmp_path: Path) -> None:
    database = await Database.open(f"sqlite:///{tmp_path / 'deep' / 'er' / 's.db'}")
    async with database.read("test") as connection:
        found = [
            (await connection.execute(text(f"PRAGMA {name}"))).scalar_one()
            for name in ("journal_mode", "busy_timeout", "foreign_keys")
        ]
    await database.close()
    assert found == ["wal", 5000, 1]


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("nonsense", "cannot be read"),
        ("mysql+pymysql://x/y", "mysql is not a database"),
        ("sqlite+aiosqlite://", "in memory"),
        ("sqlite+aiosqlite:///:memory:", "in memory"),
    ],
)
async def test_an_address_that_cannot_be_used_is_refused(address: str, words: str) -> None:
    with pytest.raises(StateError, match=words):
        await Database.open(address)


async def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.write_bytes(b"this is no database at all" * 100)
    with pytest.raises(StateError, match="damaged or is no SQLite database"):
        await Database.open(f"sqlite+aiosqlite:///{path}")


async def test_a_folder_in_place_of_the_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="cannot be opened"):
        await Database.open(f"sqlite+aiosqlite:///{tmp_path}")


async def test_a_file_in_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StateError, match="cannot be opened"):
        await Database.open(f"sqlite+aiosqlite:///{tmp_path / 'file' / 'state.db'}")


async def _fill(database: Database) -> None:
    async with database.write("keep something") as connection:
        await connection.execute(text("PRAGMA max_page_count = 1"))
        await connection.execute(
            text(
                "INSERT INTO deliveries SELECT hex(randomblob(100)), '2026-01-01 00:00:00' "
                "FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n "
                "WHERE i < 2000) SELECT i FROM n)"
            )
        )


async def test_a_full_disk_is_told(tmp_path: Path) -> None:
    database = await Database.open(f"sqlite+aiosqlite:///{tmp_path / 's.db'}")
    with pytest.raises(StateError, match="Free some space"):
        await _fill(database)
    await database.close()


async def test_a_database_of_a_newer_program_is_told(database: Database, url: str) -> None:
    async with database.write("test") as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StateError, match="newer than this program"):
        await Database.open(url)


async def test_a_server_that_is_not_there_is_told_without_its_password() -> None:
    with pytest.raises(StateError) as caught:
        await Database.open("postgresql+asyncpg://bob:hunter2@127.0.0.1:1/x")
    assert "hunter2" not in str(caught.value)
    assert "Check that the state database is running" in caught.value.remedy


def test_a_held_migration_lock_is_told(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with (tmp_path / "state.db.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with pytest.raises(StateError, match=r"holds state\.db\.lock"):
            migrate(make_url(f"sqlite+aiosqlite:///{path}"), lock_wait_seconds=0.1)


def test_errors_name_what_was_asked_and_what_to_do() -> None:
    with (
        pytest.raises(StateError, match="Could not keep a vote: it may not be written"),
        explained("keep a vote"),
    ):
        raise PermissionError(13, "Permission denied")


_CLAIM = """
import asyncio, sys
from core.clock import SystemClock
from state.database import Database, _engine
from state.deliveries import DeliveryStore

async def main() -> None:
    database = await Database.open(sys.argv[1])
    store = DeliveryStore(database, SystemClock())
    print("ready", flush=True)
    sys.stdin.readline()
    won = [await store.claim(f"key-{n}") for n in range(20)]
    print("".join("1" if w else "0" for w in won), flush=True)
    await database.close()

asyncio.run(main())
"""


def test_of_two_processes_exactly_one_claims_a_key(url: str) -> None:
    root = Path(__file__).parents[2]
    processes = [
        subprocess.Popen(  # noqa: S603  (our own program)
            [sys.executable, "-c", _CLAIM, url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=root,
            env={**os.environ, "PYTHONPATH": str(root)},
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    results = [process.communicate(timeout=60)[0].strip() for process in processes]
    assert [sorted(pair) for pair in zip(*results, strict=True)] == [["0", "1"]] * 20


async def test_a_server_that_let_wait_in_vain_is_left_alone_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def never(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        waiting.append(task)
        try:
            await asyncio.Event().wait()
        finally:
            writer.close()

    waiting: list[asyncio.Task[Any]] = []
    monkeypatch.setattr("state.database.BUSY_TIMEOUT_SECONDS", 0.1)
    monkeypatch.setattr("state.database.REST_SECONDS", 0.5)
    silent = await asyncio.start_server(never, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    url = make_url(f"postgresql+asyncpg://opsbot@127.0.0.1:{port}/x")
    database = Database(_engine(url), "x")
    for _ in range(2):
        with pytest.raises(StateError, match="did not answer in time"):
            await database.ping()
    assert len(waiting) == 1
    await asyncio.sleep(0.6)
    with pytest.raises(StateError, match="did not answer in time"):
        await database.ping()
    assert len(waiting) == 2
    await database.close()
    silent.close()
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_of_many_writers_at_once_each_gets_its_turn(database: Database) -> None:
    async def write(number: int) -> None:
        async with database.write("test") as connection:
            await connection.execute(
                text("INSERT INTO deliveries VALUES (:key, '2026-03-01 09:00:00')"),
                {"key": str(number)},
            )
            # Longer in all than SQLite lets one wait.
            await asyncio.sleep(0.03)

    await asyncio.gather(*(write(number) for number in range(200)))
    async with database.read("test") as connection:
        assert (await connection.execute(text("SELECT count(*) FROM deliveries"))).scalar() == 200
