from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from bot.blocks.answer import SHARE_ACTION
from bot.blocks.parts import Message
from bot.commands.command import Command
from bot.commands.routing import route
from bot.commands.table import COMMANDS, usage_hint
from bot.services import EdgeLimits
from core.answers import Done, PartState
from core.digests import ItemState
from core.errors import ClusterError, RequestError
from tests.bot.bench import Bench, seen
from tests.bot.checks import shown
from tests.bot.samples import answer, digest, item, part

LIMITS = EdgeLimits()


def routed(text: str) -> tuple[str, str]:
    found = route(text, COMMANDS, LIMITS)
    assert not isinstance(found, Message), found
    return found[0].name, found[1]


def refused(text: str) -> str:
    found = route(text, COMMANDS, LIMITS)
    assert isinstance(found, Message), found
    return f"{found.text}\n{shown(found)}"


@pytest.mark.parametrize("text", ["", "  ", "?", "help", "HELP", "--help"])
def test_nothing_or_a_question_mark_is_help(text: str) -> None:
    assert routed(text) == ("help", "")


def test_a_command_keeps_its_argument_as_typed() -> None:
    assert routed("ask  Why is A down? ") == ("ask", "Why is A down?")
    assert routed("Status") == ("status", "")
    assert routed("digest 6h") == ("digest", "6h")


def test_a_typo_gets_a_guess_and_the_help() -> None:
    told = refused("stauts")
    assert "Unknown command `stauts`. Did you mean `status`?" in told
    assert "/k8s ask" in told


def test_a_word_unlike_any_command_gets_no_guess() -> None:
    told = refused("pods")
    assert "Unknown command `pods`." in told
    assert "Did you mean" not in told


def test_four_words_are_taken_for_a_question() -> None:
    assert "Ask this" in refused("why is cart down")
    assert "Ask this" in refused("status of the payments today")
    assert "Did you mean" in refused("statis of cart")


def test_a_missing_argument_gets_usage_and_one_example() -> None:
    told = refused("ask")
    assert "Usage: `/k8s ask &lt;question&gt;`" in told
    assert told.count("For example `/k8s ask why is payments restarting?`") == 2


def test_too_long_a_text_is_refused_with_the_limit() -> None:
    assert "2,105 characters; I read up to 2,000" in refused("ask " + "x" * 2_101)


def test_every_row_of_the_table_can_be_run_as_its_example_says() -> None:
    for row in COMMANDS:
        assert routed(row.example)[0] == row.name
        assert row.usage.startswith(row.name)
        assert row.name in usage_hint().split(" | ")


def test_names_are_unique() -> None:
    assert len({row.name for row in COMMANDS}) == len(COMMANDS)


def test_a_new_row_needs_no_other_change() -> None:
    async def run(_call: object) -> None: ...

    added = Command("pods", "pods", "lists pods", "pods", run)
    found = route("pods", (*COMMANDS, added), LIMITS)
    assert found == (added, "")


async def test_help_is_shown_to_the_person_alone(either: Bench) -> None:
    await either.type("")
    (told,) = await either.eventually(either.ephemerals)
    for row in COMMANDS:
        assert row.summary in seen(told)
    assert not either.own()
    assert not either.fakes.answerer.asked


async def test_a_task_is_answered_to_the_person_alone(either: Bench) -> None:
    either.fakes.task.scripts = [[Done(answer("256Mi in the cluster [1].", question="payments"))]]
    await either.type("limits  payments")
    (told,) = await either.eventually(either.ephemerals)
    await either.settle()
    (told,) = either.ephemerals()  # in the place of the first sign of life
    assert "*limits payments*" in seen(told)
    assert "256Mi in the cluster [1]." in seen(told)
    assert [question for question, _ in either.fakes.task.asked] == ["payments"]
    assert not either.fakes.answerer.asked
    assert not either.own()


async def test_a_shared_task_says_what_was_asked(bench: Bench) -> None:
    bench.fakes.task.scripts = [[Done(answer("256Mi.", question="payments"))]]
    await bench.type("limits payments")
    await bench.settle()
    await bench.click(bench.ephemerals()[0], SHARE_ACTION)
    (posted,) = await bench.eventually(bench.own)
    assert "Asked by <@UYOU>: *limits payments*" in seen(posted)


async def test_a_slip_is_told_without_an_offer_to_try_again(bench: Bench) -> None:
    bench.fakes.task.scripts = [
        [RequestError("find 'paymnts'", "nothing is named so", "Did you mean `payments`?")]
    ]
    await bench.type("limits paymnts")
    await bench.settle()
    (told,) = bench.ephemerals()
    assert "I could not find 'paymnts': nothing is named so." in seen(told)
    assert "Did you mean `payments`?" in seen(told)
    assert "Try again" not in seen(told)
    assert not bench.fakes.answers.kept


