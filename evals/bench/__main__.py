"""`make bench`: every benchmark, as rows of a Markdown table."""

from __future__ import annotations

import asyncio
import os
import platform
import sys

from evals.bench import (
    acks,
    answering,
    decoding,
    digest,
    graph,
    indexing,
    logs,
    query,
    search,
    snapshot,
)


async def main() -> None:
    """Print the machine, then a row per benchmark."""
    cores = os.cpu_count()
    sys.stdout.write(f"Python {platform.python_version()}, {platform.machine()}, {cores} cores\n\n")
    sys.stdout.write("| what | ours | the obvious alternative | ratio (lowest-highest) |\n")
    sys.stdout.write("|---|---|---|---|\n")
    for benchmark in (
        decoding.run,
        snapshot.run,
        digest.run,
        search.run,
        indexing.run,
        query.run,
        answering.run,
        graph.run,
        logs.run,
        acks.run,
    ):
        await benchmark()


asyncio.run(main())
