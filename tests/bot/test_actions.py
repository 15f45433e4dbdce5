from __future__ import annotations

from typing import Any

from bot.blocks.answer import FEEDBACK_ACTION, SHARE_ACTION
from bot.blocks.digest_item import explain_question
from bot.blocks.digest_marks import EXPLAIN_ACTION
from bot.blocks.feedback import FORGET_ACTION, KEEP_ACTION
from bot.blocks.notices import ASK_ACTION, RETRY_ACTION
from core.answers import Done
from core.errors import KnowledgeError
from sandbox.slack import world
from tests.bot.bench import Bench, seen
from tests.bot.samples import answer, citation, digest, item

LOST = KnowledgeError("search the documents", "Qdrant does not answer", "Start it.")


async def asked(bench: Bench, text: str = "ask why is payments down?") -> dict[str, Any]:
    await bench.type(text)
    await bench.settle()
    (told,) = bench.ephemerals()
    return told


async def test_sharing_posts_the_answer_and_removes_the_button(either: Bench) -> None:
    told = await asked(either)
    await either.click(told, SHARE_ACTION)
    await either.settle()
    (shared,) = either.own()
    assert "Asked by <@UYOU>: *why is payments down?*" in seen(shared)
    assert "thread_ts" not in shared
    (left,) = either.ephemerals()
    assert SHARE_ACTION not in str(left["blocks"])
    assert "Raise the limit" in seen(left)


async def test_a_second_click_shares_nothing_more(bench: Bench) -> None:
    told = await asked(bench)
    bench.fakes.answers.shared.update(bench.fakes.answers.kept)
    await bench.click(told, SHARE_ACTION)
    await bench.settle()
    assert not bench.own()


async def test_where_the_bot_is_no_member_it_shares_by_response_url(either: Bench) -> None:
    either.running.controls.conversation("ops").members.discard(world.BOT_USER_ID)
    told = await asked(either)
    await either.click(told, SHARE_ACTION)
    await either.settle()
    (shared,) = either.own()
    assert "Asked by <@UYOU>" in seen(shared)
    assert SHARE_ACTION not in str(either.ephemerals()[0]["blocks"])


async def test_a_long_answer_is_shared_with_its_further_parts_in_a_thread(bench: Bench) -> None:
    bench.fakes.answerer.scripts = [[Done(answer("word " * 4_000))]]
    await bench.type("ask why?")
    await bench.settle()
    *_, last = bench.ephemerals()
    await bench.click(last, SHARE_ACTION)
    await bench.settle()
    parent, reply = bench.own()
    assert reply["thread_ts"] == parent["ts"]


async def test_a_refusal_of_another_kind_is_told(bench: Bench) -> None:
    told = await asked(bench)
    bench.fault(kind="error", method="chat.postMessage", error="is_archived")
    await bench.click(told, SHARE_ACTION)
    await bench.settle()
    assert "the channel is archived" in seen(bench.ephemerals()[-1])


async def test_a_forgotten_answer_cannot_be_shared_or_tried_again(bench: Bench) -> None:
    told = await asked(bench)
    bench.fakes.answers.kept.clear()
    await bench.click(told, SHARE_ACTION)
    await bench.settle()
    assert "too old" in seen(bench.ephemerals()[-1])
    bench.fakes.answerer.scripts = [[LOST]]
    bench.say("<@UOPSBOT> why?")
    (failed,) = await bench.eventually(bench.own)
    bench.fakes.answers.kept.clear()
    await bench.click(failed, RETRY_ACTION)
    await bench.settle()
    assert "too old" in seen(bench.ephemerals()[-1])


async def test_a_bad_vote_asks_for_a_comment_and_keeps_it(either: Bench) -> None:
    either.say("<@UOPSBOT> why?")
    (reply,) = await either.eventually(either.own)
    reference = next(iter(either.fakes.answers.kept))
    await either.click(reply, FEEDBACK_ACTION, f"{reference}:down")
    (opened,) = await either.eventually(lambda: either.running.workspace.open_views("UYOU"))
    assert either.fakes.answers.votes == {(reference, "UYOU"): (False, "")}
    await either.running.controls.view("you", "", "submit", {"comment": "Wrong limit."})
    await either.settle()
    assert either.fakes.answers.votes == {(reference, "UYOU"): (False, "Wrong limit.")}
    assert not either.running.workspace.open_views("UYOU")
    (thanks,) = either.ephemerals()
    assert thanks["thread_ts"] == reply["thread_ts"]
    assert opened.view["callback_id"] == "answer_feedback_comment"


