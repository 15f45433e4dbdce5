"""Killed again and again while it works: nothing told twice, nothing broken at the next start."""

from __future__ import annotations

import asyncio
import json
import random
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.e2e.program import clean_environment, run_command

pytestmark = [pytest.mark.drill, pytest.mark.timeout(1800)]


@asynccontextmanager
async def sandbox(folder: Path) -> AsyncIterator[dict[str, str]]:
    """The local workspace and the recorded cluster, which outlive the bot."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox", "--folder", str(folder), "--until-stdin-closes",
        env=clean_environment(), stdin=PIPE, stdout=PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        ready: dict[str, str] = json.loads(await process.stdout.readline())
        yield ready
    finally:
        process.stdin.close()
        await process.wait()


def settings(ready: dict[str, str], folder: Path) -> dict[str, str]:
    """What a user would put into `.env` to point the bot at them."""
    return clean_environment(
        SLACK_BOT_TOKEN="xoxb-sandbox-opsbot",
        SLACK_APP_TOKEN="xapp-sandbox-opsbot",
        SLACK_API_URL=f"{ready['slack']}/api/",
        KUBECONFIG=ready["kubeconfig"],
        KNOWLEDGE_SOURCES=f"markdown:{ready['knowledge']},graph:{ready['knowledge']}/graph.yaml",
        DIGEST_CHANNEL="COPS",
        DIGEST_CRON="* * * * *",
        OPSBOT_DATA_DIR=str(folder / "data"),
    )


@asynccontextmanager
async def bot(environment: dict[str, str], folder: Path) -> AsyncIterator[Process]:
    """A running `opsbot run`; what it logs is shown when it ends by itself."""
    log = folder / "bot.log"
    with log.open("wb") as stream:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "run",
            cwd=folder, env=environment, stdout=stream, stderr=stream,
        )  # fmt: skip
    try:
        yield process
        assert process.returncode is None, log.read_text(encoding="utf-8")
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def digests(url: str) -> list[dict[str, Any]]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{url}/_control/messages", params={"channel": "ops"}) as response,
    ):
        messages = (await response.json())["messages"]
    return [message for message in messages if message.get("metadata")]


async def wait_for_digest(url: str, process: Process) -> None:
    """A claim of a killed process is free after ten minutes, so it may take that long."""
    for _ in range(720):
        if process.returncode is not None or await digests(url):
            return
        await asyncio.sleep(1)
    raise AssertionError("no digest arrived")


async def test_killed_at_random_it_posts_each_digest_once_and_starts_again(
    tmp_path: Path, drill_rounds: int
) -> None:
    generator = random.Random(11)  # noqa: S311  (when to kill, no secret)
    async with sandbox(tmp_path / "sandbox") as ready:
        environment = settings(ready, tmp_path)
        for _ in range(drill_rounds):
            async with bot(environment, tmp_path):
                # From before it is ready to well into publishing the thread's replies.
                await asyncio.sleep(generator.uniform(1.0, 12.0))
        async with bot(environment, tmp_path) as process:
            await wait_for_digest(ready["slack"], process)
            code, out, _ = await run_command(
                "ask", "who owns payments?", environment=environment, folder=tmp_path
            )
            assert code == 0, out
            assert "orders" in out
        slots = [
            message["metadata"]["event_payload"]["slot"]
            for message in await digests(ready["slack"])
        ]
        assert slots
        assert len(slots) == len(set(slots)), f"a digest was posted twice: {sorted(slots)}"
