"""Buttons under answers and findings."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext
from slack_sdk.errors import SlackApiError

from bot.answering import Ask
from bot.blocks import notices
from bot.blocks.answer import FEEDBACK_ACTION, SHARE_ACTION, asked, lay_out
from bot.blocks.digest_item import EXPLAIN_ACTION
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
from bot.notices import NOT_A_MEMBER, SLACK_FAILURES, slack_code
from bot.surfaces import Place
from bot.thread_tasks import THREAD_TASKS
from bot.threads import Thread
from knowledge.kept import is_worth_keeping

log = logging.getLogger(__name__)

_FORGOTTEN = "This answer is too old to be used again. Please ask the question once more."


def register(app: AsyncApp, edge: Edge) -> None:
    """Listen to every button the bot offers, and to the comment of a vote."""
    listeners: dict[str, Callable[[Edge, dict[str, Any], str], Awaitable[None]]] = {
        notices.ASK_ACTION: _ask,
        notices.RETRY_ACTION: _retry,
        SHARE_ACTION: _share,
        FEEDBACK_ACTION: _vote,
        KEEP_ACTION: _keep,
        FORGET_ACTION: _forget,
        EXPLAIN_ACTION: _explain,
    }

    async def on_action(ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext) -> None:
        await ack()
        if await edge.is_new(f"action:{body['trigger_id']}"):
            clicked = body["actions"][0]
            await listeners[clicked["action_id"]](edge, body, context.bot_user_id or "")

    async def on_comment(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        await _comment(edge, body)

    for action_id in listeners:
        app.action(action_id)(on_action)
    app.view(COMMENT_VIEW)(on_comment)


async def _ask(edge: Edge, body: Mapping[str, Any], _bot_user: str) -> None:
    question = str(body["actions"][0]["value"])
    reply = edge.reply(str(body["response_url"]))
    await reply.send(notices.looking(question), replaces=True)
    await edge.answering.by_reply(question, _channel(body), reply)


async def _retry(edge: Edge, body: Mapping[str, Any], bot_user: str) -> None:
    reference = str(body["actions"][0]["value"])
    kept = await edge.services.answers.get(reference)
    reply = edge.reply(str(body["response_url"]))
    if kept is None:
        await reply.send(notices.hint(_FORGOTTEN))
        return
    # The second of two quick clicks would ask a second time.
    if not await edge.is_new(f"retry:{reference}"):
        return
    container = body["container"]
    if container.get("is_ephemeral"):
        await reply.send(notices.looking(asked(kept)), replaces=True)
        earlier = Thread()
        if kept.task in THREAD_TASKS and container.get("thread_ts"):
            thread_ts = str(container["thread_ts"])
            earlier = await edge.answering.thread(_channel(body), thread_ts, "", bot_user)
        await edge.answering.by_reply(
            kept.question, _channel(body), reply, kept.task, earlier=earlier
        )
        return
    message_ts = str(container["message_ts"])
    await edge.answering.in_thread(
        Ask(
            question=kept.question,
            team=_team(body),
            channel=_channel(body),
            thread_ts=str(container.get("thread_ts") or message_ts),
            user=str(body["user"]["id"]),
            bot_user=bot_user,
            answer_ts=message_ts,
            task=kept.task,
        )
    )


async def _share(edge: Edge, body: Mapping[str, Any], _bot_user: str) -> None:
    reference = str(body["actions"][0]["value"])
    reply = edge.reply(str(body["response_url"]))
    answer = await edge.services.answers.get(reference)
    if answer is None:
        await reply.send(notices.hint(_FORGOTTEN))
        return
    if not await edge.services.answers.mark_shared(reference):
        return
    now = edge.services.clock.now()
    layout = lay_out(answer, reference, now, asked_by=str(body["user"]["id"]))
    shared = layout.messages()
    thread_ts = ""
    try:
        for message in shared:
            posted = await edge.client.chat_postMessage(
                channel=_channel(body),
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
        place = Place(_team(body), _channel(body), thread_ts, str(body["user"]["id"]))
        await edge.answering.attachments.follow(place, answer, layout, reference)


async def _vote(edge: Edge, body: Mapping[str, Any], _bot_user: str) -> None:
    reference, _, verdict = str(body["actions"][0]["value"]).partition(":")
    user = str(body["user"]["id"])
    is_helpful = verdict == "up"
    await edge.services.answers.vote(reference, user, is_helpful)
    container = body["container"]
    thread_ts = str(container.get("thread_ts") or "")
    if is_helpful:
        reply = edge.reply(str(body["response_url"]), thread_ts)
        await reply.send(await _thanks(edge, reference))
        return
    place = {"reference": reference, "channel": _channel(body), "thread_ts": thread_ts}
    await edge.client.views_open(
        trigger_id=str(body["trigger_id"]), view=comment_view(json.dumps(place))
    )


async def _thanks(edge: Edge, reference: str) -> Message:
    """Thanks, with what can be done about the answer beyond the vote."""
    answers = edge.services.answers
    if await answers.is_kept(reference):
        return kept_message(reference)
    answer = await answers.get(reference)
    if answer is not None and is_worth_keeping(answer):
        return offer_to_keep(reference)
    return thanks_message()


async def _keep(edge: Edge, body: Mapping[str, Any], _bot_user: str) -> None:
    reference = str(body["actions"][0]["value"])
    is_kept = await edge.services.answers.keep(reference, str(body["user"]["id"]))
    told = kept_message(reference) if is_kept else too_late_message()
    await edge.reply(str(body["response_url"])).send(told, replaces=True)


async def _forget(edge: Edge, body: Mapping[str, Any], _bot_user: str) -> None:
    reference = str(body["actions"][0]["value"])
    is_gone = await edge.services.answers.forget(reference)
    told = forgotten_message() if is_gone else too_late_message()
    await edge.reply(str(body["response_url"])).send(told, replaces=True)


async def _comment(edge: Edge, body: Mapping[str, Any]) -> None:
    view = body["view"]
    place = json.loads(view["private_metadata"])
    user = str(body["user"]["id"])
    await edge.services.answers.vote(place["reference"], user, False, comment_of(view))  # noqa: FBT003  (the port's third argument)
    try:
        await edge.client.chat_postEphemeral(
            channel=place["channel"],
            user=user,
            thread_ts=place["thread_ts"] or None,
            **thanks_message().arguments(),
        )
    except SLACK_FAILURES as error:
        # The vote is kept; where the bot is no member it cannot say so.
        log.debug("no thanks said in %s: %s", place["channel"], error)


async def _explain(edge: Edge, body: Mapping[str, Any], bot_user: str) -> None:
    container = body["container"]
    await edge.answering.in_thread(
        Ask(
            question=str(body["actions"][0]["value"]),
            team=_team(body),
            channel=_channel(body),
            thread_ts=str(container.get("thread_ts") or container["message_ts"]),
            user=str(body["user"]["id"]),
            bot_user=bot_user,
            has_history=False,  # the thread is about the other findings
            announces=True,
        )
    )


def _channel(body: Mapping[str, Any]) -> str:
    return str(body["channel"]["id"])


def _team(body: Mapping[str, Any]) -> str:
    return str((body.get("team") or {}).get("id") or "")
