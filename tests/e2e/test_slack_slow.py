"""What people see in Slack while the model takes a minute, on the real program; docs/slack.md."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox.ollama.scripts import slow
from sandbox.ollama.server import run_ollama
from sandbox.slack import world
from sandbox.slack.server import Delivery
from tests.e2e.installed import Installed, Json, installed, until
from tests.e2e.program import is_final

WHY = "why does payments keep restarting?"
MENTION = f"<@{world.BOT_USER_ID}>"


@dataclass
class Slow:
    """A bot whose model says nothing for a minute."""

    here: Installed
    process: asyncio.subprocess.Process

    def say(self, text: str, thread_ts: str = "") -> str:
        return str(
            self.here.running.controls.say("incidents", "ines", f"{MENTION} {text}", thread_ts)[
                "ts"
            ]
        )

    def own(self, thread_ts: str) -> list[Json]:
        return [row for row in self.here.own("incidents") if row.get("thread_ts") == thread_ts]


@pytest.fixture(params=["socket", "http"])
def delivery(request: pytest.FixtureRequest) -> Delivery:
    chosen: Delivery = request.param
    return chosen


@pytest.fixture
async def slowly(tmp_path: Path, delivery: Delivery) -> AsyncIterator[Slow]:
    async with (
        run_ollama(script=slow(60.0)) as ollama,
        installed(
            tmp_path, delivery, LLM_MODEL="ollama:llama3.1", OLLAMA_BASE_URL=ollama.url
        ) as here,
    ):
        here.running.controls.conversation("incidents").members.add(world.BOT_USER_ID)
        async with here.bot() as process:
            yield Slow(here, process)


def shown(message: Json) -> str:
    return json.dumps(message["blocks"], ensure_ascii=False) + str(message["text"])


async def test_acks_wait_for_no_model_and_questions_of_a_thread_take_turns(slowly: Slow) -> None:
    controls = slowly.here.running.controls
    parent = slowly.say(WHY)
    asked = asyncio.get_running_loop().time()
    (first,) = await until(lambda: slowly.own(parent), 3)
    assert asyncio.get_running_loop().time() - asked < 3
    slowly.say("and who owns it?", parent)
    waiting = (await until(lambda: slowly.own(parent)[1:]))[0]
    assert "One question at a time" in shown(waiting)
    for _ in range(10):
        outcome = await controls.command("general", "you", "/k8s", f"ask {WHY}")
        assert outcome["acked"]
    attempts = controls.recorder.attempts
    assert {row.outcome for row in attempts} == {"acked"}
    assert max(row.ack_seconds for row in attempts) < 1
    # The first is called off in its own message; then the second has its turn.
    slowly.say("stop", parent)
    await until(lambda: "Stopped" in shown(slowly.own(parent)[0]), 5)
    await until(lambda: "One question at a time" not in shown(slowly.own(parent)[1]))
    assert slowly.own(parent)[0]["ts"] == first["ts"]
    assert len(slowly.own(parent)) == 2


async def test_told_to_stop_it_closes_what_is_open_and_is_silent_where_it_cannot(
    slowly: Slow,
) -> None:
    parent = slowly.say(WHY)
    await until(lambda: slowly.own(parent))
    controls = slowly.here.running.controls
    controls.conversation("ops").members.add(world.BOT_USER_ID)
    controls.say("ops", "ines", f"{MENTION} {WHY}")
    await until(lambda: slowly.here.own("ops"))
    controls.conversation("ops").is_archived = True
    slowly.process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(slowly.process.wait(), 40) == 0
    (message,) = slowly.own(parent)
    assert "I was stopped before the answer was ready" in shown(message)
    assert len(slowly.here.own("ops")) == 1
    assert "Traceback" not in slowly.here.log


async def test_past_its_limit_the_facts_are_quoted(tmp_path: Path, delivery: Delivery) -> None:
    async with (
        run_ollama(script=slow(60.0)) as ollama,
        installed(
            tmp_path,
            delivery,
            LLM_MODEL="ollama:llama3.1",
            OLLAMA_BASE_URL=ollama.url,
            LLM_TIMEOUT_SECONDS="4",
        ) as here,
        here.bot(),
    ):
        controls = here.running.controls
        controls.conversation("incidents").members.add(world.BOT_USER_ID)
        ts = controls.say("incidents", "ines", f"{MENTION} {WHY}")["ts"]

        def final() -> list[Json]:
            return [row for row in here.own("incidents") if is_final(row)]

        (answer,) = await until(final)
        assert answer["thread_ts"] == ts
        assert "The model did not answer in time" in shown(answer)
        assert "OOMKilled" in shown(answer)
        assert here.own("incidents") == [answer]