async def test_the_last_vote_of_a_person_wins(bench: Bench) -> None:
    bench.say("<@UOPSBOT> why?")
    (reply,) = await bench.eventually(bench.own)
    reference = next(iter(bench.fakes.answers.kept))
    for verdict in ("down", "up"):
        await bench.click(reply, FEEDBACK_ACTION, f"{reference}:{verdict}")
    await bench.settle()
    assert bench.fakes.answers.votes == {(reference, "UYOU"): (True, "")}


async def test_a_comment_is_kept_where_no_thanks_can_be_said(bench: Bench) -> None:
    told = await asked(bench)
    reference = next(iter(bench.fakes.answers.kept))
    await bench.click(told, FEEDBACK_ACTION, f"{reference}:down")
    await bench.eventually(lambda: bench.running.workspace.open_views("UYOU"))
    bench.fault(kind="error", method="chat.postEphemeral", error="not_in_channel")
    await bench.running.controls.view("you", "", "submit", {})
    await bench.settle()
    assert len(bench.ephemerals()) == 1


async def test_words_that_read_like_a_question_are_asked_with_one_click(either: Bench) -> None:
    await either.type("why is cart failing again")
    (offer,) = await either.eventually(either.ephemerals)
    assert "reads like a question" in seen(offer)
    await either.click(offer, ASK_ACTION)
    await either.settle()
    (told,) = either.ephemerals()
    assert "Raise the limit" in seen(told)
    assert either.fakes.answerer.asked[0][0] == "why is cart failing again"


async def test_a_failed_mention_is_tried_again_in_the_same_message(bench: Bench) -> None:
    bench.fakes.answerer.scripts = [[LOST], [Done(answer("Found it."))]]
    bench.say("<@UOPSBOT> why?")
    (failed,) = await bench.eventually(bench.own)
    await bench.settle()
    assert "I could not search the documents: Qdrant does not answer." in seen(failed)
    await bench.click(failed, RETRY_ACTION)
    await bench.settle()
    (reply,) = bench.own()
    assert reply["ts"] == failed["ts"]
    assert "Found it." in seen(reply)
    assert [question for question, _ in bench.fakes.answerer.asked] == ["why?", "why?"]


async def test_a_failed_task_is_tried_again_by_the_same_task(bench: Bench) -> None:
    bench.fakes.task.scripts = [[LOST], [Done(answer("768Mi.", question="payments"))]]
    failed = await asked(bench, "limits payments")
    assert "I could not search the documents: Qdrant does not answer." in seen(failed)
    await bench.click(failed, RETRY_ACTION)
    await bench.settle()
    (told,) = bench.ephemerals()
    assert "*limits payments*" in seen(told)
    assert [question for question, _ in bench.fakes.task.asked] == ["payments", "payments"]
    assert not bench.fakes.answerer.asked


async def test_two_clicks_try_again_once(bench: Bench) -> None:
    bench.fakes.answerer.scripts = [[LOST], [Done(answer("Found it."))]]
    bench.say("<@UOPSBOT> why?")
    (failed,) = await bench.eventually(bench.own)
    await bench.settle()
    failed = dict(failed)
    await bench.click(failed, RETRY_ACTION)
    await bench.running.controls.interactions.action(
        bench.running.controls.conversation("ops"),
        bench.running.controls.user("you"),
        failed,
        {"type": "button", "action_id": RETRY_ACTION, "value": _retry_value(failed)},
    )
    await bench.settle()
    assert len(bench.fakes.answerer.asked) == 2


def _retry_value(message: dict[str, Any]) -> str:
    (row,) = [block for block in message["blocks"] if block["type"] == "actions"]
    return str(row["elements"][0]["value"])


