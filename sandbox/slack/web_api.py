"""The edge the app talks to: `/api/METHOD`, `response_url`, uploads, and Socket Mode."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from sandbox.slack import world
from sandbox.slack.dispatcher import Dispatcher
from sandbox.slack.errors import SlackError
from sandbox.slack.faults import API_KINDS, LOST, Faults
from sandbox.slack.interactions import Interactions
from sandbox.slack.methods.call import Call, Method, needed_scope
from sandbox.slack.methods.table import METHODS
from sandbox.slack.recorder import Call as RecordedCall
from sandbox.slack.recorder import Recorder
from sandbox.slack.transports import SocketTransport
from sandbox.slack.workspace import Workspace

Json = dict[str, Any]
_APP_LEVEL_SCOPE = "connections:write"


@dataclass(frozen=True, slots=True)
class WebApi:
    """Answers the app's requests, and records every one."""

    workspace: Workspace
    interactions: Interactions
    dispatcher: Dispatcher
    faults: Faults
    recorder: Recorder

    def routes(self) -> list[web.RouteDef]:
        """The routes to add to the application."""
        return [
            web.route("*", "/api/{method}", self.call),
            web.post("/response/{id}", self.respond),
            web.post("/upload/{id}", self.upload),
            web.put("/upload/{id}", self.upload),
            web.get("/files/{id}/{name}", self.download),
            web.get("/socket", self.socket),
        ]

    async def call(self, request: web.Request) -> web.StreamResponse:
        """Answer a Web API call."""
        name = request.match_info["method"]
        arguments, encoding = await read_arguments(request)
        token = _bearer(request) or str(arguments.pop("token", ""))
        return await self._answer(request, name, arguments, encoding, token)

    async def _answer(
        self, request: web.Request, name: str, arguments: Json, encoding: str, token: str
    ) -> web.StreamResponse:
        status, headers = 200, {}
        try:
            await self._strike(request, name)
            body: Json = {"ok": True, **self._run(name, arguments, token)}
            if self.faults.take((LOST,), name) is not None and request.transport is not None:
                request.transport.close()
        except SlackError as error:
            body, status, headers = error.body(), error.status, error.headers
        self._record(name, arguments, encoding, body, status)
        headers |= {"x-oauth-scopes": ",".join(sorted(self._granted(token)))}
        return web.json_response(body, status=status, headers=headers)

    def _run(self, name: str, arguments: Json, token: str) -> Json:
        method = METHODS.get(name)
        if method is None:
            raise SlackError("unknown_method", req_method=name)
        call = Call(self.workspace, self.interactions, self.dispatcher.transport, arguments)
        self._authorize(method, call, token)
        # A copy, so that nothing in the answer changes with the workspace afterwards.
        return dict(json.loads(json.dumps(method.run(call))))

    def _granted(self, token: str) -> frozenset[str]:
        if token == world.APP_TOKEN:
            return frozenset({_APP_LEVEL_SCOPE})
        return self.workspace.app.scopes if token == world.BOT_TOKEN else frozenset()

    def _authorize(self, method: Method, call: Call, token: str) -> None:
        if not token:
            raise SlackError("not_authed")
        if token not in (world.BOT_TOKEN, world.APP_TOKEN):
            raise SlackError("invalid_auth")
        if method.is_app_level != (token == world.APP_TOKEN):
            raise SlackError("not_allowed_token_type")
        granted, needed = self._granted(token), needed_scope(method, call)
        if needed and needed not in granted:
            provided = ",".join(sorted(granted))
            raise SlackError("missing_scope", needed=needed, provided=provided)

    async def _strike(self, request: web.Request, name: str) -> None:
        """Carry out a scripted fault for this method, if there is one."""
        fault = self.faults.take(API_KINDS, name)
        if fault is None:
            return
        if fault.kind == "latency":
            await asyncio.sleep(fault.latency_seconds)
        elif fault.kind == "ratelimited":
            headers = {"Retry-After": str(fault.retry_after_seconds)}
            raise SlackError("ratelimited", status=429, headers=headers)
        elif fault.kind == "http_error":
            raise SlackError("internal_error", status=fault.status)
        elif fault.kind == "error":
            raise SlackError(fault.error, **fault.fields)
        elif request.transport is not None:
            request.transport.close()
            raise SlackError("connection_dropped")

    async def respond(self, request: web.Request) -> web.StreamResponse:
        """Answer a POST to a `response_url`."""
        body, encoding = await read_arguments(request)
        answer: Json = {"ok": True}
        status, headers = 200, {}
        try:
            await self._strike(request, "response_url")
            self.interactions.ways_back.respond(request.match_info["id"], body)
        except SlackError as error:
            answer, headers = error.body(), error.headers
            status = 404 if error.status == 200 else error.status
        self._record("response_url", body, encoding, answer, status)
        if answer["ok"]:
            return web.Response(text="ok")
        return web.json_response(answer, status=status, headers=headers)

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """Take the bytes of a file that files.getUploadURLExternal has announced."""
        content = await _uploaded_bytes(request)
        try:
            await self._strike(request, "upload")
        except SlackError as error:
            status = error.status if error.status != 200 else 500
            self._record("upload", {"id": request.match_info["id"]}, "bytes", error.body(), status)
            return web.Response(text=error.code, status=status)
        file = self.workspace.files.get(request.match_info["id"])
        answer: Json = {"ok": file is not None and len(content) == file.length}
        if not answer["ok"]:
            answer["error"] = "file_not_found" if file is None else "length_mismatch"
        self._record("upload", {"id": request.match_info["id"]}, "bytes", answer, 200)
        if file is None or not answer["ok"]:
            return web.Response(text=str(answer["error"]), status=400)
        file.content = content
        return web.Response(text=f"OK - {len(content)}")

    async def download(self, request: web.Request) -> web.StreamResponse:
        """Serve an uploaded file; anything but an image is saved, never shown."""
        file = self.workspace.files.get(request.match_info["id"])
        if file is None or file.name != request.match_info["name"]:
            raise web.HTTPNotFound
        kind = file.name.rpartition(".")[2].lower()
        is_image = kind in ("png", "jpg", "jpeg", "gif")
        headers = {"X-Content-Type-Options": "nosniff"}
        if not is_image:
            headers["Content-Disposition"] = "attachment"
        content_type = f"image/{kind.replace('jpg', 'jpeg')}" if is_image else "text/plain"
        return web.Response(body=file.content, content_type=content_type, headers=headers)

    async def socket(self, request: web.Request) -> web.StreamResponse:
        """Serve a Socket Mode connection."""
        if not isinstance(self.dispatcher.transport, SocketTransport):
            raise web.HTTPNotFound
        return await self.dispatcher.transport.serve(request)

    def _record(self, method: str, arguments: Json, encoding: str, body: Json, status: int) -> None:
        now, error = self.workspace.clock.now(), str(body.get("error", ""))
        call = RecordedCall(now, method, arguments, encoding, bool(body["ok"]), error, status)
        self.recorder.calls.append(call)


async def read_arguments(request: web.Request) -> tuple[Json, str]:
    """Arguments from JSON, form, multipart and the query, as Slack takes them on any verb.

    Returns:
        The arguments and how the last of them came. The body wins over the query.
    """
    arguments: Json = dict(request.query)
    kind = request.content_type
    if kind == "application/json":
        try:
            body = await request.json()
        except ValueError:
            return arguments, "json"
        return arguments | (body if isinstance(body, dict) else {}), "json"
    if kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
        fields = await request.post()
        arguments |= {key: value for key, value in fields.items() if isinstance(value, str)}
        if fields:
            return arguments, "form" if kind.endswith("urlencoded") else "multipart"
    return arguments, "query"


def _bearer(request: web.Request) -> str:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


async def _uploaded_bytes(request: web.Request) -> bytes:
    if request.content_type != "multipart/form-data":
        return await request.read()
    for field in (await request.post()).values():
        if isinstance(field, web.FileField):
            return field.file.read()
    return b""
