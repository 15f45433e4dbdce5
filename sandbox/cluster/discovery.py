"""Paths that tell what the cluster is and serves: versions, groups, resources, access reviews."""

from __future__ import annotations

import json

from aiohttp import web

from sandbox.cluster.recorded import RecordedCluster
from sandbox.cluster.resources import Obj, Resource
from sandbox.cluster.statuses import RefusedError

READ_VERBS = ("get", "list", "watch")


def add_routes(app: web.Application, world: RecordedCluster) -> None:
    """Add /healthz, /version, /api, /apis and below, and self subject access reviews."""

    async def healthy(_request: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def version(_request: web.Request) -> web.Response:
        return web.json_response(_version(world.git_version))

    async def api(request: web.Request) -> web.Response:
        return web.json_response(
            {
                "kind": "APIVersions",
                "versions": ["v1"],
                "serverAddressByClientCIDRs": [
                    {"clientCIDR": "0.0.0.0/0", "serverAddress": request.host}
                ],
            }
        )

    async def groups(_request: web.Request) -> web.Response:
        return web.json_response(_groups(world.store.resources))

    async def resources(request: web.Request) -> web.Response:
        group = request.match_info.get("group", "")
        wanted = request.match_info.get("version", "v1")
        served = [
            each for each in world.store.resources if each.group == group and each.version == wanted
        ]
        if not served:
            raise RefusedError(404, "the server could not find the requested resource")
        return web.json_response(_resources(served))

    for path in ("/healthz", "/livez", "/readyz"):
        app.router.add_get(path, healthy)
    for path, handler in (
        ("/version", version),
        ("/api", api),
        ("/apis", groups),
        ("/api/v1", resources),
        ("/apis/{group}/{version}", resources),
    ):
        # Clients differ in whether they ask with a slash at the end.
        app.router.add_get(path, handler)
        app.router.add_get(f"{path}/", handler)
    app.router.add_post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", _review)


async def _review(request: web.Request) -> web.Response:
    """Answer whether the bot's account may do something: it may read, and no secrets."""
    try:
        review = await request.json()
        asked = review["spec"].get("resourceAttributes") or {}
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise RefusedError(400, "the body is not a SelfSubjectAccessReview") from error
    is_allowed = asked.get("verb") in READ_VERBS and asked.get("resource") not in ("secrets", "*")
    reason = "RBAC: allowed by ClusterRoleBinding opsbot-reader" if is_allowed else ""
    answer = {
        "kind": "SelfSubjectAccessReview",
        "apiVersion": "authorization.k8s.io/v1",
        "metadata": {"creationTimestamp": None},
        "spec": review["spec"],
        "status": {"allowed": is_allowed, "reason": reason},
    }
    return web.json_response(answer, status=201)


def _version(git_version: str) -> Obj:
    major, minor = git_version.lstrip("v").split(".")[:2]
    return {
        "major": major,
        "minor": minor,
        "gitVersion": git_version,
        "gitCommit": "93248f9ae092f571eb870b7664c534bfc7d00f03",
        "gitTreeState": "clean",
        "buildDate": "2025-09-09T19:44:50Z",
        "goVersion": "go1.24.6",
        "compiler": "gc",
        "platform": "linux/amd64",
    }


def _groups(served: tuple[Resource, ...]) -> Obj:
    versions = {each.group: each.version for each in served if each.group}
    versions.setdefault("authorization.k8s.io", "v1")
    return {
        "kind": "APIGroupList",
        "apiVersion": "v1",
        "groups": [
            {
                "name": group,
                "versions": [{"groupVersion": f"{group}/{version}", "version": version}],
                "preferredVersion": {"groupVersion": f"{group}/{version}", "version": version},
            }
            for group, version in versions.items()
        ],
    }


def _resources(served: list[Resource]) -> Obj:
    listed: list[Obj] = [
        {
            "name": each.plural,
            "singularName": each.kind.lower(),
            "namespaced": each.namespaced,
            "kind": each.kind,
            "verbs": list(READ_VERBS),
            "shortNames": list(each.short_names),
        }
        for each in served
    ]
    if any(each.plural == "pods" for each in served):
        listed.append(
            {
                "name": "pods/log",
                "singularName": "",
                "namespaced": True,
                "kind": "Pod",
                "verbs": ["get"],
            }
        )
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": served[0].api_version,
        "resources": listed,
    }
