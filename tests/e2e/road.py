"""The way to a server, on which everything can go wrong that goes wrong on networks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from enum import Enum
from urllib.parse import urlsplit


class Fault(Enum):
    """What is wrong."""

    CLOSED = "closed"
    """Nobody listens: connections are refused."""
    SILENT = "silent"
    """They are taken, and nothing ever comes back."""
    CUT = "cut"
    """The first bytes of a reply arrive, then the connection breaks."""
    GARBAGE = "garbage"
    """What comes back is HTTP, and its body is none of what was asked for."""
    BROKEN = "broken"
    """A gateway before the server says 502."""


_REPLIES = {
    Fault.GARBAGE: b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    b"Content-Length: 17\r\nConnection: close\r\n\r\n<html>hello</html",
    Fault.BROKEN: b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 11\r\n"
    b"Connection: close\r\n\r\nBad Gateway",
}


class Road:
    """Passes bytes to a server and back, until it is told to do worse.

    Attributes:
        url: The server's address by this road.
    """

    def __init__(self, target: str) -> None:
        there = urlsplit(target)
        self._host, self._port = there.hostname or "127.0.0.1", there.port or 80
        self._fault: Fault | None = None
        self._server: asyncio.Server | None = None
        self._own_port = 0
        self._work: set[asyncio.Task[None]] = set()
        self._target = target

    @property
    def url(self) -> str:
        return self._target.replace(f":{self._port}", f":{self._own_port}")

    async def open(self) -> None:
        """Pass everything, again or for the first time."""
        await self._close()
        self._fault = None
        await self._listen()

    async def spoil(self, fault: Fault) -> None:
        """From now on everything goes wrong; what is under way breaks off."""
        await self._close()
        self._fault = fault
        if fault is not Fault.CLOSED:
            await self._listen()

    async def close(self) -> None:
        """End for good."""
        await self._close()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._take, "127.0.0.1", self._own_port)
        self._own_port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in self._work:
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._work.add(task)
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                await self._serve(reader, writer)
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            self._work.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._fault is Fault.SILENT:
            await asyncio.Event().wait()
        if self._fault in _REPLIES:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(_REPLIES[self._fault])
            await writer.drain()
            return
        far_reader, far_writer = await asyncio.open_connection(self._host, self._port)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_pass(reader, far_writer))
                if self._fault is Fault.CUT:
                    writer.write(await far_reader.read(300))
                    await writer.drain()
                    writer.transport.abort()
                    raise ConnectionResetError
                group.create_task(_pass(far_reader, writer))
        except* OSError:
            pass
        finally:
            far_writer.close()


async def _pass(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(65_536):
        sink.write(data)
        await sink.drain()
    with suppress(OSError):
        sink.write_eof()


@asynccontextmanager
async def road_to(target: str) -> AsyncIterator[Road]:
    """An open road to a server."""
    road = Road(target)
    await road.open()
    try:
        yield road
    finally:
        await road.close()
