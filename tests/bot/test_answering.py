"""One answer message on every path."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

import pytest

from bot.access import Asker
from bot.answering import Answering, Ask
from bot.blocks.answer import FEEDBACK_ACTION
from bot.blocks.notices import RETRY_ACTION
from bot.deliveries import SlackDeliveries
from bot.edge import Edge
from bot.gate import Gate
from bot.interrupted import Underway, new_answer
from bot.people import People
from core.answers import Delta, Done, Progress, Scope
from core.errors import StateError
from sandbox.slack.world import Rules
from tests.bot.bench import Bench, seen
from tests.bot.fakes import told
from tests.bot.samples import answer, gap
from tests.bot.telemetry.scraped import value

ASKER = Asker("TFENWICK", "COPS", "UYOU", Scope(channel="COPS"))


async def ask(bench: Bench, text: str = "<@UOPSBOT> why?", thread: str = "") -> str:
    ts = bench.say(text, thread=thread)
    await bench.settle()
    return ts


def answering(bench: Bench) -> Answering:
    services = bench.fakes.services()
    return Answering(services, bench.client, People(bench.client, services.clock))


def opened(bench: Bench) -> Underway:
    return Underway(bench.fakes.open_answers, new_answer("COPS"))


def kinds(message: dict[str, Any]) -> list[str]:
    return [block["type"] for block in message["blocks"]]


async def streaming(bench: Bench) -> dict[str, Any]:
    """The one message while it grows."""
    (message,) = await bench.eventually(
        lambda: [row for row in bench.own() if "Raise" in seen(row)]
    )
    return dict(message)


async def test_a_fast_answer_is_posted_whole(bench: Bench) -> None:
    bench.fakes.limits = dataclasses.replace(bench.fakes.limits, stream_flush_seconds=5.0)
    await answering(bench).in_thread(Ask("why?", ASKER, bench.say("hello")), opened(bench))
    (reply,) = bench.own()
    assert kinds(reply) == ["markdown", "context", "context", "context_actions"]
    assert bench.calls("chat.startStream") == []
    (call,) = bench.calls("chat.postMessage")
    assert call["arguments"]["unfurl_links"] is False
    assert len(call["arguments"]["text"]) <= 4_000


async def test_a_slow_answer_is_streamed_into_its_thread(either: Bench) -> None:
    gate = asyncio.Event()
    script = told("Raise the limit [1].", "Raise the ", "limit", gate=gate)
    either.fakes.answerer.scripts = [script]
    ts = either.say("<@UOPSBOT> why?")
    growing = await streaming(either)
    assert growing["streaming_state"] == "in_progress"
    assert growing["thread_ts"] == ts
    gate.set()
    await either.settle()
    (reply,) = either.own()
    assert reply["streaming_state"] == "completed"
    assert kinds(reply) == ["task_card", "markdown", "context", "context", "context_actions"]
    assert reply["blocks"][0]["status"] == "complete"
    assert reply["blocks"][1]["text"] == "Raise the limit [1]."
    assert FEEDBACK_ACTION in str(reply["blocks"])
    assert either.calls("chat.update") == []


async def test_deltas_are_flushed_by_time_not_by_piece(bench: Bench) -> None:
    gate = asyncio.Event()
    text = "Raise it. " + "word " * 200
    pieces = ["Raise it. ", *["word "] * 200]
    bench.fakes.answerer.scripts = [told(text, *pieces, gate=gate)]
    bench.say("<@UOPSBOT> why?")
    await streaming(bench)
    gate.set()
    await bench.settle()
    assert len(bench.calls("chat.appendStream")) <= 2
    assert seen(bench.own()[0]).count("word") == 200


async def test_progress_is_shown_before_there_is_text(bench: Bench) -> None:
    gate, more = asyncio.Event(), asyncio.Event()
    bench.fakes.answerer.scripts = [
        [Progress("Reading cluster demo"), gate, Progress("Asking the model"), more,
         Done(answer("Raise it."))]
    ]  # fmt: skip
    bench.say("<@UOPSBOT> why?")
    await bench.eventually(lambda: bench.own() and "Reading cluster demo" in seen(bench.own()[0]))
    gate.set()
    await bench.eventually(lambda: "Asking the model" in seen(bench.own()[0]))
    more.set()
    await bench.settle()
    assert "Raise it." in seen(bench.own()[0])
    assert len(bench.own()) == 1


async def test_an_answer_that_differs_from_what_was_streamed_replaces_it(bench: Bench) -> None:
    gate = asyncio.Event()
    bench.fakes.answerer.scripts = [told("Something else.", "Raise the limit", gate=gate)]
    bench.say("<@UOPSBOT> why?")
    await streaming(bench)
    gate.set()
    await bench.settle()
    (reply,) = bench.own()
    assert "Something else." in seen(reply)
    assert "Raise the" not in seen(reply)
    assert kinds(reply)[0] == "markdown"


async def test_notes_and_gaps_stand_in_the_streamed_message_too(bench: Bench) -> None:
    gate = asyncio.Event()
    final = answer("Raise the limit", notes=("The model stopped half-way.",), gaps=(gap(),))
    bench.fakes.answerer.scripts = [[Delta("Raise"), gate, Done(final)]]
    bench.say("<@UOPSBOT> why?")
    await streaming(bench)
    gate.set()
    await bench.settle()
    (reply,) = bench.own()
    assert "⚠️ The model stopped half-way." in seen(reply)
    assert "⚠️ Could not look at documentation search" in seen(reply)


async def test_without_streaming_one_message_is_posted_and_updated(either: Bench) -> None:
    either.fault(kind="error", method="chat.startStream", error="unknown_method", times=9)
    gate = asyncio.Event()
    either.fakes.answerer.scripts = [told("Raise the limit [1].", "Raise", gate=gate)]
    either.say("<@UOPSBOT> why?")
    growing = await streaming(either)
    gate.set()
    await either.settle()
    (reply,) = either.own()
    assert reply["ts"] == growing["ts"]
    assert kinds(reply) == ["markdown", "context", "context", "context_actions"]
    assert len(either.calls("chat.postMessage")) == 1
    # At most one update in three seconds, and the final one.
    assert len(either.calls("chat.update")) == 1


async def test_a_broken_stream_is_finished_by_an_update(either: Bench) -> None:
    gate, more = asyncio.Event(), asyncio.Event()
    either.fakes.answerer.scripts = [
        [Delta("Raise "), gate, Delta("the limit"), more, Done(answer("Raise the limit [1]."))]
    ]
    either.say("<@UOPSBOT> why?")
    growing = await streaming(either)
    either.fault(kind="error", method="chat.appendStream", error="message_not_in_streaming_state")
    gate.set()
    await either.eventually(lambda: either.calls("chat.update"))
    more.set()
    await either.settle()
    (reply,) = either.own()
    assert reply["ts"] == growing["ts"]
    assert "Raise the limit [1]." in seen(reply)
    assert kinds(reply) == ["markdown", "context", "context", "context_actions"]


async def test_a_stream_that_outlived_its_time_is_finished_by_an_update(bench: Bench) -> None:
    bench.running.workspace.rules = Rules(stream_lifetime_seconds=300)
    gate = asyncio.Event()
    bench.fakes.answerer.scripts = [told("Raise the limit [1].", "Raise", gate=gate)]
    bench.say("<@UOPSBOT> why?")
    growing = await streaming(bench)
    bench.running.workspace.clock.advance(301)
    gate.set()
    await bench.settle()
    (reply,) = bench.own()
    assert reply["ts"] == growing["ts"]
    assert kinds(reply) == ["markdown", "context", "context", "context_actions"]


async def test_neither_stream_nor_placeholder_still_gives_the_answer(bench: Bench) -> None:
    bench.fault(kind="error", method="chat.startStream", error="unknown_method", times=9)
    bench.fault(kind="error", method="chat.postMessage", error="internal_error")
    gate = asyncio.Event()
    bench.fakes.answerer.scripts = [told("Raise it.", gate=gate)]
    bench.say("<@UOPSBOT> why?")
    await bench.eventually(lambda: bench.calls("chat.postMessage"))
    gate.set()
    await bench.settle()
    assert "Raise it." in seen(bench.own()[0])


async def test_a_long_answer_goes_on_below_in_the_thread(bench: Bench) -> None:
    gate = asyncio.Event()
    text = "word " * 4_000
    bench.fakes.answerer.scripts = [told(text, text[:15_000], gate=gate)]
    ts = bench.say("<@UOPSBOT> why?")
    await bench.eventually(bench.own)
    gate.set()
    await bench.settle()
    first, second = bench.own()
    assert first["thread_ts"] == second["thread_ts"] == ts
    assert kinds(first) == ["markdown"]
    assert FEEDBACK_ACTION in str(second["blocks"])


async def test_a_second_question_waits_for_its_turn(either: Bench) -> None:
    gate = asyncio.Event()
    either.fakes.answerer.scripts = [
        told("Raise one.", "Raise", gate=gate), [Done(answer("Raise two."))],
    ]  # fmt: skip
    parent = either.say("<@UOPSBOT> one?")
    await streaming(either)
    either.say("<@UOPSBOT> two?", thread=parent)
    await either.eventually(lambda: any("⏳" in row["text"] for row in either.own()))
    assert len(either.fakes.answerer.asked) == 1
    gate.set()
    await either.settle()
    first, second = either.own()
    assert "Raise one." in seen(first)
    assert "Raise two." in seen(second)
    # The second question knows what was answered to the first.
    assert [turn.text for turn in either.fakes.answerer.asked[1][1]] == ["one?", "Raise one."]


async def test_another_thread_does_not_wait(bench: Bench) -> None:
    gate = asyncio.Event()
    bench.fakes.answerer.scripts = [
        told("Raise one.", "Raise", gate=gate), [Done(answer("Raise two."))],
    ]  # fmt: skip
    bench.say("<@UOPSBOT> one?")
    await streaming(bench)
    bench.say("<@UOPSBOT> two?")
    await bench.eventually(lambda: any("Raise two." in seen(row) for row in bench.own()))
    gate.set()
    await bench.settle()


async def test_an_answer_that_takes_too_long_becomes_a_notice_with_another_try(
    bench: Bench,
) -> None:
    limits = dataclasses.replace(bench.fakes.limits, answer_timeout_seconds=0.1)
    bench.fakes.limits = limits
    bench.fakes.answerer.scripts = [[Delta("Raise"), asyncio.Event()]]
    await answering(bench).in_thread(Ask("why?", ASKER, bench.say("hello")), opened(bench))
    (reply,) = bench.own()
    assert "took longer than I may wait" in seen(reply)
    assert RETRY_ACTION in str(reply["blocks"])
    (reference,) = bench.fakes.answers.kept
    assert f"ref {reference}" in seen(reply)


async def test_an_unforeseen_error_becomes_a_notice_without_its_text(bench: Bench) -> None:
    bench.fakes.answerer.scripts = [[RuntimeError("token xoxb-1")]]
    await ask(bench)
    (reply,) = bench.own()
    assert "Something broke on my side." in seen(reply)
    assert "xoxb" not in str(reply)


async def test_an_answerer_that_ends_without_an_answer_is_told(bench: Bench) -> None:
    bench.fakes.answerer.scripts = [[Progress("Searching")]]
    await ask(bench)
    assert "the search ended without a result" in seen(bench.own()[0])


async def test_an_answer_is_kept_before_it_is_posted(bench: Bench) -> None:
    bench.fault(kind="error", method="chat.startStream", error="fatal_error", times=9)
    bench.fault(kind="error", method="chat.postMessage", error="fatal_error", times=9)
    await ask(bench)
    assert not bench.own()
    ((scope, kept),) = bench.fakes.answers.kept.values()
    assert (scope.channel, kept.text) == ("COPS", "Raise the limit [1].")


async def test_an_answer_that_cannot_be_kept_is_given_all_the_same(bench: Bench) -> None:
    bench.fakes.answers.error = StateError("keep it", "the disk is full", "Free some space.")
    await ask(bench)
    assert "Raise the limit" in seen(bench.own()[0])


async def test_a_deleted_answer_is_not_brought_back(bench: Bench) -> None:
    gate = asyncio.Event()
    bench.fakes.answerer.scripts = [told("Raise it.", "Raise", gate=gate)]
    bench.say("<@UOPSBOT> why?")
    growing = await streaming(bench)
    conversation = bench.running.controls.conversation("ops")
    bench.running.workspace.delete(conversation, growing["ts"])
    gate.set()
    await bench.settle()
    assert not bench.own()
    assert value(bench.fakes.watch.meter, "dropped_deliveries_total", what="answer") == 1


async def test_a_stop_closes_the_message_it_interrupts(bench: Bench) -> None:
    bench.fakes.answerer.scripts = [[Delta("Raise"), asyncio.Event()]]
    ts = bench.say("<@UOPSBOT> why?")
    await streaming(bench)
    assert await bench.tasks.drain(0.01) == 1
    (reply,) = bench.own()
    assert "I was stopped before the answer was ready." in seen(reply)
    assert not bench.running.controls.conversation("ops").find(ts).get("reactions")


async def test_a_stop_waits_for_answers_that_are_nearly_there(bench: Bench) -> None:
    gate = asyncio.Event()
    bench.fakes.answerer.scripts = [told("Raise it.", "Raise", gate=gate)]
    bench.say("<@UOPSBOT> why?")
    await streaming(bench)
    asyncio.get_running_loop().call_later(0.05, gate.set)
    assert await bench.tasks.drain(5) == 0
    assert "Raise it." in seen(bench.own()[0])


async def test_a_missing_scope_for_reactions_is_no_obstacle(bench: Bench) -> None:
    bench.fault(kind="error", method="reactions.add", error="missing_scope")
    ts = await ask(bench)
    assert len(bench.own()) == 1
    assert bench.calls("reactions.remove") == []
    assert "reactions" not in bench.running.controls.conversation("ops").find(ts)


async def test_a_thread_that_cannot_be_read_is_said_so(bench: Bench) -> None:
    parent = bench.say("something happened")
    bench.fault(kind="error", method="conversations.replies", error="missing_scope")
    await ask(bench, "<@UOPSBOT> why?", thread=parent)
    assert "I could not read the earlier messages" in seen(bench.own()[0])


async def test_a_rate_limit_is_waited_out_and_the_final_message_arrives(bench: Bench) -> None:
    bench.fault(kind="ratelimited", method="chat.postMessage", retry_after_seconds=0)
    bench.fault(kind="error", method="chat.startStream", error="unknown_method", times=9)
    await ask(bench)
    assert "Raise the limit" in seen(bench.own()[0])


@pytest.mark.parametrize("text", ["<@UOPSBOT>", "<@UOPSBOT>   "])
async def test_an_empty_mention_gets_three_examples(bench: Bench, text: str) -> None:
    bench.fakes.suggestions.known = ("Disk is full: what should I do?", "Why?", "How?")
    ts = await ask(bench, text)
    (reply,) = bench.own()
    assert reply["thread_ts"] == ts
    assert reply["text"].count("•") == 3
    assert "Disk is full: what should I do?" in seen(reply)
    assert not bench.fakes.answerer.asked


async def test_too_long_a_question_is_refused_with_the_limit(bench: Bench) -> None:
    await ask(bench, f"<@UOPSBOT> {'x' * 2_100}")
    assert "2,100 characters; I read up to 2,000" in seen(bench.own()[0])
    assert not bench.fakes.answerer.asked


async def test_an_edited_question_is_not_answered_again(bench: Bench) -> None:
    ts = await ask(bench)
    bench.running.controls.edit("ops", "you", ts, "<@UOPSBOT> why not?")
    await bench.settle()
    assert len(bench.own()) == 1


async def test_a_question_from_another_organisation_is_refused_in_private(bench: Bench) -> None:
    stranger = bench.running.controls.add_user("eve", "Eve", "TOTHER", is_restricted=False)
    bench.running.controls.conversation("ops").members.add(stranger.id)
    bench.say("<@UOPSBOT> what runs there?", user="eve")
    await bench.settle()
    assert not bench.own()
    (told_alone,) = bench.ephemerals(stranger.id)
    assert "members of this workspace only" in told_alone["text"]


async def test_a_key_that_was_claimed_makes_the_delivery_old(bench: Bench) -> None:
    services = bench.fakes.services()
    people = People(bench.client, services.clock)
    gate = Gate(services.policy, bench.client, people, services.clock)
    deliveries = SlackDeliveries(
        services.deliveries, services.open_answers, services.clock, bench.tasks
    )
    edge = Edge(services, bench.client, gate, answering(bench), deliveries)
    assert await edge.is_new("event:1", "message:T:C:1")
    assert not await edge.is_new("event:2", "message:T:C:1")
    assert await edge.is_new("", "message:T:C:2")


async def test_nothing_is_told_in_a_channel_shared_with_another_organisation(
    bench: Bench,
) -> None:
    bench.running.controls.conversation("ops").is_ext_shared = True
    await ask(bench)
    assert not bench.own()
    assert "shared with another organisation" in bench.ephemerals()[0]["text"]


@pytest.mark.parametrize("way", ["word", "button"])
async def test_a_running_answer_can_be_called_off(bench: Bench, way: str) -> None:
    workspace = bench.running.workspace
    workspace.app = dataclasses.replace(
        workspace.app, events=workspace.app.events | {"agent_session_stopped"}
    )
    bench.fakes.answerer.scripts = [[Delta("Raise"), asyncio.Event()]]
    ts = bench.say("<@UOPSBOT> why?")
    await streaming(bench)
    if way == "word":
        bench.say("<@UOPSBOT> Stop!", thread=ts)
    else:
        bench.running.controls.stop("ops", "you", ts)
    await bench.settle()
    (reply,) = bench.own()
    assert "Stopped." in seen(reply)
    assert not bench.running.controls.conversation("ops").find(ts).get("reactions")


async def test_stop_without_anything_running_is_a_question(bench: Bench) -> None:
    await ask(bench, "<@UOPSBOT> stop")
    assert bench.fakes.answerer.asked[0][0] == "stop"
