"""A private PostgreSQL on loopback, from Debian's programs."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.monitoring import free_port

_FOUND = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
# Where initdb, pg_ctl and createdb are; None where they are not installed.
PROGRAMS = _FOUND[-1].parent if _FOUND else None


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        port: Where it listens on loopback.
    """

    port: int

    def new_database(self) -> str:
        """The address of a new, empty database, as STATE_URL takes it."""
        assert PROGRAMS is not None
        name = "t" + uuid.uuid4().hex
        createdb = [
            str(PROGRAMS / "createdb"),
            "-h",
            "127.0.0.1",
            "-p",
            str(self.port),
            "-U",
            "opsbot",
        ]
        subprocess.run([*createdb, name], check=True)  # noqa: S603  (our own arguments)
        return f"postgresql+asyncpg://opsbot@127.0.0.1:{self.port}/{name}"


@contextmanager
def run_postgres() -> Iterator[Server]:
    """A server that nobody else uses; it ends, and its files go, with the block."""
    assert PROGRAMS is not None
    programs = PROGRAMS
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

    data, port = folder / "data", free_port()
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
        yield Server(port)
    finally:
        run(str(programs / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(folder)
