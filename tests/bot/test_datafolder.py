from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.datafolder import DataFolder
from core.errors import DataFolderError


async def test_a_second_owner_is_told_who_has_the_folder(tmp_path: Path) -> None:
    with DataFolder(tmp_path / "data") as first:
        await first.own()
        second = DataFolder(tmp_path / "data")
        assert not second.try_own()
        with pytest.raises(DataFolderError, match=f"process {os.getpid()} is using it"):
            await second.own()
    assert second.try_own(), "the folder is free once its owner let go"
    second.release()


async def test_one_who_waits_gets_the_folder_when_it_is_free(tmp_path: Path) -> None:
    first, second = DataFolder(tmp_path), DataFolder(tmp_path)
    assert first.try_own()
    waiting = asyncio.create_task(second.own(patience_seconds=30))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    first.release()
    await waiting
    second.release()


def test_a_killed_owner_leaves_the_folder_free(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from bot.datafolder import DataFolder\n"
        "assert DataFolder(Path(sys.argv[1])).try_own(); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run(  # noqa: S603  (our own code)
        [sys.executable, "-c", code, str(tmp_path)], check=False, timeout=30
    )
    assert done.returncode == -9
    folder = DataFolder(tmp_path)
    folder.socket_path.write_text("what it left behind")
    assert folder.try_own()
    assert not folder.socket_path.exists(), "nobody may take it for a live owner's"
    folder.release()


def test_the_redaction_key_is_kept_and_private(tmp_path: Path) -> None:
    key = DataFolder(tmp_path).redaction_key()
    assert len(key) == 32
    assert DataFolder(tmp_path).redaction_key() == key
    assert DataFolder(tmp_path).redaction_key(SecretStr("shared-by-replicas")) != key
    assert stat.S_IMODE((tmp_path / "redaction.key").stat().st_mode) == 0o600


def test_a_long_path_gets_a_socket_that_the_system_accepts(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    path = DataFolder(deep).socket_path
    assert len(os.fsencode(path)) <= 100
    assert path != DataFolder(tmp_path / ("d" * 60) / ("f" * 60)).socket_path


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataFolderError, match="OPSBOT_DATA_DIR"):
        DataFolder(tmp_path / "file" / "data")


def test_a_lock_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "owner.lock").mkdir()
    with pytest.raises(DataFolderError, match="write to the data folder"):
        DataFolder(tmp_path).try_own()
