"""Answers that a dead process left open are closed, each exactly once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.blocks import notices
from bot.blocks.answer import FOOTER_BLOCK
from bot.blocks.digest_marks import EXPLAIN_ACTION
from bot.blocks.notices import ASK_ACTION
from bot.interrupted import close_interrupted, closing_interrupted, new_answer
from bot.listeners.shortcuts import EXPLAIN_SHORTCUT
from bot.surfaces import Place, ThreadSurface
from core.answers import Delta, OpenAnswer
from core.errors import StateError
from tests.bot.bench import Bench, Json, seen
from tests.bot.fakes import FakeOpenAnswers, told
from tests.bot.samples import digest, item

WORDS = "I was interrupted before the answer was ready. Please ask again."


async def close(bench: Bench) -> None:
    await close_interrupted(bench.fakes.open_answers, bench.client, timedelta())


async def post(bench: Bench, thread: str) -> str:
    made = await bench.client.chat_postMessage(
        channel="COPS", thread_ts=thread, **notices.looking("why?").arguments()
    )
    return str(made["ts"])


async def test_an_answer_is_written_down_before_it_is_shown_and_forgotten_at_its_end(
    either: Bench,
) -> None:
    gate, store = asyncio.Event(), either.fakes.open_answers
    either.fakes.answerer.scripts = [told("Raise it.", "Raise ", gate=gate)]
    ts = either.say("<@UOPSBOT> why?")
    (growing,) = await either.eventually(either.own)
    (opened,) = await either.eventually(
        lambda: [each for each in store.opened.values() if each.message_ts]
    )
    assert opened == OpenAnswer(opened.key, "COPS", ts, growing["ts"])
    assert store.history == ["take", "show"]
    gate.set()
    await either.settle()
    assert store.history == ["take", "show", "end"]


Asks = Callable[[Bench], Coroutine[Any, Any, Json]]


async def typed(bench: Bench) -> Json:
    return await bench.type("ask why?")


async def typed_help(bench: Bench) -> Json:
    return await bench.type("help")


async def used_a_shortcut(bench: Bench) -> Json:
    ts = bench.say("OOMKilled")
    return await bench.running.controls.shortcut("you", EXPLAIN_SHORTCUT, "ops", ts)


async def pressed_what_one_sees_alone(bench: Bench) -> Json:
    message = bench.ephemerals()[-1]
    return await bench.click(message, ASK_ACTION, "why does payments restart?")


async def pressed_below_a_finding(bench: Bench) -> Json:
    message = next(row for row in bench.own() if EXPLAIN_ACTION in str(row["blocks"]))
    return await bench.click(message, EXPLAIN_ACTION, "why?")


@pytest.mark.parametrize(
    "asks",
    [typed, typed_help, used_a_shortcut, pressed_what_one_sees_alone, pressed_below_a_finding],
)
async def test_what_asks_is_confirmed_once_it_is_written_down_and_a_kill_in_between_is_told(
    bench: Bench, asks: Asks
) -> None:
    store = bench.fakes.open_answers
    await bench.type("why does payments restart so often?")  # what to press
    await bench.tell(digest(item()))
    await bench.settle()
    store.gate = asyncio.Event()
    asking = asyncio.create_task(asks(bench))
    written = await bench.eventually(lambda: store.taken[1:])
    await asyncio.sleep(0.1)
    assert not asking.done(), "it is confirmed before it is written down"
    # A process that dies now, or right after it confirmed, leaves this.
    dead = FakeOpenAnswers(left=list(written))
    await close_interrupted(dead, bench.client, timedelta())
    await close_interrupted(dead, bench.client, timedelta())
    assert len(told_of_interruption(bench)) == 1
    store.gate.set()
    assert (await asking)["acked"]
    await bench.settle()
    assert not store.opened, "it was answered"


def told_of_interruption(bench: Bench) -> list[Json]:
    return [row for row in (*bench.own(), *bench.ephemerals()) if WORDS in seen(row)]


async def test_a_commands_row_tells_what_was_shown_of_it(bench: Bench) -> None:
    store = bench.fakes.open_answers
    bench.fakes.answerer.scripts = [[Delta("Raise"), asyncio.Event()]]
    await bench.type("ask why?")
    (shown,) = await bench.eventually(
        lambda: [each for each in store.opened.values() if each.is_replaced]
    )
    assert shown.response_url == bench.bodies[-1]["response_url"]
    assert store.taken == [replace(shown, is_replaced=False)]
    await bench.tasks.drain(0)
    assert store.history == ["take", "show", "end"]
    (message,) = bench.ephemerals()
    assert "stopped before the answer was ready" in seen(message)


async def test_a_question_from_home_is_interrupted_in_the_direct_message(bench: Bench) -> None:
    channel = bench.running.workspace.open_dm("UYOU").id
    bench.fakes.open_answers.left = [new_answer(channel)]
    await close(bench)
    (call,) = bench.calls("chat.postMessage")
    assert call["arguments"]["channel"] == channel
    assert WORDS in call["arguments"]["text"]


async def test_what_failed_is_forgotten_once_that_was_told(bench: Bench) -> None:
    store = bench.fakes.open_answers
    bench.fakes.suggestions.error = RuntimeError("broken")
    await bench.type("help")
    await bench.settle()
    (told_alone,) = bench.ephemerals()
    assert "ref" in seen(told_alone)
    assert not store.opened
    bench.fault(kind="error", method="chat.postMessage", error="not_in_channel")
    bench.say("<@UOPSBOT>")
    await bench.settle()
    assert not store.opened
    assert len(store.left) == 1, "nobody could be told: that is tried again"


async def test_without_the_database_questions_are_answered_all_the_same(bench: Bench) -> None:
    bench.fakes.open_answers.error = StateError("note it", "the disk is full", "Free some space.")
    bench.say("<@UOPSBOT> why?")
    await bench.settle()
    assert "Raise the limit" in seen(bench.own()[0])


async def test_an_open_message_becomes_interrupted_once(either: Bench) -> None:
    ts = either.say("<@UINES> why?")
    shown = await post(either, ts)
    either.fakes.open_answers.left = [OpenAnswer("k", "COPS", ts, shown)]
    await close(either)
    await close(either)
    (message,) = either.own()
    assert message["ts"] == shown
    assert WORDS in seen(message)
    assert len(either.calls("chat.update")) == 1
    assert not either.fakes.open_answers.opened


async def test_a_stream_is_ended_before_it_is_replaced(bench: Bench) -> None:
    ts = bench.say("why?")
    started = await bench.client.chat_startStream(
        channel="COPS",
        thread_ts=ts,
        recipient_team_id="TFENWICK",
        recipient_user_id="UYOU",
        markdown_text="Raise the",
    )
    bench.fakes.open_answers.left = [OpenAnswer("k", "COPS", ts, str(started["ts"]))]
    await close(bench)
    (message,) = bench.own()
    assert seen(message).strip().endswith(WORDS)
    assert "streaming_state" not in message or message["streaming_state"] == "completed"


async def test_where_nothing_was_shown_yet_the_thread_is_told(bench: Bench) -> None:
    ts = bench.say("why?")
    bench.fakes.open_answers.left = [OpenAnswer("k", "COPS", ts)]
    await close(bench)
    (message,) = bench.own()
    assert (message["thread_ts"], WORDS in seen(message)) == (ts, True)


async def test_what_was_shown_but_not_written_down_is_found_and_closed(bench: Bench) -> None:
    ts = bench.say("why?")
    place = Place("TFENWICK", "COPS", ts, "UYOU")
    await ThreadSurface(bench.client, place, "k").show("Searching", "")
    bench.fakes.open_answers.left = [OpenAnswer("k", "COPS", ts)]
    await close(bench)
    (message,) = bench.own()
    assert WORDS in seen(message)


async def test_an_answer_that_was_finished_is_left_as_it_is(bench: Bench) -> None:
    ts = bench.say("why?")
    made = await bench.client.chat_postMessage(
        channel="COPS",
        thread_ts=ts,
        text="Raise it.",
        blocks=[
            {"type": "section", "text": {"type": "mrkdwn", "text": "Raise it."}},
            {
                "type": "context",
                "block_id": FOOTER_BLOCK,
                "elements": [{"type": "mrkdwn", "text": "ref 1"}],
            },
        ],
    )
    bench.fakes.open_answers.left = [OpenAnswer("k", "COPS", ts, str(made["ts"]))]
    await close(bench)
    assert "Raise it." in seen(bench.own()[0])
    assert not bench.fakes.open_answers.opened


async def test_a_message_that_cannot_be_read_is_closed_all_the_same(bench: Bench) -> None:
    ts = bench.say("why?")
    shown = await post(bench, ts)
    bench.fakes.open_answers.left = [OpenAnswer("k", "COPS", ts, shown)]
    bench.fault(kind="error", method="conversations.replies", error="missing_scope")
    await close(bench)
    assert WORDS in seen(bench.own()[0])


async def test_a_commands_placeholder_is_replaced(bench: Bench) -> None:
    url = await bench.response_url()
    bench.fakes.open_answers.left = [
        OpenAnswer("k", "COPS", response_url=url, is_replaced=True),
        OpenAnswer("old", "COPS", response_url=f"{url}-over", is_replaced=True),
    ]
    await close(bench)
    assert WORDS in seen(bench.ephemerals()[-1])
    assert not bench.fakes.open_answers.opened


async def test_one_that_slack_does_not_take_is_tried_again_one_that_is_gone_is_not(
    bench: Bench,
) -> None:
    ts = bench.say("why?")
    shown = await post(bench, ts)
    bench.fakes.open_answers.left = [
        OpenAnswer("gone", "COPS", ts, "1.000001"),
        OpenAnswer("k", "COPS", ts, shown),
    ]
    bench.fault(kind="error", method="chat.update", error="message_not_found")
    bench.fault(kind="error", method="chat.update", error="fatal_error")
    await close(bench)
    assert [each.key for each in bench.fakes.open_answers.left] == ["k"]
    await close(bench)
    assert WORDS in seen(bench.own()[0])


async def test_they_are_closed_at_the_start_and_a_failing_database_is_only_told(
    bench: Bench,
) -> None:
    ts, store = bench.say("why?"), bench.fakes.open_answers
    store.left = [OpenAnswer("k", "COPS", ts)]
    async with closing_interrupted(store, bench.client, is_alone=True):
        await bench.eventually(bench.own)
    store.error = StateError("look", "it is gone", "Bring it back.")
    async with closing_interrupted(store, bench.client, is_alone=False):
        await asyncio.sleep(0)
