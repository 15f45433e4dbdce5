"""Buttons under answers and findings."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext
from slack_sdk.errors import SlackApiError

from bot.access import ASK, KEEP, SHARE, VOTE, Action, Asker
from bot.answering import Ask
from bot.blocks import notices
from bot.blocks.answer import FEEDBACK_ACTION, SHARE_ACTION, asked, lay_out
from bot.blocks.digest_marks import EXPLAIN_ACTION
from bot.blocks.feedback import (
    COMMENT_VIEW,
    FORGET_ACTION,
    KEEP_ACTION,
    comment_of,
    comment_view,
    forgotten_message,
    kept_message,
    offer_to_keep,
    thanks_message,
    too_late_message,
)
from bot.blocks.parts import Message
from bot.edge import Edge
from bot.gate import Visit
from bot.listeners.incoming import visit_of_click
from bot.notices import NOT_A_MEMBER, SLACK_FAILURES, slack_code
from bot.replies import Reply
from bot.surfaces import Place
from bot.thread_tasks import THREAD_TASKS
from bot.threads import Thread
from knowledge.kept import is_worth_keeping

log = logging.getLogger(__name__)

_FORGOTTEN = "This answer is too old to be used again. Please ask the question once more."


@dataclass(frozen=True, slots=True)
class _Click:
    """A button that somebody may press was pressed."""

    edge: Edge
    body: Mapping[str, Any]
    asker: Asker
    bot_user: str

    @property
    def value(self) -> str:
        """The button's own."""
        return str(self.body["actions"][0]["value"])

    def reply(self, thread_ts: str = "") -> Reply:
        """The way back to the person."""
        return self.edge.reply(str(self.body["response_url"]), thread_ts)


_Listener = Callable[[_Click], Awaitable[None]]


