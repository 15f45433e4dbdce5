"""Kubernetes API objects as the API sends them, built from the few fields that a test is about."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any, ParamSpec

from cluster.detectors.table import DETECTORS
from cluster.snapshot import Snapshot, snapshot_from_objects
from cluster.thresholds import Thresholds
from core.findings import Finding

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
Json = dict[str, Any]
Given = ParamSpec("Given")


def ago(minutes: float) -> str:
    """A time this many minutes before NOW, as the API writes it."""
    return f"{NOW - timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}"


def meta(
    name: str,
    namespace: str = "shop",
    *,
    age: float = 600,
    owner: Json | None = None,
    **more: Any,
) -> Json:
    """Metadata; `age` in minutes."""
    found: Json = {
        "name": name,
        "uid": "",
        "creationTimestamp": ago(age),
        **more,
    }
    if namespace:
        found["namespace"] = namespace
    if owner is not None:
        found["ownerReferences"] = [
            {
                "kind": owner["kind"],
                "name": owner["metadata"]["name"],
                "uid": owner["metadata"]["uid"],
                "controller": True,
            }
        ]
    return found


def identified(build: Callable[Given, Json]) -> Callable[Given, Json]:
    """Gives what a builder builds a uid of its own: namesakes of other kinds are other objects."""

    @wraps(build)
    def with_uid(*args: Given.args, **kwargs: Given.kwargs) -> Json:
        found = build(*args, **kwargs)
        metadata = found["metadata"]
        metadata["uid"] = f"{found['kind']}-{metadata.get('namespace', '')}-{metadata['name']}"
        return found

    return with_uid


def condition(
    kind: str, status: str = "False", reason: str = "", message: str = "", since: float = 60
) -> Json:
    """A condition; `since` in minutes before NOW."""
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": ago(since),
    }


def waiting(reason: str, message: str = "") -> Json:
    return {"waiting": {"reason": reason, "message": message}}


def running(since: float = 30) -> Json:
    return {"running": {"startedAt": ago(since)}}


def terminated(code: int, reason: str = "Error", minutes: float | None = 5) -> Json:
    ended: Json = {"exitCode": code, "reason": reason}
    if minutes is not None:
        ended["finishedAt"] = ago(minutes)
    return {"terminated": ended}


def container_status(
    state: Json,
    *,
    last: Json | None = None,
    ready: bool = False,
    restarts: int = 0,
    name: str = "app",
    image: str = "registry.example.com/shop/payments:3.9.0",
) -> Json:
    return {
        "name": name,
        "state": state,
        "lastState": last or {},
        "ready": ready,
        "restartCount": restarts,
        "image": image,
    }


@identified
def pod(
    name: str = "payments-6d8f9-abcde",
    *statuses: Json,
    namespace: str = "shop",
    phase: str = "Running",
    node: str = "worker-1",
    ready: bool = False,
    unready_since: float = 60,
    conditions: Iterable[Json] = (),
    owner: Json | None = None,
    age: float = 600,
    labels: dict[str, str] | None = None,
    claims: Iterable[str] = (),
    inits: Iterable[Json] = (),
    deleted: bool = False,
    resources: Json | None = None,
    **status: Any,
) -> Json:
    metadata = meta(name, namespace, age=age, owner=owner, labels=labels or {})
    if deleted:
        metadata["deletionTimestamp"] = ago(1)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {
            "nodeName": node,
            "containers": [
                {
                    "name": "app",
                    "image": "registry.example.com/shop/payments:3.9.0",
                    "resources": resources
                    or {"limits": {"memory": "256Mi"}, "requests": {"memory": "128Mi"}},
                }
            ],
            "imagePullSecrets": [{"name": "registry-login"}],
            "volumes": [
                {"name": "data", "persistentVolumeClaim": {"claimName": claim}} for claim in claims
            ],
        },
        "status": {
            "phase": phase,
            "conditions": [
                condition("Ready", "True" if ready else "False", since=unready_since),
                *conditions,
            ],
            "containerStatuses": list(statuses),
            "initContainerStatuses": list(inits),
            **status,
        },
    }


def event(
    about: Json,
    reason: str,
    message: str = "something happened",
    *,
    type_: str = "Warning",
    last: float = 1,
    first: float = 30,
    count: int | None = 5,
    uid: str | None = None,
) -> Json:
    """An Event; `last` and `first` in minutes before NOW."""
    metadata = about["metadata"]
    namespace = metadata.get("namespace", "")
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": meta(f"{metadata['name']}.{reason}", namespace or "default", age=first),
        "involvedObject": {
            "kind": about["kind"],
            "namespace": namespace,
            "name": metadata["name"],
            "uid": metadata["uid"] if uid is None else uid,
        },
        "type": type_,
        "reason": reason,
        "message": message,
        "count": count,
        "firstTimestamp": ago(first),
        "lastTimestamp": ago(last),
    }


@identified
def workload(
    kind: str,
    name: str = "payments",
    *,
    replicas: int = 2,
    ready: int = 2,
    namespace: str = "shop",
    conditions: Iterable[Json] = (),
    owner: Json | None = None,
    labels: dict[str, str] | None = None,
    image: str = "registry.example.com/shop/payments:3.9.0",
    annotations: dict[str, str] | None = None,
    age: float = 600,
    **status: Any,
) -> Json:
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": meta(name, namespace, owner=owner, age=age, annotations=annotations or {}),
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels or {"app": name}},
            "template": {
                "metadata": {"labels": labels or {"app": name}},
                "spec": {
                    "containers": [
                        {
                            "name": "app",
                            "image": image,
                            "resources": {"limits": {"memory": "256Mi", "cpu": "500m"}},
                        }
                    ]
                },
            },
        },
        "status": {
            "replicas": replicas,
            "readyReplicas": ready,
            "updatedReplicas": replicas,
            "unavailableReplicas": replicas - ready,
            "conditions": list(conditions),
            **status,
        },
    }


def daemon_set(name: str = "log-forwarder", *, wanted: int = 5, ready: int = 5) -> Json:
    found = workload("DaemonSet", name, namespace="platform")
    del found["spec"]["replicas"]
    found["status"] = {
        "desiredNumberScheduled": wanted,
        "currentNumberScheduled": wanted,
        "updatedNumberScheduled": wanted,
        "numberReady": ready,
        "numberUnavailable": wanted - ready,
    }
    return found


@identified
def job(
    name: str = "reconcile-1",
    *,
    owner: Json | None = None,
    labels: Json | None = None,
    **status: Any,
) -> Json:
    return {
        "kind": "Job",
        "metadata": meta(name, "batch", owner=owner, labels=labels or {}),
        "spec": {"backoffLimit": 2, "activeDeadlineSeconds": 3600},
        "status": status,
    }


@identified
def cron_job(
    name: str = "reconcile", schedule: str = "0 3 * * *", *, suspend: bool = False
) -> Json:
    return {
        "kind": "CronJob",
        "metadata": meta(name, "batch"),
        "spec": {"schedule": schedule, "suspend": suspend},
        "status": {"lastScheduleTime": ago(120)},
    }


@identified
def hpa(
    *conditions: Json, target: str = "frontend", maximum: int = 6, name: str = "frontend"
) -> Json:
    return {
        "kind": "HorizontalPodAutoscaler",
        "metadata": meta(name),
        "spec": {
            "scaleTargetRef": {"kind": "Deployment", "name": target},
            "minReplicas": 2,
            "maxReplicas": maximum,
        },
        "status": {"currentReplicas": 2, "desiredReplicas": 6, "conditions": list(conditions)},
    }


@identified
def service(name: str = "payments", selector: dict[str, str] | None = None, **spec: Any) -> Json:
    return {
        "kind": "Service",
        "metadata": meta(name),
        "spec": {
            "selector": {"app": name} if selector is None else selector,
            "ports": [{"name": "http", "port": 80, "targetPort": "web"}],
            **spec,
        },
    }


@identified
def endpoint_slice(service_name: str = "payments", ready: Iterable[bool | None] = ()) -> Json:
    return {
        "kind": "EndpointSlice",
        "metadata": meta(f"{service_name}-x1", labels={"kubernetes.io/service-name": service_name}),
        "endpoints": [{"addresses": ["10.0.0.1"], "conditions": {"ready": item}} for item in ready]
        or None,
    }


@identified
def ingress(backend: str = "frontend", port: Json | None = None) -> Json:
    return {
        "kind": "Ingress",
        "metadata": meta("shop"),
        "spec": {
            "rules": [
                {
                    "host": "shop.example.com",
                    "http": {
                        "paths": [
                            {
                                "path": "/",
                                "backend": {
                                    "service": {"name": backend, "port": port or {"number": 80}}
                                },
                            }
                        ]
                    },
                }
            ]
        },
    }


@identified
def claim(name: str = "data-ledger-1", phase: str = "Pending", namespace: str = "shop") -> Json:
    return {
        "kind": "PersistentVolumeClaim",
        "metadata": meta(name, namespace),
        "spec": {
            "storageClassName": "fast-nvme",
            "volumeName": "pv-17",
            "resources": {"requests": {"storage": "10Gi"}},
        },
        "status": {"phase": phase},
    }


@identified
def node(name: str = "worker-1", *conditions: Json) -> Json:
    return {
        "kind": "Node",
        "metadata": meta(name, ""),
        "status": {
            "conditions": list(conditions) or [condition("Ready", "True")],
            "allocatable": {"cpu": "16", "memory": "64Gi"},
        },
    }


def snapshot(*objects: Json, now: datetime = NOW) -> Snapshot:
    return snapshot_from_objects(objects, now, "demo")


def found_by(name: str, *objects: Json, thresholds: Thresholds | None = None) -> list[Finding]:
    """What one detector finds in these objects."""
    return list(DETECTORS[name](snapshot(*objects), NOW, thresholds or Thresholds()))


def found_by_all(*objects: Json) -> list[Finding]:
    """What all detectors find, unfolded."""
    state = snapshot(*objects)
    return [item for detect in DETECTORS.values() for item in detect(state, NOW, Thresholds())]


def evidence(finding: Finding) -> dict[str, str]:
    """Evidence by field."""
    return {item.field: item.value for item in finding.evidence}
