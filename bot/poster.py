"""Posts digests, what stands in their threads, and what is urgent, to a channel."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, tzinfo
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks.digest import digest_message, urgent_message
from bot.blocks.digest_item import item_message
from bot.blocks.digest_table import rest_message
from bot.blocks.parts import Message
from bot.charts import BarChart
from bot.files import Upload, upload
from bot.notices import PASSING, SLACK_FAILURES, SlackError, slack_error
from bot.slack_client import find_marked, messages_since
from core.digests import Digest
from core.posts import Post, PostKind
from digest.ports import LEFT_OUT

log = logging.getLogger(__name__)

EVENT_TYPE = "opsbot_digest"


class SlackPoster:
    """The ops channel, as `digest.ports.Poster`.

    Args:
        client: Speaks to Slack.
        channel: A channel's id. A name would do for posting, but not for `find`.
        command: The slash command that messages mention.
        zone: For the times in a picture.
    """

    def __init__(
        self, client: AsyncWebClient, channel: str, command: str, zone: tzinfo = UTC
    ) -> None:
        self._client = client
        self._channel = channel
        self._command = command
        self._zone = zone

    async def find(self, post: Post) -> str | None:
        """The ts of the message that carries this post's key, or None.

        Raises:
            SlackError: The channel cannot be read, so nobody knows.
        """
        where = (self._client, self._channel, post.thread_ts)
        since = post.made_at.timestamp()
        try:
            if post.kind is PostKind.CHART:  # files carry no metadata
                async for message in messages_since(*where, since):
                    if message.get("files"):
                        return str(message["ts"])
                return None
            return await find_marked(*where, _mark(post), since)
        except SLACK_FAILURES as error:
            raise slack_error(error, f"look for {post.key} in {self._channel}") from error

    async def send(self, post: Post) -> str:
        """Post it; gives its ts. A picture that Slack does not take is left out.

        Raises:
            SlackError: It was not posted, or nobody knows whether it was.
        """
        if post.kind is PostKind.CHART:
            return await self._send_chart(post)
        try:
            message = await self._message(post)
            posted = await self._client.chat_postMessage(
                channel=self._channel,
                thread_ts=post.thread_ts or None,
                metadata=_mark(post),
                **message.arguments(),
            )
        except SLACK_FAILURES as error:
            raise slack_error(error, f"post {post.key} to {self._channel}") from error
        return str(posted["ts"])

    async def update(self, post: Post) -> None:
        """Let it tell what it tells now.

        Raises:
            SlackError: It was not changed.
        """
        message = await self._message(post)
        try:
            await self._client.chat_update(
                channel=self._channel, ts=post.posted_ts, **message.arguments()
            )
        except SLACK_FAILURES as error:
            raise slack_error(error, f"update {post.key} in {self._channel}") from error

    async def _message(self, post: Post) -> Message:
        digest = post.digest
        if post.kind is PostKind.DIGEST:
            return digest_message(digest, self._command, urls=await self._addresses(digest))
        if post.kind is PostKind.REST:
            return rest_message(digest)
        told = (*digest.items, *digest.resolved)
        if len(told) == 1:
            return item_message(told[0], digest.schedule)
        return urgent_message(digest)

    async def _send_chart(self, post: Post) -> str:
        """A picture of the errors over the window. The digest does without where it cannot be."""
        digest = post.digest
        what = "Warning Events over time" if digest.look_back is None else "Problems that began"
        chart = BarChart(what, digest.error_counts)
        picture = Upload(
            chart.file_name,
            chart.title,
            await asyncio.to_thread(chart.png, self._zone),
            chart.alt_text(self._zone),
        )
        try:
            await upload(self._client, self._channel, post.thread_ts, picture)
        except SlackError as error:
            if error.code in PASSING:
                raise
            log.info("no chart in the thread of %s: %s", post.parent, error)
        # Slack does not tell at once as which message a file appears.
        return LEFT_OUT

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


def _mark(post: Post) -> dict[str, Any]:
    """What names a message for ever, in its metadata."""
    return {"event_type": EVENT_TYPE, "event_payload": {"slot": post.key}}
