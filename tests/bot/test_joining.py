"""Invited to a channel, the bot says once what it does there."""

from __future__ import annotations

import dataclasses

from bot.access import Policy
from bot.blocks.onboarding import onboarding_message
from bot.blocks.suggestions import SUGGESTION_ACTIONS
from bot.services import ScheduledDigest
from core.answers import Scope
from sandbox.slack.blocks import check_message
from sandbox.slack.world import TEAM_ID
from tests.bot.bench import Bench, open_bench, seen
from tests.bot.samples import HOSTILE, NOW

QUESTION = "payments restarts: what should I do?"


def subscribe(bench: Bench) -> None:
    workspace = bench.running.workspace
    workspace.replace_app(events=workspace.app.events | {"member_joined_channel"})


def invite(bench: Bench, channel: str, user: str = "opsbot") -> None:
    bench.running.controls.invite(channel, user, remove=True)
    bench.running.controls.invite(channel, user, remove=False)


async def test_it_introduces_itself_once_in_each_channel(either: Bench) -> None:
    subscribe(either)
    either.fakes.suggestions.known = (QUESTION,)
    either.fakes.schedules.known = (ScheduledDigest("ops", "COPS", NOW, None, {}),)
    invite(either, "ops")
    (said,) = await either.eventually(either.own)
    invite(either, "ops")
    invite(either, "general")
    await either.eventually(lambda: either.own("general"))
    await either.settle()
    assert either.own() == [said]
    told = seen(said)
    assert "all that I can read" in told
    assert "A digest of what is broken comes here" in told
    assert QUESTION in told
    assert "A digest" not in seen(either.own("general")[0])
    workspace = either.running.workspace
    assert workspace.notified(workspace.conversation("COPS"), said) == []


async def test_its_example_is_answered_in_its_thread(bench: Bench) -> None:
    subscribe(bench)
    bench.fakes.suggestions.known = (QUESTION,)
    invite(bench, "ops")
    (said,) = await bench.eventually(bench.own)
    await bench.click(said, SUGGESTION_ACTIONS[0])
    _, reply = await bench.eventually(lambda: len(bench.own()) == 2 and bench.own())
    assert reply["thread_ts"] == said["ts"]


async def test_it_tells_what_it_may_see_in_this_channel() -> None:
    scope = Scope(namespaces=frozenset({"shop", "trading"}), channel="COPS")
    async with open_bench(policy=Policy(home_team=TEAM_ID, scopes={"COPS": scope})) as bench:
        subscribe(bench)
        invite(bench, "ops")
        (said,) = await bench.eventually(bench.own)
        assert "namespaces shop, trading" in seen(said)
        assert bench.fakes.suggestions.asked == [(scope, "")]


async def test_other_people_who_join_are_not_greeted(bench: Bench) -> None:
    subscribe(bench)
    invite(bench, "ops", "mei")
    await bench.settle()
    assert not bench.own()


async def test_nothing_is_said_where_another_organisation_listens(either: Bench) -> None:
    subscribe(either)
    controls = either.running.controls
    controls.arrange_channel("partners", private=False, archived=False, ext_shared=True)
    controls.invite("partners", "opsbot", remove=False)
    await either.settle()
    assert not either.own("partners")
    assert not either.fakes.greetings.greeted


async def test_nothing_is_said_where_it_may_not_answer() -> None:
    policy = Policy(home_team=TEAM_ID, channels=frozenset({"CGENERAL"}))
    async with open_bench(policy=policy) as bench:
        subscribe(bench)
        invite(bench, "ops")
        await bench.settle()
        assert not bench.own()


async def test_what_could_not_be_said_is_said_at_the_next_invitation(bench: Bench) -> None:
    subscribe(bench)
    bench.fault(kind="error", method="chat.postMessage", error="restricted_action")
    invite(bench, "ops")
    await bench.settle()
    assert not bench.own()
    invite(bench, "ops")
    await bench.eventually(bench.own)


def test_names_of_a_scope_cannot_act_and_are_counted() -> None:
    names = frozenset({HOSTILE, *(f"ns-{number}" for number in range(9))})
    message = onboarding_message("UOPSBOT", "/k8s", Scope(namespaces=names), [HOSTILE * 9] * 3)
    assert check_message(list(message.blocks)) == []
    assert "and 5 more" in message.text
    assert "<!channel>" not in message.text


def test_a_channel_of_alerts_is_told_so() -> None:
    message = onboarding_message("UOPSBOT", "/k8s", Scope(), (), tells_of_alerts=True)
    assert "Under an alert" in message.text
    assert dataclasses.asdict(message)["blocks"][-1]["type"] == "context"


async def test_it_says_where_a_follow_up_needs_no_mention() -> None:
    policy = Policy(home_team=TEAM_ID, follow_up_channels=frozenset({"COPS"}))
    async with open_bench(policy=policy) as bench:
        subscribe(bench)
        for channel in ("ops", "general"):
            invite(bench, channel)
        (named,) = await bench.eventually(bench.own)
        (other,) = await bench.eventually(lambda: bench.own("general"))
        assert "needs no mention here" in seen(named)
        assert "needs no mention here" not in seen(other)
