"""A crowd asks at once while the model is slow: each gets an answer or its number in the line."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from evals.bench.acks import acks_of, ask_at_once, crowd, opsbot
from sandbox.slack import world
from sandbox.slack.server import RunningWorkspace
from tests.e2e.program import is_final

CROWD = 40


def told(running: RunningWorkspace, threads: list[tuple[str, str]]) -> list[list[dict[str, Any]]]:
    return [
        [
            row
            for row in running.controls.conversation(channel).thread(ts)
            if row["user"] == world.BOT_USER_ID
        ]
        for channel, ts in threads
    ]


@pytest.mark.timeout(240)
async def test_everybody_of_a_crowd_gets_one_last_word(tmp_path: Path) -> None:
    async with crowd() as running, opsbot(running, tmp_path, model_seconds=0.5):
        threads = await ask_at_once(running, CROWD)
        await acks_of(running, CROWD)
        async with asyncio.timeout(150):
            while not all(any(map(is_final, rows)) for rows in told(running, threads)):  # noqa: ASYNC110  (another process)
                await asyncio.sleep(0.2)
            while sum(map(is_final, running.workspace.ephemerals["UINES"])) < CROWD:  # noqa: ASYNC110  (another process)
                await asyncio.sleep(0.2)
        assert [len(rows) for rows in told(running, threads)] == [1] * CROWD
        assert all(each.outcome == "acked" for each in running.controls.recorder.attempts)
        posted: dict[str, list[float]] = defaultdict(list)
        for call in running.controls.recorder.calls:
            if call.method in {"chat.postMessage", "chat.startStream"} and call.ok:
                posted[call.arguments["channel"]].append(call.at)
        gaps = [after - before for times in posted.values() for before, after in pairwise(times)]
        # Slack allows one a second in a channel; how long each travels differs a little.
        assert min(gaps) > 0.5
