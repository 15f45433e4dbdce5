"""Two replicas that share their state, one killed in the middle: one answer each, none lost."""

from __future__ import annotations

import asyncio
import sys
import threading
from asyncio.subprocess import Process
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from sqlalchemy import func, select, update

from bot.interrupted import SILENT_FOR
from sandbox.cluster.server import run_cluster
from sandbox.ollama.pieces import Pause, Piece
from sandbox.ollama.server import run_ollama
from sandbox.slack import world
from sandbox.slack.server import Delivery, RunningWorkspace, run_workspace
from sandbox.slack.transports import SocketTransport
from state.database import Database
from state.tables import open_answers
from tests.e2e.program import clean_environment, is_final
from tests.monitoring import free_port
from tests.postgres import run_postgres

pytestmark = pytest.mark.timeout(400)

Json = dict[str, Any]
INTERRUPTED = "I was interrupted before the answer was ready"


class Gate:
    """A model that says nothing until it is let."""

    def __init__(self) -> None:
        self.is_open = threading.Event()
        self.is_open.set()

    def __call__(self, _: list[Json], __: Mapping[str, Any]) -> Iterator[Piece]:
        while not self.is_open.is_set():
            yield Pause(0.1)
        yield "The limit is too low."


@dataclass
class Replica:
    """A running `opsbot run`."""

    process: Process
    port: int
    log: Path

    @property
    def is_ready(self) -> bool:
        """Whether it takes deliveries."""
        return ": ready" in self.log.read_text(encoding="utf-8")

    async def kill(self) -> None:
        """As a machine that loses its power."""
        self.process.kill()
        await self.process.wait()


@dataclass
class Fleet:
    """A workspace with two replicas of the bot."""

    running: RunningWorkspace
    gate: Gate
    state: Database
    replicas: list[Replica] = field(default_factory=list)

    def say(self, text: str) -> str:
        """A person's message in #incidents; gives its ts."""
        return str(self.running.controls.say("incidents", "ines", text)["ts"])

    def duplicate(self) -> None:
        """From now on each event goes to both: the copy is sent to the next one."""
        self.running.controls.faults.add({"kind": "duplicate_event", "times": 1000})

    def shift(self) -> None:
        """Let the next event reach the other one first."""
        self.running.controls.faults.clear()
        self.say("lunch?")
        self.duplicate()

    async def holders(self, threads: list[str]) -> int:
        """How many processes answer in these threads."""
        found = open_answers.c
        query = select(found.holder).distinct().where(found.thread_ts.in_(threads))
        async with self.state.read("see who answers") as connection:
            return len((await connection.execute(query)).all())

    async def pass_silence(self) -> None:
        """As if so much time had passed that who gave no sign of life is taken for dead."""
        seen_at = open_answers.c.seen_at
        async with self.state.read("find the oldest") as connection:
            oldest = (await connection.execute(select(func.min(seen_at)))).scalar_one()
        async with self.state.write("let time pass") as connection:
            await connection.execute(update(open_answers).values(seen_at=oldest - SILENT_FOR))

    def answers(self, thread: str) -> list[Json]:
        """The bot's messages in a thread."""
        messages = self.running.controls.conversation("incidents").thread(thread)
        return [row for row in messages if row["user"] == world.BOT_USER_ID]

    def digests(self) -> Counter[str]:
        """How often each slot's digest was posted."""
        messages = self.running.controls.conversation("ops").messages.values()
        marks = [row.get("metadata", {}).get("event_payload", {}) for row in messages]
        return Counter(mark["slot"] for mark in marks if mark.get("slot"))

    async def eventually(self, holds: Callable[[], object], seconds: float) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(seconds):
            while not holds():
                for replica in self.replicas:
                    assert replica.process.returncode in {None, -9}, replica.log.read_text()
                await asyncio.sleep(0.1)


@asynccontextmanager
async def either_of(ports: list[int]) -> AsyncIterator[str]:
    """A load balancer: each request goes to the next one; gives its address."""
    turns = 0

    async def forward(request: web.Request) -> web.StreamResponse:
        nonlocal turns
        turns += 1
        port = ports[turns % len(ports)]
        url = f"http://127.0.0.1:{port}{request.path}"
        try:
            async with session.post(
                url, data=await request.read(), headers=request.headers
            ) as answer:
                body = await answer.read()
                return web.Response(body=body, status=answer.status, headers=answer.headers)
        except aiohttp.ClientError:
            return web.Response(status=502)

    app = web.Application()
    app.router.add_post("/slack/events", forward)
    runner = web.AppRunner(app, access_log=None)
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
        finally:
            await runner.cleanup()


