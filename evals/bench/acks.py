"""How fast Slack hears that its deliveries arrived while the model is busy: ours beside bare Bolt.

Both apps run in a process of their own, on one workspace each: so many mentions and as many slash
commands at once, in Socket Mode, timed by the workspace.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.ollama.pieces import Pause, Piece
from sandbox.ollama.server import run_ollama
from sandbox.slack import world
from sandbox.slack.server import RunningWorkspace, run_workspace

AT_ONCE = 200
CHANNELS = 20
MODEL_SECONDS = 60.0
_START_SECONDS = 120.0

BARE = """
import asyncio, os
from slack_bolt.async_app import AsyncApp
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_sdk.web.async_client import AsyncWebClient

async def main():
    app = AsyncApp(client=AsyncWebClient(os.environ["SLACK_BOT_TOKEN"], base_url=os.environ["SLACK_API_URL"]))
    async def nothing(): ...
    async def confirm(ack): await ack()
    app.event("app_mention")(nothing)
    app.event("message")(nothing)
    app.command("/k8s")(confirm)
    await AsyncSocketModeHandler(app, os.environ["SLACK_APP_TOKEN"]).start_async()

asyncio.run(main())
"""  # noqa: E501  (a program of its own)


@dataclass(frozen=True, slots=True)
class Acks:
    """Seconds until each delivery was confirmed, sorted."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """Half were faster."""
        return statistics.median(self.seconds)

    @property
    def p99(self) -> float:
        """One in a hundred was slower."""
        return self.seconds[int(len(self.seconds) * 0.99) - 1]


class SlowModel:
    """A model that thinks for so long."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __call__(self, _: list[dict[str, Any]], __: Mapping[str, Any]) -> Iterator[Piece]:
        """Think, then say one sentence."""
        yield Pause(self._seconds)
        yield "The memory limit is too low."


@asynccontextmanager
async def crowd() -> AsyncIterator[RunningWorkspace]:
    """A workspace with the channels in which all ask."""
    async with run_workspace() as running:
        for number in range(CHANNELS):
            running.controls.arrange_channel(
                f"crowd-{number}", private=False, archived=False, ext_shared=False
            )
            members = running.controls.conversation(f"crowd-{number}").members
            members |= {world.BOT_USER_ID, "UINES"}
        yield running


@asynccontextmanager
async def app(
    running: RunningWorkspace, folder: Path, *arguments: str, **settings: str
) -> AsyncIterator[None]:
    """An app of the workspace in a process of its own."""
    environment = os.environ | {
        "SLACK_BOT_TOKEN": world.BOT_TOKEN,
        "SLACK_APP_TOKEN": world.APP_TOKEN,
        "SLACK_API_URL": running.api_url,
        **settings,
    }
    with (folder / "log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *arguments, env=environment, stdout=log, stderr=log
        )
    try:
        async with asyncio.timeout(_START_SECONDS):
            while not running.connected:  # noqa: ASYNC110  (another process is waited for)
                await asyncio.sleep(0.05)
        yield
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def opsbot(
    running: RunningWorkspace, folder: Path, model_seconds: float
) -> AsyncIterator[None]:
    """The product, with a model that thinks for so long."""
    pages = folder / "pages"
    pages.mkdir()
    (pages / "payments.md").write_text("# Payments\n\nPayments restarts: raise its limit.\n")
    async with (
        run_ollama(SlowModel(model_seconds)) as ollama,
        app(
            running, folder, "-m", "bot", "run",
            OPSBOT_DATA_DIR=str(folder / "data"),
            KNOWLEDGE_SOURCES=f"markdown:{pages}",
            EMBED_MODEL="none",
            LLM_MODEL="ollama:llama3.1",
            OLLAMA_BASE_URL=ollama.url,
            DIGEST_CHANNEL="",
        ),
    ):  # fmt: skip
        yield


async def ask_at_once(running: RunningWorkspace, at_once: int) -> list[tuple[str, str]]:
    """So many mentions and commands at once; gives the mentions' channels and threads."""
    controls = running.controls
    controls.recorder.clear()
    threads = []
    for number in range(at_once):
        channel = f"crowd-{number % CHANNELS}"
        sent = controls.say(channel, "ines", f"<@UOPSBOT> why does payments restart? {number}")
        threads.append((channel, str(sent["ts"])))
    await asyncio.gather(
        *(
            controls.command(
                f"crowd-{number % CHANNELS}", "ines", "/k8s", f"ask what limits payments {number}?"
            )
            for number in range(at_once)
        )
    )
    return threads


async def acks_of(running: RunningWorkspace, at_once: int) -> Acks:
    """Wait until all is confirmed, and tell how long each took."""
    deliveries: list[dict[str, Any]] = []
    async with asyncio.timeout(120):
        # A mention arrives as a message as well.
        while len(deliveries) < 3 * at_once:
            await asyncio.sleep(0.2)
            deliveries = running.controls.recorder.attempts_json()
    return Acks(tuple(sorted(each["ack_seconds"] for each in deliveries)))


async def run(at_once: int = AT_ONCE, model_seconds: float = MODEL_SECONDS) -> None:
    """Print a row."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with crowd() as running, app(running, folder, "-c", BARE):
            await ask_at_once(running, at_once)
            bare = await acks_of(running, at_once)
        async with crowd() as running, opsbot(running, folder, model_seconds):
            await ask_at_once(running, at_once)
            ours = await acks_of(running, at_once)
    told = [
        f"median {acks.median * 1000:.0f} ms, p99 {acks.p99 * 1000:.0f} ms" for acks in (ours, bare)
    ]
    sys.stdout.write(
        f"| confirming {at_once} mentions and {at_once} commands at once, the model taking "
        f"{model_seconds:.0f} s | {told[0]} | an empty Bolt app: {told[1]} | "
        f"{bare.median / ours.median:.2f}x |\n"
    )
    sys.stdout.flush()
