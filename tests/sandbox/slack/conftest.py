"""A workspace with a Bolt app of the tests' own, over either transport."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.slack import world
from sandbox.slack.server import Delivery, RunningWorkspace, run_workspace
from sandbox.slack.workspace import Workspace

Json = dict[str, Any]
RULES = world.Rules(ack_timeout_seconds=0.4, retry_delays_seconds=(0.0, 60.0, 300.0))
EVERYTHING = world.AppProfile(
    shortcuts=(
        world.Shortcut("Explain", "explain", "message", ""),
        world.Shortcut("New report", "report", "global", ""),
    ),
    events=world.AppProfile().events
    | {"reaction_added", "reaction_removed", "member_joined_channel", "agent_session_stopped"},
)


@dataclass
class Desk:
    """A running workspace and a person's hands: the control API over HTTP."""

    running: RunningWorkspace
    session: aiohttp.ClientSession
    client: AsyncWebClient

    @property
    def workspace(self) -> Workspace:
        return self.running.workspace

    async def do(self, what: str, *, expect: int = 200, **fields: Any) -> Json:
        url = f"{self.running.url}/_control/{what}"
        async with self.session.post(url, json=fields) as response:
            body: Json = await response.json()
            assert response.status == expect, body
            return body

    async def look(self, what: str, *, expect: int = 200, **query: str) -> Json:
        url = f"{self.running.url}/_control/{what}"
        async with self.session.get(url, params=query) as response:
            body: Json = await response.json()
            assert response.status == expect, body
            return body

    async def say(self, channel: str, text: str, **fields: Any) -> str:
        posted = await self.do("message", channel=channel, text=text, **fields)
        return str(posted["ts"])

    async def ephemerals(self, user: str = "you") -> list[Json]:
        rows: list[Json] = (await self.look("ephemerals", user=user))["messages"]
        return rows


@dataclass
class Bench(Desk):
    """A desk with a Bolt app connected to its workspace."""

    app: AsyncApp
    seen: list[Json] = field(default_factory=list)

    async def until(self, happened: Callable[[], Any]) -> Any:
        """Wait until `happened()` is true, and return it; the test's own timeout is the limit."""
        while not (result := happened()):  # noqa: ASYNC110  (what is waited for has no event)
            await asyncio.sleep(0.005)
        return result

    async def attempts(self, number: int) -> list[Json]:
        """The delivery attempts, once there are this many."""
        recorder = self.running.controls.recorder
        await self.until(lambda: len(recorder.attempts) >= number)
        return recorder.attempts_json()

    def events(self, kind: str) -> list[Json]:
        return [body["event"] for body in self.seen if body.get("event", {}).get("type") == kind]


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    """A workspace that no app is connected to."""
    workspace = Workspace(rules=RULES, app=EVERYTHING)
    async with open_desk("socket", workspace) as found:
        yield found


@contextlib.asynccontextmanager
async def open_desk(delivery: Delivery, workspace: Workspace) -> AsyncIterator[Desk]:
    async with (
        run_workspace(delivery=delivery, workspace=workspace) as running,
        aiohttp.ClientSession() as session,
    ):
        client = AsyncWebClient(token=world.BOT_TOKEN, base_url=running.api_url, session=session)
        yield Desk(running, session, client)


@pytest.fixture(params=["socket", "http"])
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    """A workspace and a connected Bolt app, over Socket Mode and over signed HTTP."""
    delivery: Delivery = request.param
    async with open_bench(delivery) as found:
        yield found


@contextlib.asynccontextmanager
async def open_bench(delivery: Delivery) -> AsyncIterator[Bench]:
    workspace = Workspace(rules=RULES, app=EVERYTHING)
    async with open_desk(delivery, workspace) as found:
        app = AsyncApp(client=found.client, signing_secret=world.SIGNING_SECRET)
        bench = Bench(found.running, found.session, found.client, app)

        @app.use
        async def note(body: Json, next: Callable[[], Awaitable[None]]) -> None:  # noqa: A002  (Bolt's name)
            bench.seen.append(body)
            await next()

        connect = over_socket if delivery == "socket" else over_http
        async with connect(bench):
            yield bench


@contextlib.asynccontextmanager
async def over_socket(bench: Bench) -> AsyncIterator[None]:
    handler = AsyncSocketModeHandler(bench.app, world.APP_TOKEN)
    before = asyncio.all_tasks()
    await handler.connect_async()  # type: ignore[no-untyped-call]
    await bench.until(lambda: bench.running.connected)
    try:
        yield
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call]
        await handler.client.aiohttp_client_session.close()
        # The SDK starts bare tasks and only cancels them; wait until they are gone.
        stray = asyncio.all_tasks() - before - {asyncio.current_task()}
        await asyncio.wait([t for t in stray if "slack_sdk" in repr(t)] or [_nothing()])


def _nothing() -> asyncio.Task[None]:
    return asyncio.ensure_future(asyncio.sleep(0))


@contextlib.asynccontextmanager
async def over_http(bench: Bench) -> AsyncIterator[None]:
    runner = web.AppRunner(bench.app.web_app(), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        port = runner.addresses[0][1]
        assert await bench.running.set_request_url(f"http://127.0.0.1:{port}/slack/events")
        yield
    finally:
        await runner.cleanup()