async def start(folder: Path, port: int, environment: Mapping[str, str]) -> Replica:
    folder.mkdir()  # noqa: ASYNC240  (a test's, and at once)
    log = folder / "log"
    with log.open("wb") as stream:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "run", cwd=folder, stdout=stream, stderr=stream,
            env={
                **environment,
                "OPSBOT_DATA_DIR": str(folder / "data"),
                "HTTP_PORT": str(port),
            },
        )  # fmt: skip
    return Replica(process, port, log)


@pytest.fixture(params=["socket", "http"])
async def fleet(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Fleet]:
    delivery: Delivery = request.param
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "payments.md").write_text("# Payments\n\nPayments restarts: raise its memory limit.\n")
    gate, ports = Gate(), [free_port(), free_port()]
    async with AsyncExitStack() as stack:
        server = await asyncio.to_thread(stack.enter_context, run_postgres())
        running = await stack.enter_async_context(run_workspace(delivery=delivery))
        cluster = await stack.enter_async_context(run_cluster())
        ollama = await stack.enter_async_context(run_ollama(gate))
        for name in ("ops", "incidents"):
            running.controls.conversation(name).members.add(world.BOT_USER_ID)
        environment = clean_environment(
            SLACK_BOT_TOKEN=world.BOT_TOKEN,
            SLACK_APP_TOKEN=world.APP_TOKEN,
            SLACK_SIGNING_SECRET=world.SIGNING_SECRET,
            SLACK_MODE=delivery,
            SLACK_API_URL=running.api_url,
            KUBECONFIG=str(cluster.kubeconfig(tmp_path / "kubeconfig")),
            KNOWLEDGE_SOURCES=f"markdown:{pages}",
            EMBED_MODEL="none",
            LLM_MODEL="ollama:llama3.1",
            OLLAMA_BASE_URL=ollama.url,
            LLM_PARALLEL="4",
            DIGEST_CHANNEL="COPS",
            DIGEST_CRON="* * * * *",
            STATE_URL=await asyncio.to_thread(server.new_database),
        )
        database = await Database.open(environment["STATE_URL"])
        stack.push_async_callback(database.close)
        fleet = Fleet(running, gate, database)
        try:
            for number, port in enumerate(ports):
                folder = tmp_path / f"replica-{number}"
                fleet.replicas.append(await start(folder, port, environment))
            await fleet.eventually(lambda: all(each.is_ready for each in fleet.replicas), 120)
            if delivery == "http":
                url = await stack.enter_async_context(either_of(ports))
                assert await running.set_request_url(url)
            yield fleet
        finally:
            for replica in fleet.replicas:
                if replica.process.returncode is None:
                    replica.process.terminate()
            await asyncio.gather(*(replica.process.wait() for replica in fleet.replicas))


async def test_each_is_answered_once_though_all_arrives_twice_and_one_replica_dies(
    fleet: Fleet,
) -> None:
    transport = fleet.running.controls.dispatcher.transport
    if isinstance(transport, SocketTransport):
        assert transport.connections == 2
    fleet.duplicate()
    threads = [fleet.say(f"<@UOPSBOT> why does payments restart? {n}") for n in range(6)]
    await fleet.eventually(lambda: all(any(map(is_final, fleet.answers(t))) for t in threads), 90)
    fleet.gate.is_open.clear()
    open_ones: list[str] = []
    while len(open_ones) < 6 or await fleet.holders(open_ones) < 2:
        fleet.shift()
        asked = fleet.say("<@UOPSBOT> what is payments' limit?")
        open_ones.append(asked)
        await fleet.eventually(partial(fleet.answers, asked), 60)
    await fleet.replicas[0].kill()
    later = fleet.say("<@UOPSBOT> who owns payments?")
    await asyncio.sleep(1)
    fleet.gate.is_open.set()
    await fleet.pass_silence()

    def is_closed(thread: str) -> bool:
        return any(is_final(row) or INTERRUPTED in row["text"] for row in fleet.answers(thread))

    await fleet.eventually(lambda: all(map(is_closed, (*open_ones, later))), 150)
    await fleet.eventually(fleet.digests, 90)
    await asyncio.sleep(2)
    told = {thread: fleet.answers(thread) for thread in (*threads, *open_ones, later)}
    assert [rows for rows in told.values() if len(rows) != 1] == []
    ends = Counter(is_final(told[thread][0]) for thread in open_ones)
    assert ends[True], "the one that lives answers its own"
    assert ends[False], "and tells of the others'"
    assert set(fleet.digests().values()) == {1}, fleet.digests()
