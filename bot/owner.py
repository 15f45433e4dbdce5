"""The data folder's owner, seen from a second terminal: a Unix socket that speaks JSON lines.

Each reply is JSON objects, one a line. The socket lies in a folder that only its
user can enter, so there is no further authentication.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import msgspec
from aiohttp import web

from bot.engine import Engine
from bot.notices import new_reference
from bot.telemetry.errand import running
from core.answers import (
    AnswerEvent,
    Delta,
    Done,
    GenerationOptions,
    Lookup,
    PartHealth,
    Progress,
)
from core.digests import Digest
from core.errors import DataFolderError, OpsbotError
from knowledge.index import IndexProgress, IndexReport

T = TypeVar("T")

# A digest is one line; aiohttp refuses lines longer than its buffer.
_LONGEST_LINE_BYTES = 16 * 2**20

_EVENTS: dict[str, type[Progress | Delta | Done]] = {
    "progress": Progress,
    "delta": Delta,
    "done": Done,
}
_EVENT_NAMES = {kind: name for name, kind in _EVENTS.items()}


class OwnerServer:
    """Serves an engine on the data folder's socket."""

    def __init__(self, engine: Engine, socket_path: Path) -> None:
        self._engine = engine
        self._socket_path = socket_path
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen on the socket, which only this user can reach."""
        app = web.Application()
        app.router.add_post("/ask", self._ask)
        app.router.add_post("/search", self._search)
        app.router.add_post("/digest", self._digest)
        app.router.add_post("/index", self._index)
        app.router.add_post("/health", self._health)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        self._socket_path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        await web.UnixSite(self._runner, str(self._socket_path)).start()
        self._socket_path.chmod(0o600)

    async def close(self) -> None:
        """Stop listening and remove the socket."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._socket_path.unlink(missing_ok=True)

    async def _ask(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        options = msgspec.convert(body["options"], GenerationOptions)
        async with _Lines(request) as lines:
            task = str(body["task"])
            with running(new_reference(), task or "ask"):
                async for event in self._engine.ask(str(body["question"]), options, task):
                    await lines.send(_EVENT_NAMES[type(event)], event)
        return lines.response

    async def _search(self, request: web.Request) -> web.StreamResponse:
        text = str((await request.json())["text"])
        async with _Lines(request) as lines:
            await lines.send("hits", await self._engine.search(text))
        return lines.response

    async def _digest(self, request: web.Request) -> web.StreamResponse:
        seconds = (await request.json())["window_seconds"]
        window = timedelta(seconds=float(seconds)) if seconds is not None else None
        async with _Lines(request) as lines:
            await lines.send("digest", await self._engine.digest(window))
        return lines.response

    async def _index(self, request: web.Request) -> web.StreamResponse:
        progress: asyncio.Queue[IndexProgress | None] = asyncio.Queue()
        async with _Lines(request) as lines:
            work = asyncio.create_task(self._engine.index(progress.put_nowait), name="index")
            work.add_done_callback(lambda _: progress.put_nowait(None))
            try:
                while (step := await progress.get()) is not None:
                    await lines.send("step", step)
                await lines.send("report", await work)
            finally:
                work.cancel()
        return lines.response

    async def _health(self, request: web.Request) -> web.StreamResponse:
        async with _Lines(request) as lines:
            await lines.send("health", await self._engine.health())
        return lines.response


class _Lines:
    """A streamed reply of JSON lines; an OpsbotError inside becomes its last line."""

    def __init__(self, request: web.Request) -> None:
        self._request = request
        self.response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})

    async def send(self, name: str, value: object) -> None:
        line = msgspec.json.encode({"event": name, "value": msgspec.to_builtins(value)})
        await self.response.write(line + b"\n")

    async def __aenter__(self) -> _Lines:  # noqa: PYI034  (private, not meant for subclasses)
        await self.response.prepare(self._request)
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if isinstance(error, OpsbotError):
            words = {"asked": error.asked, "wrong": error.wrong, "remedy": error.remedy}
            await self.send("error", words)
            await self.response.write_eof()
            return True
        if error is None:
            await self.response.write_eof()
        return False


class RemoteEngine:
    """The engine of another process, over its socket."""

    def __init__(self, socket_path: Path) -> None:
        self._socket_path = socket_path

    async def ask(
        self, question: str, options: GenerationOptions, task: str = ""
    ) -> AsyncGenerator[AnswerEvent, None]:
        """As `LocalEngine.ask`, in the owner."""
        body = {"question": question, "options": msgspec.to_builtins(options), "task": task}
        async with aclosing(self._call("/ask", body)) as lines:
            async for name, value in lines:
                yield msgspec.convert(value, _EVENTS[name])

    async def search(self, text: str) -> Lookup:
        """As `LocalEngine.search`, in the owner."""
        return await self._one("/search", {"text": text}, Lookup)

    async def digest(self, window: timedelta | None) -> Digest:
        """As `LocalEngine.digest`, in the owner."""
        body = {"window_seconds": window.total_seconds() if window is not None else None}
        return await self._one("/digest", body, Digest)

    async def index(self, progress: Callable[[IndexProgress], None]) -> IndexReport:
        """As `LocalEngine.index`, in the owner."""
        async with aclosing(self._call("/index", {})) as lines:
            async for name, value in lines:
                if name == "report":
                    return msgspec.convert(value, IndexReport)
                progress(msgspec.convert(value, IndexProgress))
        raise self._broken("the connection ended before the report")

    async def health(self) -> tuple[PartHealth, ...]:
        """As `LocalEngine.health`, in the owner."""
        return await self._one("/health", {}, tuple[PartHealth, ...])

    async def _one(self, path: str, body: dict[str, Any], kind: type[T]) -> T:
        async with aclosing(self._call(path, body)) as lines:
            async for _, value in lines:
                return msgspec.convert(value, kind)
        raise self._broken("the connection ended before the reply")

    async def _call(self, path: str, body: dict[str, Any]) -> AsyncGenerator[tuple[str, Any], None]:
        connector = aiohttp.UnixConnector(str(self._socket_path))
        no_limit = aiohttp.ClientTimeout(total=None, connect=5)
        try:
            async with (
                aiohttp.ClientSession(
                    connector=connector, timeout=no_limit, read_bufsize=_LONGEST_LINE_BYTES
                ) as session,
                session.post(f"http://owner{path}", json=body) as response,
            ):
                if response.status != web.HTTPOk.status_code:
                    raise self._broken(f"it answered with status {response.status}")
                async for line in response.content:
                    message = json.loads(line)
                    if message["event"] == "error":
                        raise OpsbotError(**message["value"])
                    yield message["event"], message["value"]
        except (aiohttp.ClientError, OSError) as error:
            raise self._broken(str(error) or type(error).__name__) from error

    def _broken(self, wrong: str) -> DataFolderError:
        return DataFolderError(
            "ask the process that owns the data folder",
            wrong,
            "See that process's log, or stop it and try again.",
        )
