"""Buttons under a digest's findings: mute, known issue, acknowledge, similar.

What they do is kept in the database and the message is redrawn from there, so any replica can take
any click. Explain is a question like others, and stands in `bot.listeners.actions`.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext

from bot.access import MARK, Action, Asker
from bot.answering import Ask
from bot.blocks.digest_marks import (
    ACKNOWLEDGE_ACTION,
    KNOWN_ACTION,
    KNOWN_VIEW,
    MUTE_ACTION,
    SIMILAR_ACTION,
    UNMUTE_ACTION,
    Told,
    chosen_mute,
    holding,
    known_issue_of,
    known_issue_view,
    remarked,
)
from bot.blocks.parts import Message
from bot.edge import Edge
from bot.gate import Visit
from bot.listeners.incoming import visit_of_click
from bot.notices import SLACK_FAILURES
from core.digests import Acknowledgement, KnownIssue, Mute

log = logging.getLogger(__name__)

_SIMILAR = "similar"


@dataclass(frozen=True, slots=True)
class _Click:
    """Somebody who may do so pressed a button of a finding's message."""

    edge: Edge
    asker: Asker
    body: Mapping[str, Any]
    bot_user: str

    @property
    def value(self) -> str:
        """The button's, or that of the chosen option."""
        clicked = self.body["actions"][0]
        chosen = clicked.get("selected_option") or clicked
        return str(chosen["value"])

    @property
    def name(self) -> str:
        """What the person is called."""
        user = self.body["user"]
        return str(user.get("name") or user.get("username") or "")


_Listener = Callable[[_Click], Awaitable[None]]


def register(app: AsyncApp, edge: Edge) -> None:
    """Listen to the buttons, and to the field of a known issue."""
    listeners: dict[str, tuple[Action, _Listener]] = {
        MUTE_ACTION: (Action(MARK), _mute),
        UNMUTE_ACTION: (Action(MARK), _unmute),
        KNOWN_ACTION: (Action(MARK), _ask_known_issue),
        ACKNOWLEDGE_ACTION: (Action(MARK), _acknowledge),
        SIMILAR_ACTION: (Action(_SIMILAR, is_seen_by_all=True), _similar),
    }

    async def on_action(ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
        await ack()
        if not await edge.is_new(f"action:{body['trigger_id']}"):
            return
        action, listener = listeners[body["actions"][0]["action_id"]]
        reply = edge.reply(str(body["response_url"]))
        asker = await edge.admit(visit_of_click(body), action, reply.send)
        if asker is None:
            return
        click = _Click(edge, asker, body, context.bot_user_id or "")
        if listener is _similar:  # an answer, which is noted as such
            await listener(click)
            return
        with edge.audited(asker, action.command, str(body["actions"][0]["action_id"])):
            await listener(click)

    async def on_known_issue(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        await _keep_known_issue(edge, body)

    for action_id in listeners:
        app.action(action_id)(on_action)
    app.view(KNOWN_VIEW)(on_known_issue)


async def _mute(click: _Click) -> None:
    told, length = chosen_mute(click.value)
    now = click.edge.services.clock.now()
    until = now + length if length is not None else None
    mute = Mute(click.asker.user, click.name, now, until, told.severity, told.count)
    await click.edge.services.marks.put(told.schedule, told.identity, mute)
    await _redraw(click, told)


async def _unmute(click: _Click) -> None:
    """End it now. It stays in the store, so that the next digest tells what was held back."""
    told, services = Told.read(click.value), click.edge.services
    mute = (await services.marks.of(told.schedule, told.identity)).mute
    if mute is not None:
        ended = replace(mute, until=services.clock.now())
        await services.marks.put(told.schedule, told.identity, ended)
    await _redraw(click, told)


async def _acknowledge(click: _Click) -> None:
    told, services = Told.read(click.value), click.edge.services
    seen = Acknowledgement(click.asker.user, click.name, services.clock.now())
    await services.marks.put(told.schedule, told.identity, seen)
    await _redraw(click, told)


async def _ask_known_issue(click: _Click) -> None:
    told, services = Told.read(click.value), click.edge.services
    known = (await services.marks.of(told.schedule, told.identity)).known_issue
    place = {
        "told": str(told),
        "channel": click.asker.channel,
        "ts": str(click.body["container"]["message_ts"]),
        "thread_ts": _thread(click),
    }
    view = known_issue_view(json.dumps(place), known.text if known is not None else "")
    await click.edge.client.views_open(trigger_id=str(click.body["trigger_id"]), view=view)


async def _keep_known_issue(edge: Edge, body: Mapping[str, Any]) -> None:
    view, user = body["view"], body["user"]
    place = json.loads(view["private_metadata"])
    channel, told = str(place["channel"]), Told.read(place["told"])

    async def tell(message: Message) -> None:
        await edge.client.chat_postEphemeral(
            channel=channel,
            user=str(user["id"]),
            thread_ts=place["thread_ts"],
            **message.arguments(),
        )

    team = str(user.get("team_id") or (body.get("team") or {}).get("id") or "")
    asker = await edge.admit(Visit(str(user["id"]), channel, team), Action(MARK), tell)
    if asker is None:
        return
    text, marks = known_issue_of(view), edge.services.marks
    with edge.audited(asker, MARK, KNOWN_ACTION):
        if text:
            name = str(user.get("name") or user.get("username") or "")
            issue = KnownIssue(asker.user, name, edge.services.clock.now(), text)
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


async def _similar(click: _Click) -> None:
    await click.edge.answering.in_thread(
        Ask(
            question=click.value,
            asker=click.asker,
            thread_ts=_thread(click),
            bot_user=click.bot_user,
            has_history=False,  # the thread is about the other findings
            announces=True,
            task=_SIMILAR,
        )
    )


async def _redraw(click: _Click, told: Told) -> None:
    await _show(click.edge, click.asker.channel, click.body["message"], told)


async def _show(edge: Edge, channel: str, message: Mapping[str, Any], told: Told) -> None:
    """Draw a finding's message anew, from what is kept of it."""
    marks = await edge.services.marks.of(told.schedule, told.identity)
    shown = remarked(message, told, holding(marks, edge.services.clock.now()))
    await edge.client.chat_update(channel=channel, ts=str(message["ts"]), **shown.arguments())


def _thread(click: _Click) -> str:
    container = click.body["container"]
    return str(container.get("thread_ts") or container["message_ts"])
