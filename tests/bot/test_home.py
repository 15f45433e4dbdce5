"""The Home tab: what it shows to whom, and what its buttons do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from bot.access import Circle, Policy
from bot.blocks.home import AGAIN_ACTION, HOME_ASK_ACTIONS, REFRESH_ACTION, Home, Recent, home_view
from bot.blocks.suggestions import SUGGESTION_ACTIONS
from bot.commands.help import entries
from bot.commands.table import COMMANDS
from bot.services import ScheduledDigest
from core.answers import Answer, Done, PartState, Scope
from core.errors import StateError
from sandbox.slack.blocks import check_view
from sandbox.slack.world import TEAM_ID
from tests.bot.bench import Bench, Json, open_bench, seen
from tests.bot.samples import HOSTILE, NOW, answer, part

QUESTION = "payments restarts: what should I do?"


@pytest.fixture
async def guarded() -> AsyncIterator[Bench]:
    """Where `status` and `schedule` are not for everybody."""
    few = Circle(users=frozenset({"UINES"}))
    policy = Policy(home_team=TEAM_ID, commands={"status": few, "schedule": few})
    async with open_bench(policy=policy) as bench:
        yield bench


async def opened(bench: Bench, user: str = "you") -> Json:
    """The Home tab as it is drawn when this person opens it."""
    user_id = bench.running.controls.user(user).id
    bench.running.workspace.homes.pop(user_id, None)
    bench.running.controls.home(user, "home")
    view: Json = await bench.eventually(lambda: bench.running.workspace.homes.get(user_id))
    return view


async def test_it_tells_health_digests_and_what_can_be_asked(either: Bench) -> None:
    either.fakes.suggestions.known = (QUESTION,)
    either.fakes.health.parts = (part("slack"), part("model", PartState.DOWN))
    either.fakes.schedules.known = (ScheduledDigest("ops", "COPS", NOW, None, {}),)
    told = seen(await opened(either))
    for words in ("1 of 2 parts needs attention", "*ops* in <#COPS>", QUESTION, "ask <question>"):
        assert words.replace("<question>", "&lt;question&gt;") in told
    assert "Nothing in the last days" in told


async def test_it_is_drawn_again_by_its_button(either: Bench) -> None:
    await opened(either)
    either.fakes.health.parts = (part("slack", PartState.DOWN),)
    assert (await either.running.controls.act_at_home("you", REFRESH_ACTION, None))["acked"]
    await either.settle()
    assert "No part is fully working" in seen(either.running.workspace.homes["UYOU"])


async def test_a_question_of_it_is_answered_in_the_direct_message(either: Bench) -> None:
    either.fakes.suggestions.known = (QUESTION,)
    await opened(either)
    await either.running.controls.act_at_home("you", HOME_ASK_ACTIONS[0], None)
    opening, reply = await either.eventually(
        lambda: len(either.own("@opsbot")) == 2 and either.own("@opsbot")
    )
    await either.settle()
    assert QUESTION in opening["text"]
    assert reply["thread_ts"] == opening["ts"]
    assert either.fakes.answerer.asked == [(QUESTION, ())]
    assert "is being answered in *Messages*" in seen(either.running.workspace.homes["UYOU"])


async def test_ones_own_answers_are_shown_and_nobody_elses(bench: Bench) -> None:
    bench.say("<@UOPSBOT> why is cart slow?")
    await bench.eventually(bench.own)
    await bench.settle()
    assert "why is cart slow?" in seen(await opened(bench))
    assert "why is cart slow?" not in seen(await opened(bench, "ines"))


async def test_what_may_not_be_seen_any_more_is_not_shown(bench: Bench) -> None:
    fakes = bench.fakes
    wide = Scope(channel="COPS")
    await fakes.answers.put("r1", wide, answer(question="what of trading?"), "UYOU")
    assert "what of trading?" in seen(await opened(bench))
    async with open_bench(
        policy=Policy(home_team=TEAM_ID, scopes={"COPS": Scope(namespaces=frozenset({"shop"}))})
    ) as narrowed:
        narrowed.fakes.answers.kept, narrowed.fakes.answers.askers = (
            fakes.answers.kept,
            fakes.answers.askers,
        )
        assert "what of trading?" not in seen(await opened(narrowed))
    async with open_bench(
        policy=Policy(home_team=TEAM_ID, channels=frozenset({"CGENERAL"}))
    ) as elsewhere:
        elsewhere.fakes.answers.kept, elsewhere.fakes.answers.askers = (
            fakes.answers.kept,
            fakes.answers.askers,
        )
        assert "what of trading?" not in seen(await opened(elsewhere))


async def test_an_answer_can_be_asked_for_again(bench: Bench) -> None:
    kept = replace(answer(question="payments"), task="limits")
    await bench.fakes.answers.put("r1", Scope(channel="COPS"), kept, "UYOU")
    await opened(bench)
    await bench.running.controls.act_at_home("you", AGAIN_ACTION, None)
    await bench.eventually(lambda: len(bench.own("@opsbot")) == 2)
    await bench.settle()
    assert bench.fakes.task.asked == [("payments", ())]


async def test_what_is_gone_cannot_be_asked_for_again(bench: Bench) -> None:
    await bench.fakes.answers.put("r1", Scope(channel="COPS"), answer(), "UYOU")
    await opened(bench)
    bench.fakes.answers.kept.clear()
    bench.fakes.answers.askers.clear()
    await bench.running.controls.act_at_home("you", AGAIN_ACTION, None)
    await bench.settle()
    assert "That answer is gone" in seen(bench.running.workspace.homes["UYOU"])
    assert not bench.own("@opsbot")


async def test_a_summary_of_a_thread_is_not_asked_for_again(bench: Bench) -> None:
    kept = replace(answer(question="this thread"), task="summarise")
    await bench.fakes.answers.put("r1", Scope(channel="COPS"), kept, "UYOU")
    assert AGAIN_ACTION not in str(await opened(bench))


async def test_who_may_not_ask_for_the_status_does_not_see_it_here(guarded: Bench) -> None:
    guarded.fakes.schedules.known = (ScheduledDigest("ops", "COPS", NOW, None, {}),)
    mine = seen(await opened(guarded))
    assert "How I fare" not in mine
    assert "COPS" not in mine
    assert "How I fare" in seen(await opened(guarded, "ines"))


async def test_a_guest_reads_why_there_is_nothing(bench: Bench) -> None:
    bench.running.controls.restrict("mei", is_restricted=True)
    view = await opened(bench, "mei")
    assert "you are a guest here" in seen(view)
    assert len(view["blocks"]) == 1


async def test_whoever_may_not_ask_any_more_is_told_so(bench: Bench) -> None:
    bench.fakes.suggestions.known = (QUESTION,)
    view = await opened(bench)
    async with open_bench(policy=Policy(home_team=TEAM_ID, people=Circle(frozenset({"UX"})))) as no:
        no.running.workspace.open_dm("UYOU")
        no.running.workspace.homes["UYOU"] = view
        await no.running.controls.act_at_home("you", HOME_ASK_ACTIONS[0], None)
        await no.settle()
        assert no.fakes.answerer.asked == []
        assert "not among the people" in no.own("@opsbot")[0]["text"]


async def test_a_lost_database_costs_it_only_the_answers(bench: Bench) -> None:
    async def lost(asker: str, limit: int) -> Any:
        raise StateError("look up", f"{asker} {limit} gone", "Start it.")

    bench.fakes.answers.recent = lost  # type: ignore[method-assign]
    assert "Nothing in the last days" in seen(await opened(bench))


def test_the_fullest_tab_fits_and_is_harmless() -> None:
    full = Home(
        command="/k8s",
        now=NOW,
        health=[part(HOSTILE, PartState.DOWN) for _ in range(60)],
        digests=[ScheduledDigest(HOSTILE, HOSTILE, NOW, None, {}) for _ in range(40)],
        recent=[Recent(HOSTILE, "COPS", NOW, Answer(HOSTILE * 9, HOSTILE * 99)) for _ in range(9)],
        questions=[HOSTILE * 9] * 3,
        commands=entries(COMMANDS),
        notice="Asked.",
    )
    view = home_view(full, "DYOU")
    assert check_view(view) == []
    sections = [
        told["text"]
        for block in view["blocks"]
        for told in [block.get("text"), *block.get("elements", ())]
        if told and told.get("type") == "mrkdwn"
    ]
    for told in sections:
        for token in ("<!channel", "<!here", "<@U1>", "<http"):
            assert token not in told


def test_an_answers_beginning_is_read_as_a_sentence() -> None:
    text = "**payments** is owned by orders (#team-orders) [1].\n\n| a | b |\n|---|---|"
    recent = Recent("r1", "COPS", NOW, Answer("who owns payments?", text))
    view = home_view(Home("/k8s", NOW, None, None, [recent], (), ()), "DYOU")
    (row,) = [each for each in view["blocks"] if "accessory" in each and "who" in str(each)]
    assert row["text"]["text"].splitlines()[1:] == ["payments is owned by orders (#team-orders)."]


async def test_help_and_greetings_offer_what_this_channel_may_ask(either: Bench) -> None:
    either.fakes.suggestions.known = (QUESTION,)
    await either.type("help")
    (help_shown,) = await either.eventually(either.ephemerals)
    assert QUESTION in seen(help_shown)
    await either.click(help_shown, SUGGESTION_ACTIONS[0])
    await either.settle()
    (answered,) = either.ephemerals()
    assert "Raise the limit [1]." in seen(answered)
    assert either.fakes.suggestions.asked[0] == (Scope(channel="COPS"), "")


async def test_a_suggestion_in_a_thread_is_answered_there_for_all(either: Bench) -> None:
    either.fakes.suggestions.known = (QUESTION,)
    ts = either.say("<@UOPSBOT>")
    (greeting,) = await either.eventually(either.own)
    await either.click(greeting, SUGGESTION_ACTIONS[0])
    (_, reply) = await either.eventually(lambda: len(either.own()) == 2 and either.own())
    await either.settle()
    assert reply["thread_ts"] == ts
    assert "Asked by <@UYOU>" in seen(reply)


async def test_an_answer_that_found_nothing_offers_near_questions(either: Bench) -> None:
    either.fakes.suggestions.known = (QUESTION,)
    found_nothing = Answer("why?", "I found nothing.", is_grounded=False)
    either.fakes.answerer.scripts = [[Done(found_nothing)]]
    either.say("<@UOPSBOT> why is paymnts down?")
    (reply,) = await either.eventually(either.own)
    await either.settle()
    (reply,) = either.own()
    assert "Perhaps one of these helps" in seen(reply)
    assert SUGGESTION_ACTIONS[0] in str(reply["blocks"])
    assert either.fakes.suggestions.asked[-1][1] == "why is paymnts down?"
