"""An answer is shown again by its reference, above all one that could not be posted."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.access import Circle, Policy
from bot.blocks.answer import SHARE_ACTION
from bot.blocks.notices import ASK_ACTION
from core.answers import Done, Scope
from core.errors import StateError
from sandbox.slack.world import TEAM_ID
from tests.bot.bench import Bench, open_bench, seen
from tests.bot.fakes import told
from tests.bot.samples import answer

REFERENCE = "a6a7dac5"


async def show(bench: Bench, what: str = REFERENCE, channel: str = "ops") -> dict[str, Any]:
    """Type it; gives the one reply."""
    known = len(bench.ephemerals())
    await bench.type(f"show {what}", channel=channel)
    await bench.settle()
    (reply,) = bench.ephemerals()[known:]
    return reply


async def keep(bench: Bench, text: str = "Raise it [1].", task: str = "") -> None:
    kept = answer(text, question="why?", task=task)
    await bench.fakes.answers.put(REFERENCE, Scope(channel="COPS"), kept, "UYOU")


async def notice_of_a_failed_post(bench: Bench) -> str:
    """An answer grows in a message, and Slack refuses its end."""
    gate = asyncio.Event()
    bench.fakes.answerer.scripts = [told("Raise it.", "Raise", gate=gate)]
    bench.fault(kind="error", method="chat.startStream", error="unknown_method", times=99)
    bench.say("<@UOPSBOT> why?")
    await bench.eventually(bench.own)
    bench.fault(kind="error", method="chat.update", error="restricted_action", times=99)
    gate.set()
    await bench.settle()
    return seen(bench.own()[-1])


async def test_an_answer_that_could_not_be_posted_is_shown_by_the_command_its_notice_names(
    either: Bench,
) -> None:
    notice = await notice_of_a_failed_post(either)
    (reference,) = either.fakes.answers.kept
    assert "I could not post the answer: Slack answered restricted_action." in notice
    assert f"`/k8s show {reference}` shows it" in notice
    reply = await show(either, reference)
    assert "*why is payments restarting?*" in seen(reply)
    assert "Raise it." in seen(reply)
    assert f"ref {reference}" in seen(reply)
    assert SHARE_ACTION in str(reply["blocks"])
    assert not any("Raise it." in seen(row) for row in either.own())


async def test_an_answer_that_was_not_kept_is_not_promised(bench: Bench) -> None:
    bench.fakes.answers.error = StateError("keep it", "the disk is full", "Free some space.")
    notice = await notice_of_a_failed_post(bench)
    assert "Slack answered restricted_action" in notice
    assert "/k8s show" not in notice


async def test_a_reply_that_slack_refused_names_the_command_too(bench: Bench) -> None:
    gate = asyncio.Event()
    bench.fakes.answerer.scripts = [[gate, Done(answer("Raise it."))]]
    await bench.type("ask why?")
    await bench.eventually(bench.ephemerals)
    bench.fault(kind="http_error", method="response_url", status=500, times=2)
    gate.set()
    await bench.settle()
    (reference,) = bench.fakes.answers.kept
    assert f"`/k8s show {reference}` shows it" in seen(bench.ephemerals()[-1])


@pytest.mark.parametrize("typed", ["ref a6a7dac5", "`A6A7DAC5`", "  a6a7dac5 "])
async def test_a_reference_is_taken_as_people_copy_it(bench: Bench, typed: str) -> None:
    await keep(bench)
    assert "Raise it [1]." in seen(await show(bench, typed))


async def test_a_long_answer_is_shown_in_its_parts(bench: Bench) -> None:
    await keep(bench, "word " * 4_000)
    await bench.type(f"show {REFERENCE}")
    await bench.settle()
    first, second = bench.ephemerals()
    assert "word" in seen(first)
    assert f"ref {REFERENCE}" in seen(second)


@pytest.mark.parametrize(("reference", "channel"), [("00000000", "ops"), (REFERENCE, "general")])
async def test_what_is_unknown_or_of_another_channel_is_told_with_what_to_do(
    bench: Bench, reference: str, channel: str
) -> None:
    await keep(bench)
    said = seen(await show(bench, reference, channel))
    assert f"There is no answer `{reference}` to be seen here." in said
    assert "where it was asked" in said
    assert "Raise it" not in said


async def test_who_may_not_use_a_task_is_not_shown_its_answer() -> None:
    policy = Policy(home_team=TEAM_ID, commands={"limits": Circle(frozenset({"UINES"}))})
    async with open_bench(policy=policy) as bench:
        await keep(bench, task="limits")
        said = seen(await show(bench))
        assert "not for everybody" in said
        assert "Raise it" not in said


async def test_a_question_that_was_broken_off_is_told_as_that(bench: Bench) -> None:
    await keep(bench, "")
    assert "*why?* was broken off before its answer." in seen(await show(bench))


async def test_another_word_is_no_reference(bench: Bench) -> None:
    said = seen(await show(bench, "payments"))
    assert "`payments` is no reference" in said
    assert "`/k8s show a6a7dac5`" in said


async def test_words_are_offered_as_a_question(bench: Bench) -> None:
    reply = await show(bench, "me the errors")
    assert "show me the errors" in seen(reply)
    assert ASK_ACTION in str(reply["blocks"])
