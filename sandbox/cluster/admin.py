"""The sandbox's own paths: look at the state, let time pass, make the cluster fail."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable

from aiohttp import web

from sandbox.cluster.recorded import Faults, RecordedCluster
from sandbox.cluster.resources import Obj
from sandbox.cluster.statuses import RefusedError

FAULT_MODES = (
    "none",
    "down",
    "slow",
    "garbage",
    "forbidden",
    "expired",
    "throttled",
    "broken",
)


def add_routes(
    app: web.Application, world: RecordedCluster, drop_watches: Callable[[], None]
) -> None:
    """Add /_sandbox/state, /_sandbox/advance and /_sandbox/faults; they need no token."""

    async def state(_request: web.Request) -> web.Response:
        return web.json_response(_state(world))

    async def advance(request: web.Request) -> web.Response:
        body = await _body(request)
        seconds = body.get("seconds")
        if not isinstance(seconds, (int, float)) or isinstance(seconds, bool):
            raise RefusedError(400, 'advance needs {"seconds": number}')
        try:
            ran = world.advance(seconds)
        except ValueError as error:
            raise RefusedError(400, str(error)) from error
        return web.json_response({**_state(world), "ran": ran})

    async def faults(request: web.Request) -> web.Response:
        body = await _body(request)
        mode = body.get("mode")
        if mode not in FAULT_MODES:
            raise RefusedError(400, f"no fault mode {mode!r}; one of {', '.join(FAULT_MODES)}")
        world.faults = Faults(
            mode=mode,
            resource=str(body.get("resource") or ""),
            delay_seconds=float(body.get("delay_seconds") or 5.0),
        )
        if mode == "down":
            drop_watches()
        if mode == "expired":
            world.store.forget_changes()
        return web.json_response(_state(world))

    app.router.add_get("/_sandbox/state", state)
    app.router.add_post("/_sandbox/advance", advance)
    app.router.add_post("/_sandbox/faults", faults)


async def _body(request: web.Request) -> Obj:
    try:
        body = await request.json()
    except json.JSONDecodeError as error:
        raise RefusedError(400, "the body is not JSON") from error
    if not isinstance(body, dict):
        raise RefusedError(400, "the body is not a JSON object")
    return body


def _state(world: RecordedCluster) -> Obj:
    counts = Counter(
        {
            resource.qualified_name: len(world.store.listed(resource))
            for resource in world.store.resources
        }
    )
    return {
        "started": world.started.isoformat(),
        "now": world.now.isoformat(),
        "elapsed_seconds": world.elapsed_seconds,
        "resource_version": world.store.version,
        "done": world.done,
        "objects": {name: count for name, count in sorted(counts.items()) if count},
        "faults": {"mode": world.faults.mode, "resource": world.faults.resource},
    }
