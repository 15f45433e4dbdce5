"""`opsbot index --watch` on the real program: a new page is indexed, Ctrl-C ends it cleanly."""

from __future__ import annotations

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

from tests.e2e.program import clean_environment


async def test_a_new_page_is_indexed_and_ctrl_c_ends_the_watch(tmp_path: Path) -> None:
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "first.md").write_text("# First\n\nThe first page.\n")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "index", "--watch", cwd=tmp_path, stdout=PIPE, stderr=STDOUT,
        env=clean_environment(
            KNOWLEDGE_SOURCES=f"markdown:{pages}",
            EMBED_MODEL="none",
            OPSBOT_DATA_DIR=str(tmp_path / "data"),
            HOME=str(tmp_path),
        ),
    )  # fmt: skip
    assert process.stdout is not None
    printed = ""

    async def until(words: str) -> None:
        nonlocal printed
        assert process.stdout is not None
        async with asyncio.timeout(60):
            while words not in printed:
                line = await process.stdout.readline()
                assert line, printed
                printed += line.decode()

    await until("1 documents read, 0 unchanged")
    (pages / "second.md").write_text("# Second\n\nThe second page.\n")
    await until(f"added    {pages}/second.md")
    await until("1 documents read, 1 unchanged; 2 chunks")
    process.send_signal(signal.SIGINT)
    rest = await asyncio.wait_for(process.stdout.read(), timeout=40)
    assert await process.wait() == 0
    assert "Stopped" in rest.decode()
    assert "Traceback" not in printed + rest.decode()
