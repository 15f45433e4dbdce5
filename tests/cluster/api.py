"""A small API server of the tests' own: what it serves and how it fails is set by each test."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import yaml
from aiohttp import web

from cluster.client import ClusterClient, Timeouts
from cluster.kinds import BY_NAME

PLURALS = {kind.name: kind.plural for kind in BY_NAME.values()}


class FakeApi:
    """Serves lists in pages, logs and a version, and fails where it is told to.

    Attributes:
        page_size: Objects a page, whatever the client asks for.
        answers: (status, body) by plural or path, in place of the right answer.
        expire: How many requests with a continue token get a 410.
        hang: Plurals that never answer.
        logs: By (pod, previous).
        valid_token: The only one that is accepted, if set.
        clock_ahead: By how much its clock is wrong.
        requests: (method, path, query) of everything that came.
    """

    def __init__(self, objects: Iterable[dict[str, Any]] = ()) -> None:
        self.objects: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for obj in objects:
            self.objects[PLURALS[obj["kind"]]].append(obj)
        self.page_size = 500
        self.answers: dict[str, tuple[int, str]] = {}
        self.expire = 0
        self.hang: set[str] = set()
        self.logs: dict[tuple[str, bool], str] = {}
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.tokens: set[str] = set()
        self.url = ""
        self.clock_ahead = timedelta()
        self.valid_token = ""
        self.released = asyncio.Event()

    async def dated(self, request: web.Request) -> web.Response:
        response = await self.handle(request)
        moment = datetime.now(UTC) + self.clock_ahead
        response.headers["Date"] = format_datetime(moment, usegmt=True)
        return response

    async def handle(self, request: web.Request) -> web.Response:
        query = dict(request.query)
        self.requests.append((request.method, request.path, query))
        token = request.headers.get("Authorization", "")
        self.tokens.add(token)
        if self.valid_token and token != f"Bearer {self.valid_token}":
            return web.json_response({"message": "Unauthorized"}, status=401)
        parts = request.path.strip("/").split("/")
        plural = parts[-1]
        if plural in self.hang:
            await self.released.wait()
        if plural in self.answers:
            status, body = self.answers[plural]
            return web.Response(status=status, text=body, content_type="application/json")
        if request.path == "/version":
            return web.json_response({"gitVersion": "v1.34.1"})
        if plural == "log":
            return self._log(parts[-2], previous=query.get("previous") == "true")
        namespace = parts[parts.index("namespaces") + 1] if "namespaces" in parts else ""
        return self._page(plural, namespace, query)

    def _log(self, pod: str, *, previous: bool) -> web.Response:
        text = self.logs.get((pod, previous))
        if text is None:
            return web.json_response({"message": "previous container not found"}, status=400)
        return web.Response(text=text)

    def _page(self, plural: str, namespace: str, query: dict[str, str]) -> web.Response:
        if query.get("continue") and self.expire:
            self.expire -= 1
            return web.json_response({"message": "expired", "code": 410}, status=410)
        items = [
            item
            for item in self.objects[plural]
            if not namespace or item["metadata"].get("namespace") == namespace
        ]
        start = int(query.get("continue") or 0)
        end = start + self.page_size
        token = str(end) if end < len(items) else ""
        return web.json_response({"metadata": {"continue": token}, "items": items[start:end]})

    def asked(self, plural: str) -> list[dict[str, str]]:
        """Queries of the requests for this plural."""
        return [query for _, path, query in self.requests if path.endswith(f"/{plural}")]


@asynccontextmanager
async def serving(api: FakeApi) -> AsyncIterator[FakeApi]:
    """The server runs inside the block; `api.url` is its address."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", api.dated)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        api.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield api
    finally:
        api.released.set()
        await runner.cleanup()


def kubeconfig(path: Path, url: str, token: str = "bot-token") -> str:  # noqa: S107 (made up)
    """Write a kubeconfig for `url` and give its path."""
    path.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "demo",
                "contexts": [{"name": "demo", "context": {"cluster": "demo", "user": "bot"}}],
                "clusters": [{"name": "demo", "cluster": {"server": url}}],
                "users": [{"name": "bot", "user": {"token": token}}],
            }
        )
    )
    return str(path)


@asynccontextmanager
async def connected(
    api: FakeApi, folder: Path, name: str = "demo", total_seconds: float = 10
) -> AsyncIterator[ClusterClient]:
    """A client of a server that already runs."""
    path = kubeconfig(folder / f"{name}.yaml", api.url)
    client = await ClusterClient.from_kubeconfig(
        path, None, name, Timeouts(connect_seconds=2, total_seconds=total_seconds)
    )
    try:
        yield client
    finally:
        await client.close()


def as_json(value: Any) -> str:
    return json.dumps(value)
