"""The stand-in's HTTP server: Ollama's API, NDJSON streams included, in front of a script.

It is longer than others: one API, and its routes in one place.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from aiohttp import web

from sandbox.ollama import embedding
from sandbox.ollama.pieces import (
    Drop,
    End,
    Fail,
    Pause,
    Piece,
    Refuse,
    Script,
    off_loop,
    stream,
    tokens,
)
from sandbox.ollama.scripts import answer_from_passages

VERSION: Final = "0.13.0"
CONTEXT_LENGTH: Final = 131_072


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request as it came in. `body` is {} for GET."""

    path: str
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def model(self) -> str:
        """The model asked for, as it was written."""
        return str(self.body.get("model", ""))

    @property
    def options(self) -> Mapping[str, Any]:
        """temperature, num_predict, num_ctx, stop … as sent."""
        options = self.body.get("options")
        return options if isinstance(options, Mapping) else {}

    @property
    def messages(self) -> list[dict[str, Any]]:
        """Role and content of a chat; a prompt of /api/generate counts as the user's message."""
        if "messages" in self.body:
            return list(self.body["messages"] or ())
        system, prompt = self.body.get("system"), self.body.get("prompt")
        rows = [{"role": "system", "content": system}] if system else []
        return [*rows, {"role": "user", "content": prompt}] if prompt else rows


@dataclass(slots=True)
class RunningOllama:
    """A server that runs. `script` may be changed between requests.

    Attributes:
        requests: Every request, oldest first.
        hung_up: How many clients went away before their reply was complete.
    """

    url: str
    script: Script
    models: tuple[str, ...]
    context_length: int = CONTEXT_LENGTH
    requests: list[Recorded] = field(default_factory=list)
    hung_up: int = 0

    def chats(self) -> list[Recorded]:
        """The requests that asked for text."""
        return [row for row in self.requests if row.path in {"/api/chat", "/api/generate"}]


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def _error(status: int, message: str) -> web.Response:
    return web.json_response({"error": message}, status=status)


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


