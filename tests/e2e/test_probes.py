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
from tests import postgres
from tests.drills.test_kill import bot, sandbox, settings
from tests.e2e.program import running_demo
from tests.e2e.road import Fault, road_to
from tests.monitoring import free_port


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


@pytest.mark.skipif(postgres.PROGRAMS is None, reason="PostgreSQL is not installed")
async def test_a_lost_database_makes_it_unready_until_it_is_back(tmp_path: Path) -> None:
    probes = Port(port := free_port())
    with postgres.run_postgres() as server:
        async with (
            road_to(server.new_database()) as road,
            sandbox(tmp_path / "sandbox") as ready,
        ):
            environment = settings(ready, tmp_path)
            environment |= {"METRICS_PORT": str(port), "STATE_URL": road.url}
            async with bot(environment, tmp_path):
                await probes.until("/readyz", 200)
                await road.spoil(Fault.CLOSED)
                told = await probes.until("/readyz", 503, '"running"')
                assert '"part": "state", "state": "down", "is_needed": true' in told
                await probes.until("/metrics", 200, "opsbot_ready 0.0")
                assert (await probes.get("/healthz"))[0] == 200
                await road.open()
                await probes.until("/readyz", 200)
