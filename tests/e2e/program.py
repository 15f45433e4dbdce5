"""Starts the real program as a user would, and talks to it as a person in Slack would."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import time
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

ROOT = Path(__file__).parents[2]
Message = dict[str, Any]


def clean_environment(**more: str) -> dict[str, str]:
    """The environment without the developer's own settings."""
    kept = {"PATH", "HOME", "LANG", "TMPDIR", "COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG"}
    found = {name: value for name, value in os.environ.items() if name in kept}
    return found | {"PYTHONPATH": str(ROOT), "LLM_MODEL": "extractive"} | more


class Demo:
    """A running `opsbot demo`."""

    def __init__(self, process: Process, folder: Path, environment: Mapping[str, str]) -> None:
        self.process = process
        self.folder = folder
        self.environment = dict(environment)
        self.printed = ""
        self.url = ""
        self.expected_code = 0
        self._session = aiohttp.ClientSession()

    async def wait_for_line(self, pattern: str, seconds: float = 60) -> re.Match[str]:
        """Read what it prints until `pattern` matches."""
        assert self.process.stdout is not None
        async with asyncio.timeout(seconds):
            while (match := re.search(pattern, self.printed)) is None:
                line = await self.process.stdout.readline()
                assert line, f"it ended while waiting for {pattern!r}:\n{self.printed}"
                self.printed += line.decode()
        return match

    async def call(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """A call of the workspace's control API."""
        async with self._session.post(f"{self.url}/_control/{path}", json=body) as response:
            reply: dict[str, Any] = await response.json()
            assert response.status == 200, reply
            return reply

    async def read(self, path: str, **query: str) -> list[Message]:
        """Messages from the control API."""
        async with self._session.get(f"{self.url}/_control/{path}", params=query) as response:
            messages: list[Message] = (await response.json())["messages"]
            return messages

    async def ask(self, question: str, user: str = "you") -> Message:
        """`/k8s ask …`; gives the final ephemeral answer."""
        return await self.command(f"ask {question}", user)

    async def command(
        self, text: str, user: str = "you", is_wanted: Callable[[Message], bool] | None = None
    ) -> Message:
        """`/k8s …`; gives the final ephemeral answer, or the first new message that is wanted."""
        seen = {message["ts"] for message in await self.read("ephemerals", user=user)}
        reply = await self.call(
            "command", {"channel": "general", "user": user, "command": "/k8s", "text": text}
        )
        assert reply["acked"], reply
        wanted = is_wanted or is_final
        return await self.until(
            lambda: self.read("ephemerals", user=user),
            lambda message: message["ts"] not in seen and wanted(message),
        )

    async def mention(
        self, text: str, channel: str = "incidents", thread_ts: str = "", seconds: float = 45
    ) -> Message:
        """Mention the bot; gives its final answer in the thread."""
        body = {"channel": channel, "user": "ines", "text": f"@opsbot {text}"}
        sent = await self.call("message", body | ({"thread_ts": thread_ts} if thread_ts else {}))
        thread = thread_ts or sent["ts"]
        return await self.until(
            lambda: self.read("messages", channel=channel, thread_ts=thread),
            lambda message: (
                "bot_id" in message
                and float(message["ts"]) > float(sent["ts"])
                and is_final(message)
            ),
            seconds,
        )

    async def until(
        self, read: Callable[[], Any], wanted: Callable[[Message], bool], seconds: float = 45
    ) -> Message:
        """Look again and again until a message is as wanted; gives the newest such."""
        end = time.monotonic() + seconds
        messages: list[Message] = []
        while time.monotonic() < end:
            messages = await read()
            for message in reversed(messages):
                if wanted(message):
                    return message
            await asyncio.sleep(0.2)
        raise AssertionError(f"no such message among {[m['text'][:300] for m in messages]}")

    async def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Stop it as a supervisor or Ctrl-C would; gives the exit code."""
        await self._session.close()
        if self.process.returncode is None:
            self.process.send_signal(how)
        assert self.process.stdout is not None
        rest = await asyncio.wait_for(self.process.stdout.read(), timeout=40)
        self.printed += rest.decode()
        return await self.process.wait()


def is_final(message: Message) -> bool:
    """Whether an answer is finished: a final one carries its reference."""
    return any(
        str(block.get("block_id")) == "answer_footer" for block in message.get("blocks") or []
    )


@asynccontextmanager
async def running_demo(folder: Path, *flags: str, **settings: str) -> AsyncIterator[Demo]:
    """`opsbot demo` on a free port, stopped at the end."""
    environment = clean_environment(**settings)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "demo", "--port", "0", "--data-dir", str(folder), *flags,
        cwd=folder.parent, env=environment, stdout=PIPE, stderr=STDOUT,
    )  # fmt: skip
    demo = Demo(process, folder, environment)
    try:
        demo.url = (await demo.wait_for_line(r"Open +(http://\S+)"))[1]
        await demo.wait_for_line("Stop with Ctrl-C")
        yield demo
    finally:
        code = await demo.stop()
        assert code == demo.expected_code, demo.printed


async def run_command(
    *arguments: str, environment: Mapping[str, str], folder: Path
) -> tuple[int, str, str]:
    """`opsbot …` in a second terminal: exit code, standard output, standard error."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", *arguments,
        cwd=folder, env=dict(environment), stdout=PIPE, stderr=PIPE,
    )  # fmt: skip
    out, err = await asyncio.wait_for(process.communicate(), timeout=90)
    return process.returncode or 0, out.decode(), err.decode()
