"""The app's Home tab: drawn when somebody opens it, and again when they press a button on it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.access import ASK, Action, Allowed, Refused
from bot.answering import Ask
from bot.blocks import notices
from bot.blocks.answer import asked
from bot.blocks.home import (
    AGAIN_ACTION,
    HOME_ASK_ACTIONS,
    REFRESH_ACTION,
    SHOWN_ANSWERS,
    Home,
    Recent,
    home_view,
    refused_view,
)
from bot.blocks.parts import Block
from bot.commands.help import entries
from bot.commands.table import COMMANDS
from bot.edge import Edge
from bot.gate import Visit
from bot.interrupted import Underway, new_answer
from bot.listeners import asking
from bot.listeners.asking import Question
from bot.listeners.clicks import key_of_click
from bot.listeners.incoming import visit_of_view
from bot.mrkdwn import clip, escape
from bot.notices import SLACK_FAILURES
from bot.thread_tasks import EXPLAIN, THREAD_TASKS
from core.errors import OpsbotError

log = logging.getLogger(__name__)

_STATUS, _SCHEDULE, _HOME = "status", "schedule", "help"
# What was asked about a thread or a message means nothing apart from it.
_NOT_REPEATED = THREAD_TASKS | {EXPLAIN}
_TOO_OLD = "That answer is gone. Please ask the question once more."


def register(app: AsyncApp, edge: Edge) -> None:
    """Listen to its opening and to its buttons."""

    async def on_opened(event: dict[str, Any], body: dict[str, Any]) -> None:
        if event.get("tab") == "home":
            team, user = str(body.get("team_id") or ""), str(event["user"])
            await _publish(edge, Visit(user, str(event["channel"]), team))

    async def on_refresh(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        if await edge.is_new(key_of_click(body)):
            await _publish(edge, _visit(body))

    async def ask(body: dict[str, Any], _: str, opened: Underway) -> None:
        question = str(body["actions"][0]["value"])
        await _ask(edge, _visit(body), question, "", opened)

    async def again(body: dict[str, Any], _: str, opened: Underway) -> None:
        await _again(edge, body, opened)

    app.event("app_home_opened")(on_opened)
    app.action(REFRESH_ACTION)(on_refresh)
    asking.listen(partial(app.action, AGAIN_ACTION), edge, _read, again)
    for action_id in HOME_ASK_ACTIONS:
        asking.listen(partial(app.action, action_id), edge, _read, ask)


def _read(body: Mapping[str, Any], _: str) -> Question:
    return Question((key_of_click(body),), new_answer(_visit(body).channel))


def _visit(body: Mapping[str, Any]) -> Visit:
    """A press on the Home tab happens nowhere; it counts as the direct message beside it."""
    return visit_of_view(body, str(body["view"]["private_metadata"]))


async def _publish(edge: Edge, visit: Visit, notice: str = "") -> None:
    view = await _view(edge, visit, notice)
    try:
        await edge.client.views_publish(user_id=visit.user, view=view)
    except SLACK_FAILURES as error:
        log.warning("the Home tab of %s could not be drawn: %s", visit.user, error)


async def _view(edge: Edge, visit: Visit, notice: str) -> Block:
    verdict = await edge.gate.judge(visit, Action(_HOME))
    if isinstance(verdict, Refused):
        return refused_view(verdict.words, visit.channel)
    services = edge.services
    may_see_health = await _may(edge, visit, _STATUS)
    may_see_digests = await _may(edge, visit, _SCHEDULE)
    home = Home(
        command=services.limits.command,
        now=services.clock.now(),
        health=await services.health.check() if may_see_health else None,
        digests=await services.planned() if may_see_digests else None,
        recent=await _recent(edge, visit),
        questions=await services.suggestions.questions(verdict.scope),
        commands=entries(COMMANDS),
        notice=notice,
    )
    return home_view(home, visit.channel)


async def _may(edge: Edge, visit: Visit, command: str) -> bool:
    return isinstance(await edge.gate.judge(visit, Action(command)), Allowed)


async def _recent(edge: Edge, visit: Visit) -> list[Recent]:
    """What this person asked, as far as they might ask it today where they did."""
    answers = edge.services.answers
    found: list[Recent] = []
    try:
        for each in await answers.recent(visit.user, SHOWN_ANSWERS):
            there = Visit(visit.user, each.channel, visit.team)
            verdict = await edge.gate.judge(there, Action(ASK))
            if isinstance(verdict, Refused):
                continue
            answer = await answers.get(each.reference, verdict.scope)
            if answer is not None:
                can_repeat = answer.task not in _NOT_REPEATED
                found.append(
                    Recent(each.reference, each.channel, each.asked_at, answer, can_repeat)
                )
    except OpsbotError as error:
        log.warning("what %s asked lately is not to be had: %s", visit.user, error)
    return found


async def _again(edge: Edge, body: Mapping[str, Any], opened: Underway) -> None:
    visit, reference = _visit(body), str(body["actions"][0]["value"])
    kept = next((each for each in await _recent(edge, visit) if each.reference == reference), None)
    if kept is None:
        await _publish(edge, visit, _TOO_OLD)
        return
    await _ask(edge, visit, kept.answer.question, kept.answer.task, opened)


async def _ask(edge: Edge, visit: Visit, question: str, task: str, opened: Underway) -> None:
    """Put a question of the Home tab into the direct message, and answer it there."""
    asker = await edge.admit(visit, Action(task or ASK), partial(edge.say, visit.channel))
    if asker is None:
        return
    opening = notices.asked_from_home(asked(task, question))
    thread_ts = await edge.say(visit.channel, opening)
    told = f"*{escape(clip(asked(task, question), 150))}* is being answered in *Messages*."
    await _publish(edge, visit, told)
    await edge.answering.in_thread(
        Ask(
            question=question,
            asker=asker,
            thread_ts=thread_ts,
            has_history=False,
            task=task,
        ),
        opened,
    )
