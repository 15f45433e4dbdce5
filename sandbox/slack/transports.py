"""The two ways Slack reaches an app: Socket Mode and signed HTTP. One attempt per call."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import itertools
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlencode

import aiohttp
from aiohttp import web

from sandbox.slack import world

Json = dict[str, Any]
EVENTS, COMMANDS, INTERACTIVE = "events_api", "slash_commands", "interactive"


@dataclass(frozen=True, slots=True)
class Ack:
    """What came of one delivery attempt.

    Attributes:
        outcome: "acked", or Slack's name for the failure.
        body: What the app said with its confirmation.
        may_retry: False when the app asked for no retries.
    """

    outcome: str
    body: Json = field(default_factory=dict)
    may_retry: bool = True

    @property
    def ok(self) -> bool:
        """Whether the app confirmed in time."""
        return self.outcome == "acked"


class Transport(Protocol):
    """One attempt at a time; `Dispatcher` does the retrying."""

    @property
    def connected(self) -> bool:
        """Whether the app can be reached right now, as far as is known."""
        ...

    async def send(self, kind: str, payload: Json, *, attempt: int, reason: str) -> Ack:
        """Deliver once and wait for the confirmation."""
        ...

    async def close(self) -> None:
        """Hang up."""
        ...


class SocketTransport:
    """Socket Mode: each envelope goes to one of the app's open connections.

    Args:
        ack_timeout_seconds: How long an envelope may stay unconfirmed.
        on_change: Called when a connection comes or goes.
    """

    max_connections = 10

    def __init__(self, ack_timeout_seconds: float, on_change: Callable[[], None]) -> None:
        self._timeout = ack_timeout_seconds
        self._on_change = on_change
        self._tickets: set[str] = set()
        self._connections: list[web.WebSocketResponse] = []
        self._retiring: list[web.WebSocketResponse] = []
        self._turn = itertools.count()
        self._waiting: dict[str, asyncio.Future[Json]] = {}

    @property
    def connected(self) -> bool:
        """Whether at least one connection is open."""
        return bool(self._connections)

    @property
    def connections(self) -> int:
        """The number of open connections."""
        return len(self._connections)

    def issue_ticket(self) -> str:
        """A ticket for one connection, as `apps.connections.open` hands out."""
        ticket = secrets.token_urlsafe(12)
        self._tickets.add(ticket)
        return ticket

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Answer a connection of the app: hello, then envelopes out and confirmations in."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            raise web.HTTPForbidden(text="unknown ticket")
        self._tickets.discard(ticket)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        if len(self._connections) >= self.max_connections:
            await socket.send_json({"type": "disconnect", "reason": "too_many_websockets"})
            await socket.close()
            return socket
        self._connections.append(socket)
        try:
            await socket.send_json(self._hello())
            self._on_change()
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._confirm(message.data)
        finally:
            held = self._connections if socket in self._connections else self._retiring
            held.remove(socket)
            self._on_change()
        return socket

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self._connections),
            "connection_info": {"app_id": world.APP_ID},
            "debug_info": {"host": "sandbox", "approximate_connection_time": 18060},
        }

    def _confirm(self, data: str) -> None:
        try:
            answer = json.loads(data)
        except ValueError:
            return
        waiting = self._waiting.get(str(answer.get("envelope_id")))
        if waiting is not None and not waiting.done():
            payload = answer.get("payload")
            waiting.set_result(payload if isinstance(payload, dict) else {})

    async def send(self, kind: str, payload: Json, *, attempt: int, reason: str) -> Ack:
        """Send an envelope to one connection and wait until it is confirmed."""
        if not self._connections:
            return Ack("connection_failed")
        socket = self._connections[next(self._turn) % len(self._connections)]
        envelope_id = secrets.token_hex(12)
        envelope: Json = {
            "type": kind,
            "envelope_id": envelope_id,
            "payload": payload,
            "accepts_response_payload": kind != EVENTS,
        }
        if kind == EVENTS:
            # Slack names a timeout "timeout" here and "http_timeout" over HTTP.
            envelope |= {"retry_attempt": attempt, "retry_reason": reason}
        confirmed: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._waiting[envelope_id] = confirmed
        try:
            await socket.send_json(envelope)
            body = await asyncio.wait_for(confirmed, self._timeout)
        except TimeoutError:
            return Ack("timeout")
        except (aiohttp.ClientError, ConnectionError):
            return Ack("connection_failed")
        finally:
            del self._waiting[envelope_id]
        return Ack("acked", body)

    async def disconnect(self, reason: str) -> None:
        """Ask the app to reconnect, as Slack does every few hours.

        Nothing more is sent over the old connections. As with Slack the app has time to open a new
        one before the old one ends; here it hangs up itself, and `link_disabled` does so at once.
        """
        self._retiring += self._connections
        self._connections = []
        self._on_change()
        for socket in tuple(self._retiring):
            with contextlib.suppress(aiohttp.ClientError, ConnectionError):
                await socket.send_json({"type": "disconnect", "reason": reason})
                if reason == "link_disabled":
                    await socket.close()

    async def close(self) -> None:
        """Hang up on every connection."""
        for socket in (*self._connections, *self._retiring):
            await socket.close(code=aiohttp.WSCloseCode.GOING_AWAY)


class HttpTransport:
    """Signed HTTP requests to the app's request URL.

    Args:
        ack_timeout_seconds: How long the app may take to answer 200.
        on_change: Called when the request URL becomes verified, or is replaced.
        request_url: Where the app listens; "" until it is known.
    """

    def __init__(
        self, ack_timeout_seconds: float, on_change: Callable[[], None], request_url: str = ""
    ) -> None:
        self._timeout = aiohttp.ClientTimeout(total=ack_timeout_seconds)
        self._on_change = on_change
        self._session: aiohttp.ClientSession | None = None
        self._verified = False
        self.request_url = request_url

    @property
    def connected(self) -> bool:
        """Whether the request URL has answered Slack's challenge."""
        return self._verified

    async def verify(self) -> bool:
        """Send the `url_verification` challenge; True when the app echoes it."""
        challenge = secrets.token_hex(16)
        payload = {
            "type": "url_verification",
            "token": world.VERIFICATION_TOKEN,
            "challenge": challenge,
        }
        ack = await self.send(EVENTS, payload, attempt=0, reason="")
        verified = ack.ok and challenge in (ack.body.get("challenge"), ack.body.get("text"))
        if verified != self._verified:
            self._verified = verified
            self._on_change()
        return verified

    async def send(self, kind: str, payload: Json, *, attempt: int, reason: str) -> Ack:
        """POST one delivery, signed, and wait for its answer."""
        if not self.request_url:
            return Ack("connection_failed")
        body, content_type = _encode(kind, payload)
        headers = sign(body) | {"Content-Type": content_type}
        if attempt:
            headers |= {"x-slack-retry-num": str(attempt), "x-slack-retry-reason": reason}
        if self._session is None:
            self._session = aiohttp.ClientSession()
        try:
            async with self._session.post(
                self.request_url,
                data=body,
                headers=headers,
                timeout=self._timeout,
                allow_redirects=False,
            ) as response:
                text = await response.text()
                if response.status == 200:
                    return Ack("acked", _decode(text))
                may_retry = response.headers.get("x-slack-no-retry") != "1"
                return Ack("http_error", may_retry=may_retry)
        except TimeoutError:
            return Ack("http_timeout")
        except aiohttp.ClientError:
            return Ack("connection_failed")

    async def close(self) -> None:
        """Close the client session."""
        if self._session is not None:
            await self._session.close()


def sign(body: str, at_seconds: float | None = None) -> dict[str, str]:
    """Slack's signature headers for a request body, at a time in epoch seconds."""
    stamp = str(int(time.time() if at_seconds is None else at_seconds))
    base = f"v0:{stamp}:{body}".encode()
    digest = hmac.new(world.SIGNING_SECRET.encode(), base, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}


def _encode(kind: str, payload: Json) -> tuple[str, str]:
    if kind == EVENTS:
        return json.dumps(payload), "application/json"
    fields = payload if kind == COMMANDS else {"payload": json.dumps(payload)}
    return urlencode(fields), "application/x-www-form-urlencoded"


def _decode(text: str) -> Json:
    if not text:
        return {}
    try:
        body = json.loads(text)
    except ValueError:
        return {"text": text}
    return body if isinstance(body, dict) else {"text": text}
