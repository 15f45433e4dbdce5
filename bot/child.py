"""A process of ours beside this one, which ends when its standard input does."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_END_SECONDS = 5


@asynccontextmanager
async def child(module: str, *arguments: str) -> AsyncIterator[Process]:
    """`python -m MODULE …` with pipes to and from it; ended in time, or killed.

    In a session of its own: Ctrl-C reaches this process alone, which ends first and then lets the
    other one go.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments, stdin=PIPE, stdout=PIPE, start_new_session=True
    )
    try:
        yield process
    finally:
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), timeout=_END_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()
