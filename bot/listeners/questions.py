"""Mentions in channels and messages to the bot: the same question, asked in two ways."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncApp, AsyncBoltContext

from bot.access import ASK, STOP, Action
from bot.answering import Ask
from bot.blocks.help import greeting
from bot.blocks.parts import Message
from bot.commands.routing import too_long
from bot.edge import Edge
from bot.gate import Visit
from bot.interrupted import Underway
from bot.listeners.incoming import delivery_keys, reason_to_ignore, visit_of_event
from bot.thread_tasks import QUESTIONS, task_of
from bot.threads import words_of

log = logging.getLogger(__name__)

_TAKEN = "opsbot_taken"
_STOP_WORDS = frozenset({"stop", "cancel", "abort"})


def register(app: AsyncApp, edge: Edge) -> None:
    """Listen to mentions and direct messages."""

    async def take(
        event: dict[str, Any],
        body: dict[str, Any],
        context: AsyncBoltContext,
        next: Callable[[], Awaitable[None]],  # noqa: A002  (Bolt's name)
    ) -> None:
        # Bolt confirms after this, so what Slack knows to have arrived is written down.
        context[_TAKEN] = await _take(edge, event, body, context.bot_user_id or "")
        await next()

    async def on_question(
        event: dict[str, Any], body: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        opened = context[_TAKEN]
        if opened is not None:
            visit = visit_of_event(event, body)
            try:
                await _answer(edge, event, visit, context.bot_user_id or "", opened)
            except asyncio.CancelledError:
                raise  # nobody knows what was told by then: the next start closes it
            except BaseException:
                await opened.end()
                raise
            await opened.end()

    async def on_stop(event: dict[str, Any], body: dict[str, Any]) -> None:
        # Slack's own Stop button, for apps that are declared agents.
        visit, thread_ts = visit_of_event(event, body), str(event.get("thread_ts"))
        if await edge.admit(visit, Action(STOP), partial(_tell_alone, edge, visit, thread_ts)):
            edge.answering.stop((str(body.get("team_id")), visit.channel, thread_ts))

    app.event("agent_session_stopped")(on_stop)
    app.event("app_mention", middleware=[take])(on_question)
    app.event("message", middleware=[take])(on_question)


async def _take(
    edge: Edge, event: Mapping[str, Any], body: Mapping[str, Any], bot_user: str
) -> Underway | None:
    """A question that is this process's to answer, as it is written down; None for all else."""
    # In channels only a mention asks, and that arrives as an event of its own.
    if event.get("type") == "message" and event.get("channel_type") != "im":
        return None
    reason = reason_to_ignore(event, bot_user)
    if reason:
        log.debug("ignored %s in %s: %s", event.get("type"), event.get("channel"), reason)
        return None
    channel, ts = str(event["channel"]), str(event["ts"])
    thread_ts = str(event.get("thread_ts") or ts)
    opened = await edge.take(delivery_keys(event, body), channel, thread_ts)
    if opened is None:
        log.debug("ignored a repeated delivery of %s", ts)
    return opened


async def _answer(
    edge: Edge, event: Mapping[str, Any], visit: Visit, bot_user: str, opened: Underway
) -> None:
    ts, channel = str(event["ts"]), visit.channel
    thread_ts = str(event.get("thread_ts") or ts)
    limits = edge.services.limits
    question = words_of(str(event.get("text") or ""), bot_user)
    task = task_of(question)
    asker = await edge.admit(
        visit,
        Action(task or ASK, is_seen_by_all=True),
        partial(_tell_alone, edge, visit, thread_ts),
    )
    if asker is None:
        return
    if not question:
        questions = await edge.services.suggestions.questions(asker.scope)
        await _say(edge, channel, thread_ts, greeting(limits.command, questions))
        return
    if len(question) > limits.max_question_chars:
        await _say(edge, channel, thread_ts, too_long(len(question), limits.max_question_chars))
        return
    ask = Ask(
        question=QUESTIONS.get(task, question),
        asker=asker,
        thread_ts=thread_ts,
        bot_user=bot_user,
        message_ts=ts,
        task=task,
    )
    is_stop = question.casefold().rstrip(".! ") in _STOP_WORDS
    if is_stop and edge.answering.stop(ask.place.thread):
        return
    await edge.answering.in_thread(ask, opened)


async def _tell_alone(edge: Edge, visit: Visit, thread_ts: str, message: Message) -> None:
    await edge.client.chat_postEphemeral(
        channel=visit.channel, user=visit.user, thread_ts=thread_ts, **message.arguments()
    )


async def _say(edge: Edge, channel: str, thread_ts: str, message: Message) -> None:
    await edge.client.chat_postMessage(
        channel=channel,
        thread_ts=thread_ts,
        unfurl_links=False,
        unfurl_media=False,
        **message.arguments(),
    )
