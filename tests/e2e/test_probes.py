"""What a kubelet and a Prometheus see of the real program: start, a lost database, the end."""

from __future__ import annotations

import asyncio
import signal
import socket
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from sandbox.ollama.pieces import Pause
from sandbox.ollama.server import run_ollama
from tests.drills.test_kill import bot, sandbox, settings
from tests.e2e.program import running_demo
from tests.monitoring import free_port
from tests.state.conftest import postgres_server

__all__ = ["postgres_server"]  # a fixture


class Port:
    """The bot's metrics port."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    async def get(self, path: str) -> tuple[int, str]:
        """Status and text; 0 where nobody listens."""
        try:
            async with aiohttp.ClientSession() as session, session.get(self.url + path) as response:
                return response.status, await response.text()
        except aiohttp.ClientError:
            return 0, ""

    async def until(self, path: str, status: int, words: str = "") -> str:
        """Ask until it answers so; gives the text."""
        async with asyncio.timeout(60):
            while True:
                got, text = await self.get(path)
                if got == status and words in text:
                    return text
                await asyncio.sleep(0.05)


class Relay:
    """Passes connections on to a server, and can be cut."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = free_port()

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", self.port)

    async def cut(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        for source, target in ((reader, far_writer), (far_reader, writer)):
            task = asyncio.create_task(_copy(source, target))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(65536):
            target.write(data)
            await target.drain()
    finally:
        target.close()


async def test_it_starts_alive_gets_ready_and_drains_while_it_is_told_to_stop(
    tmp_path: Path,
) -> None:
    port = free_port()
    probes = Port(port)

    def slow(_messages: object, _options: object) -> list[Any]:
        return ["It ", Pause(3.0), "restarts."]

    async with (
        run_ollama(script=slow) as ollama,
        running_demo(
            tmp_path / "data",
            LLM_MODEL="auto",
            OLLAMA_BASE_URL=ollama.url,
            METRICS_PORT=str(port),
        ) as demo,
    ):
        assert '"is_ready": true' in await probes.until("/readyz", 200)
        assert (await probes.get("/healthz"))[0] == 200
        body = {"channel": "incidents", "user": "ines", "text": "@opsbot why is payments down?"}
        await demo.call("message", body)
        async with asyncio.timeout(30):
            while not any("payments down" in str(chat.messages) for chat in ollama.chats()):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        demo.process.send_signal(signal.SIGTERM)
        told = await probes.until("/readyz", 503)
        assert '"phase": "stopping"' in told
        assert (await probes.get("/healthz"))[0] == 200
    with pytest.raises(OSError, match=r"."), socket.create_connection(("127.0.0.1", port)):
        pass


async def test_a_lost_database_makes_it_unready_until_it_is_back(
    tmp_path: Path, postgres_server: str
) -> None:
    relay = Relay(int(postgres_server.rpartition(":")[2]))
    await relay.open()
    state = f"postgresql+asyncpg://opsbot@127.0.0.1:{relay.port}/postgres"
    probes = Port(port := free_port())
    async with sandbox(tmp_path / "sandbox") as ready:
        environment = settings(ready, tmp_path)
        environment |= {"METRICS_PORT": str(port), "STATE_URL": state}
        async with bot(environment, tmp_path):
            await probes.until("/readyz", 200)
            await relay.cut()
            told = await probes.until("/readyz", 503, '"running"')
            assert '"part": "state", "state": "down", "is_needed": true' in told
            await probes.until("/metrics", 200, "opsbot_ready 0.0")
            assert (await probes.get("/healthz"))[0] == 200
            await relay.open()
            await probes.until("/readyz", 200)
    await relay.cut()
