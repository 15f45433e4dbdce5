from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.notices import SlackError
from bot.poster import SlackPoster
from core.digests import Digest, ItemState
from core.posts import Post, PostKind
from digest.outbox import thread_of
from digest.ports import LEFT_OUT, Poster
from sandbox.slack import world
from tests.bot.bench import Bench, seen
from tests.bot.samples import HOSTILE, NOW, digest, finding, item

SLOT = "daily@2026-03-02T09:00:00Z"
COUNTS = tuple((NOW - timedelta(hours=12 - hour), hour % 4) for hour in range(12))


def poster(bench: Bench) -> SlackPoster:
    return SlackPoster(bench.client, "COPS", "/k8s")


def posts(told: Digest) -> tuple[Post, ...]:
    return thread_of(told, told.slot, "COPS", NOW)


def urgent(told: Digest) -> Post:
    return replace(posts(told)[0], kind=PostKind.URGENT, slot="")


def two() -> Digest:
    return digest(item(), item("cart", state=ItemState.ONGOING))


async def test_the_parent_carries_its_slot_and_each_item_is_one_reply(bench: Bench) -> None:
    ts = await bench.tell(two())
    parent, first, second = bench.own()
    assert parent["ts"] == ts
    assert parent["metadata"] == {
        "event_type": "opsbot_digest",
        "event_payload": {"slot": SLOT},
    }
    assert len(parent["blocks"]) <= 15
    assert [row["thread_ts"] for row in (first, second)] == [ts, ts]
    assert "payments" in seen(first)
    assert "cart" in seen(second)


async def test_what_has_no_reply_of_its_own_is_named_in_the_last_ones(bench: Bench) -> None:
    rest = tuple(item(f"w-{number}") for number in range(100))
    await bench.tell(digest(item(), rest=rest))
    _, _, first, second, third = bench.own()
    assert "w-0" in seen(first)
    assert "w-39" in seen(second)
    assert "w-89" in seen(third)
    assert "and 10 more" in seen(third)


async def test_what_was_posted_is_found_again_and_nothing_else(bench: Bench) -> None:
    as_port: Poster = poster(bench)
    first, reply, other = posts(two())
    ts = await as_port.send(first)
    reply_ts = await as_port.send(replace(reply, thread_ts=ts))
    bench.say("chatter")
    assert await as_port.find(first) == ts
    assert await as_port.find(replace(reply, thread_ts=ts)) == reply_ts
    assert await as_port.find(replace(other, thread_ts=ts)) is None
    assert await as_port.find(posts(digest(slot="daily@later"))[0]) is None


async def test_it_is_found_under_however_much_was_said_since(bench: Bench) -> None:
    first, reply, _ = posts(two())
    ts = await poster(bench).send(first)
    reply_ts = await poster(bench).send(replace(reply, thread_ts=ts))
    for number in range(450):
        bench.say(f"chatter {number}")
        bench.say(f"chatter {number}", thread=ts)
    assert await poster(bench).find(first) == ts
    assert await poster(bench).find(replace(reply, thread_ts=ts)) == reply_ts


async def test_nobody_is_notified_by_a_digest(bench: Bench) -> None:
    nasty = item(finding=finding(title=HOSTILE, reason=HOSTILE), cause=HOSTILE, on_call=HOSTILE)
    await bench.tell(digest(nasty, notes=(HOSTILE,)))
    conversation = bench.running.controls.conversation("ops")
    for message in bench.own():
        assert bench.running.workspace.notified(conversation, message) == []


async def test_a_channel_without_the_bot_is_named_with_a_remedy(bench: Bench) -> None:
    bench.running.controls.conversation("ops").members.discard(world.BOT_USER_ID)
    with pytest.raises(SlackError, match=r"post daily@.* to COPS.*not a member.*/invite") as told:
        await poster(bench).send(posts(two())[0])
    assert told.value.code == "not_in_channel"


async def test_not_being_able_to_look_is_not_having_found_nothing(bench: Bench) -> None:
    bench.fault(kind="error", method="conversations.history", error="missing_scope",
                fields={"needed": "channels:history"})  # fmt: skip
    with pytest.raises(SlackError, match="lacks the scope channels:history"):
        await poster(bench).find(posts(two())[0])


