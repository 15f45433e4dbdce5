from __future__ import annotations

from datetime import timedelta

import pytest

from bot.notices import SlackError
from bot.poster import SlackPoster
from core.digests import Digest, ItemState
from digest.ports import Poster
from sandbox.slack import world
from tests.bot.bench import Bench, seen
from tests.bot.samples import HOSTILE, NOW, digest, finding, item

SLOT = "daily@2026-03-02T09:00:00Z"


def poster(bench: Bench, channel: str = "COPS") -> SlackPoster:
    return SlackPoster(bench.client, channel, "/k8s", pause_seconds=0)


def two() -> Digest:
    return digest(item(), item("cart", state=ItemState.ONGOING))


async def test_the_parent_carries_its_slot_and_each_item_is_one_reply(bench: Bench) -> None:
    as_port: Poster = poster(bench)
    ts = await as_port.post(two())
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
    rest = tuple(item(f"w-{number}") for number in range(40))
    await poster(bench).post(digest(item(), rest=rest))
    _, _, first, second = bench.own()
    assert "w-0" in seen(first)
    assert "w-39" in seen(second)


async def test_a_posted_slot_is_found_again_and_no_other(bench: Bench) -> None:
    ts = await poster(bench).post(two())
    bench.say("chatter")
    assert await poster(bench).find(SLOT) == ts
    assert await poster(bench).find("daily@2026-03-03T09:00:00Z") is None


async def test_nobody_is_notified_by_a_digest(bench: Bench) -> None:
    nasty = item(finding=finding(title=HOSTILE, reason=HOSTILE), cause=HOSTILE, on_call=HOSTILE)
    await poster(bench).post(digest(nasty, notes=(HOSTILE,)))
    conversation = bench.running.controls.conversation("ops")
    for message in bench.own():
        assert bench.running.workspace.notified(conversation, message) == []


async def test_a_reply_that_fails_does_not_undo_the_post(bench: Bench) -> None:
    bench.fault(kind="latency", method="chat.postMessage", times=1)
    bench.fault(kind="error", method="chat.postMessage", error="internal_error", times=1)
    ts = await poster(bench).post(two())
    assert bench.own()[0]["ts"] == ts
    assert len(bench.own()) == 2


async def test_a_channel_without_the_bot_is_named_with_a_remedy(bench: Bench) -> None:
    bench.running.controls.conversation("ops").members.discard(world.BOT_USER_ID)
    with pytest.raises(SlackError, match=r"post the digest to COPS.*not a member.*/invite") as told:
        await poster(bench).post(two())
    assert told.value.code == "not_in_channel"


async def test_not_being_able_to_look_is_not_having_found_nothing(bench: Bench) -> None:
    bench.fault(kind="error", method="conversations.history", error="missing_scope",
                fields={"needed": "channels:history"})  # fmt: skip
    with pytest.raises(SlackError, match="lacks the scope channels:history"):
        await poster(bench).find(SLOT)


async def test_a_collapsed_digest_links_the_full_one_and_repeats_nothing(bench: Bench) -> None:
    full = await poster(bench).post(digest(item()))
    before = len(bench.own())
    ongoing = item(state=ItemState.ONGOING)
    await poster(bench).post(digest(ongoing, slot="daily@later", full_ts=full))
    (line,) = bench.own()[before:]
    assert "1 ongoing, nothing new" in seen(line)
    assert f"/archives/COPS/p{full.replace('.', '')}|last full digest>" in seen(line)
    assert len(line["blocks"]) == 1


async def test_a_link_that_cannot_be_had_is_left_out(bench: Bench) -> None:
    bench.fault(kind="error", method="chat.getPermalink", error="message_not_found")
    await poster(bench).post(digest(item(state=ItemState.ONGOING), full_ts="1.0"))
    assert "last full digest" not in seen(bench.own()[0])


COUNTS = tuple((NOW - timedelta(hours=12 - hour), hour % 4) for hour in range(12))


async def test_the_chart_stands_in_the_thread_with_its_words(bench: Bench) -> None:
    ts = await poster(bench).post(digest(item(), error_counts=COUNTS))
    (picture,) = [message for message in bench.own() if message.get("files")]
    assert picture["thread_ts"] == ts
    assert picture["files"][0]["alt_txt"].startswith("Warning Events over time, from")


async def test_without_the_scope_the_digest_does_without_its_chart(bench: Bench) -> None:
    bench.fault(kind="error", method="files.getUploadURLExternal", error="missing_scope",
                fields={"needed": "files:write"})  # fmt: skip
    await poster(bench).post(digest(item(), error_counts=COUNTS))
    assert len(bench.own()) == 2


async def test_counts_that_are_all_nought_or_one_alone_make_no_chart(bench: Bench) -> None:
    nought = tuple((moment, 0) for moment, _ in COUNTS)
    await poster(bench).post(digest(item(), error_counts=nought))
    await poster(bench).post(digest(item(), error_counts=COUNTS[-1:]))
    assert not any(message.get("files") for message in bench.own())


async def test_an_urgent_finding_is_told_in_full_and_then_in_its_place_as_over(
    bench: Bench,
) -> None:
    urgent = digest(item(), slot="daily!x@1")
    ts = await poster(bench).post_urgent(urgent)
    assert await poster(bench).find("daily!x@1") == ts
    over = digest(resolved=(item(state=ItemState.RESOLVED),), slot="daily!x@1")
    await poster(bench).update_urgent(ts, over)
    (message,) = bench.own()
    assert "✅" in seen(message)
    assert not any(block["type"] == "actions" for block in message["blocks"])


async def test_a_storm_is_a_table(bench: Bench) -> None:
    storm = digest(*(item(f"s{number}") for number in range(12)), slot="daily!storm@1")
    await poster(bench).post_urgent(storm)
    (message,) = bench.own()
    assert "12 critical problems at once" in seen(message)
    assert len(message["blocks"]) <= 15


async def test_an_urgent_message_that_fails_is_told_to_the_caller(bench: Bench) -> None:
    bench.fault(kind="error", method="chat.postMessage", error="is_archived", times=1)
    with pytest.raises(SlackError, match="post what is urgent"):
        await poster(bench).post_urgent(digest(item()))
    with pytest.raises(SlackError, match="update the message"):
        await poster(bench).update_urgent("1.0", digest(item()))


async def test_the_digest_links_what_was_told_as_it_came(bench: Bench) -> None:
    ts = await poster(bench).post_urgent(digest(item(), slot="daily!x@1"))
    await poster(bench).post(digest(item(told_ts=ts), item("cart")))
    assert f"Told as they came: <{bench.running.url}/archives/COPS/p" in seen(bench.own()[1])
    assert "|shop/payments>" in seen(bench.own()[1])
