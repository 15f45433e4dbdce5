"""What people see in Slack, on the real program over both transports. See docs/slack.md."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from bot.blocks.answer import FEEDBACK_ACTION, SHARE_ACTION
from bot.blocks.home import HOME_ASK_ACTIONS
from bot.blocks.notices import ASK_ACTION
from bot.blocks.suggestions import SUGGESTION_ACTIONS
from sandbox.slack import world
from tests.e2e.installed import Installed, Json, installed, until
from tests.e2e.program import is_final, run_command

pytestmark = pytest.mark.asyncio(loop_scope="module")

WHY = "why does payments keep restarting?"
MENTION = f"<@{world.BOT_USER_ID}>"


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["socket", "http"])
async def here(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Installed]:
    folder = tmp_path_factory.mktemp(request.param)
    async with installed(
        folder,
        request.param,
        DIGEST_CHANNEL="COPS",
        DIGEST_CRON="0 9 * * *",
        SLACK_FOLLOW_UP_CHANNELS="#general",
    ) as place:
        for channel in ("general", "incidents", "ops"):
            place.running.controls.conversation(channel).members.add(world.BOT_USER_ID)
        async with place.bot():
            yield place


def shown(message: Json) -> str:
    return json.dumps(message["blocks"], ensure_ascii=False)


async def typed(here: Installed, text: str, user: str = "you", channel: str = "general") -> Json:
    """Type the command; gives the first reply that is there to stay."""
    user_id = here.running.controls.user(user).id
    known = len(here.ephemerals(user_id))
    outcome = await here.running.controls.command(channel, user, "/k8s", text)
    assert outcome["acked"]
    assert outcome["ack_seconds"] < 1

    def final() -> list[Json]:
        told = here.ephemerals(user_id)[known:]
        if text.startswith("ask w") and len(text) < 2000:
            return [row for row in told if is_final(row)]
        return [row for row in told if not row["text"].startswith("🔎")]

    (reply, *_) = await until(final)
    return dict(reply)


async def mentioned(here: Installed, text: str, channel: str = "incidents", **more: str) -> Json:
    """Mention the bot; gives its final answer, with the ts of what was said as "asked_ts"."""
    sent = here.running.controls.say(channel, "ines", f"{MENTION} {text}", **more)
    thread = more.get("thread_ts") or sent["ts"]

    def final() -> list[Json]:
        return [
            row
            for row in here.own(channel)
            if row.get("thread_ts") == thread and row["ts"] > sent["ts"] and is_final(row)
        ]

    (answer, *_) = await until(final)
    return dict(answer) | {"asked_ts": sent["ts"]}


async def click(here: Installed, message: Json, action_id: str, value: str | None = None) -> None:
    """Press a button of an ephemeral message in #general."""
    await here.running.controls.act("general", "you", message["ts"], action_id, value)


def calls(here: Installed, method: str) -> list[Json]:
    return here.running.controls.recorder.calls_json(method)


async def test_a_redelivered_mention_is_answered_once_and_acked_in_time(here: Installed) -> None:
    here.running.controls.faults.add({"kind": "duplicate_event", "times": 2})
    answer = await mentioned(here, "who owns cart?")
    await asyncio.sleep(1)
    replies = [row for row in here.own("incidents") if row["thread_ts"] == answer["asked_ts"]]
    assert len(replies) == 1
    attempts = here.running.controls.recorder.attempts
    assert {row.outcome for row in attempts} == {"acked"}
    assert max(row.ack_seconds for row in attempts) < 1


async def test_bots_edits_and_talk_without_a_mention_get_nothing(here: Installed) -> None:
    controls = here.running.controls
    before = len(here.own("incidents"))
    controls.say("incidents", "alerts", f"{MENTION} who owns cart?")
    ts = controls.say("incidents", "ines", "who owns cart?")["ts"]
    controls.edit("incidents", "ines", ts, f"{MENTION} who owns cart?")
    # Whatever follows is answered, so these were passed over.
    await mentioned(here, "who owns checkout?")
    assert len(here.own("incidents")) == before + 1


