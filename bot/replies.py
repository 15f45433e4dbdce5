"""Answering through a `response_url`: five uses in half an hour, and one of them kept in hand."""

from __future__ import annotations

import logging

from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
)
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.blocks import parts
from bot.blocks.parts import Block, Message
from bot.mrkdwn import unescape
from bot.notices import SlackError

log = logging.getLogger(__name__)

# Slack allows five; the fifth stays for telling of a failure.
USES = 4


class Reply:
    """One command's or click's way back to the person, and when asked for, to their channel.

    Args:
        url: The `response_url` that Slack sent along.
        client: Lends its HTTP session.
    """

    def __init__(self, url: str, client: AsyncWebClient) -> None:
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
        self.uses = 0

    async def send(
        self,
        message: Message,
        *,
        replaces: bool = False,
        in_channel: bool = False,
        thread_ts: str = "",
    ) -> None:
        """Show a message: to the person alone unless `in_channel`.

        Raises:
            SlackError: Slack refused it, or the uses are spent.
        """
        if self.uses >= USES:
            raise SlackError("answer here", "the reply address is used up", "Ask once more.")
        status, body = await self._post(message, replaces, in_channel, thread_ts)
        if status != 200 and _has_rich_blocks(message) and self.uses < USES:
            # Whether a response_url takes markdown and table blocks is undocumented.
            log.info("response_url refused the blocks (%s), sending plain ones", body[:80])
            status, body = await self._post(_plainly(message), replaces, in_channel, thread_ts)
        if status != 200:
            raise SlackError("answer here", f"Slack answered {body[:80] or status}", "Ask again.")

    async def fail(self, message: Message) -> None:
        """Tell of a failure, with the use that `send` leaves over."""
        status, body = await self._post(message, replaces=False, in_channel=False, thread_ts="")
        if status != 200:
            log.warning("could not tell of a failure by response_url: %s %s", status, body[:80])

    async def _post(
        self, message: Message, replaces: bool, in_channel: bool, thread_ts: str
    ) -> tuple[int, str]:
        self.uses += 1
        body: dict[str, object] = {
            **message.arguments(),
            "response_type": "in_channel" if in_channel else "ephemeral",
            "replace_original": replaces,
            "unfurl_links": False,
            "unfurl_media": False,
        }
        if thread_ts:
            body["thread_ts"] = thread_ts
        response = await self._webhook.send_dict(body)
        return response.status_code, response.body


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
