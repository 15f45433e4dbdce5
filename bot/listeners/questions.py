"""Mentions in channels and messages to the bot: the same question, asked in two ways."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from slack_bolt.async_app import AsyncApp, AsyncBoltContext

from bot.answering import Ask
from bot.blocks import notices
from bot.blocks.help import greeting
from bot.blocks.parts import Message
from bot.commands.routing import too_long
from bot.edge import Edge
from bot.listeners.incoming import delivery_keys, is_outsider, reason_to_ignore
from bot.thread_tasks import QUESTIONS, task_of
from bot.threads import words_of

log = logging.getLogger(__name__)

_OUTSIDER = "I answer members of this workspace only."
_SHARED = (
    "This channel is shared with another organisation, so I keep what I know of the clusters to "
    "myself here. Ask me in a direct message."
)
_STOP_WORDS = frozenset({"stop", "cancel", "abort"})


def register(app: AsyncApp, edge: Edge) -> None:
    """Listen to mentions and direct messages."""

    async def on_mention(
        event: dict[str, Any], body: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        await _take(edge, event, body, context.bot_user_id or "")

    async def on_message(
        event: dict[str, Any], body: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        # In channels only a mention asks, and that arrives as an event of its own.
        if event.get("channel_type") == "im":
            await _take(edge, event, body, context.bot_user_id or "")

    async def on_stop(event: dict[str, Any], body: dict[str, Any]) -> None:
        # Slack's own Stop button, for apps that are declared agents.
        thread = (body.get("team_id"), event.get("channel"), event.get("thread_ts"))
        edge.answering.stop((str(thread[0]), str(thread[1]), str(thread[2])))

    app.event("agent_session_stopped")(on_stop)
    app.event("app_mention")(on_mention)
    app.event("message")(on_message)


async def _take(
    edge: Edge, event: Mapping[str, Any], body: Mapping[str, Any], bot_user: str
) -> None:
    reason = reason_to_ignore(event, bot_user)
    if reason:
        log.debug("ignored %s in %s: %s", event.get("type"), event.get("channel"), reason)
        return
    if not await edge.is_new(*delivery_keys(event, body)):
        log.debug("ignored a repeated delivery of %s", event.get("ts"))
        return
    channel, user, ts = str(event["channel"]), str(event["user"]), str(event["ts"])
    thread_ts = str(event.get("thread_ts") or ts)
    refusal = _refusal(event, body)
    if refusal:
        log.info("refused a question of %s in %s", user, channel)
        await edge.client.chat_postEphemeral(
            channel=channel, user=user, thread_ts=thread_ts, **notices.hint(refusal).arguments()
        )
        return
    limits = edge.services.limits
    question = words_of(str(event.get("text") or ""), bot_user)
    if not question:
        await _say(edge, channel, thread_ts, greeting(limits.command))
        return
    if len(question) > limits.max_question_chars:
        await _say(edge, channel, thread_ts, too_long(len(question), limits.max_question_chars))
        return
    task = task_of(question)
    ask = Ask(
        question=QUESTIONS.get(task, question),
        team=str(body.get("team_id") or ""),
        channel=channel,
        thread_ts=thread_ts,
        user=user,
        bot_user=bot_user,
        message_ts=ts,
        task=task,
    )
    is_stop = question.casefold().rstrip(".! ") in _STOP_WORDS
    if is_stop and edge.answering.stop(ask.place.thread):
        return
    await edge.answering.in_thread(ask)


def _refusal(event: Mapping[str, Any], body: Mapping[str, Any]) -> str:
    """Why a question may not be answered where it was asked, or ''."""
    if is_outsider(event, body):
        return _OUTSIDER
    return _SHARED if body.get("is_ext_shared_channel") else ""


async def _say(edge: Edge, channel: str, thread_ts: str, message: Message) -> None:
    await edge.client.chat_postMessage(
        channel=channel,
        thread_ts=thread_ts,
        unfurl_links=False,
        unfurl_media=False,
        **message.arguments(),
    )
