"""Buttons under a digest's findings: explain, similar, mute, known issue, acknowledge.

What they do is kept in the database and the message is redrawn from there, so any replica can take
any click.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.access import ASK, MARK
from bot.answering import Ask
from bot.blocks.digest_marks import (
    ACKNOWLEDGE_ACTION,
    EXPLAIN_ACTION,
    KNOWN_ACTION,
    KNOWN_ISSUE,
    MUTE_ACTION,
    SIMILAR_ACTION,
    UNMUTE_ACTION,
    Told,
    chosen_mute,
    holding,
    remarked,
)
from bot.edge import Edge
from bot.interrupted import Underway
from bot.listeners.clicks import (
    AskingButton,
    Button,
    Click,
    admit_view,
    always,
    listen,
    listen_to_questions,
    name_of,
)
from bot.notices import SLACK_FAILURES
from core.digests import Acknowledgement, KnownIssue, Mute

log = logging.getLogger(__name__)

_SIMILAR = "similar"


def register(app: AsyncApp, edge: Edge) -> None:
    """Listen to the buttons, and to the field of a known issue."""
    marking = {
        MUTE_ACTION: _mute,
        UNMUTE_ACTION: _unmute,
        KNOWN_ACTION: _ask_known_issue,
        ACKNOWLEDGE_ACTION: _acknowledge,
    }

    async def on_known_issue(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        await _keep_known_issue(edge, body)

    asking = {
        EXPLAIN_ACTION: AskingButton(ASK, partial(_ask, task=""), always),
        SIMILAR_ACTION: AskingButton(_SIMILAR, partial(_ask, task=_SIMILAR), always),
    }
    listen_to_questions(app, edge, asking)
    buttons = {key: Button(MARK, press, argument=key) for key, press in marking.items()}
    listen(app, edge, buttons)
    app.view(KNOWN_ISSUE.callback_id)(on_known_issue)


async def _mute(click: Click) -> None:
    told, length = chosen_mute(click.value)
    now = click.edge.services.clock.now()
    until = now + length if length is not None else None
    mute = Mute(click.asker.user, click.name, now, until, told.severity, told.count)
    await click.edge.services.marks.put(told.schedule, told.identity, mute)
    await _redraw(click, told)


async def _unmute(click: Click) -> None:
    """End it now. It stays in the store, so that the next digest tells what was held back."""
    told, services = Told.read(click.value), click.edge.services
    mute = (await services.marks.of(told.schedule, told.identity)).mute
    if mute is not None:
        ended = replace(mute, until=services.clock.now())
        await services.marks.put(told.schedule, told.identity, ended)
    await _redraw(click, told)


async def _acknowledge(click: Click) -> None:
    told, services = Told.read(click.value), click.edge.services
    seen = Acknowledgement(click.asker.user, click.name, services.clock.now())
    await services.marks.put(told.schedule, told.identity, seen)
    await _redraw(click, told)


async def _ask_known_issue(click: Click) -> None:
    told, services = Told.read(click.value), click.edge.services
    known = (await services.marks.of(told.schedule, told.identity)).known_issue
    place = {
        "told": str(told),
        "channel": click.asker.channel,
        "ts": str(click.body["container"]["message_ts"]),
        "thread_ts": click.thread_ts,
    }
    view = KNOWN_ISSUE.view(json.dumps(place), known.text if known is not None else "")
    await click.edge.client.views_open(trigger_id=str(click.body["trigger_id"]), view=view)


async def _keep_known_issue(edge: Edge, body: Mapping[str, Any]) -> None:
    view = body["view"]
    place = json.loads(view["private_metadata"])
    channel, told = str(place["channel"]), Told.read(place["told"])
    asker, _ = await admit_view(edge, body, place, MARK)
    if asker is None:
        return
    text, marks = " ".join(KNOWN_ISSUE.written(view).split()), edge.services.marks
    with edge.audited(asker, MARK, KNOWN_ACTION):
        if text:
            issue = KnownIssue(asker.user, name_of(body["user"]), edge.services.clock.now(), text)
            await marks.put(told.schedule, told.identity, issue)
        elif known := (await marks.of(told.schedule, told.identity)).known_issue:
            await marks.drop(told.schedule, told.identity, known)
    try:
        # A view's payload does not bring the message that it was opened from.
        page = await edge.client.conversations_replies(
            channel=channel,
            ts=place["thread_ts"],
            oldest=place["ts"],
            latest=place["ts"],
            inclusive=True,
            limit=2,
        )
    except SLACK_FAILURES as error:
        log.warning("the known issue is kept, but not shown on its message: %s", error)
        return
    shown = [one for one in page.get("messages") or [] if one["ts"] == place["ts"]]
    if shown:
        await _show(edge, channel, shown[0], told)


async def _ask(click: Click, opened: Underway, task: str) -> None:
    """Ask about the finding in its thread."""
    await click.edge.answering.in_thread(
        Ask(
            question=click.value,
            asker=click.asker,
            thread_ts=click.thread_ts,
            bot_user=click.bot_user,
            has_history=False,  # the thread is about the other findings
            announces=True,
            task=task,
        ),
        opened,
    )


async def _redraw(click: Click, told: Told) -> None:
    await _show(click.edge, click.asker.channel, click.body["message"], told)


async def _show(edge: Edge, channel: str, message: Mapping[str, Any], told: Told) -> None:
    """Draw a finding's message anew, from what is kept of it."""
    marks = await edge.services.marks.of(told.schedule, told.identity)
    shown = remarked(message, told, holding(marks, edge.services.clock.now()))
    await edge.client.chat_update(channel=channel, ts=str(message["ts"]), **shown.arguments())
