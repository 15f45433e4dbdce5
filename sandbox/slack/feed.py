"""The page's live feed: server-sent events, one stream per open page."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from sandbox.slack import world
from sandbox.slack.things import Change
from sandbox.slack.workspace import Workspace


@dataclass(slots=True, eq=False)
class _Reader:
    user: str
    queue: asyncio.Queue[str]
    is_lost: bool = False


class Feed:
    """Sends every change to the pages that may see it.

    Args:
        workspace: Whose changes are sent.
        pending: How many changes a page may fall behind before it is let go, to begin anew.
        ping_seconds: How long a stream stays silent before it shows that it lives.
    """

    def __init__(
        self, workspace: Workspace, *, pending: int = 2_000, ping_seconds: float = 15.0
    ) -> None:
        self._pending = pending
        self._ping_seconds = ping_seconds
        self._readers: set[_Reader] = set()
        self._closing = asyncio.Event()
        workspace.watch(self._tell)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Stream changes to one page until it leaves."""
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        await response.prepare(request)
        user = request.query.get("user", world.DEFAULT_USER_ID)
        reader = _Reader(user, asyncio.Queue(self._pending))
        self._readers.add(reader)
        try:
            await response.write(b"retry: 1000\n\n")
            while not self._closing.is_set() and not reader.is_lost:
                await response.write((await self._next(reader)).encode())
        except (ConnectionError, asyncio.CancelledError):
            pass  # the page is gone
        finally:
            self._readers.discard(reader)
        return response

    async def _next(self, reader: _Reader) -> str:
        try:
            return await asyncio.wait_for(reader.queue.get(), self._ping_seconds)
        except TimeoutError:
            return ": still here\n\n"

    def close(self) -> None:
        """End every stream."""
        self._closing.set()
        for reader in self._readers:
            self._put(reader, ": bye\n\n")

    def _tell(self, change: Change) -> None:
        data: dict[str, Any] = {"kind": change.kind, **change.data}
        line = f"data: {json.dumps(data)}\n\n"
        for reader in self._readers:
            if change.user in ("", reader.user):
                self._put(reader, line)

    def _put(self, reader: _Reader, line: str) -> None:
        try:
            reader.queue.put_nowait(line)
        except asyncio.QueueFull:
            reader.is_lost = True  # the page reconnects and reads everything anew
