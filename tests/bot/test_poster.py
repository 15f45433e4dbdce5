from __future__ import annotations

import pytest

from bot.notices import SlackError
from bot.poster import SlackPoster
from core.digests import Digest, ItemState
from digest.ports import Poster
from sandbox.slack import world
from tests.bot.bench import Bench, seen
from tests.bot.samples import HOSTILE, digest, finding, item

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