async def test_a_collapsed_digest_links_the_full_one_and_repeats_nothing(bench: Bench) -> None:
    full = await bench.tell(digest(item()))
    before = len(bench.own())
    ongoing = item(state=ItemState.ONGOING)
    await bench.tell(digest(ongoing, slot="daily@later", full_ts=full))
    (line,) = bench.own()[before:]
    assert "1 ongoing, nothing new" in seen(line)
    assert f"/archives/COPS/p{full.replace('.', '')}|last full digest>" in seen(line)
    assert len(line["blocks"]) == 1


async def test_a_link_that_cannot_be_had_is_left_out(bench: Bench) -> None:
    bench.fault(kind="error", method="chat.getPermalink", error="message_not_found")
    await bench.tell(digest(item(state=ItemState.ONGOING), full_ts="1.0"))
    assert "last full digest" not in seen(bench.own()[0])


async def test_the_chart_stands_in_the_thread_with_its_words(bench: Bench) -> None:
    ts = await bench.tell(digest(item(), error_counts=COUNTS))
    (picture,) = [message for message in bench.own() if message.get("files")]
    assert picture["thread_ts"] == ts
    assert picture["files"][0]["alt_txt"].startswith("Warning Events over time, from")


async def test_a_chart_is_found_again(bench: Bench) -> None:
    first, chart, _ = posts(digest(item(), error_counts=COUNTS))
    chart = replace(chart, thread_ts=await poster(bench).send(first))
    assert await poster(bench).find(chart) is None
    await poster(bench).send(chart)
    assert await poster(bench).find(chart)


async def test_without_the_scope_the_digest_does_without_its_chart(bench: Bench) -> None:
    first, chart, _ = posts(digest(item(), error_counts=COUNTS))
    chart = replace(chart, thread_ts=await poster(bench).send(first))
    bench.fault(kind="error", method="files.getUploadURLExternal", error="missing_scope",
                fields={"needed": "files:write"})  # fmt: skip
    assert await poster(bench).send(chart) == LEFT_OUT
    # What may pass by itself is tried again.
    bench.fault(kind="error", method="files.getUploadURLExternal", error="fatal_error")
    with pytest.raises(SlackError):
        await poster(bench).send(chart)


async def test_counts_that_are_all_nought_or_one_alone_make_no_chart(bench: Bench) -> None:
    nought = tuple((moment, 0) for moment, _ in COUNTS)
    await bench.tell(digest(item(), error_counts=nought))
    await bench.tell(digest(item(), error_counts=COUNTS[-1:]))
    assert not any(message.get("files") for message in bench.own())


async def test_an_urgent_finding_is_told_in_full_and_then_in_its_place_as_over(
    bench: Bench,
) -> None:
    post = urgent(digest(item(), slot="daily!x@1"))
    ts = await poster(bench).send(post)
    assert await poster(bench).find(post) == ts
    over = digest(resolved=(item(state=ItemState.RESOLVED),), slot="daily!x@1")
    await poster(bench).update(replace(post, posted_ts=ts, digest=over))
    (message,) = bench.own()
    assert "✅" in seen(message)
    assert not any(block["type"] == "actions" for block in message["blocks"])


async def test_a_storm_is_a_table(bench: Bench) -> None:
    storm = digest(*(item(f"s{number}") for number in range(12)), slot="daily!storm@1")
    await poster(bench).send(urgent(storm))
    (message,) = bench.own()
    assert "12 critical problems at once" in seen(message)
    assert len(message["blocks"]) <= 15


async def test_an_urgent_message_that_fails_is_told_to_the_caller(bench: Bench) -> None:
    bench.fault(kind="error", method="chat.postMessage", error="is_archived", times=1)
    with pytest.raises(SlackError, match="post daily"):
        await poster(bench).send(urgent(digest(item())))
    with pytest.raises(SlackError, match="update daily"):
        await poster(bench).update(replace(urgent(digest(item())), posted_ts="1.0"))


async def test_the_digest_links_what_was_told_as_it_came(bench: Bench) -> None:
    ts = await poster(bench).send(urgent(digest(item(), slot="daily!x@1")))
    await bench.tell(digest(item(told_ts=ts), item("cart")))
    assert f"Told as they came: <{bench.running.url}/archives/COPS/p" in seen(bench.own()[1])
    assert "|shop/payments>" in seen(bench.own()[1])
