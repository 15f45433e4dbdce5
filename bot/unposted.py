"""What Slack does not let the bot post: told in `/k8s status`, and to the owner once a day."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks import notices
from bot.health import Check, Look
from bot.mrkdwn import escape
from bot.notices import PASSING, SLACK_FAILURES, SlackError
from bot.telemetry.metrics import Meter
from core.answers import PartState
from core.errors import StateError
from core.posts import Post
from digest.ports import Poster

log = logging.getLogger(__name__)

_T = TypeVar("_T")


class Unposted:
    """The channels whose digests are refused, each with why.

    Args:
        client: Speaks to Slack.
        owner: The user who is told, or ''.
        claim: True the first time a key is given within 24 h, in all processes.
        meter: Counts refusals.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        owner: str,
        claim: Callable[[str], Awaitable[bool]],
        meter: Meter,
    ) -> None:
        self._client = client
        self._owner = owner
        self._claim = claim
        self._meter = meter
        self._refused: dict[str, SlackError] = {}

    @property
    def check(self) -> Check:
        """A row of `/k8s status`."""

        async def look() -> Look:
            if not self._refused:
                return Look(PartState.OK, "nothing was refused")
            channel, error = next(iter(self._refused.items()))
            return Look(PartState.DOWN, f"not posted to {channel}: {error.wrong}", error.remedy)

        return Check("posting digests", look)

    def watch(self, poster: Poster, channel: str) -> WatchedPoster:
        """The same poster, with an eye on what it cannot do in its channel."""
        return WatchedPoster(poster, channel, self)

    def posted(self, channel: str) -> None:
        """Something was posted: all is well there."""
        self._refused.pop(channel, None)
        self._meter.refused_channels.set(len(self._refused))

    async def refused(self, channel: str, error: SlackError) -> None:
        """Remember it, log it, and tell the owner unless that was done today."""
        if error.code in PASSING:
            return
        self._refused[channel] = error
        self._meter.refused(error.code)
        self._meter.refused_channels.set(len(self._refused))
        log.error("nothing can be posted to %s: %s. %s", channel, error.wrong, error.remedy)
        if not self._owner:
            return
        words = notices.hint(
            f"⚠️ I cannot post the digest to {escape(channel)}: {escape(error.wrong)}.",
            escape(error.remedy),
        )
        try:
            if await self._claim(f"unposted:{channel}"):
                await self._client.chat_postMessage(channel=self._owner, **words.arguments())
        except (StateError, *SLACK_FAILURES) as failure:
            log.warning("the owner %s could not be told: %s", self._owner, failure)


class WatchedPoster:
    """A channel, as `digest.ports.Poster`, whose refusals are told."""

    def __init__(self, poster: Poster, channel: str, unposted: Unposted) -> None:
        self._poster = poster
        self._channel = channel
        self._unposted = unposted

    async def find(self, post: Post) -> str | None:
        """As the poster does. Finding proves nothing about posting."""
        return await self._watched(self._poster.find(post))

    async def send(self, post: Post) -> str:
        """As the poster does."""
        ts = await self._watched(self._poster.send(post))
        self._unposted.posted(self._channel)
        return ts

    async def update(self, post: Post) -> None:
        """As the poster does."""
        await self._watched(self._poster.update(post))

    async def _watched(self, call: Coroutine[Any, Any, _T]) -> _T:
        try:
            return await call
        except SlackError as error:
            await self._unposted.refused(self._channel, error)
            raise
