"""Processes of our own that prepare pages, so that more than one core cuts and redacts.

A process is told its work on standard input and ends when that closes, so none is left behind when
this one is killed. One that dies costs only speed: its work is done here instead.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from asyncio.subprocess import PIPE, Process
from types import TracebackType
from typing import Self

import msgspec

from knowledge.prepare import LENGTH_BYTES, Job, Prepared, do, framed

log = logging.getLogger(__name__)

PROCESSES = 2
# The search path of this process goes along, so that both find the same modules.
_PROGRAM = (
    sys.executable,
    "-c",
    "import sys; sys.path[:] = sys.argv[1:]; from knowledge.prepare import serve; serve()",
)


class Processes:
    """Use it as an asynchronous context manager: the processes start when needed and end with it.

    Args:
        count: At most so many.
        program: What each of them runs; for tests.
    """

    def __init__(self, count: int = PROCESSES, program: tuple[str, ...] = _PROGRAM) -> None:
        self._program = program
        self._is_usable = True
        # The places; None where no process was started yet. Last in, first out: few jobs start few.
        self._idle: asyncio.LifoQueue[Process | None] = asyncio.LifoQueue()
        for _ in range(count):
            self._idle.put_nowait(None)
        self._decoder = msgspec.msgpack.Decoder(list[Prepared])

    async def do(self, job: Job) -> list[Prepared]:
        """As `knowledge.prepare.do`, by the first process that is free."""
        process = await self._idle.get()
        prepared = None
        try:
            if self._is_usable:
                process = process or await self._start()
                prepared = await self._ask(process, job)
        except (OSError, EOFError, msgspec.DecodeError):
            self._is_usable = False
            log.warning("a process that prepares pages is gone; the bot goes on without")
        finally:
            if prepared is None and process is not None:
                # It is gone, or its reply is waited for no more and would be taken for the next.
                await _end(process)
                process = None
            self._idle.put_nowait(process)
        return await asyncio.to_thread(do, job) if prepared is None else prepared

    async def _start(self) -> Process:
        # In a session of its own: Ctrl-C is for this process, which ends the others in order.
        return await asyncio.create_subprocess_exec(
            *self._program, *sys.path, stdin=PIPE, stdout=PIPE, start_new_session=True
        )

    async def _ask(self, process: Process, job: Job) -> list[Prepared]:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(framed(job))
        await process.stdin.drain()
        length = int.from_bytes(await process.stdout.readexactly(LENGTH_BYTES), "big")
        return self._decoder.decode(await process.stdout.readexactly(length))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        while not self._idle.empty():
            process = self._idle.get_nowait()
            if process is not None:
                await _end(process)


async def _end(process: Process) -> None:
    """Kill it; it keeps nothing that could be lost."""
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.communicate()
