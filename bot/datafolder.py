"""The data folder and its one owner.

Embedded Qdrant, SQLite, the redaction key and the manifest of the index live in one folder. The
process that holds its lock owns it and serves a Unix socket there (see `bot.owner`); commands in a
second terminal talk to the owner.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import secrets
import tempfile
import time
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import SecretStr

from core.errors import DataFolderError

# sun_path holds 108 bytes on Linux and 104 on macOS, the closing NUL included.
_LONGEST_SOCKET_PATH_BYTES = 100


class DataFolder:
    """The folder at `path`, made when it is missing, readable by its user only."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().absolute()
        self._lock: int | None = None
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise DataFolderError(
                f"make the data folder {self.path}",
                error.strerror or "it cannot be made",
                "Set OPSBOT_DATA_DIR to a folder that can be written.",
            ) from error

    @property
    def socket_path(self) -> Path:
        """Where the owner listens: in the folder, or beside it when the path is too long."""
        inside = self.path / "owner.sock"
        if len(os.fsencode(inside)) <= _LONGEST_SOCKET_PATH_BYTES:
            return inside
        name = sha256(os.fsencode(self.path)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"opsbot-{os.getuid()}-{name}" / "owner.sock"

    def try_own(self) -> bool:
        """Take the folder for this process; False when another process has it."""
        if self._lock is not None:
            return True
        try:
            descriptor = os.open(self.path / "owner.lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise DataFolderError(
                f"write to the data folder {self.path}",
                error.strerror or "it cannot be written",
                "Free some space, mend its permissions, or set OPSBOT_DATA_DIR to another folder.",
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        # A killed owner leaves its socket behind; whoever finds one takes it for a live owner's.
        self.socket_path.unlink(missing_ok=True)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        self._lock = descriptor
        return True

    async def own(self, patience_seconds: float = 0.0) -> None:
        """Take the folder; a command that holds it for a moment is waited for.

        Raises:
            DataFolderError: Naming who still has it when patience ends.
        """
        end = time.monotonic() + patience_seconds
        while not self.try_own():
            if time.monotonic() >= end:
                raise self.taken()
            await asyncio.sleep(0.1)

    async def own_or_meet(self, patience_seconds: float = 30.0) -> bool:
        """True when the folder is ours now, False when its owner answers on `socket_path`.

        A starting bot opens its socket when it can serve; another command is done after its answer.

        Raises:
            DataFolderError: Neither came true in time; names who has the folder.
        """
        end = time.monotonic() + patience_seconds
        while not self.try_own():
            if self.socket_path.exists():
                return False
            if time.monotonic() >= end:
                raise self.taken()
            await asyncio.sleep(0.1)
        return True

    def taken(self) -> DataFolderError:
        """Says who has the folder."""
        return DataFolderError(
            f"take the data folder {self.path}",
            f"process {self.owner_pid() or 'unknown'} is using it",
            "Stop that process, or set OPSBOT_DATA_DIR to another folder.",
        )

    def owner_pid(self) -> int | None:
        """The process that last took the folder, or None when nobody did."""
        try:
            return int((self.path / "owner.lock").read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None

    def redaction_key(self, given: SecretStr | None = None) -> bytes:
        """The given one, or 32 random bytes, made once: equal secrets keep equal marks.

        Identities of findings rest on the marks, so what shares a database shares the key.
        """
        if given is not None:
            return given.get_secret_value().encode()
        file = self.path / "redaction.key"
        try:
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return file.read_bytes()
        with os.fdopen(descriptor, "wb") as stream:
            key = secrets.token_bytes(32)
            stream.write(key)
        return key

    def release(self) -> None:
        """Let others take the folder."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()
