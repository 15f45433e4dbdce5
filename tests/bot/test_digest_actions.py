from __future__ import annotations

from datetime import timedelta
from typing import Any

from bot.access import Circle, Policy
from bot.blocks.digest_item import similar_text
from bot.blocks.digest_marks import (
    ACKNOWLEDGE_ACTION,
    EXPLAIN_ACTION,
    KNOWN_ACTION,
    MUTE_ACTION,
    SIMILAR_ACTION,
    UNMUTE_ACTION,
    Told,
)
from core.digests import Marks, Mute
from sandbox.slack import world
from tests.bot.bench import Bench, open_bench, seen
from tests.bot.samples import HOSTILE, NOW, digest, item

ITEM = item()
TOLD = Told.of(ITEM, "daily")
KEY = ("daily", ITEM.finding.identity)


async def posted(bench: Bench) -> dict[str, Any]:
    """The item's own message, in the digest's thread."""
    await bench.tell(digest(ITEM))
    return detail(bench)


def detail(bench: Bench) -> dict[str, Any]:
    return bench.own()[1]


def offered(message: dict[str, Any]) -> set[str]:
    return {element["action_id"] for element in message["blocks"][-1]["elements"]}


async def test_a_finding_offers_what_can_be_done_about_it(bench: Bench) -> None:
    message = await posted(bench)
    assert offered(message) == {
        EXPLAIN_ACTION, SIMILAR_ACTION, ACKNOWLEDGE_ACTION, KNOWN_ACTION, MUTE_ACTION,
    }  # fmt: skip


async def test_a_mute_is_kept_with_who_and_shown_with_a_way_back(either: Bench) -> None:
    await either.click(await posted(either), MUTE_ACTION, f"{TOLD}/24h")
    await either.settle()
    until = NOW + timedelta(hours=24)
    mute = either.fakes.marks.made[KEY].mute
    assert mute == Mute("UYOU", "you", NOW, until, ITEM.finding.severity, 14)
    shown = detail(either)
    assert f"muted until <!date^{int(until.timestamp())}^" in seen(shown)
    assert "by you" in seen(shown)
    assert "muted until" in shown["text"]
    assert UNMUTE_ACTION in offered(shown)
    assert MUTE_ACTION not in offered(shown)


async def test_until_worse_has_no_end_of_its_own(bench: Bench) -> None:
    await bench.click(await posted(bench), MUTE_ACTION, f"{TOLD}/worse")
    await bench.settle()
    mute = bench.fakes.marks.made[KEY].mute
    assert mute is not None
    assert mute.until is None
    assert "muted until it gets worse" in seen(detail(bench))


async def test_unmuting_ends_it_now_and_leaves_the_message_as_it_was(bench: Bench) -> None:
    before = await posted(bench)
    text, blocks = before["text"], len(before["blocks"])
    await bench.click(before, MUTE_ACTION, f"{TOLD}/worse")
    await bench.settle()
    await bench.click(detail(bench), UNMUTE_ACTION)
    await bench.settle()
    # Kept, so that the next digest tells what was held back meanwhile.
    mute = bench.fakes.marks.made[KEY].mute
    assert mute is not None
    assert mute.until == NOW
    after = detail(bench)
    assert (after["text"], len(after["blocks"])) == (text, blocks)
    assert MUTE_ACTION in offered(after)


async def test_an_acknowledgement_says_who_and_when_and_is_given_once(bench: Bench) -> None:
    await bench.click(await posted(bench), ACKNOWLEDGE_ACTION)
    await bench.settle()
    assert f"acknowledged by you, <!date^{int(NOW.timestamp())}^" in seen(detail(bench))
    assert ACKNOWLEDGE_ACTION not in offered(detail(bench))


async def test_a_known_issue_is_typed_shown_and_taken_back(either: Bench) -> None:
    await either.click(await posted(either), KNOWN_ACTION)
    await either.settle()
    link = "https://tracker.example/OPS-1"
    await either.running.controls.view("you", "", "submit", {"known_issue": link})
    await either.settle()
    known = either.fakes.marks.made[KEY].known_issue
    assert known is not None
    assert (known.by, known.text) == ("UYOU", link)
    assert f"known issue: <{link}|tracker.example/OPS-1>" in seen(detail(either))
    await either.click(detail(either), KNOWN_ACTION)
    await either.settle()
    (opened,) = either.running.workspace.open_views("UYOU")
    assert opened.view["blocks"][0]["element"]["initial_value"] == link
    await either.running.controls.view("you", "", "submit", {"known_issue": ""})
    await either.settle()
    assert either.fakes.marks.made[KEY] == Marks()
    assert "known issue:" not in seen(detail(either))


async def test_marks_stand_side_by_side(bench: Bench) -> None:
    await bench.click(await posted(bench), ACKNOWLEDGE_ACTION)
    await bench.settle()
    await bench.click(detail(bench), MUTE_ACTION, f"{TOLD}/7d")
    await bench.settle()
    assert "acknowledged by you" in seen(detail(bench))
    assert "muted until" in seen(detail(bench))
    assert detail(bench)["text"].count("acknowledged by") == 1


async def test_a_hostile_known_issue_notifies_nobody(bench: Bench) -> None:
    await bench.click(await posted(bench), KNOWN_ACTION)
    await bench.settle()
    await bench.running.controls.view("you", "", "submit", {"known_issue": HOSTILE})
    await bench.settle()
    conversation = bench.running.controls.conversation("ops")
    assert bench.running.workspace.notified(conversation, detail(bench)) == []


async def test_similar_is_answered_in_the_digests_thread(either: Bench) -> None:
    message = await posted(either)
    await either.click(message, SIMILAR_ACTION)
    await either.settle()
    assert either.own()[-1]["thread_ts"] == message["thread_ts"]
    assert either.fakes.task.asked == [(similar_text(ITEM), ())]


async def test_who_may_not_use_the_bot_marks_nothing() -> None:
    policy = Policy(home_team=world.TEAM_ID, people=Circle(frozenset({"UOTHER"})))
    async with open_bench(policy=policy) as bench:
        await bench.click(await posted(bench), ACKNOWLEDGE_ACTION)
        await bench.settle()
        assert not bench.fakes.marks.made
        assert "not among the people" in seen(bench.ephemerals()[-1])
