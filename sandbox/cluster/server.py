"""Run the recorded cluster, inside a test or for a person."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import yaml
from aiohttp import web

from sandbox.cluster.api import TOKEN, ClusterServer
from sandbox.cluster.recorded import RecordedCluster
from sandbox.cluster.world import shop_world

TICK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class RunningCluster:
    """A cluster that answers at `url`."""

    url: str
    world: RecordedCluster
    server: ClusterServer

    @property
    def token(self) -> str:
        """The bearer token that the server takes."""
        return TOKEN

    def kubeconfig(self, path: Path, context: str = "demo") -> Path:
        """Write a kubeconfig with one context, replacing what was there; gives its path."""
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": context, "cluster": {"server": self.url}}],
            "users": [{"name": f"{context}-reader", "user": {"token": TOKEN}}],
            "contexts": [
                {"name": context, "context": {"cluster": context, "user": f"{context}-reader"}}
            ],
            "current-context": context,
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        return path


@asynccontextmanager
async def run_cluster(
    world: RecordedCluster | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    speed: float = 1.0,
) -> AsyncIterator[RunningCluster]:
    """Serve a cluster until the block ends.

    Args:
        world: What to serve; the shop's world, starting now, when not given.
        host: Address to listen at.
        port: Port to listen at; 0 for any free one.
        speed: Seconds of the cluster's time that pass in a real second. With 0 time stands still
            and moves by `world.advance` alone.

    Raises:
        ValueError: `speed` is negative.
        OSError: The port is taken.
    """
    if speed < 0:
        raise ValueError(f"Cannot run a cluster at speed {speed}. Give zero or more.")
    world = world or shop_world(datetime.now(UTC))
    server = ClusterServer(world)
    runner = web.AppRunner(
        server.application(),
        access_log=None,
        shutdown_timeout=1.0,
        # A slow answer must not outlive the client that gave up on it.
        handler_cancellation=True,
    )
    await runner.setup()
    clock: asyncio.Task[None] | None = None
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        bound = runner.addresses[0][1]
        if speed:
            clock = asyncio.create_task(_pass_time(world, speed))
        yield RunningCluster(f"http://{host}:{bound}", world, server)
    finally:
        if clock is not None:
            clock.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await clock
        await runner.cleanup()


async def _pass_time(world: RecordedCluster, speed: float) -> None:
    """Move the world's clock with the real one."""
    loop = asyncio.get_running_loop()
    told = loop.time()
    while True:
        await asyncio.sleep(TICK_SECONDS)
        now = loop.time()
        world.advance((now - told) * speed)
        told = now