async def test_a_failed_command_is_tried_again_in_place(bench: Bench) -> None:
    bench.fakes.answerer.scripts = [[LOST], [Done(answer("Found it."))]]
    failed = await asked(bench)
    assert "Qdrant does not answer" in seen(failed)
    await bench.click(failed, RETRY_ACTION)
    await bench.settle()
    (told,) = bench.ephemerals()
    assert "Found it." in seen(told)


async def test_explain_answers_about_the_finding_in_the_digests_thread(either: Bench) -> None:
    parent = await either.tell(digest(item()))
    detail = either.own()[-1]
    await either.click(detail, EXPLAIN_ACTION)
    await either.settle()
    explained = either.own()[-1]
    assert explained["thread_ts"] == parent
    assert "Asked by <@UYOU>: *Why does Deployment shop/payments have OOMKilled" in seen(explained)
    assert either.fakes.answerer.asked == [(explain_question(item()), ())]


async def test_an_unknown_button_is_confirmed(bench: Bench) -> None:
    posted = await bench.client.chat_postMessage(
        channel="COPS",
        text="old",
        blocks=[
            {
                "type": "actions",
                "elements": [
                    {
                        "type": "button",
                        "action_id": "from_an_older_version",
                        "text": {"type": "plain_text", "text": "Old"},
                    }
                ],
            }
        ],
    )
    outcome = await bench.click({"ts": posted["ts"]}, "from_an_older_version")
    assert outcome["acked"]


async def voted(bench: Bench, verdict: str = "up") -> tuple[str, dict[str, Any]]:
    bench.say("<@UOPSBOT> why?")
    (reply,) = await bench.eventually(bench.own)
    reference = next(iter(bench.fakes.answers.kept))
    await bench.click(reply, FEEDBACK_ACTION, f"{reference}:{verdict}")
    await bench.eventually(bench.ephemerals)
    await bench.settle()
    return reference, reply


async def test_a_helpful_answer_is_kept_by_a_click_and_forgotten_by_another(either: Bench) -> None:
    reference, reply = await voted(either)
    assert either.fakes.answers.knowledge == {}
    await either.click(either.ephemerals()[-1], KEEP_ACTION)
    await either.settle()
    assert either.fakes.answers.knowledge == {reference: "UYOU"}
    # Whoever votes again finds the way back.
    await either.click(reply, FEEDBACK_ACTION, f"{reference}:up")
    await either.settle()
    await either.click(either.ephemerals()[-1], FORGET_ACTION)
    await either.settle()
    assert either.fakes.answers.knowledge == {}
    assert "Forgotten" in seen(either.ephemerals()[-1])


async def test_what_is_gone_cannot_be_kept(bench: Bench) -> None:
    await voted(bench)
    bench.fakes.answers.kept.clear()
    await bench.click(bench.ephemerals()[-1], KEEP_ACTION)
    await bench.settle()
    assert "too old" in seen(bench.ephemerals()[-1])


async def test_an_answer_about_the_moment_is_not_offered_to_be_kept(bench: Bench) -> None:
    now = answer(citations=(citation(source="cluster"),))
    bench.fakes.answerer.scripts = [[Done(now)]]
    await voted(bench)
    assert "Keep as knowledge" not in seen(bench.ephemerals()[-1])


async def test_a_click_whose_time_is_over_is_told_and_the_vote_stays(bench: Bench) -> None:
    bench.say("<@UOPSBOT> why?")
    (reply,) = await bench.eventually(bench.own)
    reference = next(iter(bench.fakes.answers.kept))
    bench.fault(kind="error", method="views.open", error="expired_trigger_id")
    await bench.click(reply, FEEDBACK_ACTION, f"{reference}:down")
    await bench.eventually(bench.ephemerals)
    await bench.settle()
    assert "the click arrived too late" in seen(bench.ephemerals()[-1])
    assert bench.fakes.answers.votes == {(reference, "UYOU"): (False, "")}


async def test_where_the_bot_is_no_member_a_button_says_to_invite_it(either: Bench) -> None:
    await either.tell(digest(item()))
    post = either.own()[-1]
    either.running.controls.conversation("ops").members.remove(world.BOT_USER_ID)
    await either.click(post, EXPLAIN_ACTION)
    await either.settle()
    told = await either.eventually(either.ephemerals)
    assert "/invite @opsbot" in seen(told[-1])
