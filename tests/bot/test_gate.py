"""Every way in is refused before any work, in one message for the person alone, and logged."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.access import Circle, Policy
from bot.audit import Audit
from bot.blocks.answer import SHARE_ACTION
from bot.blocks.notices import RETRY_ACTION
from core.answers import Answer, Scope
from sandbox.slack import world
from tests.bot.bench import Bench, open_bench, seen
from tests.bot.samples import answer

HOME = Policy(home_team=world.TEAM_ID)
SHOP = Scope(namespaces=frozenset({"shop"}))
SHORTCUTS = (world.Shortcut("Explain", "explain_error", "message", ""),)
Way = Callable[[Bench, str], Awaitable[Any]]


@pytest.fixture(autouse=True)
def _audited(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "bot.audit")


@pytest.fixture(params=["socket", "http"])
async def owned(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    """A bot on each transport, with an owner and a rule of each kind."""
    policy = replace(
        HOME,
        owner="UJONAS",
        guests=frozenset({"UFRIEND"}),
        scopes={"COPS": SHOP, "CINCIDENTS": Scope(namespaces=frozenset({"pay"}))},
        commands={"digest": Circle(groups=frozenset({"S0ONCALL"}))},
    )
    async with open_bench(request.param, policy) as bench:
        yield bench


def audited(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [json.loads(row.message) for row in caplog.records if row.name == "bot.audit"]


def asked(bench: Bench) -> list[Any]:
    """All that was asked of anything that could read a cluster or the index."""
    fakes = bench.fakes
    return [*fakes.answerer.asked, *fakes.task.asked, *fakes.search.asked, *fakes.digests.asked]


async def by_mention(bench: Bench, user: str) -> None:
    bench.say("<@UOPSBOT> why?", user=user)


async def by_message(bench: Bench, user: str) -> None:
    bench.say("why?", user=user, channel="@opsbot")


async def by_follow_up(bench: Bench, user: str) -> None:
    ts = bench.say("it is broken")
    bench.say("<@UOPSBOT> why?", user=user, thread=ts)


async def by_shortcut(bench: Bench, user: str) -> None:
    ts = bench.say("OOMKilled")
    bench.running.workspace.replace_app(shortcuts=SHORTCUTS)
    await bench.running.controls.shortcut(user, "explain_error", "ops", ts)


def by_command(text: str) -> Way:
    async def way(bench: Bench, user: str) -> None:
        await bench.type(text, user=user)

    return way


async def by_button(bench: Bench, user: str) -> None:
    """The vote under an answer that everybody sees."""
    bench.say("<@UOPSBOT> why?")
    await bench.settle()
    bench.fakes.answerer.asked.clear()
    (reply,) = bench.own()
    await bench.running.controls.act("ops", user, reply["ts"], "answer_feedback", None)


WAYS = {
    "mention": by_mention,
    "direct message": by_message,
    "follow-up": by_follow_up,
    "shortcut": by_shortcut,
    "ask": by_command("ask why?"),
    "search": by_command("search redis"),
    "task": by_command("limits payments"),
    "digest": by_command("digest"),
    "status": by_command("status"),
    "help": by_command(""),
    "button": by_button,
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
@pytest.mark.parametrize("who", ["guest", "outsider"])
async def test_guests_and_outsiders_are_refused_on_every_way(
    owned: Bench, way: Way, who: str, caplog: pytest.LogCaptureFixture
) -> None:
    team = world.TEAM_ID if who == "guest" else "TOTHER"
    person = owned.running.controls.add_user("eve", "Eve", team, is_restricted=who == "guest")
    owned.running.controls.conversation("ops").members.add(person.id)
    await way(owned, "eve")
    await owned.settle()
    assert not asked(owned)
    (told,) = await owned.eventually(lambda: owned.ephemerals(person.id))
    assert "full members" in seen(told) or "members of this workspace only" in seen(told)
    assert "ask <@UJONAS>" in seen(told)
    (line,) = [row for row in audited(caplog) if row["user"] == person.id]
    assert line["outcome"] == f"refused: {who}"
    assert "scope" not in line


async def test_a_guest_who_was_named_is_answered(owned: Bench) -> None:
    owned.running.controls.add_user("friend", "Friend", "TOTHER", is_restricted=False)
    owned.running.controls.conversation("ops").members.add("UFRIEND")
    owned.say("<@UOPSBOT> why?", user="friend")
    await owned.settle()
    assert "Raise the limit" in seen(owned.own()[0])


async def test_the_same_question_is_asked_within_each_channels_scope(
    owned: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    for channel in ("ops", "incidents", "general"):
        owned.say("<@UOPSBOT> why?", channel=channel)
        await owned.settle()
    found = [(scope.channel, set(scope.namespaces)) for scope in owned.fakes.answerer.scopes]
    assert found == [("COPS", {"shop"}), ("CINCIDENTS", {"pay"}), ("CGENERAL", set())]
    assert [row["scope"] for row in audited(caplog)] == [
        {"namespaces": ["shop"]},
        {"namespaces": ["pay"]},
        {},
    ]


async def test_commands_search_digest_and_tasks_get_the_scope() -> None:
    async with open_bench(policy=replace(HOME, scopes={"COPS": SHOP})) as narrow:
        for text in ("ask why?", "search redis", "limits payments", "digest 6h"):
            await narrow.type(text)
            await narrow.settle()
        fakes = narrow.fakes
        scopes = [
            *fakes.answerer.scopes,
            *fakes.search.scopes,
            *fakes.task.scopes,
            *fakes.digests.scopes,
        ]
    assert scopes == [replace(SHOP, channel="COPS")] * 4


async def test_a_command_for_a_group_is_for_its_members(owned: Bench) -> None:
    controls = owned.running.controls
    owned.running.workspace.replace_app(
        scopes=owned.running.workspace.app.scopes | {"usergroups:read"}
    )
    controls.set_group("S0ONCALL", ["ines"])
    await owned.type("digest", user="ines")
    await owned.type("digest", user="tomas")
    await owned.settle()
    assert len(owned.fakes.digests.asked) == 1
    assert "you may not use it" in seen(owned.ephemerals("UTOMAS")[0])
    assert len(owned.calls("usergroups.users.list")) == 1


async def test_a_group_that_cannot_be_read_lets_nobody_in_and_is_told_once(
    owned: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    owned.running.controls.set_group("S0ONCALL", ["ines"])
    for _ in range(2):
        await owned.type("digest", user="ines")
        await owned.settle()
    assert not owned.fakes.digests.asked
    errors = [row.message for row in caplog.records if row.levelname == "ERROR"]
    assert len(errors) == 1
    assert "usergroups:read" in errors[0]


async def test_when_slack_does_not_tell_who_somebody_is_nothing_is_told(bench: Bench) -> None:
    bench.fault(kind="error", method="users.info", error="internal_error", times=3)
    bench.say("<@UOPSBOT> why?")
    await bench.settle()
    assert not asked(bench)
    assert "Try again in a minute" in seen(bench.ephemerals()[0])


@pytest.mark.parametrize("text", ["ask why?", "search redis", "digest"])
async def test_a_command_in_a_shared_channel_is_refused_by_what_slack_says_of_it(
    bench: Bench, text: str
) -> None:
    bench.running.controls.conversation("ops").is_ext_shared = True
    await bench.type(text)
    await bench.settle()
    assert not asked(bench)
    assert "shared with another organisation" in seen(bench.ephemerals()[0])


async def test_a_shared_channel_that_was_allowed_is_answered() -> None:
    async with open_bench(policy=replace(HOME, shared_channels=frozenset({"COPS"}))) as bench:
        bench.running.controls.conversation("ops").is_ext_shared = True
        bench.say("<@UOPSBOT> why?")
        await bench.type("ask why?")
        await bench.settle()
        assert len(bench.fakes.answerer.asked) == 2


async def test_nothing_is_shared_where_nobody_knows_who_reads_it(bench: Bench) -> None:
    bench.running.controls.arrange_channel("secret", private=True, archived=False, ext_shared=False)
    await bench.type("ask why?", channel="secret")
    await bench.settle()
    (told,) = bench.ephemerals()
    await bench.click(told, SHARE_ACTION, channel="secret")
    await bench.settle()
    assert not bench.messages("secret")
    assert "Invite me" in seen(bench.ephemerals()[-1])


async def test_where_only_some_channels_are_allowed_the_others_are_told_so() -> None:
    policy = replace(HOME, channels=frozenset({"COPS"}))
    async with open_bench(policy=policy) as bench:
        await bench.type("ask why?", channel="general")
        await bench.type("ask why?")
        await bench.settle()
        assert len(bench.fakes.answerer.asked) == 1
        assert "may not answer in this channel" in seen(bench.ephemerals()[0])
        assert "ask whoever runs this bot" in seen(bench.ephemerals()[0])


@pytest.mark.parametrize("action_id", [SHARE_ACTION, RETRY_ACTION])
@pytest.mark.parametrize(
    "made_within",
    [Scope(channel="CGENERAL"), Scope(clusters=frozenset({"prod"}), channel="COPS")],
    ids=["another channel", "wider than allowed now"],
)
async def test_an_answer_made_elsewhere_or_within_more_is_never_shown_here(
    action_id: str, made_within: Scope
) -> None:
    async with open_bench(policy=replace(HOME, scopes={"COPS": SHOP})) as bench:
        if action_id == RETRY_ACTION:
            bench.fakes.answerer.scripts = [[TimeoutError()]]
        await bench.type("ask why?")
        await bench.settle()
        (reference,) = bench.fakes.answers.kept
        bench.fakes.answers.kept[reference] = (made_within, answer("Elsewhere's secret."))
        bench.fakes.answerer.asked.clear()
        (told,) = bench.ephemerals()
        await bench.click(told, action_id)
        await bench.settle()
        assert not asked(bench)
        assert not bench.own()
        assert "secret" not in str(bench.ephemerals())


async def test_a_retry_needs_the_right_to_its_task() -> None:
    policy = replace(HOME, commands={"limits": Circle(users=frozenset({"UINES"}))})
    async with open_bench(policy=policy) as bench:
        bench.fakes.answerer.scripts = [[TimeoutError()]]
        await bench.type("ask why?")
        await bench.settle()
        (reference,) = bench.fakes.answers.kept
        failed = Answer("payments", "", is_grounded=False, task="limits")
        bench.fakes.answers.kept[reference] = (Scope(channel="COPS"), failed)
        await bench.click(bench.ephemerals()[0], RETRY_ACTION)
        await bench.settle()
        assert not bench.fakes.task.asked
        assert "you may not use it" in seen(bench.ephemerals()[-1])


async def test_every_answer_and_action_leaves_one_line(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    await bench.type("ask why is it slow?")
    await bench.settle()
    await bench.click(bench.ephemerals()[0], SHARE_ACTION)
    await bench.type("status")
    await bench.settle()
    reference = next(iter(bench.fakes.answers.kept))
    lines = audited(caplog)
    assert [(row["command"], row["outcome"]) for row in lines] == [
        ("ask", "answered"),
        ("share", "done"),
        ("status", "done"),
    ]
    assert lines[0] == {
        "user": "UYOU",
        "channel": "COPS",
        "command": "ask",
        "outcome": "answered",
        "scope": {},
        "reference": reference,
        "model": answer().model,
        "seconds": 0.0,
    }
    assert "slow" not in caplog.text


async def test_questions_are_written_down_where_a_setting_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with open_bench(audit=Audit(tells_questions=True)) as bench:
        bench.fakes.answerer.scripts = [[ValueError("no")]]
        await bench.type("ask why is it slow?")
        await bench.settle()
    (line,) = audited(caplog)
    assert (line["outcome"], line["question"]) == ("failed", "why is it slow?")
