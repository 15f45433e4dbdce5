"""Answers under way are written down; what a process left open when it died is closed by another.

A process that has the database to itself closes all of it as it starts. Several replicas tell by a
sign of life which of them died, so a replica that is down for good is closed by the others.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.answermarks import find_answer
from bot.blocks import notices
from bot.blocks.answer import FOOTER_BLOCK
from bot.notices import GONE, SLACK_FAILURES, SlackError, slack_code
from bot.replies import Reply
from bot.services import OpenAnswers
from core.answers import OpenAnswer
from core.errors import StateError

log = logging.getLogger(__name__)

_LOOK_EVERY_SECONDS = 15.0
# Four missed signs of life.
SILENT_FOR = timedelta(seconds=60)


class Underway:
    """One answer's row, from before Slack hears that the question arrived until it is answered.

    A database that fails is no reason not to answer: what it could not take nobody takes over.

    Args:
        store: Keeps it.
        answer: As it was written down.
    """

    def __init__(self, store: OpenAnswers, answer: OpenAnswer) -> None:
        self._store = store
        self._answer = answer

    @property
    def key(self) -> str:
        """Names it, and marks its message."""
        return self._answer.key

    async def show(self, **shown: Any) -> None:
        """Remember what is shown by now: fields of `OpenAnswer` with their new values."""
        answer = replace(self._answer, **shown)
        if answer != self._answer:
            self._answer = answer
            with _told_only():
                await self._store.show(answer)

    async def end(self) -> None:
        """Forget it: its asker was told."""
        with _told_only():
            await self._store.end(self._answer.key)

    async def give_back(self) -> None:
        """Leave it to be closed later: its asker could not be told."""
        with _told_only():
            await self._store.give_back(self._answer.key)


def new_answer(channel: str, **place: Any) -> OpenAnswer:
    """An answer that is begun now.

    Args:
        channel: Where it is asked.
        place: Further fields of `OpenAnswer`: the way back.
    """
    return OpenAnswer(secrets.token_hex(8), channel, **place)


@asynccontextmanager
async def closing_interrupted(
    store: OpenAnswers, client: AsyncWebClient, *, is_alone: bool
) -> AsyncIterator[None]:
    """Close what earlier processes left open, now and for as long as the block runs.

    Args:
        store: Keeps what is open.
        client: Speaks to Slack.
        is_alone: Whether no other process uses the same database.
    """

    async def keep() -> None:
        silent_for = timedelta() if is_alone else SILENT_FOR
        while True:
            with _told_only():
                await store.renew()
                await close_interrupted(store, client, silent_for)
            silent_for = SILENT_FOR
            await asyncio.sleep(_LOOK_EVERY_SECONDS)

    work = asyncio.create_task(keep(), name="interrupted answers")
    try:
        yield
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


async def close_interrupted(
    store: OpenAnswers, client: AsyncWebClient, silent_for: timedelta
) -> None:
    """Tell the askers of dead processes that they have to ask again, each exactly once.

    Raises:
        StateError: The database failed.
    """
    for answer in await store.take_over(silent_for):
        try:
            if answer.response_url:
                reply = Reply(answer.response_url, client, answer.thread_ts)
                await reply.send(notices.interrupted(), replaces=answer.is_replaced)
            else:
                await _close_message(client, answer)
        except SlackError as error:  # of a response_url: it lives for half an hour
            log.info("an interrupted command in %s is too old: %s", answer.channel, error)
        except SLACK_FAILURES as error:
            if slack_code(error) not in GONE:
                log.warning("an interrupted answer is not closed yet: %s", error)
                await store.give_back(answer.key)
                continue
        await store.end(answer.key)
        log.info("told in %s that an answer was interrupted", answer.channel)


async def _close_message(client: AsyncWebClient, answer: OpenAnswer) -> None:
    """Make the message say so; where none was shown yet, post one."""
    words = notices.interrupted().arguments()
    if not answer.message_ts:
        # It may have died before it could write down where its answer stands.
        shown = None
        if answer.thread_ts:  # a question of the Home tab may not have got that far
            shown = await find_answer(client, answer.channel, answer.thread_ts, answer.key)
        if shown is None:
            thread_ts = answer.thread_ts or None
            await client.chat_postMessage(channel=answer.channel, thread_ts=thread_ts, **words)
            return
        answer = replace(answer, message_ts=shown)
    if await _is_final(client, answer):
        return  # it died between the last word and forgetting that it was under way
    try:
        await client.chat_stopStream(channel=answer.channel, ts=answer.message_ts)
    except SLACK_FAILURES as error:
        log.debug("%s was no stream, or is over: %s", answer.message_ts, error)
    await client.chat_update(channel=answer.channel, ts=answer.message_ts, **words)


async def _is_final(client: AsyncWebClient, answer: OpenAnswer) -> bool:
    try:
        page = await client.conversations_replies(
            channel=answer.channel,
            ts=answer.thread_ts,
            oldest=answer.message_ts,
            latest=answer.message_ts,
            inclusive=True,
        )
    except SLACK_FAILURES as error:
        log.info("an interrupted answer cannot be read: %s", error)
        return False
    messages: list[dict[str, Any]] = page.get("messages") or []
    return any(
        block.get("block_id") == FOOTER_BLOCK
        for message in messages
        if message.get("ts") == answer.message_ts
        for block in message.get("blocks") or ()
    )


@contextmanager
def _told_only() -> Iterator[None]:
    try:
        yield
    except StateError as error:
        log.warning("%s", error)
