"""Slack's client, made careful: what it posts appears once, and at most once a second a channel.

No link in it is unfolded either.

The SDK sends a call again when the connection breaks, or Slack fails inside. A message whose answer
got lost on the way would so appear twice. Here every message carries a mark in its metadata, and
after such a failure it is looked for before it is sent again.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

from aiohttp import ClientSession
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.async_handler import AsyncRetryHandler
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.notices import SLACK_FAILURES, slack_code

Json = dict[str, Any]
# Slack allows one message a second in a channel.
POST_SECONDS = 1.0
_POST = "chat.postMessage"
# What a page behind a link shows of itself is nothing that the bot meant to say.
_PLAIN_LINKS = {"unfurl_links": False, "unfurl_media": False}
_PACED = frozenset({_POST, "chat.startStream"})
# Sent twice, these show something twice.
_NOT_TWICE = ("chat.postMessage", "chat.startStream", "files.completeUploadExternal")
# Slack's words for "some of it may have been done".
_UNKNOWN = frozenset({"internal_error", "fatal_error"})
_TRIES = 3
_PAUSE_SECONDS = 1.0
_PAGE = 200
# By how much Slack's clock and ours may differ.
_CLOCK_SECONDS = 600.0


class Pace:
    """Lets messages into each channel one after the other, so many seconds apart."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._free_at: dict[str, float] = {}

    async def turn(self, channel: str) -> None:
        """Wait until the next message may go there; first come, first served."""
        now = asyncio.get_running_loop().time()
        at = max(now, self._free_at.pop(channel, now))
        # The newest stand last, so that those whose time is over are found at the front.
        self._free_at[channel] = at + self._seconds
        while (oldest := next(iter(self._free_at))) != channel and self._free_at[oldest] <= now:
            del self._free_at[oldest]
        if at > now:
            await asyncio.sleep(at - now)


class SlackClient(AsyncWebClient):
    """Slack's Web API.

    Args:
        pace: Of the messages in a channel; several clients of one app share it.
        options: As `AsyncWebClient` takes them.
    """

    def __init__(self, pace: Pace, **options: Any) -> None:
        super().__init__(**options)
        self.pace = pace

    async def api_call(
        self, api_method: str, *, json: Json | None = None, **options: Any
    ) -> AsyncSlackResponse:
        """As the SDK's, but with care for messages."""
        if api_method in _PACED and json is not None:
            await self.pace.turn(str(json.get("channel")))
        if api_method == _POST and json is not None:
            return await self._post(json)
        return await super().api_call(api_method, json=json, **options)

    async def _post(self, arguments: Json) -> AsyncSlackResponse:
        metadata: Json = arguments.get("metadata") or {
            "event_type": "opsbot_message",
            "event_payload": {"key": secrets.token_hex(8)},
        }
        arguments = _PLAIN_LINKS | arguments | {"metadata": metadata}
        channel, thread_ts = str(arguments["channel"]), str(arguments.get("thread_ts") or "")
        since = time.time()
        for left in reversed(range(_TRIES)):
            try:
                return await super().api_call(_POST, json=arguments)
            except SLACK_FAILURES as error:
                if is_refusal(error) or not left:
                    raise
                await asyncio.sleep(_PAUSE_SECONDS)
                try:
                    ts = await find_marked(self, channel, thread_ts, metadata, since)
                except SLACK_FAILURES:
                    raise error from None  # nobody knows
                if ts is not None:
                    return self._as_posted(channel, ts)
        raise AssertionError("the last try gives or raises")

    def _as_posted(self, channel: str, ts: str) -> AsyncSlackResponse:
        data = {"ok": True, "channel": channel, "ts": ts}
        return AsyncSlackResponse(
            client=self, http_verb="POST", api_url=_POST, req_args={}, data=data,
            headers={}, status_code=200,
        )  # fmt: skip


def make_client(
    token: str, base_url: str, session: ClientSession, post_seconds: float = POST_SECONDS
) -> SlackClient:
    """A client that waits out rate limits and tries again after short failures.

    Args:
        token: The bot's token.
        base_url: Slack's Web API, ending in a slash.
        session: Shared by all calls; whoever made it closes it and sets its timeouts, for the
            client's own timeout holds only for sessions of its own.
        post_seconds: Between two messages in a channel.
    """
    return SlackClient(
        Pace(post_seconds),
        token=token,
        base_url=base_url,
        session=session,
        retry_handlers=[
            _ConnectionErrors(),
            _ServerErrors(),
            AsyncRateLimitErrorRetryHandler(max_retry_count=3),
        ],
    )


def impatient(client: AsyncWebClient) -> AsyncWebClient:
    """The same client without retries: for what is soon out of date."""
    return SlackClient(
        client.pace if isinstance(client, SlackClient) else Pace(POST_SECONDS),
        token=client.token,
        base_url=client.base_url,
        session=client.session,
        ssl=client.ssl,
        proxy=client.proxy,
        retry_handlers=[],
    )


async def find_marked(
    client: AsyncWebClient,
    channel: str,
    thread_ts: str,
    metadata: Mapping[str, Any],
    since: float,
) -> str | None:
    """The ts of the message that carries this metadata, or None.

    Raises:
        SlackApiError, aiohttp.ClientError: The channel cannot be read, so nobody knows.
    """
    async for message in messages_since(client, channel, thread_ts, since):
        found = message.get("metadata") or {}
        if all(found.get(name) == value for name, value in metadata.items()):
            return str(message["ts"])
    return None


async def messages_since(
    client: AsyncWebClient, channel: str, thread_ts: str, since: float
) -> AsyncIterator[Json]:
    """All messages of a channel, or of a thread, from a moment in seconds since 1970 on.

    Raises:
        SlackApiError, aiohttp.ClientError: They cannot be read.
    """
    where: Json = {
        "channel": channel,
        "oldest": f"{since - _CLOCK_SECONDS:.6f}",
        "limit": _PAGE,
        "include_all_metadata": True,
    }
    cursor = ""
    while True:
        if thread_ts:
            page = await client.conversations_replies(ts=thread_ts, cursor=cursor, **where)
        else:
            page = await client.conversations_history(cursor=cursor, **where)
        for message in page.get("messages") or []:
            yield message
        cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
        if not cursor:
            return


def is_refusal(error: BaseException) -> bool:
    """Whether Slack said no; anything else leaves open whether it was done."""
    if not isinstance(error, SlackApiError) or slack_code(error) in _UNKNOWN:
        return False
    status = getattr(error.response, "status_code", 200)
    return isinstance(status, int) and status < 500


class _Careful(AsyncRetryHandler):
    """Leaves alone what may have been done already and would show twice."""

    async def _can_retry_async(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        if request.url.partition("?")[0].endswith(_NOT_TWICE):
            return False
        return await super()._can_retry_async(
            state=state, request=request, response=response, error=error
        )


class _ConnectionErrors(_Careful, AsyncConnectionErrorRetryHandler):
    pass


class _ServerErrors(_Careful, AsyncServerErrorRetryHandler):
    pass
