"""Watches: changes of one resource as a stream of JSON lines."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

from aiohttp import web

from sandbox.cluster.podlogs import is_true
from sandbox.cluster.recorded import RecordedCluster
from sandbox.cluster.resources import Obj, Resource
from sandbox.cluster.selectors import Predicate
from sandbox.cluster.statuses import RefusedError, status
from sandbox.cluster.store import Change

DEFAULT_TIMEOUT_SECONDS = 1_800


async def stream_changes(
    request: web.Request,
    world: RecordedCluster,
    resource: Resource,
    namespace: str,
    matches: Predicate,
) -> web.StreamResponse:
    """Stream a watch until its timeout, then end it with a bookmark if these were asked for.

    Without a resourceVersion, or with "0", the objects that are there come first, as ADDED. From a
    version that is no longer kept comes one ERROR event with a 410 Status.

    Raises:
        RefusedError: 400, a version or timeout that is not a number.
    """
    version = _number(request, "resourceVersion", 0)
    seconds = _number(request, "timeoutSeconds", DEFAULT_TIMEOUT_SECONDS)
    wants_bookmarks = is_true(request.query.get("allowWatchBookmarks", ""))

    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    wake = asyncio.Event()
    unsubscribe = world.store.subscribe(wake.set)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    try:
        if version == 0:
            version = world.store.version
            for obj in filter(matches, world.store.listed(resource, namespace)):
                await _send(response, "ADDED", obj)
        is_over = False
        while not is_over:
            wake.clear()
            newest = world.store.version
            changes = list(world.store.changes_since(version, resource))
            for change in changes:
                for kind, obj in _told(change, namespace, matches):
                    await _send(response, kind, obj)
            version = newest
            is_over = not await _woken(wake, deadline - loop.time())
        if wants_bookmarks:
            await _send(response, "BOOKMARK", _bookmark(resource, version))
    except LookupError as error:
        await _send(response, "ERROR", status(410, str(error)))
    except ConnectionError:
        pass  # The watcher went away; nobody is left to be told.
    finally:
        unsubscribe()
    return response


def _told(change: Change, namespace: str, matches: Predicate) -> Iterator[tuple[str, Obj]]:
    """What a change means to a watcher: an object may enter or leave a selector's sight."""

    def is_seen(obj: Obj | None) -> bool:
        if obj is None:
            return False
        return namespace in ("", obj["metadata"].get("namespace", "")) and matches(obj)

    before, after = change.before, change.after
    if after is not None and is_seen(after):
        yield ("MODIFIED" if is_seen(before) else "ADDED"), after
    elif before is not None and is_seen(before):
        metadata = {**before["metadata"], "resourceVersion": str(change.version)}
        yield "DELETED", {**before, "metadata": metadata}


async def _woken(wake: asyncio.Event, seconds: float) -> bool:
    """Whether something was written before the time is up."""
    try:
        await asyncio.wait_for(wake.wait(), timeout=max(0.0, seconds))
    except TimeoutError:
        return False
    return True


def _bookmark(resource: Resource, version: int) -> Obj:
    return {
        "kind": resource.kind,
        "apiVersion": resource.api_version,
        "metadata": {"resourceVersion": str(version), "creationTimestamp": None},
    }


async def _send(response: web.StreamResponse, kind: str, obj: Obj) -> None:
    line = json.dumps({"type": kind, "object": obj}, separators=(",", ":"))
    await response.write(f"{line}\n".encode())


def _number(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name) or str(default)
    if not text.isdecimal():
        raise RefusedError(400, f"{name}: Invalid value: {text!r}: must be an integer")
    return int(text)