async def test_an_answer_stands_in_its_thread_in_its_order(here: Installed) -> None:
    answer = await mentioned(here, WHY)
    assert answer["thread_ts"] == answer["asked_ts"]
    kinds = [(block["type"], block.get("block_id")) for block in answer["blocks"]]
    order = ["markdown", "context", "context", "context_actions"]
    assert [kind for kind, _ in kinds if kind in order] == order
    assert kinds[-3][1] == "answer_sources"
    assert kinds[-2][1] == "answer_footer"
    assert re.search(r"\d+\.\d s · ref [0-9a-f]{6,}", shown(answer))
    assert "[1]" in answer["text"]
    assert len(answer["text"]) <= 4000
    assert len(answer["blocks"]) <= 50
    for call in calls(here, "chat.postMessage"):
        assert call["arguments"]["unfurl_links"] is False
        assert call["arguments"]["unfurl_media"] is False
        assert "reply_broadcast" not in call["arguments"]


async def test_the_eyes_come_and_are_taken_back(here: Installed) -> None:
    answer = await mentioned(here, "who owns ledger?")
    asked = here.running.controls.conversation("incidents").find(answer["asked_ts"])
    await until(lambda: not asked.get("reactions"))
    (added, *_) = [
        call
        for call in calls(here, "reactions.add")
        if call["arguments"]["timestamp"] == answer["asked_ts"]
    ]
    assert added["arguments"]["name"] == "eyes"


async def test_nothing_found_is_said_with_what_could_be_asked(here: Installed) -> None:
    answer = await mentioned(here, "what is the recipe for pancakes?")
    assert "No sources" in shown(answer)
    assert SUGGESTION_ACTIONS[0] in shown(answer)


async def test_an_empty_mention_gets_three_questions_of_the_runbooks(here: Installed) -> None:
    controls = here.running.controls
    ts = controls.say("incidents", "ines", MENTION)["ts"]

    def greeted() -> list[Json]:
        return [row for row in here.own("incidents") if row.get("thread_ts") == ts]

    (greeting,) = await until(greeted)
    assert all(action_id in shown(greeting) for action_id in SUGGESTION_ACTIONS)
    await controls.act("incidents", "you", greeting["ts"], SUGGESTION_ACTIONS[0], None)
    await until(lambda: [row for row in greeted() if is_final(row)])
    (answer,) = [row for row in greeted() if is_final(row)]
    assert "Asked by <@UYOU>" in shown(answer)
    assert "No sources:" not in shown(answer)


async def test_a_follow_up_needs_a_mention_in_a_channel_and_none_in_a_direct_message(
    here: Installed,
) -> None:
    answer = await mentioned(here, "who owns payments?")
    follow = await mentioned(here, "and who is on call?", thread_ts=answer["asked_ts"])
    assert "Tomás Brandt" in shown(follow)
    controls = here.running.controls
    first = controls.say("@opsbot", "priya", "who owns risk-engine?")["ts"]
    dm = controls.conversation("@opsbot", controls.user("priya"))

    def answered(count: int) -> list[Json]:
        found = [row for row in dm.messages.values() if is_final(row)]
        return found if len(found) == count else []

    (one,) = await until(lambda: answered(1))
    assert one["thread_ts"] == first
    controls.say("@opsbot", "priya", "who is on call for it?", first)
    assert "Priya Raman" in shown((await until(lambda: answered(2)))[1])


async def test_in_a_channel_that_was_named_for_it_a_follow_up_needs_no_mention(
    here: Installed,
) -> None:
    controls = here.running.controls
    threads = {
        channel: (await mentioned(here, "who owns payments?", channel))["asked_ts"]
        for channel in ("incidents", "general")
    }
    for channel, thread in threads.items():
        for text in ("thanks, that helps", "<@UINES> can you take it?", "and who is on call?"):
            controls.say(channel, "priya", text, thread)

    def replies(channel: str) -> list[Json]:
        found = [row for row in here.own(channel) if row.get("thread_ts") == threads[channel]]
        return [row for row in found if is_final(row)]

    _, follow = await until(lambda: len(replies("general")) == 2 and replies("general"))
    assert "Tomás Brandt" in shown(follow)
    assert len(replies("incidents")) == 1


async def test_help_is_the_command_table_and_comes_at_once(here: Installed) -> None:
    for text in ("", "help", "?"):
        told = await typed(here, text)
        assert "/k8s ask &lt;question&gt;" in told["text"]
        assert "/k8s status" in told["text"]
        assert SUGGESTION_ACTIONS[0] in shown(told)


