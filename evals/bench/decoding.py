"""Reading 2,000 pods from JSON: typed to the fields we use, against the client's models."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from kubernetes_asyncio.client import ApiClient

from cluster.objects import Pod
from evals.bench.harness import compare

PODS = 2000


def _pod(number: int) -> dict[str, Any]:
    name = f"web-{number:05d}"
    return {
        "metadata": {
            "name": name,
            "namespace": f"team-{number % 40}",
            "uid": f"00000000-0000-0000-0000-{number:012d}",
            "creationTimestamp": "2026-03-01T09:00:00Z",
            "labels": {"app": "web", "pod-template-hash": "7d9f6c5b4"},
            "ownerReferences": [
                {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-7d9f6c5b4", "uid": "u"}
            ],
        },
        "spec": {
            "nodeName": f"worker-{number % 20}",
            "containers": [
                {
                    "name": container,
                    "image": f"registry.example.com/{container}:1.4.2",
                    "resources": {
                        "limits": {"cpu": "1", "memory": "512Mi"},
                        "requests": {"cpu": "250m", "memory": "256Mi"},
                    },
                    "env": [{"name": f"SETTING_{n}", "value": str(n)} for n in range(12)],
                    "volumeMounts": [{"name": "config", "mountPath": "/etc/app"}],
                }
                for container in ("app", "proxy")
            ],
            "volumes": [{"name": "config", "configMap": {"name": "web"}}],
        },
        "status": {
            "phase": "Running",
            "conditions": [
                {"type": kind, "status": "True", "lastTransitionTime": "2026-03-01T09:00:05Z"}
                for kind in ("Initialized", "Ready", "ContainersReady", "PodScheduled")
            ],
            "containerStatuses": [
                {
                    "name": container,
                    "image": f"registry.example.com/{container}:1.4.2",
                    "imageID": "sha256:" + "0" * 64,
                    "ready": True,
                    "restartCount": 0,
                    "state": {"running": {"startedAt": "2026-03-01T09:00:04Z"}},
                }
                for container in ("app", "proxy")
            ],
        },
    }


async def run() -> None:
    """Compare the two decoders over one page of the list."""
    page = {"kind": "PodList", "apiVersion": "v1", "metadata": {}}
    body = json.dumps(page | {"items": [_pod(number) for number in range(PODS)]}).encode()
    decoder = msgspec.json.Decoder(_PodPage)
    client = ApiClient()

    class Response:
        data = body.decode()

    async def ours() -> object:
        return decoder.decode(body)

    async def other() -> object:
        return client.deserialize(Response, "V1PodList")  # type: ignore[arg-type]  # reads .data alone

    try:
        await compare(
            f"decode a list of {PODS} pods",
            ("msgspec, the fields we use", ours),
            ("kubernetes_asyncio's models", other),
            runs=3,
        )
    finally:
        await client.close()


class _PodPage(msgspec.Struct):
    items: list[Pod]