def register(app: AsyncApp, edge: Edge) -> None:
    """Listen to every button the bot offers, and to the comment of a vote."""
    listeners: dict[str, tuple[str, _Listener]] = {
        notices.ASK_ACTION: (ASK, _ask),
        notices.RETRY_ACTION: (ASK, _retry),
        SHARE_ACTION: (SHARE, _share),
        FEEDBACK_ACTION: (VOTE, _vote),
        KEEP_ACTION: (KEEP, _keep),
        FORGET_ACTION: (KEEP, _forget),
        EXPLAIN_ACTION: (ASK, _explain),
    }

    async def on_action(ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
        await ack()
        if await edge.is_new(f"action:{body['trigger_id']}"):
            action_id = body["actions"][0]["action_id"]
            command, listener = listeners[action_id]
            is_private = bool(body["container"].get("is_ephemeral"))
            is_seen_by_all = action_id in {SHARE_ACTION, EXPLAIN_ACTION} or (
                action_id == notices.RETRY_ACTION and not is_private
            )
            asker = await _admit(edge, body, Action(command, is_seen_by_all=is_seen_by_all))
            if asker is None:
                return
            click = _Click(edge, body, asker, context.bot_user_id or "")
            if command == ASK:
                await listener(click)
                return
            with edge.audited(asker, command):
                await listener(click)

    async def on_comment(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        await _comment(edge, body)

    for action_id in listeners:
        app.action(action_id)(on_action)
    app.view(COMMENT_VIEW)(on_comment)


async def _admit(edge: Edge, body: Mapping[str, Any], action: Action) -> Asker | None:
    reply = edge.reply(str(body["response_url"]))
    return await edge.admit(visit_of_click(body), action, reply.send)


async def _ask(click: _Click) -> None:
    reply = click.reply()
    await reply.send(notices.looking(click.value), replaces=True)
    await click.edge.answering.by_reply(click.value, click.asker, reply)


async def _retry(click: _Click) -> None:
    edge, asker, reference, reply = click.edge, click.asker, click.value, click.reply()
    kept = await edge.services.answers.get(reference, asker.scope)
    if kept is None:
        await reply.send(notices.hint(_FORGOTTEN))
        return
    if kept.task and not await _admit(edge, click.body, Action(kept.task)):
        return
    # The second of two quick clicks would ask a second time.
    if not await edge.is_new(f"retry:{reference}"):
        return
    container = click.body["container"]
    if container.get("is_ephemeral"):
        await reply.send(notices.looking(asked(kept)), replaces=True)
        earlier = Thread()
        if kept.task in THREAD_TASKS and container.get("thread_ts"):
            thread_ts = str(container["thread_ts"])
            earlier = await edge.answering.thread(asker.channel, thread_ts, "", click.bot_user)
        await edge.answering.by_reply(kept.question, asker, reply, kept.task, earlier=earlier)
        return
    message_ts = str(container["message_ts"])
    await edge.answering.in_thread(
        Ask(
            question=kept.question,
            asker=asker,
            thread_ts=str(container.get("thread_ts") or message_ts),
            bot_user=click.bot_user,
            answer_ts=message_ts,
            task=kept.task,
        )
    )


async def _share(click: _Click) -> None:
    edge, asker, reference, reply = click.edge, click.asker, click.value, click.reply()
    answer = await edge.services.answers.get(reference, asker.scope)
    if answer is None:
        await reply.send(notices.hint(_FORGOTTEN))
        return
    if not await edge.services.answers.mark_shared(reference):
        return
    now = edge.services.clock.now()
    layout = lay_out(answer, reference, now, asked_by=asker.user)
    shared = layout.messages()
    thread_ts = ""
    try:
        for message in shared:
            posted = await edge.client.chat_postMessage(
                channel=asker.channel,
                thread_ts=thread_ts or None,
                unfurl_links=False,
                unfurl_media=False,
                **message.arguments(),
            )
            thread_ts = thread_ts or str(posted["ts"])
    except SlackApiError as error:
        if slack_code(error) not in NOT_A_MEMBER:
            raise
        # A response_url reaches channels that the bot has not been invited to.
        for message in shared:
            await reply.send(message, in_channel=True)
    kept = lay_out(answer, reference, now, shows_question=True)
    await reply.send(kept.messages()[-1], replaces=True)  # the part that had the button
    if thread_ts:
        place = Place(asker.team, asker.channel, thread_ts, asker.user)
        await edge.answering.attachments.follow(place, answer, layout, reference)


async def _vote(click: _Click) -> None:
    edge, asker = click.edge, click.asker
    reference, _, verdict = click.value.partition(":")
    is_helpful = verdict == "up"
    await edge.services.answers.vote(reference, asker.user, is_helpful)
    thread_ts = str(click.body["container"].get("thread_ts") or "")
    if is_helpful:
        await click.reply(thread_ts).send(await _thanks(edge, reference, asker))
        return
    place = {"reference": reference, "channel": asker.channel, "thread_ts": thread_ts}
    await edge.client.views_open(
        trigger_id=str(click.body["trigger_id"]), view=comment_view(json.dumps(place))
    )


async def _thanks(edge: Edge, reference: str, asker: Asker) -> Message:
    """Thanks, with what can be done about the answer beyond the vote."""
    answers = edge.services.answers
    if await answers.is_kept(reference):
        return kept_message(reference)
    answer = await answers.get(reference, asker.scope)
    if answer is not None and is_worth_keeping(answer):
        return offer_to_keep(reference)
    return thanks_message()


async def _keep(click: _Click) -> None:
    is_kept = await click.edge.services.answers.keep(click.value, click.asker.user)
    told = kept_message(click.value) if is_kept else too_late_message()
    await click.reply().send(told, replaces=True)


async def _forget(click: _Click) -> None:
    is_gone = await click.edge.services.answers.forget(click.value)
    told = forgotten_message() if is_gone else too_late_message()
    await click.reply().send(told, replaces=True)


async def _comment(edge: Edge, body: Mapping[str, Any]) -> None:
    view = body["view"]
    place = json.loads(view["private_metadata"])
    user = str(body["user"]["id"])

    async def tell(message: Message) -> None:
        await edge.client.chat_postEphemeral(
            channel=place["channel"],
            user=user,
            thread_ts=place["thread_ts"] or None,
            **message.arguments(),
        )

    visit = Visit(user, place["channel"], str(body["user"].get("team_id") or ""))
    asker = await edge.admit(visit, Action(VOTE), tell)
    if asker is None:
        return
    with edge.audited(asker, VOTE):
        await edge.services.answers.vote(place["reference"], user, False, comment_of(view))  # noqa: FBT003  (the port's third argument)
    try:
        await tell(thanks_message())
    except SLACK_FAILURES as error:
        # The vote is kept; where the bot is no member it cannot say so.
        log.debug("no thanks said in %s: %s", place["channel"], error)


async def _explain(click: _Click) -> None:
    container = click.body["container"]
    await click.edge.answering.in_thread(
        Ask(
            question=click.value,
            asker=click.asker,
            thread_ts=str(container.get("thread_ts") or container["message_ts"]),
            bot_user=click.bot_user,
            has_history=False,  # the thread is about the other findings
            announces=True,
        )
    )
