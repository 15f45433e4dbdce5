"""Buttons under answers."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.errors import SlackApiError

from bot.access import ASK, KEEP, SHARE, VOTE, Action, Asker
from bot.answering import Ask
from bot.blocks import notices
from bot.blocks.answer import FEEDBACK_ACTION, SHARE_ACTION, lay_out
from bot.blocks.feedback import (
    COMMENT,
    FORGET_ACTION,
    KEEP_ACTION,
    forgotten_message,
    kept_message,
    offer_to_keep,
    thanks_message,
    too_late_message,
)
from bot.blocks.parts import Message
from bot.edge import Edge
from bot.interrupted import Underway
from bot.listeners.clicks import (
    AskingButton,
    Button,
    Click,
    admit,
    admit_view,
    always,
    listen,
    listen_to_questions,
    unless_private,
)
from bot.notices import NOT_A_MEMBER, SLACK_FAILURES, slack_code
from bot.replies import Opening
from bot.surfaces import Place
from bot.thread_tasks import THREAD_TASKS
from bot.threads import Thread
from knowledge.kept import is_worth_keeping

log = logging.getLogger(__name__)

_FORGOTTEN = "This answer is too old to be used again. Please ask the question once more."


def register(app: AsyncApp, edge: Edge) -> None:
    """Listen to the buttons of answers, and to the comment of a vote."""
    asking = {
        notices.ASK_ACTION: AskingButton(ASK, _ask),
        notices.RETRY_ACTION: AskingButton(ASK, _retry, unless_private),
    }
    buttons = {
        SHARE_ACTION: Button(SHARE, _share, always),
        FEEDBACK_ACTION: Button(VOTE, _vote),
        KEEP_ACTION: Button(KEEP, _keep),
        FORGET_ACTION: Button(KEEP, _forget),
    }

    async def on_comment(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        await _comment(edge, body)

    listen_to_questions(app, edge, asking)
    listen(app, edge, buttons)
    app.view(COMMENT.callback_id)(on_comment)


async def _ask(click: Click, opened: Underway) -> None:
    await click.edge.answering.by_reply(
        click.value, click.asker, click.reply(), opened, opening=Opening.IN_PLACE
    )


async def _retry(click: Click, opened: Underway) -> None:
    edge, asker, reference, reply = click.edge, click.asker, click.value, click.reply()
    kept = await edge.services.answers.get(reference, asker.scope)
    if kept is None:
        await reply.send(notices.hint(_FORGOTTEN))
        return
    if kept.task and not await admit(edge, click.body, Action(kept.task)):
        return
    # The second of two quick clicks would ask a second time.
    if not await edge.is_new(f"retry:{reference}"):
        return
    container = click.body["container"]
    if container.get("is_ephemeral"):
        earlier = Thread()
        if kept.task in THREAD_TASKS and container.get("thread_ts"):
            thread_ts = str(container["thread_ts"])
            earlier = await edge.answering.thread(asker.channel, thread_ts, "", click.bot_user)
        await edge.answering.by_reply(
            kept.question,
            asker,
            reply,
            opened,
            kept.task,
            earlier=earlier,
            opening=Opening.IN_PLACE,
        )
        return
    await edge.answering.in_thread(
        Ask(
            question=kept.question,
            asker=asker,
            thread_ts=click.thread_ts,
            bot_user=click.bot_user,
            answer_ts=str(container["message_ts"]),
            task=kept.task,
        ),
        opened,
    )


async def _share(click: Click) -> None:
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
            posted = await edge.say(asker.channel, message, thread_ts)
            thread_ts = thread_ts or posted
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


async def _vote(click: Click) -> None:
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
        trigger_id=str(click.body["trigger_id"]), view=COMMENT.view(json.dumps(place))
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


async def _keep(click: Click) -> None:
    is_kept = await click.edge.services.answers.keep(click.value, click.asker.user)
    told = kept_message(click.value) if is_kept else too_late_message()
    await click.reply().send(told, replaces=True)


async def _forget(click: Click) -> None:
    is_gone = await click.edge.services.answers.forget(click.value)
    told = forgotten_message() if is_gone else too_late_message()
    await click.reply().send(told, replaces=True)


async def _comment(edge: Edge, body: Mapping[str, Any]) -> None:
    view = body["view"]
    place = json.loads(view["private_metadata"])
    asker, tell = await admit_view(edge, body, place, VOTE)
    if asker is None:
        return
    with edge.audited(asker, VOTE):
        await edge.services.answers.vote(
            place["reference"],
            asker.user,
            False,  # noqa: FBT003  (the port's third argument)
            COMMENT.written(view),
        )
    try:
        await tell(thanks_message())
    except SLACK_FAILURES as error:
        # The vote is kept; where the bot is no member it cannot say so.
        log.debug("no thanks said in %s: %s", place["channel"], error)
