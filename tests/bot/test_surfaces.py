from __future__ import annotations

import asyncio

import pytest

from bot.blocks import notices
from bot.blocks.answer import lay_out
from bot.notices import SLACK_FAILURES
from bot.replies import Opening, Reply, ReplySurface
from bot.slack_client import Pace
from bot.surfaces import Place, ThreadSurface
from tests.bot.bench import Bench, seen
from tests.bot.samples import NOW, answer


def surface_of(bench: Bench, message_ts: str = "", update_seconds: float = 0) -> ThreadSurface:
    place = Place("TFENWICK", "COPS", bench.say("why?"), "UYOU")
    return ThreadSurface(bench.client, place, "k1", message_ts, update_seconds=update_seconds)


async def test_an_updated_message_grows_with_the_answer(bench: Bench) -> None:
    bench.fault(kind="error", method="chat.startStream", error="unknown_method")
    surface = surface_of(bench)
    await surface.show("", "")
    (message,) = bench.own()
    assert "Looking into it…" in seen(message)
    await surface.show("Asking the model", "Raise <it>")
    assert "Raise &lt;it&gt;" in seen(message)
    assert "Asking the model…" in seen(message)
    layout = lay_out(answer("Raise it."), "ab12", NOW)
    await surface.finish(layout.messages(), layout)
    assert bench.own() == [message]
    assert "Raise it." in seen(message)


async def test_updates_keep_their_distance(bench: Bench) -> None:
    bench.fault(kind="error", method="chat.startStream", error="unknown_method")
    surface = surface_of(bench, update_seconds=60)
    for words in ("a", "b", "c"):
        await surface.show(words, "")
    assert bench.calls("chat.update") == []


async def test_nothing_new_is_not_sent_to_a_stream(bench: Bench) -> None:
    surface = surface_of(bench)
    for _ in range(3):
        await surface.show("Searching", "Raise")
    assert bench.calls("chat.appendStream") == []


async def test_half_a_link_waits_until_it_is_known_what_it_is(bench: Bench) -> None:
    surface = surface_of(bench)
    await surface.show("", "see [docs](htt")
    await surface.show("", "see [docs](https://evil.example)")
    (message,) = bench.own()
    assert "see [docs] (https://evil.example)" in seen(message)


async def test_a_stream_that_cannot_be_completed_is_updated(bench: Bench) -> None:
    surface = surface_of(bench)
    await surface.show("", "Raise")
    bench.fault(kind="error", method="chat.stopStream", error="internal_error")
    layout = lay_out(answer("Raise it."), "ab12", NOW)
    await surface.finish(layout.messages(), layout)
    (message,) = bench.own()
    assert message["blocks"][0]["type"] == "markdown"
    assert len(bench.calls("chat.update")) == 1


async def test_a_rate_limit_drops_what_is_unfinished_and_never_the_end(bench: Bench) -> None:
    surface = surface_of(bench)
    await surface.show("", "Raise")
    bench.fault(kind="ratelimited", method="chat.appendStream", retry_after_seconds=30, times=9)
    await surface.show("", "Raise the")
    await surface.show("", "Raise the limit")
    assert len(bench.calls("chat.appendStream")) == 1
    layout = lay_out(answer("Raise the limit."), "ab12", NOW)
    await surface.finish(layout.messages(), layout)
    (message,) = bench.own()
    assert message["streaming_state"] == "completed"
    assert "Raise the limit." in seen(message)
    assert bench.calls("chat.update") == []


async def test_a_limited_placeholder_leaves_the_answer_to_the_end(bench: Bench) -> None:
    surface = surface_of(bench)
    bench.fault(kind="error", method="chat.startStream", error="unknown_method")
    bench.fault(kind="ratelimited", method="chat.postMessage", retry_after_seconds=30)
    await surface.show("", "Raise")
    await surface.show("", "Raise the")
    assert bench.own() == []
    layout = lay_out(answer("Raise the limit."), "ab12", NOW)
    await surface.finish(layout.messages(), layout)
    assert len(bench.own()) == 1


async def test_a_stream_that_said_it_all_is_only_closed(bench: Bench) -> None:
    surface = surface_of(bench)
    await surface.show("", "Raise it.")
    layout = lay_out(answer("Raise it."), "ab12", NOW)
    await surface.finish(layout.messages(), layout)
    (message,) = bench.own()
    assert seen(message).count("Raise it.") == 1
    assert message["streaming_state"] == "completed"


async def test_a_reply_shows_only_its_beginning_and_its_end(bench: Bench) -> None:
    url = await bench.response_url()
    surface = ReplySurface(Reply(url, bench.client), Opening.NEW)
    await surface.begin("why?")
    await surface.wait()
    await surface.show("Searching", "Raise")
    (begun,) = bench.ephemerals()
    assert "Looking into: why?" in seen(begun).replace("*", "")
    layout = lay_out(answer("Raise it."), "ab12", NOW)
    await surface.finish(layout.messages(), layout)
    (ended,) = bench.ephemerals()
    assert "Raise it." in seen(ended)


async def test_a_stream_whose_beginning_slack_did_not_confirm_is_found_and_goes_on(
    bench: Bench,
) -> None:
    bench.fault(kind="lost", method="chat.startStream")
    growing = surface_of(bench)
    await growing.show("Searching", "")
    await growing.show("Reading", "Raise ")
    (message,) = bench.own()
    assert "Raise" in seen(message)
    assert len(bench.calls("chat.startStream")) == 1


async def test_a_message_whose_posting_slack_did_not_confirm_is_not_posted_again(
    bench: Bench,
) -> None:
    bench.fault(kind="error", method="chat.startStream", error="not_allowed_token_type")
    bench.fault(kind="lost", method="chat.postMessage")
    growing = surface_of(bench)
    await growing.show("Searching", "")
    await growing.finish([notices.stopped()])
    (message,) = bench.own()
    assert "Stopped" in seen(message)


@pytest.mark.parametrize("kind", ["http_error", "drop"])
async def test_a_message_that_was_not_posted_is_posted_once_more(bench: Bench, kind: str) -> None:
    bench.fault(kind=kind, method="chat.postMessage")
    await bench.client.chat_postMessage(channel="COPS", text="once")
    assert [message["text"] for message in bench.own()] == ["once"]


async def test_where_nobody_can_look_a_message_is_not_sent_again(bench: Bench) -> None:
    bench.fault(kind="lost", method="chat.postMessage")
    bench.fault(kind="error", method="conversations.history", error="missing_scope")
    with pytest.raises(SLACK_FAILURES):
        await bench.client.chat_postMessage(channel="COPS", text="once")
    assert [message["text"] for message in bench.own()] == ["once"]


async def test_messages_into_a_channel_keep_their_distance() -> None:
    pace, loop = Pace(0.05), asyncio.get_running_loop()
    began = loop.time()
    await asyncio.gather(*(pace.turn("C1") for _ in range(3)), pace.turn("C2"))
    assert loop.time() - began >= 0.1
    await asyncio.sleep(0.06)
    await pace.turn("C3")
    assert len(pace._free_at) == 1
