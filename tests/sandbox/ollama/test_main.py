"""The stand-in as a program."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys

import aiohttp
import pytest

from sandbox.ollama.__main__ import main


async def test_it_says_when_it_is_ready_and_ends_cleanly_on_a_signal() -> None:
    command = ("-m", "sandbox.ollama", "--port", "0", "--script", "garbage", "--model", "tiny:1b")
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    ready = json.loads(await process.stdout.readline())
    assert ready["models"] == ["tiny:1b"]
    async with aiohttp.ClientSession(ready["url"]) as session:
        tags = await (await session.get("/api/tags")).json()
        assert tags["models"][0]["model"] == "tiny:1b"
    process.send_signal(signal.SIGTERM)
    _, errors = await process.communicate()
    assert (process.returncode, errors) == (0, b"")


def test_a_taken_port_is_told_with_a_way_out(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["--port", str(taken.getsockname()[1])]) == 1
    assert "Choose another --port" in capsys.readouterr().err