async def test_a_task_without_its_argument_gets_usage(bench: Bench) -> None:
    await bench.type("impact")
    (told,) = await bench.eventually(bench.ephemerals)
    assert "Usage: `/k8s impact &lt;node or service&gt;`" in told["text"]
    assert not bench.fakes.task.asked


async def test_help_groups_the_commands(bench: Bench) -> None:
    await bench.type("help")
    (told,) = await bench.eventually(bench.ephemerals)
    sections = [block for block in told["blocks"] if block["type"] == "section"]
    headings = [block["text"]["text"].split("\n")[0] for block in sections]
    assert headings == ["*Ask*", "*What is wrong*", "*What it touches*", "*The bot*"]
    assert len(told["text"]) < 4_000


async def test_status_shows_the_state_of_every_part(bench: Bench) -> None:
    bench.fakes.health.parts = (part("slack"), part("model", PartState.DOWN, "Start Ollama."))
    await bench.type("status")
    (told,) = await bench.eventually(bench.ephemerals)
    assert told["text"].startswith("*❌ 1 of 2 parts needs attention")
    assert "→ Start Ollama." in told["text"]


async def test_a_digest_is_previewed_with_the_next_steps(bench: Bench) -> None:
    await bench.type("digest 6h")
    await bench.settle()
    parent, details = bench.ephemerals()
    assert "Digest preview: 1 new" in seen(parent)
    assert "Raise the limit to 768Mi" in seen(details)
    assert bench.fakes.digests.asked == [timedelta(hours=6)]
    assert not bench.own()


async def test_a_quiet_digest_is_one_message_and_its_window_the_usual(bench: Bench) -> None:
    bench.fakes.digests.made = digest(slot="")
    await bench.type("digest")
    await bench.settle()
    (told,) = bench.ephemerals()
    assert "nothing critical" in told["text"]
    assert bench.fakes.digests.asked == [None]


@pytest.mark.parametrize("window", ["soon", "9d", "0h"])
async def test_a_window_nobody_knows_is_refused_with_examples(bench: Bench, window: str) -> None:
    await bench.type(f"digest {window}")
    (told,) = await bench.eventually(bench.ephemerals)
    assert f"`{window}` is not a window" in told["text"]
    assert "/k8s digest 6h" in told["text"]
    assert not bench.fakes.digests.asked


async def test_a_brief_without_a_cause_shows_its_first_proof(bench: Bench) -> None:
    bare = item(cause="", suggestion="", next_command="", state=ItemState.ONGOING)
    bench.fakes.digests.made = digest(bare, slot="")
    await bench.type("digest")
    await bench.settle()
    assert "- `lastState.terminated.reason` OOMKilled" in seen(bench.ephemerals()[1])


async def test_a_repeated_command_delivery_is_handled_once(bench: Bench) -> None:
    outcome = await bench.type("status")
    await bench.settle()
    assert f"command:{outcome['trigger_id']}" in bench.fakes.deliveries.seen
    bench.fakes.deliveries.is_full = True
    await bench.type("status")
    await bench.settle()
    assert len(bench.ephemerals()) == 1


async def test_a_failure_is_explained_to_the_person_with_a_reference(bench: Bench) -> None:
    bench.fakes.suggestions.error = ClusterError("look", "no route to it", "Wait a minute.")
    outcome = await bench.type("help")
    assert outcome["acked"]  # Bolt forgets the confirmation of a listener that fails at once
    (told,) = await bench.eventually(bench.ephemerals)
    assert "⚠️ *I could not look: no route to it.*" in seen(told)
    assert "Wait a minute." in seen(told)
    assert "ref " in seen(told)


async def test_an_unforeseen_exceptions_text_never_reaches_slack(bench: Bench) -> None:
    bench.fakes.suggestions.error = RuntimeError("postgres://bot:secret@db/x")
    await bench.type("help")
    bench.say("<@UOPSBOT>")
    bench.say("<@UOPSBOT>", channel="@opsbot")
    (told,) = await bench.eventually(bench.ephemerals)
    (posted,) = await bench.eventually(bench.own)
    (direct,) = await bench.eventually(lambda: bench.own("@opsbot"))
    for message in (told, posted, direct):
        assert "Something broke on my side." in seen(message)
        assert "secret" not in str(message)


async def test_the_commands_name_is_configurable(bench: Bench) -> None:
    limits = dataclasses.replace(LIMITS, command="/ops")
    told = route("stauts", COMMANDS, limits)
    assert isinstance(told, Message)
    assert "/ops ask" in told.text
    assert "/k8s" not in told.text
    assert bench.running.connected


async def test_digest_weekly_looks_back_for_the_asker_alone(bench: Bench) -> None:
    await bench.type("digest weekly")
    await bench.settle()
    (told,) = bench.ephemerals()
    assert "Preview: The week: 9 new problems" in seen(told)
    assert len(bench.fakes.look_backs.scopes) == 1
    assert bench.fakes.digests.asked == []
