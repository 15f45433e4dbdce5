"""Answering through a `response_url`: five uses in half an hour, and one of them kept in hand."""

from __future__ import annotations

import logging
from enum import Enum

from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
)
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.blocks import notices, parts
from bot.blocks.answer import AnswerLayout
from bot.blocks.parts import Block, Message
from bot.mrkdwn import unescape
from bot.notices import SLACK_FAILURES, SlackError

log = logging.getLogger(__name__)

# Slack allows five; the fifth stays for telling of a failure.
USES = 4


class Reply:
    """One command's or click's way back to the person, and when asked for, to their channel.

    Args:
        url: The `response_url` that Slack sent along.
        client: Lends its HTTP session.
        thread_ts: The thread that the person looks at, or ''.
    """

    def __init__(self, url: str, client: AsyncWebClient, thread_ts: str = "") -> None:
        self._webhook = AsyncWebhookClient(
            url,
            session=client.session,
            ssl=client.ssl,
            proxy=client.proxy,
            retry_handlers=[
                AsyncConnectionErrorRetryHandler(),
                AsyncRateLimitErrorRetryHandler(max_retry_count=2),
            ],
        )
        self.url = url
        self.thread_ts = thread_ts
        self.uses = 0

    async def send(
        self, message: Message, *, replaces: bool = False, in_channel: bool = False
    ) -> None:
        """Show a message: to the person alone unless `in_channel`.

        Raises:
            SlackError: Slack refused it, or the uses are spent.
        """
        if self.uses >= USES:
            raise SlackError("answer here", "the reply address is used up", "Ask once more.")
        status, body = await self._post(message, replaces, in_channel)
        if status != 200 and _has_rich_blocks(message) and self.uses < USES:
            # Whether a response_url takes markdown and table blocks is undocumented.
            log.info("response_url refused the blocks (%s), sending plain ones", body[:80])
            status, body = await self._post(_plainly(message), replaces, in_channel)
        if status != 200:
            raise SlackError("answer here", f"Slack answered {body[:80] or status}", "Ask again.")

    async def fail(self, message: Message) -> None:
        """Tell of a failure, with the use that `send` leaves over.

        Raises:
            SlackError: Slack refused it.
        """
        status, body = await self._post(message, replaces=False, in_channel=False)
        if status != 200:
            raise SlackError("tell of a failure", f"Slack answered {body[:80] or status}", "")

    async def _post(self, message: Message, replaces: bool, in_channel: bool) -> tuple[int, str]:
        self.uses += 1
        body: dict[str, object] = {
            **message.arguments(),
            "response_type": "in_channel" if in_channel else "ephemeral",
            "replace_original": replaces,
            "unfurl_links": False,
            "unfurl_media": False,
        }
        if self.thread_ts:
            body["thread_ts"] = self.thread_ts
        response = await self._webhook.send_dict(body)
        return response.status_code, response.body


class Opening(Enum):
    """What an answer by a `response_url` begins with, and what it takes the place of."""

    NEW = "new"
    """A first reply says that it is being looked into; the answer takes its place."""
    IN_PLACE = "in place"
    """The same, and the first reply takes the place of the message that was clicked."""
    BESIDE = "beside"
    """Nothing is replaced: what a message shortcut would replace is somebody's message."""


class ReplySurface:
    """An ephemeral reply as a `bot.surfaces.Surface`: its few uses go to the beginning and the end.

    Args:
        reply: The way back.
        opening: How it begins.
    """

    def __init__(self, reply: Reply, opening: Opening) -> None:
        self._reply = reply
        self._opening = opening
        self._has_begun = False

    @property
    def replaces(self) -> bool:
        """Whether the end takes the place of what was shown before it."""
        return self._opening is not Opening.BESIDE

    async def begin(self, asked: str) -> None:
        """Say what is being looked into, except beside a message: progress is told there.

        Raises:
            SlackError: Slack refused it.
        """
        if self.replaces:
            in_place = self._opening is Opening.IN_PLACE
            await self._reply.send(notices.looking(asked), replaces=in_place)
            self._has_begun = True

    async def wait(self) -> None:
        """Nothing: an ephemeral answer is in nobody's way."""

    async def show(self, progress: str, text: str) -> None:  # noqa: ARG002  (the end tells it all)
        """Say once that it is being looked into."""
        if not self._has_begun:
            self._has_begun = True
            try:
                await self._reply.send(notices.progress(progress or "Looking into it…"))
            except (*SLACK_FAILURES, SlackError) as error:
                log.info("an unfinished answer could not be shown: %s", error)

    async def finish(self, messages: list[Message], layout: AnswerLayout | None = None) -> None:  # noqa: ARG002  (a stream's business)
        """Replace the first reply where that can be; further parts follow it."""
        for position, message in enumerate(messages):
            await self._reply.send(message, replaces=self.replaces and position == 0)


def _has_rich_blocks(message: Message) -> bool:
    return any(
        block["type"] in {"markdown", "table", "context_actions"} for block in message.blocks
    )


def _plainly(message: Message) -> Message:
    """The same message in blocks that every way of posting has taken for years."""
    plain: list[Block] = []
    for block in message.blocks:
        if block["type"] == "markdown":
            # Escaped for a markdown block already, except for ampersands.
            text = unescape(block["text"]).replace("&", "&amp;")
            text = text.replace("<", "&lt;").replace(">", "&gt;")
            plain += [
                parts.section(text[start : start + 2_900]) for start in range(0, len(text), 2_900)
            ]
        elif block["type"] == "table":
            rows = [" | ".join(cell["text"] for cell in row) for row in block["rows"]]
            plain.append(parts.section(f"```\n{_escaped_rows(rows)}\n```"))
        elif block["type"] != "context_actions":
            plain.append(block)
    return parts.message(message.text, plain)


def _escaped_rows(rows: list[str]) -> str:
    text = "\n".join(rows).replace("```", "'''")
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")[:2_900]