async def test_a_typo_gets_a_guess_and_words_are_offered_as_a_question(here: Installed) -> None:
    told = await typed(here, "stauts")
    assert "Unknown command `stauts`. Did you mean `status`?" in told["text"]
    offered = await typed(here, "who owns the checkout service?")
    await click(here, offered, ASK_ACTION)
    await until(lambda: [row for row in here.ephemerals("UYOU") if is_final(row)])


async def test_ask_takes_two_uses_and_is_shared_once(here: Installed) -> None:
    here.running.controls.recorder.clear()
    answer = await typed(here, f"ask {WHY}")
    assert len(calls(here, "response_url")) == 2
    assert WHY in shown(answer)
    before = len(here.own("general"))
    await click(here, answer, SHARE_ACTION)
    shared = (await until(lambda: here.own("general")[before:]))[0]
    assert "Asked by <@UYOU>" in shown(shared)
    await until(
        lambda: SHARE_ACTION not in shown(
            here.running.workspace.find_ephemeral("UYOU", "CGENERAL", answer["ts"]) or answer
        )
    )  # fmt: skip
    with pytest.raises(Exception, match="no element"):
        await click(here, answer, SHARE_ACTION)
    assert len(here.own("general")) == before + 1


async def test_status_digest_search_and_schedule_answer_one_person(here: Installed) -> None:
    before = len(here.own("general"))
    assert "✅" in (await typed(here, "status"))["text"]
    assert "payments" in (await typed(here, "digest 6h"))["text"]
    assert "payments" in (await typed(here, "search settlement batch"))["text"]
    schedule = await typed(here, "schedule")
    assert re.search(r"<!date\^\d+\^\{date_short_pretty\} \{time\}\|[^>]+ UTC>", schedule["text"])
    assert len(here.own("general")) == before


async def test_a_missing_argument_and_too_long_a_text_are_told(here: Installed) -> None:
    told = await typed(here, "owner")
    assert "Usage: `/k8s owner &lt;service&gt;`" in told["text"]
    assert "For example `/k8s owner payments`" in told["text"]
    assert "I read up to 2,000" in (await typed(here, "ask " + "why " * 600))["text"]


async def test_a_vote_is_kept_and_a_bad_one_asks_why(here: Installed) -> None:
    answer = await typed(here, "ask who owns cart?")
    reference = re.findall(r"ref ([0-9a-f]+)", shown(answer))[0]
    await click(here, answer, FEEDBACK_ACTION, f"{reference}:up")
    await until(lambda: [row for row in here.ephemerals("UYOU") if "hank" in row["text"]])
    await click(here, answer, FEEDBACK_ACTION, f"{reference}:down")
    await until(lambda: here.running.workspace.open_views("UYOU"))
    await here.running.controls.view("you", "", "close", {})


async def test_the_home_tab_shows_ones_own_and_asks_in_messages(here: Installed) -> None:
    controls, homes = here.running.controls, here.running.workspace.homes
    await typed(here, "ask who owns redis?", user="mei")
    controls.home("mei", "home")
    await until(lambda: "UMEI" in homes)
    told = shown(homes["UMEI"])
    assert "who owns redis?" in told
    assert "How I fare" in told
    assert "<#COPS>" in told
    controls.home("jonas", "home")
    await until(lambda: "UJONAS" in homes)
    assert "who owns redis?" not in shown(homes["UJONAS"])
    await controls.act_at_home("mei", HOME_ASK_ACTIONS[0], None)
    dm = controls.conversation("@opsbot", controls.user("mei"))
    await until(lambda: [row for row in dm.messages.values() if is_final(row)])


async def test_invited_it_introduces_itself_once(here: Installed) -> None:
    controls = here.running.controls
    for name in ("team-orders", "partners"):
        controls.arrange_channel(name, private=True, archived=False, ext_shared=name == "partners")
    for _ in range(2):
        for name in ("partners", "team-orders"):
            controls.invite(name, "opsbot", remove=False)
            await asyncio.sleep(0.5)
            controls.invite(name, "opsbot", remove=True)
    (said,) = await until(lambda: here.own("team-orders"))
    assert "I answer questions about your Kubernetes clusters" in shown(said)
    assert SUGGESTION_ACTIONS[0] in shown(said)
    assert not here.own("partners")


