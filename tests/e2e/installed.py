"""`opsbot run` beside a local workspace and a recorded cluster that outlive it."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from sandbox.cluster.server import RunningCluster, run_cluster
from sandbox.knowledge.generate import prepare
from sandbox.slack import world
from sandbox.slack.server import Delivery, RunningWorkspace, run_workspace
from sandbox.slack.workspace import Workspace
from tests.e2e.program import ROOT, clean_environment
from tests.monitoring import free_port

Json = dict[str, Any]


@dataclass
class Installed:
    """A workspace in which the app is installed as its manifest says, and what it is set to."""

    running: RunningWorkspace
    cluster: RunningCluster
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def log(self) -> str:
        """All that the bot has logged."""
        return (self.folder / "bot.log").read_text(encoding="utf-8")

    @property
    def audited(self) -> list[Json]:
        """The lines of its audit log."""
        lines = [line.partition(" bot.audit: ")[2] for line in self.log.splitlines()]
        return [json.loads(line) for line in lines if line]

    def own(self, channel: str) -> list[Json]:
        """The bot's messages in a channel."""
        messages = self.running.controls.conversation(channel).messages.values()
        return [row for row in messages if row["user"] == world.BOT_USER_ID]

    def ephemerals(self, user: str) -> list[Json]:
        """What only this user sees."""
        return list(self.running.workspace.ephemerals.get(user, ()))

    @asynccontextmanager
    async def bot(self) -> AsyncIterator[Process]:
        """The running program, connected; killed at the end if it still runs."""
        with (self.folder / "bot.log").open("ab") as stream:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "run",
                cwd=self.folder, env=self.environment, stdout=stream, stderr=stream,
            )  # fmt: skip
        try:
            readies = self.log.count("bot.run: ready") + 1
            await until(lambda: self.log.count("bot.run: ready") == readies, 90)
            if self.environment["SLACK_MODE"] == "http":
                port = self.environment["HTTP_PORT"]
                await self.running.set_request_url(f"http://127.0.0.1:{port}/slack/events")
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def until(holds: Callable[[], Any], seconds: float = 45) -> Any:
    """Wait until something is there, and give it back."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, "it never came"
        await asyncio.sleep(0.1)
    return found


@asynccontextmanager
async def installed(
    folder: Path, delivery: Delivery = "socket", config: str = "", **settings: str
) -> AsyncIterator[Installed]:
    """A workspace and a cluster; the bot is started by `Installed.bot`."""
    manifest = yaml.safe_load((ROOT / "manifest.yaml").read_text(encoding="utf-8"))
    workspace = Workspace(app=world.AppProfile.from_manifest(manifest))
    knowledge = await asyncio.to_thread(prepare, folder / "knowledge", datetime.now(UTC))
    async with (
        run_workspace(delivery=delivery, workspace=workspace) as running,
        run_cluster() as cluster,
    ):
        environment = clean_environment(
            SLACK_BOT_TOKEN=world.BOT_TOKEN,
            SLACK_APP_TOKEN=world.APP_TOKEN,
            SLACK_SIGNING_SECRET=world.SIGNING_SECRET,
            SLACK_API_URL=running.api_url,
            SLACK_MODE=delivery,
            KUBECONFIG=str(cluster.kubeconfig(folder / "kubeconfig")),
            KNOWLEDGE_SOURCES=f"markdown:{knowledge},graph:{knowledge}/graph.yaml",
            EMBED_MODEL="none",
            OPSBOT_DATA_DIR=str(folder / "data"),
        )
        if delivery == "http":
            environment |= {"HTTP_PORT": str(free_port())}
        if config:
            (folder / "opsbot.yaml").write_text(config, encoding="utf-8")
            environment["OPSBOT_CONFIG"] = str(folder / "opsbot.yaml")
        yield Installed(running, cluster, folder, environment | settings)
