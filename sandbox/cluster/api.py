"""The Kubernetes API over HTTP, as far as a reader needs it."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from aiohttp import web

from sandbox.cluster import admin, discovery
from sandbox.cluster.lists import rendered
from sandbox.cluster.podlogs import LogQuery, LogRefusedError, read_log
from sandbox.cluster.recorded import RecordedCluster
from sandbox.cluster.resources import SECRETS, Obj, Resource
from sandbox.cluster.selectors import BadSelectorError, Predicate, field_selector, label_selector
from sandbox.cluster.statuses import RefusedError, status
from sandbox.cluster.watching import stream_changes

TOKEN = "sandbox-cluster-token"  # noqa: S105  (a stand-in's token, printed in its documents)
USER = "system:serviceaccount:opsbot:opsbot"
PAGE_LIFE = timedelta(minutes=5)
KEPT_PAGES = 64

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Page:
    """What a `continue` token stands for: the rest of a list, as it was at one version."""

    version: int
    rest: tuple[Obj, ...]
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """The object, list or log that a path names."""

    resource: Resource
    namespace: str
    name: str
    subresource: str

    @property
    def faulty_name(self) -> str:
        """The resource as fault rules name it: "pods" or "pods/log"."""
        return f"{self.resource.plural}/{self.subresource}".rstrip("/")


class ClusterServer:
    """Answers the API's requests from one recorded cluster."""

    def __init__(self, world: RecordedCluster) -> None:
        self.world = world
        self._pages: OrderedDict[str, Page] = OrderedDict()
        self._watch_tasks: set[asyncio.Task[object]] = set()

    def application(self) -> web.Application:
        """The aiohttp application: admin paths, discovery, and everything below /api and /apis."""
        app = web.Application(middlewares=[self._answer_refusals, self._check_token])
        admin.add_routes(app, self.world, self.drop_watches)
        discovery.add_routes(app, self.world)
        app.router.add_route("*", "/api/v1/{path:.+}", self._api)
        app.router.add_route("*", "/apis/{group}/{version}/{path:.+}", self._api)
        app.on_shutdown.append(self._stop)
        return app

    def drop_watches(self) -> None:
        """Cut every open watch, as a lost connection does."""
        for task in tuple(self._watch_tasks):
            task.cancel()

    async def _stop(self, _app: web.Application) -> None:
        self.drop_watches()

    @web.middleware
    async def _answer_refusals(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except RefusedError as refused:
            return web.json_response(refused.status, status=refused.code)
        except web.HTTPNotFound:
            return web.json_response(
                status(404, "the server could not find the requested resource"), status=404
            )
        except web.HTTPMethodNotAllowed:
            return web.json_response(
                status(405, "the server does not allow this method on the requested resource"),
                status=405,
            )

    @web.middleware
    async def _check_token(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if not request.path.startswith(("/api", "/version")):
            return await handler(request)
        if self.world.faults.mode == "down":
            return _hang_up(request)
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {TOKEN}".encode()):
            raise RefusedError(401, "Unauthorized")
        return await handler(request)

    async def _api(self, request: web.Request) -> web.StreamResponse:
        asked = self._asked(request)
        faulty = await self._misbehave(request, asked)
        if faulty is not None:
            return faulty
        verb = request.method.lower()
        if asked.resource == SECRETS or verb != "get":
            raise RefusedError(403, _forbidden(asked, _verb(request, asked)))
        if asked.subresource == "log" and asked.resource.plural == "pods":
            return self._log(request, asked)
        if asked.subresource:
            raise RefusedError(404, "the server could not find the requested resource")
        if asked.name:
            return web.json_response(self._object(asked))
        if request.query.get("watch", "").lower() in ("1", "true"):
            return await self._watch(request, asked)
        return web.json_response(self._list(request, asked))

    def _asked(self, request: web.Request) -> Asked:
        """Read the path: [namespaces/NS/]PLURAL[/NAME[/SUBRESOURCE]]."""
        group = request.match_info.get("group", "")
        version = request.match_info.get("version", "v1")
        parts = request.match_info["path"].strip("/").split("/")
        namespace = ""
        if parts[0] == "namespaces" and len(parts) > 2 and parts[2] not in ("status", "finalize"):
            namespace, parts = parts[1], parts[2:]
        resource = self.world.store.find(group, version, parts[0])
        if resource is None or len(parts) > 3:
            raise RefusedError(404, "the server could not find the requested resource")
        return Asked(resource, namespace, *[*parts[1:], "", ""][:2])

    async def _misbehave(self, request: web.Request, asked: Asked) -> web.Response | None:
        faults = self.world.faults
        if not faults.hits(asked.faulty_name):
            return None
        match faults.mode:
            case "slow":
                await asyncio.sleep(faults.delay_seconds)
            case "garbage":
                return web.Response(text="<html>upstream said something else", status=200)
            case "forbidden":
                raise RefusedError(403, _forbidden(asked, _verb(request, asked)))
            case "expired":
                raise RefusedError(410, "The resourceVersion or continue token is too old.")
            case "throttled":
                return web.json_response(
                    status(429, "too many requests, please try again later"),
                    status=429,
                    headers={"Retry-After": "1"},
                )
            case "broken":
                raise RefusedError(500, "etcdserver: request timed out")
        return None

    def _object(self, asked: Asked) -> Obj:
        found = self.world.store.get(asked.resource, asked.namespace, asked.name)
        if found is None:
            raise RefusedError(
                404,
                f'{asked.resource.qualified_name} "{asked.name}" not found',
                {
                    "name": asked.name,
                    "group": asked.resource.group,
                    "kind": asked.resource.plural,
                },
            )
        return found

    def _log(self, request: web.Request, asked: Asked) -> web.Response:
        pod = self._object(asked)
        try:
            body = read_log(self.world, pod, LogQuery.parse(request.query))
        except LogRefusedError as refused:
            raise RefusedError(refused.status_code, str(refused)) from refused
        return web.Response(body=body, content_type="text/plain")

    def _list(self, request: web.Request, asked: Asked) -> Obj:
        limit = _positive(request, "limit")
        token = request.query.get("continue", "")
        selected = bool(request.query.get("labelSelector") or request.query.get("fieldSelector"))
        if token:
            page = self._page(token)
            version, items = page.version, page.rest
        else:
            matches = selection(request, asked.resource)
            version = self.world.store.version
            everything = self.world.store.listed(asked.resource, asked.namespace)
            items = tuple(obj for obj in everything if matches(obj))
        metadata: Obj = {"resourceVersion": str(version)}
        if limit and len(items) > limit:
            metadata["continue"] = self._keep(Page(version, items[limit:], self.world.now))
            if not selected:  # With a selector the real server does not know how many remain.
                metadata["remainingItemCount"] = len(items) - limit
            items = items[:limit]
        return rendered(asked.resource, metadata, items, request.headers.get("Accept", ""))

    def _keep(self, page: Page) -> str:
        token = base64.urlsafe_b64encode(
            json.dumps({"v": "meta.k8s.io/v1", "id": secrets.token_hex(8)}).encode()
        ).decode()
        self._pages[token] = page
        while len(self._pages) > KEPT_PAGES:
            self._pages.popitem(last=False)
        return token

    def _page(self, token: str) -> Page:
        page = self._pages.get(token)
        if page is None or self.world.now - page.made_at > PAGE_LIFE:
            raise RefusedError(
                410,
                "The provided continue parameter is too old to display a consistent list result. "
                "You can start a new list without the continue parameter.",
            )
        return page

    async def _watch(self, request: web.Request, asked: Asked) -> web.StreamResponse:
        task: asyncio.Task[object] | None = asyncio.current_task()
        if task is not None:
            self._watch_tasks.add(task)
        try:
            return await stream_changes(
                request,
                self.world,
                asked.resource,
                asked.namespace,
                selection(request, asked.resource),
            )
        finally:
            if task is not None:
                self._watch_tasks.discard(task)


def selection(request: web.Request, resource: Resource) -> Predicate:
    """What a request's selectors let through.

    Raises:
        RefusedError: 400, a selector the API cannot read.
    """
    try:
        by_label = label_selector(request.query.get("labelSelector", ""))
        by_field = field_selector(request.query.get("fieldSelector", ""), resource)
    except BadSelectorError as error:
        raise RefusedError(400, str(error)) from error
    return lambda obj: by_label(obj) and by_field(obj)


def _positive(request: web.Request, name: str) -> int:
    text = request.query.get(name, "0")
    if not text.isdecimal():
        raise RefusedError(400, f"{name}: Invalid value: {text!r}: must be an integer")
    return int(text)


def _verb(request: web.Request, asked: Asked) -> str:
    if request.method != "GET":
        return {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}.get(
            request.method, request.method.lower()
        )
    if asked.name:
        return "get"
    return "watch" if request.query.get("watch", "") else "list"


def _forbidden(asked: Asked, verb: str) -> str:
    resource = asked.resource
    named = f'{resource.qualified_name} "{asked.name}"' if asked.name else resource.qualified_name
    where = f'in the namespace "{asked.namespace}"' if asked.namespace else "at the cluster scope"
    return (
        f'{named} is forbidden: User "{USER}" cannot {verb} resource "{asked.faulty_name}" '
        f'in API group "{resource.group}" {where}'
    )


def _hang_up(request: web.Request) -> web.Response:
    """Close the connection without an answer: the nearest to a server that is not there."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=503)
