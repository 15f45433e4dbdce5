"""Answers that a dead process left open are closed, each exactly once."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.blocks import notices
from bot.blocks.answer import FOOTER_BLOCK
from bot.interrupted import close_interrupted, closing_interrupted
from bot.surfaces import Place, ThreadSurface
from core.answers import Delta, OpenAnswer
from core.errors import StateError
from tests.bot.bench import Bench, seen
from tests.bot.fakes import told

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
    assert store.history == ["begin", "show"]
    gate.set()
    await either.settle()
    assert store.history == ["begin", "show", "end"]


@pytest.mark.parametrize("typed", ["ask why?", "limits payments"])
async def test_a_commands_answer_is_written_down_before_its_reader_is_told(
    bench: Bench, typed: str
) -> None:
    store = bench.fakes.open_answers
    store.gate = asyncio.Event()
    await bench.type(typed)
    await bench.eventually(lambda: store.history == ["begin"])
    assert bench.ephemerals() == []
    store.gate.set()
    await bench.settle()
    assert bench.ephemerals()


async def test_a_commands_answer_is_written_down_with_its_way_back(bench: Bench) -> None:
    bench.fakes.answerer.scripts = [[Delta("Raise"), asyncio.Event()]]
    await bench.type("ask why?")
    (opened,) = await bench.eventually(lambda: list(bench.fakes.open_answers.opened.values()))
    assert opened.response_url == bench.bodies[-1]["response_url"]
    assert opened.is_replaced
    await bench.tasks.drain(0)
    assert bench.fakes.open_answers.history == ["begin", "end"]


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
