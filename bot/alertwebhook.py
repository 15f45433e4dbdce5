"""The address that Alertmanager posts to: authenticated, bounded, answered once alerts are safe."""

from __future__ import annotations

import hmac
import json
import logging
from collections.abc import Awaitable, Callable, Iterable

from aiohttp import web

from cluster.alertmanager import Delivery, read_delivery
from core.errors import OpsbotError, StateError

log = logging.getLogger(__name__)

ALERTS_PATH = "/alerts"
MAX_BODY_BYTES = 4 * 1024 * 1024

Take = Callable[[Delivery], Awaitable[None]]


def alert_route(token: str, take: Take) -> web.RouteDef:
    """The route for Alertmanager's webhook, version 4.

    It answers 204 when the alerts are kept and 503 when they could not be, so that Alertmanager
    tries again; 400, 401 and 413 are the sender's mistakes.

    Args:
        token: Must come as `Authorization: Bearer …`.
        take: Keeps a delivery.
    """
    expected = f"Bearer {token}".encode()

    async def receive(request: web.Request) -> web.Response:
        given = request.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, expected):
            return web.Response(status=401, text="the bearer token is missing or wrong\n")
        body = await _body(request)
        if body is None:
            return web.Response(status=413, text=f"more than {MAX_BODY_BYTES} bytes\n")
        try:
            delivery = read_delivery(json.loads(body))
        except ValueError as error:
            return web.Response(status=400, text=f"cannot be read: {error}\n")
        if delivery.unreadable:
            log.warning("%s alerts of a delivery could not be understood", delivery.unreadable)
        try:
            await take(delivery)
        except StateError as error:
            log.warning("%s", error)
            return web.Response(status=503, text="not kept; try again\n")
        return web.Response(status=204)

    return web.post(ALERTS_PATH, receive)


async def _body(request: web.Request) -> bytes | None:
    """The body, or None where it is too long."""
    body = bytearray()
    async for piece in request.content.iter_any():
        body += piece
        if len(body) > MAX_BODY_BYTES:
            return None
    return bytes(body)


class WebhookServer:
    """Listens for Alertmanager alone, where Slack needs no address of ours.

    Args:
        routes: See `alert_route`.
        host: Address to listen on.
        port: 0 takes a free one.
    """

    def __init__(self, routes: Iterable[web.RouteDef], host: str, port: int) -> None:
        app = web.Application()
        app.add_routes(routes)
        self._runner = web.AppRunner(app, access_log=None)
        self._host = host
        self._asked_port = port

    @property
    def port(self) -> int:
        """The port it listens on; only after `start`."""
        return int(self._runner.addresses[0][1])

    async def start(self) -> None:
        """Listen.

        Raises:
            OpsbotError: The address is taken or not ours.
        """
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._asked_port).start()
        except OSError as error:
            await self._runner.cleanup()
            raise OpsbotError(
                f"listen for alerts on {self._host}:{self._asked_port}",
                error.strerror or "the address cannot be used",
                "Choose another HTTP_PORT, or stop what uses it.",
            ) from error

    async def close(self) -> None:
        """Stop listening."""
        await self._runner.cleanup()
