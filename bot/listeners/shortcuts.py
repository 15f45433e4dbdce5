"""Message shortcuts: "Summarise this thread" and "Explain this error", for one person's eyes.

They are answered by `response_url`, not in a modal: it works in threads and in channels that the
bot is no member of, waits half an hour instead of three seconds, and what is shown there can be
shared and voted on as any other answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.access import Action, Asker
from bot.blocks import notices
from bot.edge import Edge
from bot.interrupted import Underway, new_answer
from bot.listeners import asking
from bot.listeners.asking import Question
from bot.listeners.incoming import visit_of_click
from bot.mrkdwn import clip
from bot.replies import Opening
from bot.thread_tasks import EXPLAIN, QUESTIONS, SUMMARY
from bot.threads import said_in

Answer = Callable[[Edge, Mapping[str, Any], Asker, str, Underway], Awaitable[None]]

SUMMARISE_SHORTCUT = "summarise_thread"
EXPLAIN_SHORTCUT = "explain_error"

_UNREADABLE = "I cannot read this thread: I am not a member of this channel."
_INVITE = (
    "Invite me with `/invite @opsbot`, then use the shortcut again. To explain a single message I "
    "need no invitation."
)
_NO_WORDS = "There is no text in this message that I could explain."
_QUOTE = "Use the shortcut on a message that quotes the error."


def register(app: AsyncApp, edge: Edge) -> None:
    """Listen to the two shortcuts."""

    def register_one(shortcut: str, task: str, answer: Answer) -> None:
        async def admit_and_answer(body: dict[str, Any], bot_user: str, opened: Underway) -> None:
            tell = edge.reply(str(body["response_url"])).send
            asker = await edge.admit(visit_of_click(body), Action(task), tell)
            if asker:
                await answer(edge, body, asker, bot_user, opened)

        asking.listen(partial(app.message_shortcut, shortcut), edge, _read, admit_and_answer)

    register_one(SUMMARISE_SHORTCUT, SUMMARY, _summarise)
    register_one(EXPLAIN_SHORTCUT, EXPLAIN, _explain)


def _read(body: Mapping[str, Any], _: str) -> Question:
    answer = new_answer(
        str(body["channel"]["id"]),
        thread_ts=_looked_at(body["message"]),
        response_url=str(body["response_url"]),
    )
    return Question((f"shortcut:{body['trigger_id']}",), answer)


async def _summarise(
    edge: Edge, body: Mapping[str, Any], asker: Asker, bot_user: str, opened: Underway
) -> None:
    message = body["message"]
    thread_ts = str(message.get("thread_ts") or message["ts"])
    reply = edge.reply(str(body["response_url"]), _looked_at(message))
    earlier = await edge.answering.thread(asker.channel, thread_ts, "", bot_user)
    if not earlier.is_read:
        await reply.send(notices.hint(_UNREADABLE, _INVITE))
        return
    await edge.answering.by_reply(
        QUESTIONS[SUMMARY],
        asker,
        reply,
        opened,
        SUMMARY,
        earlier=earlier,
        opening=Opening.BESIDE,
    )


async def _explain(
    edge: Edge, body: Mapping[str, Any], asker: Asker, bot_user: str, opened: Underway
) -> None:
    reply = edge.reply(str(body["response_url"]), _looked_at(body["message"]))
    words = said_in(body["message"], bot_user).replace("```", "").strip()
    if not words:
        await reply.send(notices.hint(_NO_WORDS, _QUOTE))
        return
    question = clip(words, edge.services.limits.max_question_chars)
    await edge.answering.by_reply(question, asker, reply, opened, EXPLAIN, opening=Opening.BESIDE)


def _looked_at(message: Mapping[str, Any]) -> str:
    """The thread whose reply the shortcut was used on; '' for a message of the channel itself."""
    thread_ts = str(message.get("thread_ts") or "")
    return thread_ts if thread_ts != message["ts"] else ""
