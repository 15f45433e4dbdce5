"""Where an answer appears while it grows: a streamed message, or an updated one.

Each surface keeps to one message. What it shows in between may get lost; what it is given last
may not.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from slack_sdk.web.async_client import AsyncWebClient

from bot.answermarks import answer_mark, find_answer
from bot.blocks import notices, parts
from bot.blocks.answer import AnswerLayout
from bot.blocks.parts import Block, Message
from bot.mrkdwn import clip, escape, escape_markdown, settled
from bot.notices import GONE, SLACK_FAILURES, retry_after_seconds, slack_code
from bot.slack_client import impatient, is_refusal
from bot.turns import ThreadKey

log = logging.getLogger(__name__)

# Slack advises one chat.update in three seconds for a growing answer.
UPDATE_SECONDS = 3.0
# A stream may hold 12,000 characters; the final message replaces what is longer.
_STREAM_CHARS = 11_000
_STARTING = "Looking into it"


class Surface(Protocol):
    """A place that shows one answer."""

    async def wait(self) -> None:
        """Say that an earlier question comes first."""
        ...

    async def show(self, progress: str, text: str) -> None:
        """Show how far the answer is; failures are logged and forgotten."""
        ...

    async def finish(self, messages: list[Message], layout: AnswerLayout | None = None) -> None:
        """Make it the final answer. `layout` is what `messages` were made of, for a stream."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """A thread and the person in it for whom a stream is started."""

    team: str
    channel: str
    thread_ts: str
    user: str

    @property
    def thread(self) -> ThreadKey:
        """Where questions wait for each other."""
        return (self.team, self.channel, self.thread_ts)


class ThreadSurface:
    """A message in a thread: streamed, else posted and updated.

    Args:
        client: Speaks to Slack.
        place: The thread.
        key: Marks the message, so that it can be found when nobody knows whether it was posted.
        message_ts: A message of ours to take over, as when a question is tried again, or ''.
        update_seconds: The least time between two updates of an unfinished message.
        on_posted: Told the ts of the message once there is one.
        on_gone: Told when the answer's place is no more, so that nobody got to see it.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        place: Place,
        key: str,
        message_ts: str = "",
        *,
        update_seconds: float = UPDATE_SECONDS,
        on_posted: Callable[[str], Awaitable[None]] | None = None,
        on_gone: Callable[[], None] = lambda: None,
    ) -> None:
        self._client = client
        self._on_gone = on_gone
        self._on_posted = on_posted
        self._impatient = impatient(client)
        self._place = place
        self._key = key
        self._ts = message_ts
        self._update_seconds = update_seconds
        self._is_streaming = False
        self._sent = ""
        self._progress = ""
        self._updated_at = float("-inf")
        self._quiet_until = float("-inf")

    async def wait(self) -> None:
        """Say that an earlier question comes first."""
        await self._place_message(notices.queued())

    async def show(self, progress: str, text: str) -> None:
        """Start the message, or bring it up to date."""
        if asyncio.get_running_loop().time() < self._quiet_until:
            return
        if not self._ts:
            await self._start(progress, text)
        elif self._is_streaming:
            await self._append(progress, text)
        else:
            await self._update(progress, text)

    async def finish(self, messages: list[Message], layout: AnswerLayout | None = None) -> None:
        """The final answer in the same message, further parts as replies below it.

        Raises:
            SlackApiError, aiohttp.ClientError: The final message could not be delivered.
        """
        first, *rest = messages
        if self._is_streaming and layout is not None and await self._complete(layout):
            return
        if self._is_streaming:
            await self._stop()
        try:
            await self._deliver(first)
            for message in rest:
                await self._post(message)
        except SLACK_FAILURES as error:
            if slack_code(error) not in GONE:
                raise
            log.info("the place of an answer in %s is gone: %s", self._place.channel, error)
            self._on_gone()

    async def _start(self, progress: str, text: str) -> None:
        chunks = self._chunks(progress or _STARTING, text)
        try:
            started = await self._impatient.chat_startStream(
                channel=self._place.channel,
                thread_ts=self._place.thread_ts,
                recipient_team_id=self._place.team,
                recipient_user_id=self._place.user,
                chunks=chunks,
            )
            ts = str(started["ts"])
        except SLACK_FAILURES as error:
            found = None if is_refusal(error) else await self._find()
            if found is None:
                log.info("streaming is not to be had, updating a message instead: %s", error)
                await self._place_message(_unfinished(progress or _STARTING, text))
                return
            ts = found
        self._is_streaming = True
        self._remember(chunks)
        await self._posted(ts)

    async def _find(self) -> str | None:
        """The stream whose beginning Slack did not confirm, or None."""
        channel, thread_ts = self._place.channel, self._place.thread_ts
        try:
            return await find_answer(self._client, channel, thread_ts, self._key)
        except SLACK_FAILURES as error:
            log.info("an answer could not be looked for: %s", error)
            return None

    async def _append(self, progress: str, text: str) -> None:
        chunks = self._chunks(progress, text)
        if not chunks:
            return
        try:
            await self._impatient.chat_appendStream(
                channel=self._place.channel, ts=self._ts, chunks=chunks
            )
        except SLACK_FAILURES as error:
            if self._is_limited(error):
                return  # what was not sent now goes with the next piece, or the last
            log.info("a stream broke off, updating its message from now on: %s", error)
            await self._stop()
            await self._update(progress, text)
            return
        self._remember(chunks)

    async def _update(self, progress: str, text: str) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._updated_at < self._update_seconds:
            return
        await self._place_message(_unfinished(progress or _STARTING, text))

    async def _place_message(self, message: Message) -> None:
        """Post or update what is not final: it may fail."""
        self._updated_at = asyncio.get_running_loop().time()
        try:
            await self._deliver(message, self._impatient)
        except SLACK_FAILURES as error:
            self._is_limited(error)
            log.info("an unfinished answer could not be shown: %s", error)

    async def _complete(self, layout: AnswerLayout) -> bool:
        """End the stream with what it lacks of the final answer; False where that cannot be."""
        first = layout.markdown_parts[0]
        if layout.lead or len(layout.markdown_parts) > 1 or not first.startswith(self._sent):
            return False
        chunks: list[Block] = []
        if first[len(self._sent) :]:
            chunks.append({"type": "markdown_text", "text": first[len(self._sent) :]})
        if self._progress:
            chunks.append(_task(self._key, self._progress, "complete"))
        try:
            await self._client.chat_stopStream(
                channel=self._place.channel,
                ts=self._ts,
                chunks=chunks or None,
                blocks=list(layout.tail),
            )
        except SLACK_FAILURES as error:
            log.info("a stream could not be completed, updating its message: %s", error)
            return False
        self._is_streaming = False
        return True

    async def _stop(self) -> None:
        """End the stream as it is; Slack refuses to update a message that still grows."""
        self._is_streaming = False
        try:
            await self._client.chat_stopStream(channel=self._place.channel, ts=self._ts)
        except SLACK_FAILURES as error:
            log.debug("a stream was over already: %s", error)

    async def _deliver(self, message: Message, client: AsyncWebClient | None = None) -> None:
        client = client or self._client
        if self._ts:
            channel = self._place.channel
            await client.chat_update(channel=channel, ts=self._ts, **message.arguments())
        else:
            mark = answer_mark(self._key)
            await self._posted(await self._post(message, client, metadata=mark))

    async def _posted(self, ts: str) -> None:
        self._ts = ts
        if self._on_posted is not None:
            await self._on_posted(ts)

    async def _post(
        self, message: Message, client: AsyncWebClient | None = None, **more: Any
    ) -> str:
        posted = await (client or self._client).chat_postMessage(
            channel=self._place.channel,
            thread_ts=self._place.thread_ts,
            **message.arguments(),
            **more,
        )
        return str(posted["ts"])

    def _is_limited(self, error: Exception) -> bool:
        """Whether Slack asks for a pause; what is unfinished then keeps quiet for as long."""
        if slack_code(error) != "ratelimited":
            return False
        self._quiet_until = asyncio.get_running_loop().time() + retry_after_seconds(error)
        return True

    def _chunks(self, progress: str, text: str) -> list[Block]:
        chunks: list[Block] = []
        if progress and progress != self._progress:
            chunks.append(_task(self._key, progress, "in_progress"))
        shown = escape_markdown(settled(text))[:_STREAM_CHARS]
        if len(shown) > len(self._sent):
            chunks.append({"type": "markdown_text", "text": shown[len(self._sent) :]})
        return chunks

    def _remember(self, chunks: list[dict[str, Any]]) -> None:
        for chunk in chunks:
            if chunk["type"] == "task_update":
                self._progress = chunk["title"]
            else:
                self._sent += chunk["text"]


def _task(key: str, title: str, status: str) -> Block:
    return {"type": "task_update", "id": key, "title": title, "status": status}


def _unfinished(progress: str, text: str) -> Message:
    """An answer in the making for a message that is updated."""
    if not text:
        return notices.progress(f"{progress}…")
    shown = escape_markdown(settled(text))
    return parts.message(
        f"{escape(clip(text, 3_500))}\n{notices.LOOKING_MARK} {escape(clip(progress, 200))}…",
        [
            parts.markdown(clip(shown, _STREAM_CHARS)),
            parts.context(f"{notices.LOOKING_MARK} {escape(clip(progress, 200))}…"),
        ],
    )
