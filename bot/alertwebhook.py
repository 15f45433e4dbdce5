"""The address that Alertmanager posts to: authenticated, bounded, answered once alerts are safe."""

from __future__ import annotations

import hmac
import json
import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from bot.telemetry.entry import Entry
from bot.telemetry.metrics import Meter
from cluster.alertmanager import Delivery, read_delivery
from core.errors import StateError

log = logging.getLogger(__name__)

ALERTS_PATH = "/alerts"
MAX_BODY_BYTES = 4 * 1024 * 1024

Take = Callable[[Delivery], Awaitable[None]]


def alert_route(token: str, take: Take, meter: Meter) -> web.RouteDef:
    """The route for Alertmanager's webhook, version 4.

    It answers 204 when the alerts are kept and 503 when they could not be, so that Alertmanager
    tries again; 400, 401 and 413 are the sender's mistakes.

    Args:
        token: Must come as `Authorization: Bearer …`.
        take: Keeps a delivery.
        meter: Counts deliveries; what is not answered 204 has failed.
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

    async def counted(request: web.Request) -> web.Response:
        with meter.request(Entry.ALERT):
            response = await receive(request)
        if response.status != web.HTTPNoContent.status_code:
            meter.failed(Entry.ALERT)
        return response

    return web.post(ALERTS_PATH, counted)


async def _body(request: web.Request) -> bytes | None:
    """The body, or None where it is too long."""
    body = bytearray()
    async for piece in request.content.iter_any():
        body += piece
        if len(body) > MAX_BODY_BYTES:
            return None
    return bytes(body)
