"""What must hold on both transports."""

from __future__ import annotations

import asyncio
import dataclasses

from bot.blocks.answer import FEEDBACK_ACTION, SHARE_ACTION
from core.answers import Delta, Done, Progress
from sandbox.slack import world
from tests.bot.bench import Bench, seen
from tests.bot.fakes import told
from tests.bot.samples import HOSTILE, answer


async def test_a_mention_is_answered_once_in_its_thread(either: Bench) -> None:
    ts = either.say("<@UOPSBOT> why is payments restarting?")
    (reply,) = await either.eventually(either.own)
    await either.settle()
    assert either.own() == [reply]
    assert reply["thread_ts"] == ts
    assert "Raise the limit [1]." in seen(reply)
    assert either.fakes.answerer.asked == [("why is payments restarting?", ())]


async def test_the_eyes_come_and_go(either: Bench) -> None:
    gate = asyncio.Event()
    either.fakes.answerer.scripts = [told("Done.", gate=gate)]
    ts = either.say("<@UOPSBOT> why?")
    asked = either.running.controls.conversation("ops").find(ts)
    await either.eventually(lambda: [row["name"] for row in asked.get("reactions", [])] == ["eyes"])
    gate.set()
    await either.eventually(lambda: not asked.get("reactions"))


async def test_a_direct_message_needs_no_mention_and_is_threaded(either: Bench) -> None:
    ts = either.say("why is cart broken?", channel="@opsbot")
    (reply,) = await either.eventually(lambda: either.own("@opsbot"))
    assert reply["thread_ts"] == ts
    assert either.fakes.answerer.asked[0][0] == "why is cart broken?"


async def test_a_command_is_confirmed_empty_and_its_reply_replaced(either: Bench) -> None:
    gate = asyncio.Event()
    either.fakes.answerer.scripts = [told("Raise it.", gate=gate)]
    outcome = await either.type("ask why is <payments> down?")
    assert outcome["acked"]
    (first,) = await either.eventually(either.ephemerals)
    assert "Looking into: *why is &lt;payments&gt; down?*…" in first["text"]
    gate.set()
    await either.settle()
    (final,) = either.ephemerals()
    assert "Raise it." in seen(final)
    assert SHARE_ACTION in str(final["blocks"])
    assert len(either.calls("response_url")) == 2
    assert not either.own()


async def test_every_subscribed_event_is_confirmed(either: Bench) -> None:
    either.running.workspace.replace_app(
        events=either.running.workspace.app.events | {"reaction_added", "member_joined_channel"}
    )
    ts = either.say("nothing to do with the bot")
    either.running.controls.react("ops", "you", ts, "tada", remove=False)
    either.running.controls.home("you", "home")
    either.running.controls.home("you", "messages")
    await either.settle()
    attempts = either.running.controls.recorder.attempts
    assert {row.what for row in attempts} == {"message", "reaction_added", "app_home_opened"}
    assert {row.outcome for row in attempts} == {"acked"}
    assert not either.own()


async def test_a_vote_is_stored_and_thanked(either: Bench) -> None:
    either.say("<@UOPSBOT> why?")
    (reply,) = await either.eventually(either.own)
    reference = next(iter(either.fakes.answers.kept))
    await either.click(reply, FEEDBACK_ACTION, f"{reference}:up")
    (thanks,) = await either.eventually(either.ephemerals)
    assert thanks["thread_ts"] == reply["thread_ts"]
    assert either.fakes.answers.votes == {(reference, "UYOU"): (True, "")}


async def test_hostile_text_notifies_nobody_and_hides_no_link(either: Bench) -> None:
    nasty = dataclasses.replace(
        answer(HOSTILE), question=HOSTILE, notes=(HOSTILE,), model=f"x{HOSTILE}"
    )
    either.fakes.answerer.scripts = [[Progress(HOSTILE), Delta(HOSTILE), Done(nasty)]]
    either.say("<@UOPSBOT> why?")
    await either.eventually(either.own)
    await either.type(f"ask {HOSTILE}")
    await either.settle()
    conversation = either.running.controls.conversation("ops")
    for message in [*either.own(), *either.ephemerals()]:
        assert either.running.workspace.notified(conversation, message) == []
        links = either.running.workspace.entities(conversation, message).links
        assert [link for link in links if "evil" in link[0]] == []


async def test_a_redelivered_event_is_answered_once(either: Bench) -> None:
    either.fault(kind="duplicate_event", times=2)  # the message event, and the mention of it
    either.say("<@UOPSBOT> why?")
    await either.eventually(either.own)
    await either.settle()
    attempts = either.running.controls.recorder.attempts
    assert [row.what for row in attempts].count("app_mention") == 2
    assert len(either.own()) == 1
    assert len(either.fakes.answerer.asked) == 1


async def test_a_message_that_was_seen_under_another_event_is_not_answered(
    either: Bench,
) -> None:
    either.fakes.deliveries.is_full = True
    either.say("<@UOPSBOT> why?")
    either.say("why?", channel="@opsbot")
    await either.settle()
    assert not either.own()
    assert not either.fakes.answerer.asked


async def test_acknowledgements_do_not_wait_for_answers(either: Bench) -> None:
    gate = asyncio.Event()
    either.fakes.answerer.scripts = [told("Late.", gate=gate)]
    either.say("<@UOPSBOT> why?")
    outcome = await either.type("ask why?")
    assert outcome["acked"]
    attempts = either.running.controls.recorder.attempts
    await either.eventually(lambda: len(attempts) == 3)
    assert {row.outcome for row in attempts} == {"acked"}
    gate.set()
    await either.settle()


async def test_other_bots_are_not_answered(either: Bench) -> None:
    alerts = either.running.workspace.users["UALERTS"]
    conversation = either.running.controls.conversation("ops")
    either.running.workspace.post(conversation, alerts, f"<@{world.BOT_USER_ID}> help")
    either.say("<@UOPSBOT> help", user="alerts")
    await either.settle()
    assert not either.own()
    assert not either.fakes.answerer.asked
