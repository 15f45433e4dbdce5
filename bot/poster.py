"""Posts a digest to its channel: the parent once, each item as a reply below it."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks.digest import digest_message
from bot.blocks.digest_item import item_message
from bot.blocks.parts import Message
from bot.notices import SLACK_FAILURES, slack_error
from core.digests import Digest

log = logging.getLogger(__name__)

EVENT_TYPE = "opsbot_digest"
# Slack allows one message a second in a channel.
PAUSE_SECONDS = 1.0
_PAGE = 100


class SlackPoster:
    """The ops channel, as `digest.ports.Poster`.

    Args:
        client: Speaks to Slack.
        channel: A channel's id. A name would do for posting, but not for `find`.
        command: The slash command that messages mention.
        pause_seconds: Between two messages.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        channel: str,
        command: str,
        pause_seconds: float = PAUSE_SECONDS,
    ) -> None:
        self._client = client
        self._channel = channel
        self._command = command
        self._pause_seconds = pause_seconds

    async def find(self, slot: str) -> str | None:
        """The ts of the message that carries this slot, among the channel's last hundred.

        Raises:
            SlackError: The channel cannot be read, so nobody knows.
        """
        try:
            page = await self._client.conversations_history(
                channel=self._channel, limit=_PAGE, include_all_metadata=True
            )
        except SLACK_FAILURES as error:
            raise slack_error(error, f"look for an earlier digest in {self._channel}") from error
        for message in page.get("messages") or []:
            metadata = message.get("metadata") or {}
            payload = metadata.get("event_payload") or {}
            if metadata.get("event_type") == EVENT_TYPE and payload.get("slot") == slot:
                return str(message["ts"])
        return None

    async def post(self, digest: Digest) -> str:
        """Post it; gives the parent's ts.

        A reply that fails is logged and left out: the digest is posted once its parent is.

        Raises:
            SlackError: The parent could not be posted, or nobody knows whether it was.
        """
        metadata = {"event_type": EVENT_TYPE, "event_payload": {"slot": digest.slot}}
        try:
            parent = await self._send(digest_message(digest, self._command), metadata=metadata)
        except SLACK_FAILURES as error:
            raise slack_error(error, f"post the digest to {self._channel}") from error
        for item in digest.items:
            await asyncio.sleep(self._pause_seconds)
            try:
                await self._send(item_message(item), thread_ts=parent)
            except SLACK_FAILURES as error:
                log.warning("no detail posted for %s: %s", item.finding.title, error)
        return parent

    async def _send(self, message: Message, **more: Any) -> str:
        posted = await self._client.chat_postMessage(
            channel=self._channel,
            unfurl_links=False,
            unfurl_media=False,
            **message.arguments(),
            **more,
        )
        return str(posted["ts"])
