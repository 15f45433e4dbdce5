"""Posts a digest to its channel: the parent once, each item as a reply below it."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, tzinfo
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks.digest import digest_message, urgent_message
from bot.blocks.digest_item import item_message
from bot.blocks.digest_table import rest_messages
from bot.blocks.parts import Message
from bot.charts import BarChart
from bot.files import Upload, upload
from bot.notices import SLACK_FAILURES, SlackError, slack_error
from core.digests import Digest

log = logging.getLogger(__name__)

EVENT_TYPE = "opsbot_digest"
# Slack allows one message a second in a channel.
PAUSE_SECONDS = 1.0
_PAGE = 100
_FEWEST_BARS = 3


class SlackPoster:
    """The ops channel, as `digest.ports.Poster`.

    Args:
        client: Speaks to Slack.
        channel: A channel's id. A name would do for posting, but not for `find`.
        command: The slash command that messages mention.
        zone: For the times in a picture.
        pause_seconds: Between two messages.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        channel: str,
        command: str,
        zone: tzinfo = UTC,
        pause_seconds: float = PAUSE_SECONDS,
    ) -> None:
        self._client = client
        self._channel = channel
        self._command = command
        self._zone = zone
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
            urls = await self._addresses(digest)
            message = digest_message(digest, self._command, urls=urls)
            parent = await self._send(message, metadata=metadata)
        except SLACK_FAILURES as error:
            raise slack_error(error, f"post the digest to {self._channel}") from error
        if digest.is_collapsed:
            return parent
        await self._attach_chart(digest, parent)
        details = [item_message(item, digest.schedule) for item in digest.items]
        for reply in (*details, *rest_messages(digest)):
            await asyncio.sleep(self._pause_seconds)
            try:
                await self._send(reply, thread_ts=parent)
            except SLACK_FAILURES as error:
                log.warning("a reply of the digest %s is not posted: %s", digest.slot, error)
        return parent

    async def post_urgent(self, digest: Digest) -> str:
        """Post what cannot wait, on its own; gives its ts.

        Raises:
            SlackError: It was not posted, or nobody knows whether it was.
        """
        metadata = {"event_type": EVENT_TYPE, "event_payload": {"slot": digest.slot}}
        try:
            return await self._send(_urgent(digest), metadata=metadata)
        except SLACK_FAILURES as error:
            raise slack_error(error, f"post what is urgent to {self._channel}") from error

    async def update_urgent(self, ts: str, digest: Digest) -> None:
        """Tell in its place how it stands now.

        Raises:
            SlackError: It was not changed.
        """
        try:
            await self._client.chat_update(
                channel=self._channel, ts=ts, **_urgent(digest).arguments()
            )
        except SLACK_FAILURES as error:
            raise slack_error(error, f"update the message {ts} in {self._channel}") from error

    async def _attach_chart(self, digest: Digest, parent: str) -> None:
        """A picture of the errors over the window. The digest does without where it cannot be."""
        counts = [count for _, count in digest.error_counts]
        if len(counts) < _FEWEST_BARS or not any(counts):
            return
        chart = BarChart("Warning Events over time", digest.error_counts)
        picture = Upload(
            chart.file_name,
            chart.title,
            await asyncio.to_thread(chart.png, self._zone),
            chart.alt_text(self._zone),
        )
        try:
            await upload(self._client, self._channel, parent, picture)
        except SlackError as error:
            log.info("no chart in the thread of %s: %s", digest.slot, error)

    async def _addresses(self, digest: Digest) -> dict[str, str]:
        """Where the messages that a digest refers to can be opened, by their ts."""
        wanted = {item.told_ts for item in (*digest.items, *digest.resolved)}
        if digest.is_collapsed:
            wanted = {digest.full_ts}
        return {ts: await self._address(ts) for ts in sorted(wanted - {""})}

    async def _address(self, ts: str) -> str:
        """Where a message of the channel can be opened, or '' where Slack does not tell."""
        try:
            told = await self._client.chat_getPermalink(channel=self._channel, message_ts=ts)
        except SLACK_FAILURES as error:
            log.info("no link to the message %s: %s", ts, error)
            return ""
        return str(told["permalink"])

    async def _send(self, message: Message, **more: Any) -> str:
        posted = await self._client.chat_postMessage(
            channel=self._channel,
            unfurl_links=False,
            unfurl_media=False,
            **message.arguments(),
            **more,
        )
        return str(posted["ts"])


def _urgent(digest: Digest) -> Message:
    """One finding in full, several as a table."""
    told = (*digest.items, *digest.resolved)
    return item_message(told[0], digest.schedule) if len(told) == 1 else urgent_message(digest)
