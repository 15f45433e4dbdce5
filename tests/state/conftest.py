"""Databases to test on: SQLite always, PostgreSQL where its programs are installed."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.clock import ManualClock
from state.database import Database

_POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
_ENGINES = ["sqlite", "postgresql"] if _POSTGRES else ["sqlite"]
START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A private server on loopback; gives its address without a database name."""
    programs = _POSTGRES[-1].parent
    folder = Path(tempfile.mkdtemp(prefix="opsbot-postgres-"))
    # The server refuses to run as root.
    user = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
    if user is not None:
        os.chown(folder, user.pw_uid, user.pw_gid)

    def run(*command: str) -> None:
        subprocess.run(  # noqa: S603  (our own arguments)
            command,
            check=True,
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
            cwd=folder,
            stdout=subprocess.DEVNULL,
        )

    data, port = folder / "data", _free_port()
    run(
        str(programs / "initdb"), "-D", str(data), "-U", "opsbot", "--auth=trust", "--no-sync",
        "--encoding=UTF8", "--locale=C",
    )  # fmt: skip
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c fsync=off -k {folder}"
    run(
        str(programs / "pg_ctl"), "-D", str(data), "-w", "-l", str(folder / "log"),
        "-o", options, "start",
    )  # fmt: skip
    try:
        yield f"postgresql+asyncpg://opsbot@127.0.0.1:{port}"
    finally:
        run(str(programs / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(folder)


@pytest.fixture(params=_ENGINES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database that nobody has opened yet."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'state.db'}"
    server: str = request.getfixturevalue("postgres_server")
    name = "t" + uuid.uuid4().hex
    psql = _POSTGRES[-1].parent / "createdb"
    port = server.rsplit(":", 1)[1]
    subprocess.run(  # noqa: S603  (our own arguments)
        [psql, "-h", "127.0.0.1", "-p", port, "-U", "opsbot", name], check=True
    )
    return f"{server}/{name}"


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    opened = await Database.open(url)
    yield opened
    await opened.close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)
