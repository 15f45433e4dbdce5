"""Puts a workspace on a local port: `create_app` builds it, `run_workspace` runs it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Middleware

from sandbox.slack.control_routes import ControlRoutes
from sandbox.slack.controls import Controls
from sandbox.slack.dispatcher import Dispatcher
from sandbox.slack.faults import Faults
from sandbox.slack.feed import Feed
from sandbox.slack.interactions import Interactions
from sandbox.slack.recorder import Recorder
from sandbox.slack.transports import HttpTransport, SocketTransport, Transport
from sandbox.slack.web_api import WebApi
from sandbox.slack.workspace import Workspace

Delivery = Literal["socket", "http"]
PAGE = Path(__file__).parent / "page"
_VERIFY_SECONDS = 1.0
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_CONTROLS = web.AppKey("controls", Controls)


@dataclass(frozen=True, slots=True)
class RunningWorkspace:
    """A workspace on a port.

    Attributes:
        url: Its address, without a slash at the end.
        workspace: Its state, for inspection.
        controls: What people do in it, without HTTP.
    """

    url: str
    workspace: Workspace
    controls: Controls

    @property
    def api_url(self) -> str:
        """What a Slack client takes as its `base_url`."""
        return f"{self.url}/api/"

    @property
    def connected(self) -> bool:
        """Whether the app can be reached."""
        return self.controls.dispatcher.transport.connected

    async def set_request_url(self, request_url: str) -> bool:
        """Say where the app listens, and send Slack's challenge; True when it was echoed."""
        transport = self.controls.dispatcher.transport
        if not isinstance(transport, HttpTransport):
            raise TypeError("a request URL needs delivery='http'")
        transport.request_url = request_url
        return await transport.verify()


def create_app(
    workspace: Workspace, delivery: Delivery = "socket", request_url: str = ""
) -> web.Application:
    """The whole workspace as one application: Web API, sockets, control API, page.

    Args:
        workspace: Its state; `base_url` is taken from the first request when it is empty.
        delivery: How the app is reached: "socket" or "http".
        request_url: For "http": where the app listens; it is challenged until it answers.
    """
    faults, recorder = Faults(), Recorder()
    timeout = workspace.rules.ack_timeout_seconds
    transport: Transport

    def connection_changed() -> None:
        workspace.tell("connection", {"connected": transport.connected})

    if delivery == "socket":
        transport = SocketTransport(timeout, connection_changed)
    else:
        transport = HttpTransport(timeout, connection_changed, request_url)
    dispatcher = Dispatcher(workspace, transport, faults, recorder)
    interactions = Interactions(workspace, dispatcher)
    controls = Controls(workspace, interactions, dispatcher, faults, recorder)
    feed = Feed(workspace)

    app = web.Application(middlewares=[_guard(workspace)], client_max_size=64 * 1024**2)
    app[_CONTROLS] = controls
    app.add_routes(WebApi(workspace, interactions, dispatcher, faults, recorder).routes())
    app.add_routes(ControlRoutes(controls).routes())
    app.add_routes([web.get("/_feed", feed.serve), web.get("/", _page)])
    app.add_routes([web.get("/archives/{channel}/{message}", _permalink)])
    app.add_routes([web.static("/page", PAGE)])

    async def stop(_app: web.Application) -> None:
        feed.close()
        await dispatcher.close()

    app.on_shutdown.append(stop)
    if isinstance(transport, HttpTransport) and request_url:
        app.cleanup_ctx.append(_verifying(transport))
    return app


@contextlib.asynccontextmanager
async def run_workspace(
    host: str = "127.0.0.1",
    port: int = 0,
    delivery: Delivery = "socket",
    request_url: str | None = None,
    *,
    workspace: Workspace | None = None,
) -> AsyncIterator[RunningWorkspace]:
    """Run a workspace for as long as the context is open.

    Args:
        host: The address to listen on.
        port: The port to listen on; 0 takes a free one.
        delivery: How the app is reached: "socket" or "http".
        request_url: For "http": where the app listens, when that is known already.
        workspace: A workspace with rules or an app of its own.
    """
    workspace = workspace or Workspace()
    app = create_app(workspace, delivery, request_url or "")
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=2.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        bound = runner.addresses[0][1]
        workspace.base_url = f"http://{host}:{bound}"
        yield RunningWorkspace(workspace.base_url, workspace, app[_CONTROLS])
    finally:
        await runner.cleanup()


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def _guard(workspace: Workspace) -> Middleware:
    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse other web sites: the control API must not be open to any page in a browser."""
        origin = request.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc != request.host:
            raise web.HTTPForbidden(text="requests from other sites are refused")
        if not workspace.base_url:
            workspace.base_url = f"http://{request.host}"
        response = await handler(request)
        if not response.prepared:
            response.headers.setdefault("Content-Security-Policy", _POLICY)
            response.headers.setdefault("X-Content-Type-Options", "nosniff")
            if request.path.startswith(("/page", "/_control")) or request.path == "/":
                response.headers["Cache-Control"] = "no-cache"
        return response

    return guard


async def _page(_request: web.Request) -> web.StreamResponse:
    return web.FileResponse(PAGE / "index.html")


async def _permalink(request: web.Request) -> web.StreamResponse:
    digits = request.match_info["message"].removeprefix("p")
    ts = f"{digits[:-6]}.{digits[-6:]}"
    thread_ts = request.query.get("thread_ts", "")
    raise web.HTTPFound(f"/#{request.match_info['channel']}/{ts}/{thread_ts}")


def _verifying(
    transport: HttpTransport,
) -> Callable[[web.Application], AsyncIterator[None]]:
    async def keep_trying() -> None:
        while not await transport.verify():  # noqa: ASYNC110  (another process is waited for)
            await asyncio.sleep(_VERIFY_SECONDS)

    async def context(_app: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(keep_trying())
        yield
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    return context