class _Api:
    """Ollama's routes."""

    def __init__(self, running: RunningOllama) -> None:
        self._running = running

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/", self.alive),
            web.get("/api/version", self.version),
            web.get("/api/tags", self.tags),
            web.get("/api/ps", self.tags),
            web.post("/api/show", self._checked(self.show)),
            web.post("/api/chat", self._checked(self.chat)),
            web.post("/api/generate", self._checked(self.generate)),
            web.post("/api/embed", self._checked(self.embed)),
        ]

    def _checked(
        self, handler: Callable[[web.Request, Recorded], Awaitable[web.StreamResponse]]
    ) -> Handler:
        """Read and record the body; answer as Ollama does when it or the model is wrong."""

        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                body = await request.json()
            except ValueError as error:
                return _error(400, f"invalid JSON in the request: {error}")
            if not isinstance(body, dict) or not body.get("model"):
                return _error(400, "model is required")
            recorded = Recorded(request.path, body)
            self._running.requests.append(recorded)
            if not self._knows(recorded.model):
                return _error(404, f'model "{recorded.model}" not found, try pulling it first')
            return await handler(request, recorded)

        return handle

    def _knows(self, model: str) -> bool:
        name = model if ":" in model else f"{model}:latest"
        return name in self._running.models

    async def alive(self, _: web.Request) -> web.Response:
        return web.Response(text="Ollama is running")

    async def version(self, request: web.Request) -> web.Response:
        self._running.requests.append(Recorded(request.path))
        return web.json_response({"version": VERSION})

    async def tags(self, request: web.Request) -> web.Response:
        self._running.requests.append(Recorded(request.path))
        rows = [
            {
                "name": name,
                "model": name,
                "modified_at": _now(),
                "size": 1,
                "digest": hashlib.sha256(name.encode()).hexdigest(),
                "details": _DETAILS,
            }
            for name in self._running.models
        ]
        return web.json_response({"models": rows})

    async def show(self, _: web.Request, __: Recorded) -> web.Response:
        return web.json_response(
            {
                "modelfile": "# a script, no model",
                "parameters": "",
                "template": "{{ .Prompt }}",
                "details": _DETAILS,
                "model_info": {
                    "general.architecture": "script",
                    "script.context_length": self._running.context_length,
                    "script.embedding_length": embedding.SIZE,
                },
                "capabilities": ["completion", "embedding"],
            }
        )

    async def embed(self, _: web.Request, asked: Recorded) -> web.Response:
        given = asked.body.get("input", "")
        texts = [given] if isinstance(given, str) else list(given)
        size = int(asked.body.get("dimensions") or embedding.SIZE)
        vectors = await asyncio.to_thread(lambda: [embedding.embed(text, size) for text in texts])
        count = sum(len(tokens(text)) for text in texts)
        return web.json_response(
            {"model": asked.model, "embeddings": vectors, "prompt_eval_count": count}
        )

    async def chat(self, request: web.Request, asked: Recorded) -> web.StreamResponse:
        return await self._reply(
            request, asked, lambda text: {"message": {"role": "assistant", "content": text}}
        )

    async def generate(self, request: web.Request, asked: Recorded) -> web.StreamResponse:
        return await self._reply(request, asked, lambda text: {"response": text})

    def _pieces(self, asked: Recorded) -> Iterator[Piece | End] | Refuse:
        options = dict(asked.options)
        stops = options.get("stop") or ()
        stops = [stops] if isinstance(stops, str) else list(stops)
        if asked.body.get("format"):
            options["format"] = asked.body["format"]
        reply = self._running.script(asked.messages, options)
        if isinstance(reply, Refuse):
            return reply
        return stream(reply, stops, int(options.get("num_predict") or -1))

    async def _reply(
        self, request: web.Request, asked: Recorded, wrap: Callable[[str], dict[str, Any]]
    ) -> web.StreamResponse:
        def line(text: str, end: End | None = None) -> dict[str, Any]:
            row = {"model": asked.model, "created_at": _now(), **wrap(text), "done": bool(end)}
            if end:
                asked_tokens = sum(len(tokens(str(m.get("content")))) for m in asked.messages)
                row |= {"done_reason": end.reason, "eval_count": end.tokens}
                row |= {"prompt_eval_count": asked_tokens, "total_duration": 1, "eval_duration": 1}
            return row

        if not asked.messages:  # how clients load a model ahead of time
            return web.json_response(line("", End("load", 0)))
        pieces = self._pieces(asked)
        if isinstance(pieces, Refuse):
            return _error(pieces.status, pieces.message)
        if asked.body.get("stream", True) is False:
            return await self._whole(request, pieces, line)
        return await self._stream(request, pieces, line)

    async def _whole(
        self, request: web.Request, pieces: Iterator[Piece | End], line: Callable[..., Any]
    ) -> web.StreamResponse:
        text = ""
        async with aclosing(off_loop(pieces)) as steps:
            async for piece in steps:
                match piece:
                    case str():
                        text += piece
                    case Pause(seconds):
                        await asyncio.sleep(seconds)
                    case Fail(message):
                        return _error(500, message)
                    case Drop():
                        return _hang_up(request)
                    case End():
                        return web.json_response(line(text, piece))
        raise AssertionError("a stream of pieces always ends with End")

    async def _stream(
        self, request: web.Request, pieces: Iterator[Piece | End], line: Callable[..., Any]
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)

        async def send(row: Mapping[str, Any]) -> None:
            await response.write(json.dumps(row).encode() + b"\n")

        try:
            async with aclosing(off_loop(pieces)) as steps:
                async for piece in steps:
                    match piece:
                        case str():
                            await send(line(piece))
                        case Pause(seconds):
                            await asyncio.sleep(seconds)
                        case Fail(message):
                            await send({"error": message})
                            break
                        case Drop():
                            await asyncio.sleep(0)  # what was written so far shall arrive
                            _hang_up(request)
                            return response
                        case End():
                            await send(line("", piece))
            await response.write_eof()
        except ConnectionError:  # the client had enough, which is its right
            self._running.hung_up += 1
        except asyncio.CancelledError:  # the same, noticed while pausing
            self._running.hung_up += 1
            raise
        return response


_DETAILS: Final = {
    "parent_model": "",
    "format": "script",
    "family": "script",
    "families": ["script"],
    "parameter_size": "0B",
    "quantization_level": "none",
}


def _hang_up(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.close()
    return web.Response(status=500)


@asynccontextmanager
async def run_ollama(
    script: Script = answer_from_passages,
    models: tuple[str, ...] = ("llama3.1:latest",),
    port: int = 0,
    host: str = "127.0.0.1",
    context_length: int = CONTEXT_LENGTH,
) -> AsyncIterator[RunningOllama]:
    """Serve while the context lasts; port 0 takes any free one.

    Raises:
        OSError: The port is taken.
    """
    running = RunningOllama("", script, models, context_length)
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.add_routes(_Api(running).routes())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2, handler_cancellation=True)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        bound = runner.addresses[0][1]
        running.url = f"http://{host}:{bound}"
        yield running
    finally:
        await runner.cleanup()
