"""Message shortcuts: "Summarise this thread" and "Explain this error", for one person's eyes.

They are answered by `response_url`, not in a modal: it works in threads and in channels that the
bot is no member of, waits half an hour instead of three seconds, and what is shown there can be
shared and voted on as any other answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext

from bot.access import Action, Asker
from bot.blocks import notices
from bot.edge import Edge
from bot.listeners.incoming import visit_of_click
from bot.mrkdwn import clip
from bot.replies import Opening
from bot.thread_tasks import EXPLAIN, QUESTIONS, SUMMARY
from bot.threads import said_in

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

    async def on_summarise(ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
        await ack()
        asker = await _admit(edge, body, SUMMARY)
        if asker:
            await _summarise(edge, body, asker, context.bot_user_id or "")

    async def on_explain(ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
        await ack()
        asker = await _admit(edge, body, EXPLAIN)
        if asker:
            await _explain(edge, body, asker, context.bot_user_id or "")

    app.message_shortcut(SUMMARISE_SHORTCUT)(on_summarise)
    app.message_shortcut(EXPLAIN_SHORTCUT)(on_explain)


async def _admit(edge: Edge, body: Mapping[str, Any], task: str) -> Asker | None:
    if not await edge.is_new(f"shortcut:{body['trigger_id']}"):
        return None
    reply = edge.reply(str(body["response_url"]))
    return await edge.admit(visit_of_click(body), Action(task), reply.send)


async def _summarise(edge: Edge, body: Mapping[str, Any], asker: Asker, bot_user: str) -> None:
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
        SUMMARY,
        earlier=earlier,
        opening=Opening.BESIDE,
    )


async def _explain(edge: Edge, body: Mapping[str, Any], asker: Asker, bot_user: str) -> None:
    reply = edge.reply(str(body["response_url"]), _looked_at(body["message"]))
    words = said_in(body["message"], bot_user).replace("```", "").strip()
    if not words:
        await reply.send(notices.hint(_NO_WORDS, _QUOTE))
        return
    question = clip(words, edge.services.limits.max_question_chars)
    await edge.answering.by_reply(question, asker, reply, EXPLAIN, opening=Opening.BESIDE)


def _looked_at(message: Mapping[str, Any]) -> str:
    """The thread whose reply the shortcut was used on; '' for a message of the channel itself."""
    thread_ts = str(message.get("thread_ts") or "")
    return thread_ts if thread_ts != message["ts"] else ""
