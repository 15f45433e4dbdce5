"""A cluster of any size that costs next to nothing to serve: pages are one template, renamed.

`python -m evals.bench.bigcluster NODES PODS SECONDS` listens on a free port, prints it, waits so
long before each page, and serves until its standard input ends. The objects are as large as real
ones, with the fields that nobody reads.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from aiohttp import web

Template = Callable[[int], list[bytes]]


def _managed(manager: str, fields: int) -> dict[str, Any]:
    """Field ownership: a third of what a real object's JSON is."""
    owned: dict[str, Any] = {
        f"f:field{number}": {".": {}, "f:name": {}} for number in range(fields)
    }
    return {
        "manager": manager,
        "operation": "Update",
        "apiVersion": "v1",
        "time": "2026-03-01T09:00:00Z",
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:metadata": owned, "f:spec": owned},
    }


def _pod() -> dict[str, Any]:
    image = "registry.example.com/team/{}:1.4.2"
    return {
        "metadata": {
            "name": "web-@GROUP@-7d9f6c5b4-@NUMBER@",
            "generateName": "web-@GROUP@-7d9f6c5b4-",
            "namespace": "team-@TEAM@",
            "uid": "00000000-0000-4000-8000-0000@NUMBER@",
            "resourceVersion": "9@NUMBER@",
            "creationTimestamp": "2026-03-01T09:00:00Z",
            "labels": {
                "app.kubernetes.io/name": "web-@GROUP@",
                "app.kubernetes.io/part-of": "shop",
                "pod-template-hash": "7d9f6c5b4",
            },
            "annotations": {"prometheus.io/scrape": "true", "checksum/config": "4f" * 32},
            "ownerReferences": [
                {
                    "apiVersion": "apps/v1",
                    "kind": "ReplicaSet",
                    "name": "web-@GROUP@-7d9f6c5b4",
                    "uid": "00000000-0000-4000-9000-0000@GROUP@",
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
            "managedFields": [
                _managed("kube-controller-manager", 12),
                _managed("kubelet", 8),
            ],
        },
        "spec": {
            "nodeName": "worker-@NODE@",
            "serviceAccountName": "web",
            "restartPolicy": "Always",
            "containers": [
                {
                    "name": name,
                    "image": image.format(name),
                    "resources": {
                        "limits": {"cpu": "1", "memory": "512Mi"},
                        "requests": {"cpu": "250m", "memory": "256Mi"},
                    },
                    "env": [{"name": f"SETTING_{n}", "value": str(n)} for n in range(12)],
                    "volumeMounts": [{"name": "config", "mountPath": "/etc/app"}],
                    "livenessProbe": {"httpGet": {"path": "/healthz", "port": 8080}},
                    "imagePullPolicy": "IfNotPresent",
                }
                for name in ("app", "proxy")
            ],
            "tolerations": [
                {"key": f"node.kubernetes.io/{state}", "operator": "Exists", "effect": "NoExecute"}
                for state in ("not-ready", "unreachable")
            ],
            "volumes": [{"name": "config", "configMap": {"name": "web", "defaultMode": 420}}],
        },
        "status": {
            "phase": "Running",
            "hostIP": "10.0.0.1",
            "podIP": "10.1.0.1",
            "startTime": "2026-03-01T09:00:00Z",
            "qosClass": "Burstable",
            "conditions": [
                {
                    "type": kind,
                    "status": "True",
                    "lastProbeTime": None,
                    "lastTransitionTime": "2026-03-01T@TIME@Z",
                }
                for kind in ("Initialized", "Ready", "ContainersReady", "PodScheduled")
            ],
            "containerStatuses": [
                {
                    "name": name,
                    "image": image.format(name),
                    "imageID": "registry.example.com/team/app@sha256:" + "0" * 64,
                    "containerID": "containerd://" + "a" * 64,
                    "ready": True,
                    "started": True,
                    "restartCount": 0,
                    "lastState": {},
                    "state": {"running": {"startedAt": "2026-03-01T@TIME@Z"}},
                }
                for name in ("app", "proxy")
            ],
        },
    }


def _node() -> dict[str, Any]:
    amounts = {"cpu": "64", "memory": "256Gi", "pods": "110", "ephemeral-storage": "1Ti"}
    return {
        "metadata": {
            "name": "worker-@NUMBER@",
            "uid": "00000000-0000-4000-a000-0000@NUMBER@",
            "resourceVersion": "8@NUMBER@",
            "creationTimestamp": "2026-02-01T09:00:00Z",
            "labels": {"kubernetes.io/hostname": "worker-@NUMBER@", "kubernetes.io/os": "linux"},
            "managedFields": [_managed("kubelet", 20)],
        },
        "spec": {"podCIDR": "10.1.0.0/24"},
        "status": {
            "capacity": amounts,
            "allocatable": amounts,
            "conditions": [
                {
                    "type": kind,
                    "status": "True" if kind == "Ready" else "False",
                    "lastHeartbeatTime": "2026-03-01T09:00:05Z",
                    "lastTransitionTime": "2026-02-01T09:00:05Z",
                    "reason": f"Kubelet{kind}",
                    "message": "as it should be",
                }
                for kind in ("MemoryPressure", "DiskPressure", "PIDPressure", "Ready")
            ],
            "images": [
                {"names": [f"registry.example.com/team/{n}:1.4.2"], "sizeBytes": 123456789}
                for n in range(50)
            ],
        },
    }


def _template(obj: dict[str, Any], nodes: int) -> Template:
    """Gives the pieces of the object's JSON for a number: constant ones around the names."""
    text = json.dumps(obj, separators=(",", ":"))
    for name in ("NUMBER", "GROUP", "TEAM", "NODE", "TIME"):
        text = text.replace(f"@{name}@", f"\0{name}\0")
    pieces = [piece.encode() for piece in text.split("\0")]
    slots = [(index, piece.decode()) for index, piece in enumerate(pieces) if index % 2]

    def render(number: int) -> list[bytes]:
        values = {
            "NUMBER": b"%08d" % number,
            "GROUP": b"%08d" % (number // 10),
            "TEAM": b"%02d" % (number // 500 % 100),
            "NODE": b"%08d" % (number % nodes),
            "TIME": b"%02d:%02d:%02d" % (number % 24, number % 60, number % 53),
        }
        filled = list(pieces)
        for index, name in slots:
            filled[index] = values[name]
        return filled

    return render


async def _list(
    request: web.Request, templates: dict[str, tuple[int, Template]], page_seconds: float
) -> web.Response:
    await asyncio.sleep(page_seconds)
    total, render = templates.get(request.path.rpartition("/")[2], (0, lambda _: []))
    start = int(request.query.get("continue", 0))
    end = min(start + int(request.query.get("limit", 500)), total)
    metadata = {"resourceVersion": "1", "continue": str(end) if end < total else ""}
    head = {"kind": "List", "apiVersion": "v1", "metadata": metadata}
    parts = [json.dumps(head, separators=(",", ":"))[:-1].encode(), b',"items":[']
    for number in range(start, end):
        parts += render(number)
        parts.append(b",")
    if end > start:
        parts.pop()
    parts.append(b"]}\n")
    return web.Response(body=b"".join(parts), content_type="application/json")


async def serve(nodes: int, pods: int, page_seconds: float) -> None:
    """Serve until standard input ends."""
    templates = {"pods": (pods, _template(_pod(), nodes)), "nodes": (nodes, _template(_node(), 1))}
    app = web.Application()
    app.router.add_get("/{path:.*}", partial(_list, templates=templates, page_seconds=page_seconds))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sys.stdout.write(f"{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