async def test_in_a_private_channel_it_works_the_same(here: Installed) -> None:
    controls = here.running.controls
    controls.arrange_channel("secret", private=True, archived=False, ext_shared=False)
    controls.invite("secret", "opsbot", remove=False)
    answer = await mentioned(here, "who owns payments?", "secret")
    assert "team orders" in shown(answer)
    # What was asked there is not shown to anybody else.
    controls.home("tomas", "home")
    await until(lambda: "UTOMAS" in here.running.workspace.homes)
    assert "who owns payments?" not in shown(here.running.workspace.homes["UTOMAS"])


async def test_where_it_is_no_member_a_command_is_answered_and_shared_all_the_same(
    here: Installed,
) -> None:
    controls = here.running.controls
    controls.arrange_channel("elsewhere", private=False, archived=False, ext_shared=False)
    answer = await typed(here, "ask who owns cart?", channel="elsewhere")
    await controls.act("elsewhere", "you", answer["ts"], SHARE_ACTION, None)
    (shared,) = await until(lambda: here.own("elsewhere"))
    assert "Asked by <@UYOU>" in shown(shared)


async def test_rate_limits_and_failures_of_slack_leave_the_answer_whole(here: Installed) -> None:
    faults = here.running.controls.faults
    faults.add({"kind": "ratelimited", "method": "chat.postMessage", "retry_after_seconds": 1})
    faults.add({"kind": "http_error", "method": "chat.postMessage", "status": 500})
    answer = await mentioned(here, "who owns search?")
    assert "[1]" in answer["text"]


async def test_an_answer_that_could_not_be_posted_is_shown_by_its_reference(
    here: Installed,
) -> None:
    faults, known = here.running.controls.faults, len(here.audited)
    for method in ("chat.startStream", "chat.postMessage"):
        faults.add({"kind": "error", "method": method, "error": "restricted_action", "times": 99})
    here.running.controls.say("incidents", "ines", f"{MENTION} who owns ledger?")
    (failed,) = await until(lambda: here.audited[known:])
    faults.clear()
    assert failed["outcome"] == "failed"
    told = await typed(here, f"show {failed['reference']}", "ines", "incidents")
    assert "who owns ledger?" in shown(told)
    assert "[1]" in told["text"]
    assert f"ref {failed['reference']}" in shown(told)
    elsewhere = await typed(here, f"show {failed['reference']}", "ines", "general")
    assert "where it was asked" in shown(elsewhere)


async def test_without_the_scope_for_reactions_it_answers_all_the_same(here: Installed) -> None:
    workspace = here.running.workspace
    scopes = workspace.app.scopes
    workspace.replace_app(scopes=scopes - {"reactions:write"})
    answer = await mentioned(here, "who owns frontend?")
    workspace.replace_app(scopes=scopes)
    assert "storefront" in shown(answer)


async def test_the_digest_is_posted_once_with_its_thread(here: Installed) -> None:
    def parents() -> list[Json]:
        return [row for row in here.own("ops") if (row.get("metadata") and "thread_ts" not in row)
                or row.get("thread_ts") == row["ts"]]  # fmt: skip

    (parent,) = await until(parents, 90)
    assert len(parent["blocks"]) <= 15
    assert any(block["type"] == "table" for block in parent["blocks"])
    assert "<!here>" not in shown(parent)
    assert "<!channel>" not in shown(parent)


async def test_nothing_that_was_said_notifies_anybody(here: Installed) -> None:
    workspace = here.running.workspace
    for conversation in workspace.conversations.values():
        for message in conversation.messages.values():
            if message["user"] == world.BOT_USER_ID:
                told = workspace.notified(conversation, message)
                # Only who asked for it to be shared, or is greeted by name, is named.
                assert set(told) <= {"UYOU"}


async def test_a_refused_token_ends_the_program(here: Installed) -> None:
    environment: dict[str, Any] = here.environment | {
        "SLACK_BOT_TOKEN": "xoxb-wrong",
        "OPSBOT_DATA_DIR": str(here.folder / "other"),
    }
    code, _, err = await run_command("run", environment=environment, folder=here.folder)
    assert code == 1
    assert "Slack does not accept the token" in err
    assert "xoxb-wrong" not in err
