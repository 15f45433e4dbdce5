"""Recordings served one after another, each until the next one comes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from typing import TextIO

from sandbox.cluster.recorded import RecordedCluster
from sandbox.cluster.server import run_cluster
from sandbox.cluster.versions import as_served


async def serve_recordings(
    lines: AsyncIterator[str], kubeconfig: Path, say: Callable[[dict[str, object]], None]
) -> None:
    """Serve each recording at an address of its own, until the next line comes; time stands still.

    Args:
        lines: JSON objects with `objects`, `logs` and `now`; see `RecordedCluster`.
        kubeconfig: Written anew for every recording, with the context "demo".
        say: Called for each: `url` when it is served, or `error` when it cannot be.
    """
    async with AsyncExitStack() as stack:
        async for line in lines:
            await stack.aclose()
            try:
                given = await asyncio.to_thread(json.loads, line)
                world = RecordedCluster(
                    as_served(given["objects"]),
                    given.get("logs"),
                    now=datetime.fromisoformat(given["now"]),
                    kept_log_lines=None,
                )
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                say({"error": f"not a recording: {error}"})
                continue
            running = await stack.enter_async_context(run_cluster(world, speed=0))
            running.kubeconfig(kubeconfig)
            say({"ready": True, "url": running.url})


async def lines_of(stream: TextIO) -> AsyncIterator[str]:
    """Lines as they come, however long, without holding up the event loop."""
    while line := await asyncio.to_thread(stream.readline):
        yield line
