"""`/metrics`, `/healthz` and `/readyz`, on a port of their own that Slack never sees."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum

from aiohttp import web

from bot.health import HealthChecks
from bot.settings import Settings
from bot.telemetry.gauges import Gauges
from bot.telemetry.metrics import Meter
from bot.webserver import WebServer
from core.answers import PartState

# A kubelet waits one second by default.
_LIMIT_SECONDS = 0.7


class Phase(StrEnum):
    """How far the process has come."""

    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"


class Probes:
    """What the port answers; it is open from the first moment of the process to its last.

    Args:
        meter: What `/metrics` shows.
    """

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._phase = Phase.STARTING
        self._checks: HealthChecks | None = None
        self._gauges: Gauges | None = None

    def run(self, checks: HealthChecks, gauges: Gauges) -> None:
        """The start is over: from here on the parts decide."""
        self._checks, self._gauges = checks, gauges
        self._phase = Phase.RUNNING

    def stop(self) -> None:
        """No new work, please: what is under way is being finished."""
        self._phase = Phase.STOPPING

    def routes(self) -> list[web.RouteDef]:
        """For an aiohttp application."""
        return [
            web.get("/metrics", self._metrics),
            web.get("/healthz", self._healthz),
            web.get("/readyz", self._readyz),
        ]

    async def _metrics(self, request: web.Request) -> web.Response:
        if self._phase is Phase.RUNNING and self._gauges is not None:
            await self._gauges.refresh()
        else:
            self._meter.ready.set(0)
        body, content_type = self._meter.exposition(request.headers.get("Accept", ""))
        return web.Response(body=body, headers={"Content-Type": content_type})

    async def _healthz(self, _: web.Request) -> web.Response:
        # That it is answered at all is the proof: it takes the same event loop as everything else.
        return web.Response(text=f"{self._phase}\n")

    async def _readyz(self, _: web.Request) -> web.Response:
        rows = await self._checks.check(_LIMIT_SECONDS) if self._checks else ()
        needed = self._checks.needed if self._checks else frozenset()
        is_ready = self._phase is Phase.RUNNING and not any(
            row.part in needed and row.state is PartState.DOWN for row in rows
        )
        parts = [
            {
                "part": row.part,
                "state": row.state,
                "is_needed": row.part in needed,
                "detail": row.detail,
                "remedy": row.remedy,
            }
            for row in rows
        ]
        body = {"is_ready": is_ready, "phase": self._phase, "parts": parts}
        return web.json_response(body, status=200 if is_ready else 503)


@asynccontextmanager
async def probing(settings: Settings, meter: Meter) -> AsyncIterator[Probes]:
    """Serve probes for as long as the block lasts, where METRICS_PORT names a port.

    Raises:
        OpsbotError: The address is taken or not ours.
    """
    probes = Probes(meter)
    if not settings.metrics_port:
        yield probes
        return
    app = web.Application()
    app.add_routes(probes.routes())
    server = WebServer(app, settings.metrics_host, settings.metrics_port, "METRICS_PORT")
    await server.start()
    try:
        yield probes
    finally:
        await server.close()
