"""The real AsyncApp on the local workspace, with a person's hands and eyes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot.access import Policy
from bot.audit import Audit
from bot.poster import SlackPoster
from bot.slack_app import build_slack_app
from bot.slack_client import make_client
from bot.tasks import TaskSet
from bot.transport import HttpTransport, SocketTransport
from core.digests import Digest
from digest.outbox import thread_of
from sandbox.slack import world
from sandbox.slack.server import Delivery, RunningWorkspace, run_workspace
from tests.bot.fakes import Fakes
from tests.bot.samples import NOW

Json = dict[str, Any]
_PATIENCE_SECONDS = 10.0


@dataclass
class Bench:
    """One bot in one workspace."""

    running: RunningWorkspace
    fakes: Fakes
    client: AsyncWebClient
    tasks: TaskSet
    bodies: list[Json]

    async def response_url(self) -> str:
        """A way back that the bot has not used."""
        self.fakes.deliveries.is_full = True
        await self.type("status")
        await self.settle()
        self.fakes.deliveries.is_full = False
        return str(self.bodies[-1]["response_url"])

    def say(self, text: str, *, channel: str = "ops", user: str = "you", thread: str = "") -> str:
        """Post as a person; gives the ts."""
        return str(self.running.controls.say(channel, user, text, thread)["ts"])

    async def tell(self, told: Digest) -> str:
        """Post a digest with its thread to #ops; gives its ts."""
        poster, ts = SlackPoster(self.client, "COPS", "/k8s"), ""
        for post in thread_of(told, told.slot, "COPS", NOW):
            ts = ts or await poster.send(post)
            if post.parent:
                await poster.send(replace(post, thread_ts=ts))
        return ts

    async def type(self, text: str, *, channel: str = "ops", user: str = "you") -> Json:
        """Type the slash command."""
        return await self.running.controls.command(channel, user, "/k8s", text)

    async def click(
        self, message: Json, action_id: str, value: str | None = None, channel: str = "ops"
    ) -> Json:
        """Press a button of a message."""
        return await self.running.controls.act(channel, "you", message["ts"], action_id, value)

    def messages(self, channel: str = "ops") -> list[Json]:
        """Every message of a channel, replies included."""
        conversation = self.running.controls.conversation(channel)
        return list(conversation.messages.values())

    def own(self, channel: str = "ops") -> list[Json]:
        """The bot's messages in a channel."""
        return [row for row in self.messages(channel) if row["user"] == world.BOT_USER_ID]

    def ephemerals(self, user: str = "UYOU") -> list[Json]:
        """What only this user sees."""
        return list(self.running.workspace.ephemerals.get(user, ()))

    def calls(self, method: str) -> list[Json]:
        """The calls the bot made of one method."""
        return self.running.controls.recorder.calls_json(method)

    def fault(self, **fault: Any) -> None:
        """Script a failure."""
        self.running.controls.faults.add(fault)

    async def eventually(self, holds: Callable[[], Any]) -> Any:
        """Wait until something is there, and give it back."""
        deadline = asyncio.get_running_loop().time() + _PATIENCE_SECONDS
        while not (found := holds()):
            assert asyncio.get_running_loop().time() < deadline, "it never came"
            await asyncio.sleep(0.01)
        return found

    async def settle(self) -> None:
        """Wait until every delivery has arrived and every listener has ended."""
        dispatcher = self.running.controls.dispatcher
        await self.eventually(lambda: not dispatcher._tasks and not len(self.tasks))


@asynccontextmanager
async def open_bench(
    delivery: Delivery = "socket", policy: Policy | None = None, audit: Audit | None = None
) -> AsyncIterator[Bench]:
    """A connected bot; everything is closed again at the end."""
    fakes, tasks = Fakes(), TaskSet()
    fakes.policy = policy or fakes.policy
    fakes.audit = audit or fakes.audit
    async with (
        run_workspace(delivery=delivery) as running,
        aiohttp.ClientSession() as session,
    ):
        for name in ("general", "ops", "incidents"):
            running.controls.conversation(name).members.add(world.BOT_USER_ID)
        client = make_client(world.BOT_TOKEN, running.api_url, session, post_seconds=0)
        app = build_slack_app(fakes.services(), client, world.SIGNING_SECRET, tasks)
        bodies: list[Json] = []

        async def remember(body: Json, next: Callable[[], Awaitable[None]]) -> None:  # noqa: A002  (Bolt's name)
            bodies.append(body)
            await next()

        app.use(remember)
        transport: SocketTransport | HttpTransport
        if delivery == "socket":
            transport = SocketTransport(app, world.APP_TOKEN, client)
            await transport.start()
        else:
            transport = HttpTransport(app, "127.0.0.1", 0)
            await transport.start()
            assert await running.set_request_url(f"http://127.0.0.1:{transport.port}/slack/events")
        bench = Bench(running, fakes, client, tasks, bodies)
        await bench.eventually(lambda: running.connected)
        try:
            yield bench
        finally:
            await transport.close()
            await tasks.drain(5)


def seen(message: Json) -> str:
    """All texts in a message's blocks, as a reader sees them."""
    return "\n".join(_texts(message.get("blocks") or []))


def _texts(value: Any) -> list[str]:
    if isinstance(value, list):
        return [text for inner in value for text in _texts(inner)]
    if isinstance(value, dict):
        own = [value["text"]] if isinstance(value.get("text"), str) else []
        title = [value["title"]] if isinstance(value.get("title"), str) else []
        return title + own + [text for inner in value.values() for text in _texts(inner)]
    return []
