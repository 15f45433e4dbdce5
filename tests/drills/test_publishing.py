"""A publisher killed at random moments: every message is posted once, every finding told once."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from asyncio.subprocess import PIPE
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select

from core.digests import Digest, ItemState
from core.posts import Post, PostKind
from sandbox.slack import world
from sandbox.slack.server import RunningWorkspace, run_workspace
from state.database import Database
from state.posts import SqlPostStore
from state.tables import posts
from tests.drills.publisher import ROUND, ShiftedClock
from tests.e2e.program import clean_environment

pytestmark = [pytest.mark.drill, pytest.mark.timeout(7200)]


async def one_round(
    state: str, running: RunningWorkspace, number: int, lives_seconds: float | None
) -> tuple[float, str]:
    """Run one publisher; gives how long it worked, and what it said last."""
    running.workspace.clock.advance(ROUND.total_seconds())
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.drills.publisher", state, running.api_url, str(number),
        env=clean_environment(), stdout=PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert await process.stdout.readline() == b"begins\n"
    began = time.monotonic()
    try:
        await asyncio.wait_for(process.wait(), lives_seconds)
    except TimeoutError:
        process.kill()
        await process.wait()
    said = (await process.stdout.read()).decode().split()
    return time.monotonic() - began, said[-1] if said else "begins"


async def written_down(state: str) -> list[Post]:
    """All messages of digests that were committed, and the urgent ones."""
    database = await Database.open(state)
    store = SqlPostStore(database, ShiftedClock(0))
    async with database.read("count") as connection:
        keys = (await connection.execute(select(posts.c.key))).scalars().all()
    found = [post for key in keys if (post := await store.get(key)) is not None]
    await database.close()
    return found


def appeared(running: RunningWorkspace) -> Counter[str]:
    """How often each message is in the workspace, by its key."""
    seen: Counter[str] = Counter()
    for name in ("ops", "general"):
        messages = running.controls.conversation(name).messages
        for message in messages.values():
            if message.get("files"):
                parent = messages[message["thread_ts"]]["metadata"]["event_payload"]["slot"]
                seen[f"{parent}/000"] += 1
            elif message["user"] == world.BOT_USER_ID:
                seen[message["metadata"]["event_payload"]["slot"]] += 1
    return seen


def news(digest: Digest) -> list[str]:
    told = (*digest.items, *digest.rest)
    return [item.finding.owner.name for item in told if item.state is ItemState.NEW]


async def test_killed_at_any_moment_nothing_is_lost_and_nothing_doubled(
    tmp_path: Path, drill_rounds: int
) -> None:
    generator = random.Random(7)  # noqa: S311  (when to kill, no secret)
    state = f"sqlite+aiosqlite:///{tmp_path / 'state.db'}"
    ended: Counter[str] = Counter()
    async with run_workspace() as running:
        for name in ("ops", "general"):
            running.controls.conversation(name).members.add(world.BOT_USER_ID)
        lasts, _ = await one_round(state, running, 0, None)
        for number in range(1, drill_rounds + 1):
            _, said = await one_round(state, running, number, generator.uniform(0, lasts * 1.5))
            ended[said] += 1
        for number in (drill_rounds + 1, drill_rounds + 2):
            _, said = await one_round(state, running, number, None)
            assert said == "ends"
        written, seen = await written_down(state), appeared(running)
    lost = [post.key for post in written if not seen[post.key]]
    doubled = [key for key, times in seen.items() if times > 1]
    unknown = [key for key in seen if key not in {post.key for post in written}]
    told = Counter(
        name
        for post in written
        if post.kind is PostKind.DIGEST and post.key == post.slot
        for name in news(post.digest)
    )
    rounds = range(drill_rounds + 2)
    due = {f"{kind}-{number}" for kind in ("steady", "urgent") for number in rounds}
    sys.stdout.write(f"\nkilled after {dict(ended)}; {len(written)} messages; lost {len(lost)}, ")
    sys.stdout.write(f"doubled {len(doubled)}; {len(told)} findings told\n")
    assert (lost, doubled, unknown) == ([], [], [])
    assert {name: told[name] for name in due if told[name] != 1} == {}
