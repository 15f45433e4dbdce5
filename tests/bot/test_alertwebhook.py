"""Alertmanager's deliveries: authenticated, bounded, kept before they are answered."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.alertwebhook import MAX_BODY_BYTES, alert_route
from bot.telemetry.metrics import Meter
from bot.webserver import WebServer
from cluster.alertmanager import Delivery
from core.errors import OpsbotError, StateError
from tests.monitoring import alertmanager

TOKEN = "push-token"
BODY = {"version": "4", "alerts": [{"labels": {"alertname": "Slow"}, "status": "firing"}]}


class Taken:
    """Remembers deliveries, or fails to."""

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []
        self.is_broken = False
        self.meter = Meter()

    async def take(self, delivery: Delivery) -> None:
        if self.is_broken:
            raise StateError("keep alerts", "its disk is full", "Free some")
        self.deliveries.append(delivery)


@asynccontextmanager
async def listening(taken: Taken) -> AsyncIterator[str]:
    app = web.Application()
    app.add_routes([alert_route(TOKEN, taken.take, taken.meter)])
    server = WebServer(app, "127.0.0.1", 0, "HTTP_PORT")
    await server.start()
    try:
        yield f"http://127.0.0.1:{server.port}/alerts"
    finally:
        await server.close()


async def post(url: str, token: str = TOKEN, **more: Any) -> int:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, headers=headers, **more) as response,
    ):
        return response.status


async def test_only_who_knows_the_token_is_heard() -> None:
    taken = Taken()
    async with listening(taken) as url:
        for token in ("", "wrong", TOKEN + "x"):
            assert await post(url, token, json=BODY) == 401
        assert not taken.deliveries
        assert await post(url, json=BODY) == 204
    assert [one.name for one in taken.deliveries[0].alerts] == ["Slow"]


async def test_what_is_too_long_or_something_else_is_refused() -> None:
    taken = Taken()
    async with listening(taken) as url:
        assert await post(url, data=io.BytesIO(b" " * (MAX_BODY_BYTES + 1))) == 413
        for body in (b"not json", b"[]", b'{"version": "3"}', b'{"version": "4"}', b"\xff"):
            assert await post(url, data=body) == 400
    assert not taken.deliveries


async def test_what_cannot_be_kept_has_to_be_sent_again() -> None:
    taken = Taken()
    taken.is_broken = True
    async with listening(taken) as url:
        assert await post(url, json={**BODY, "alerts": [{"labels": 3}]}) == 503


async def test_a_port_that_is_taken_is_told() -> None:
    async with listening(Taken()) as url:
        port = int(url.split(":")[2].split("/")[0])
        other = WebServer(web.Application(), "127.0.0.1", port, "HTTP_PORT")
        with pytest.raises(OpsbotError, match="HTTP_PORT"):
            await other.start()


async def test_a_real_alertmanager_delivers_resolves_and_truncates(tmp_path: Path) -> None:
    taken = Taken()
    async with listening(taken) as url, alertmanager(tmp_path, url, TOKEN) as source:
        fired = [{"labels": {"alertname": "Slow", "pod": f"cart-{n}"}} for n in range(3)]
        async with aiohttp.ClientSession() as session:
            async with session.post(f"{source}/api/v2/alerts", json=fired) as response:
                assert response.status == 200
            async with asyncio.timeout(10):
                while not taken.deliveries:  # noqa: ASYNC110  (another process)
                    await asyncio.sleep(0.02)
            first = taken.deliveries[0]
            assert len(first.alerts) == 2
            assert first.truncated == 1
            assert {one.is_firing for one in first.alerts} == {True}
            over = [one | {"endsAt": "2026-01-01T00:00:00Z"} for one in fired]
            async with session.post(f"{source}/api/v2/alerts", json=over) as response:
                assert response.status == 200
            async with asyncio.timeout(10):
                while all(one.is_firing for one in taken.deliveries[-1].alerts):  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
