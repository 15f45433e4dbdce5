"""Who may do what, and what a killed process leaves, on the real program over both transports."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sandbox.ollama.scripts import slow
from sandbox.ollama.server import run_ollama
from sandbox.slack import world
from sandbox.slack.server import Delivery
from tests.e2e.installed import Installed, Json, installed, until
from tests.e2e.program import is_final

CONFIG = """
access:
  channels:
    "#incidents": {sources: [markdown, graph]}
    COPS: {namespaces: [trading]}
  commands:
    status: {users: [UINES]}
"""
QUESTION = "why does payments keep restarting?"
LIVE = "Deployment shop/payments"
INTERRUPTED = "I was interrupted before the answer was ready. Please ask again."
TRANSPORTS: tuple[Delivery, ...] = ("socket", "http")


def shown(message: Json) -> str:
    return json.dumps(message["blocks"], ensure_ascii=False)


async def asked_in(here: Installed, channel: str) -> Json:
    """Mention the bot in a channel; gives its final answer."""
    here.running.controls.conversation(channel).members.add(world.BOT_USER_ID)
    here.running.controls.say(channel, "ines", f"<@{world.BOT_USER_ID}> {QUESTION}")
    (answer,) = await until(lambda: [row for row in here.own(channel) if is_final(row)])
    return dict(answer)


async def refused(here: Installed, user: str, text: str) -> Json:
    """Type a command that is refused; gives what the person is told."""
    controls = here.running.controls
    user_id = controls.user(user).id
    known = len(here.ephemerals(user_id))
    await controls.command("general", user, "/k8s", text)
    told = await until(lambda: here.ephemerals(user_id)[known:])
    assert len(told) == 1
    return dict(told[0])


@pytest.mark.parametrize("delivery", TRANSPORTS)
async def test_the_rules_hold_on_the_real_program(tmp_path: Path, delivery: Delivery) -> None:
    async with (
        installed(tmp_path, delivery, CONFIG, SLACK_OWNER="UJONAS") as here,
        here.bot() as process,
    ):
        controls = here.running.controls
        controls.add_user("gus", "Gus", world.TEAM_ID, is_restricted=True)
        controls.add_user("eve", "Eve", "TOTHER", is_restricted=False)
        assert "you are a guest here" in shown(await refused(here, "gus", f"ask {QUESTION}"))
        assert "members of this workspace only" in shown(await refused(here, "eve", "digest"))
        told = await refused(here, "you", "status")
        assert "you may not use it" in shown(told)
        assert "ask <@UJONAS>" in shown(told)

        # The same question in three channels, within three scopes.
        assert LIVE in shown(await asked_in(here, "general"))
        assert LIVE not in shown(await asked_in(here, "incidents"))
        assert "shop" not in shown(await asked_in(here, "ops"))

        controls.arrange_channel("partners", private=False, archived=False, ext_shared=True)
        controls.conversation("partners").members.add(world.BOT_USER_ID)
        controls.say("partners", "ines", f"<@{world.BOT_USER_ID}> {QUESTION}")
        (told,) = await until(lambda: here.ephemerals("UINES"))
        assert "shared with another organisation" in shown(told)
        assert not here.own("partners")

        process.terminate()
        await process.wait()
        found = [(row["user"], row["command"], row["outcome"]) for row in here.audited]
        assert found == [
            ("UGUS", "ask", "refused: guest"),
            ("UEVE", "digest", "refused: outsider"),
            ("UYOU", "status", "refused: command_not_allowed"),
            ("UINES", "ask", "answered"),
            ("UINES", "ask", "answered"),
            ("UINES", "ask", "answered"),
            ("UINES", "ask", "refused: shared_channel"),
        ]
        assert here.audited[4]["scope"] == {"sources": ["graph", "markdown"]}
        assert "restarting" not in json.dumps(here.audited)


@pytest.mark.parametrize("delivery", TRANSPORTS)
async def test_what_was_open_when_it_was_killed_is_told_as_interrupted_once(
    tmp_path: Path, delivery: Delivery
) -> None:
    async with (
        run_ollama(script=slow(30.0)) as ollama,
        installed(
            tmp_path, delivery, LLM_MODEL="ollama:llama3.1", OLLAMA_BASE_URL=ollama.url
        ) as here,
    ):
        controls = here.running.controls
        controls.conversation("incidents").members.add(world.BOT_USER_ID)
        async with here.bot() as process:
            parent = controls.say("incidents", "ines", f"<@{world.BOT_USER_ID}> {QUESTION}")["ts"]
            await until(lambda: here.own("incidents"))
            await controls.command("general", "you", "/k8s", f"ask {QUESTION}")
            await until(lambda: here.ephemerals("UYOU"))
            process.kill()
            await process.wait()
        assert "interrupted" not in shown(here.own("incidents")[0])
        for _ in range(2):  # the second start finds nothing left
            async with here.bot():
                await until(lambda: "interrupted" in shown(here.own("incidents")[0]))
                await until(lambda: "interrupted" in shown(here.ephemerals("UYOU")[-1]))
        (message,) = here.own("incidents")
        assert message["thread_ts"] == parent
        assert INTERRUPTED in shown(message)
        (alone,) = here.ephemerals("UYOU")
        assert INTERRUPTED in shown(alone)
        assert here.log.count("that an answer was interrupted") == 2


@pytest.mark.parametrize("delivery", TRANSPORTS)
async def test_a_digest_that_cannot_be_posted_is_told_to_the_owner_and_in_the_status(
    tmp_path: Path, delivery: Delivery
) -> None:
    async with (
        installed(tmp_path, delivery, DIGEST_CHANNEL="COPS", SLACK_OWNER="UJONAS") as here,
        here.bot(),
    ):
        controls = here.running.controls
        controls.conversation("ops").members.discard(world.BOT_USER_ID)
        jonas = controls.user("jonas")
        dm = controls.conversation("@opsbot", jonas)
        (words,) = await until(dm.messages.values)
        assert "I cannot post the digest to COPS" in shown(words)
        assert "bot.unposted: nothing can be posted to COPS" in here.log
        await controls.command("general", "you", "/k8s", "status")
        (status,) = await until(lambda: here.ephemerals("UYOU"))
        assert "not posted to COPS: the bot is not a member" in shown(status)
        assert not here.own("ops")
