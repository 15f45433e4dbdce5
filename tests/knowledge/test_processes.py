from __future__ import annotations

import asyncio
import logging
import os
import sys
from pathlib import Path

import pytest

from knowledge.documents import Entry
from knowledge.markdownpages import Pages
from knowledge.points import Edition
from knowledge.prepare import Job, do
from knowledge.processes import Processes

HANGS = (sys.executable, "-c", "import time; time.sleep(60)")
DIES = (sys.executable, "-c", "import sys; sys.stdin.buffer.read(2)")
TALKS_NONSENSE = (sys.executable, "-c", "print('no message at all')")


@pytest.fixture
def job(tmp_path: Path) -> Job:
    (tmp_path / "redis.md").write_text("# Redis\n\npassword: hunter2-swordfish\n")
    (tmp_path / "bad.md").write_bytes(b"\xff\xfe")
    entries = tuple(Entry(name, "1") for name in ("redis.md", "bad.md", "gone.md"))
    return Job(Pages(str(tmp_path)), "markdown:docs", b"k" * 32, entries, {})


async def test_a_process_prepares_what_this_one_would(job: Job) -> None:
    async with Processes(1) as processes:
        prepared = await processes.do(job)
        assert prepared == do(job)
        assert await processes.do(job) == prepared
    redis, bad, gone = prepared
    assert redis.points is not None
    assert "<REDACTED:password:" in redis.points[0].text
    assert bad.problem == "not UTF-8 text"
    assert gone.problem == "no such file or directory"


async def test_content_that_the_store_has_is_not_sent_back(job: Job) -> None:
    (redis, *_) = do(job)
    assert redis.points is not None
    edition = Edition.read(redis.points[0].payload["edition"])
    assert edition is not None
    known = Job(job.pages, job.uri, job.key, job.entries, {"redis.md": edition.content})
    async with Processes(1) as processes:
        assert (await processes.do(known))[0].points is None


@pytest.mark.parametrize("program", [DIES, TALKS_NONSENSE, ("/no/such/program",)])
async def test_work_of_a_process_that_is_gone_is_done_here(
    job: Job, program: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        async with Processes(2, program) as processes:
            results = await asyncio.gather(*(processes.do(job) for _ in range(5)))
    assert results == [do(job)] * 5
    assert "the bot goes on without" in caplog.text


async def test_a_cancelled_job_leaves_no_process_and_no_stale_reply(job: Job) -> None:
    async with Processes(1, HANGS) as processes:
        work = asyncio.create_task(processes.do(job))
        async with asyncio.timeout(5):
            while not _children():  # noqa: ASYNC110  (a process has no event to wait for)
                await asyncio.sleep(0.01)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        assert not _children()


def _children() -> str:
    """Ids of the processes that this one started and that have not ended."""
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii").strip()
