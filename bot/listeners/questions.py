"""Mentions, direct messages and follow-ups: the same question, asked in three ways."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.access import ASK, STOP, Action
from bot.answering import Ask
from bot.blocks.help import greeting
from bot.blocks.parts import Message
from bot.commands.routing import too_long
from bot.edge import Edge
from bot.gate import Visit
from bot.interrupted import Underway, new_answer
from bot.listeners import asking
from bot.listeners.asking import Question
from bot.listeners.followups import is_follow_up
from bot.listeners.incoming import delivery_keys, is_addressed, reason_to_ignore, visit_of_event
from bot.thread_tasks import QUESTIONS, task_of
from bot.threads import words_of

log = logging.getLogger(__name__)

_STOP_WORDS = frozenset({"stop", "cancel", "abort"})


def register(app: AsyncApp, edge: Edge) -> None:
    """Listen to mentions and messages."""

    async def answer(body: dict[str, Any], bot_user: str, opened: Underway) -> None:
        await _answer(edge, body, bot_user, opened)

    async def asks(event: dict[str, Any]) -> bool:
        # In channels a mention asks, and that arrives as an event of its own.
        return is_addressed(event) or await is_follow_up(edge, event)

    async def on_stop(event: dict[str, Any], body: dict[str, Any]) -> None:
        # Slack's own Stop button, for apps that are declared agents.
        visit, thread_ts = visit_of_event(event, body), str(event.get("thread_ts"))
        if await edge.admit(visit, Action(STOP), partial(_tell_alone, edge, visit, thread_ts)):
            edge.answering.stop((str(body.get("team_id")), visit.channel, thread_ts))

    app.event("agent_session_stopped")(on_stop)
    for name in ("app_mention", "message"):
        asking.listen(partial(app.event, name, matchers=[asks]), edge, _read, answer)


def _read(body: Mapping[str, Any], bot_user: str) -> Question | None:
    event: Mapping[str, Any] = body["event"]
    reason = reason_to_ignore(event, bot_user)
    if reason:
        log.debug("ignored %s in %s: %s", event.get("type"), event.get("channel"), reason)
        return None
    thread_ts = str(event.get("thread_ts") or event["ts"])
    answer = new_answer(str(event["channel"]), thread_ts=thread_ts)
    return Question(delivery_keys(event, body), answer)


async def _answer(edge: Edge, body: Mapping[str, Any], bot_user: str, opened: Underway) -> None:
    event = body["event"]
    visit = visit_of_event(event, body)
    ts, channel = str(event["ts"]), visit.channel
    thread_ts = str(event.get("thread_ts") or ts)
    limits = edge.services.limits
    question = words_of(str(event.get("text") or ""), bot_user)
    task = task_of(question)
    asker = await edge.admit(
        visit,
        Action(task or ASK, is_seen_by_all=True),
        partial(_tell_alone, edge, visit, thread_ts) if is_addressed(event) else _tell_nobody,
    )
    if asker is None:
        return
    if not question:
        questions = await edge.services.suggestions.questions(asker.scope)
        await edge.say(channel, greeting(limits.command, questions), thread_ts)
        return
    if len(question) > limits.max_question_chars:
        told = too_long(len(question), limits.max_question_chars)
        await edge.say(channel, told, thread_ts)
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


async def _tell_nobody(_: Message) -> None:
    """Who spoke to others waits for no word of ours."""
