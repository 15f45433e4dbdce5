"""Questions without a mention: under an answer, in channels that were named for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.access import Policy
from bot.listeners.followups import reads_as_question
from core.answers import Done
from core.errors import StateError
from sandbox.slack import world
from tests.bot.bench import Bench, open_bench, seen
from tests.bot.fakes import told
from tests.bot.samples import answer

POLICY = Policy(home_team=world.TEAM_ID, follow_up_channels=frozenset({"COPS"}))
FOLLOW_UP = "and who is on call?"


@pytest.fixture(params=["socket", "http"])
async def talk(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    """The bot where #ops is named, on each transport in turn."""
    async with open_bench(request.param, POLICY) as bench:
        yield bench


async def answered_thread(bench: Bench, channel: str = "ops") -> str:
    ts = bench.say("<@UOPSBOT> why is payments restarting?", channel=channel)
    await bench.settle()
    assert bench.own(channel)
    return ts


def asked(bench: Bench) -> list[str]:
    return [question for question, _ in bench.fakes.answerer.asked]


@pytest.mark.parametrize(
    "text",
    [
        "who is on call?",
        "and since 9:30? :thinking_face:",
        "is it *payments* (or orders)?",
        "restarting again?!",
        "why",
        "what changed in shop since 9:30",
        "who owns redis",
        "which service uses orders-db",
        "and what's the limit of payments",
        "how do I restart it",
        "how many pods are pending",
        "investigate payments please",
        "limits of payments",
        "errors since 2h",
        "summarise this thread",
        "please draft a post-mortem",
    ],
)
def test_these_words_ask(text: str) -> None:
    assert reads_as_question(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "?",
        "ok?",
        "thanks, that helped",
        "what a mess",
        "when it restarted I saw the same",
        "how about a rollback on Monday",
        "errors are gone",
        "changes look fine",
        "limits of payments were too low",
        "the owner is on holiday",
        "I know why it restarts",
        "can you take it?",
        "are you sure?",
        "does anyone know why?",
        "should we roll back?",
        "did we deploy yesterday?",
        "<@UINES> who is on call?",
        "who is on call, <@UINES>?",
        "<!subteam^S1> what is wrong?",
        "<!here> is it down?",
        "<@UOPSBOT> who is on call?",  # arrives as a mention, too
        "see https://wiki.example/page?id=3 for it",
    ],
)
def test_these_are_talk_among_people(text: str) -> None:
    assert not reads_as_question(text)


async def test_a_question_under_an_answer_needs_no_mention(talk: Bench) -> None:
    ts = await answered_thread(talk)
    talk.fakes.answerer.scripts = [[Done(answer("Tomás."))]]
    talk.say(FOLLOW_UP, user="ines", thread=ts)
    await talk.settle()
    first, second = talk.own()
    assert second["thread_ts"] == first["thread_ts"] == ts
    assert "Tomás." in seen(second)
    question, history = talk.fakes.answerer.asked[-1]
    assert question == FOLLOW_UP
    assert [turn.is_bot for turn in history] == [False, True]


async def test_sent_again_it_is_answered_once(talk: Bench) -> None:
    ts = await answered_thread(talk)
    talk.fault(kind="duplicate_event", times=1)
    talk.say(FOLLOW_UP, thread=ts)
    await talk.settle()
    assert asked(talk).count(FOLLOW_UP) == 1
    assert len(talk.own()) == 2


async def test_a_mention_in_such_a_thread_is_answered_once(talk: Bench) -> None:
    ts = await answered_thread(talk)
    talk.say(f"<@UOPSBOT> {FOLLOW_UP}", thread=ts)
    await talk.settle()
    assert asked(talk).count(FOLLOW_UP) == 1


async def test_other_bots_and_edits_are_passed_over(talk: Bench) -> None:
    ts = await answered_thread(talk)
    talk.say(FOLLOW_UP, user="alerts", thread=ts)
    said = talk.say("it goes on", thread=ts)
    talk.running.controls.edit("ops", "you", said, FOLLOW_UP)
    await talk.settle()
    assert FOLLOW_UP not in asked(talk)


async def test_where_the_bot_has_not_answered_people_are_among_themselves(talk: Bench) -> None:
    await answered_thread(talk)
    other = talk.say("payments is down")
    talk.say(FOLLOW_UP, thread=other)
    talk.say(FOLLOW_UP)  # in no thread
    await talk.settle()
    assert FOLLOW_UP not in asked(talk)


async def test_in_other_channels_each_question_needs_a_mention(talk: Bench) -> None:
    ts = await answered_thread(talk, "incidents")
    talk.say(FOLLOW_UP, channel="incidents", thread=ts)
    await talk.settle()
    assert FOLLOW_UP not in asked(talk)


async def test_talk_costs_no_look_and_no_call(talk: Bench) -> None:
    ts, other = await answered_thread(talk), await answered_thread(talk, "incidents")
    talk.running.controls.recorder.clear()
    for text in ("thanks!", "I roll it back", "<@UINES> is it better now?"):
        talk.say(text, thread=ts)
    talk.say("is it better now?")
    talk.say("is it better now?", channel="incidents", thread=other)
    await talk.settle()
    assert talk.fakes.answers.looks == 0
    assert talk.running.controls.recorder.calls_json() == []


async def test_a_long_paste_is_not_told_to_be_too_long(talk: Bench) -> None:
    ts = await answered_thread(talk)
    talk.say("ERROR timed out " * 200 + "?", thread=ts)
    await talk.settle()
    assert len(talk.own()) == 1


async def test_without_the_database_a_mention_is_needed(talk: Bench) -> None:
    ts = await answered_thread(talk)
    talk.fakes.answers.error = StateError("look", "the database is gone", "Start it.")
    talk.say(FOLLOW_UP, thread=ts)
    talk.say("<@UOPSBOT> and who owns it?", thread=ts)
    await talk.settle()
    assert asked(talk)[1:] == ["and who owns it?"]


async def test_who_may_not_ask_is_not_told_so() -> None:
    async with open_bench(policy=POLICY) as bench:
        ts = await answered_thread(bench)
        guest = bench.running.controls.add_user("eve", "Eve", world.TEAM_ID, is_restricted=True)
        bench.say(FOLLOW_UP, user="eve", thread=ts)
        await bench.settle()
        assert FOLLOW_UP not in asked(bench)
        assert not bench.ephemerals(guest.id)


async def test_a_follow_up_that_fails_is_told(talk: Bench) -> None:
    ts = await answered_thread(talk)
    gate = asyncio.Event()
    talk.fakes.answerer.scripts = [told("Tomás.", "Tom", gate=gate)]
    talk.fault(kind="error", method="chat.startStream", error="unknown_method", times=99)
    talk.say(FOLLOW_UP, thread=ts)
    await talk.eventually(lambda: len(talk.own()) == 2)
    talk.fault(kind="error", method="chat.update", error="restricted_action", times=99)
    gate.set()
    await talk.settle()
    assert "I could not post the answer" in seen(talk.own()[-1])
