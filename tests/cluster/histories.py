"""Objects with a past: revisions of workloads, and who wrote what when."""

from __future__ import annotations

from typing import Any

from cluster.snapshot import Snapshot
from tests.cluster.payloads import Json, ago, identified, meta, snapshot, workload

APPS = "registry.example.com/shop"


def written(manager: str, minutes: float, subresource: str = "") -> Json:
    """A field manager's last write, in minutes before NOW."""
    found: Json = {"manager": manager, "operation": "Update", "time": ago(minutes)}
    return found | ({"subresource": subresource} if subresource else {})


def by(obj: Json, *writers: Json) -> Json:
    """The object with its writers."""
    obj["metadata"]["managedFields"] = list(writers)
    return obj


def template(image: str = f"{APPS}/payments:1", **container: Any) -> Json:
    """A pod template with one container."""
    return {"spec": {"containers": [{"name": "app", "image": image, **container}]}}


def revision(
    owner: Json, number: int, minutes: float, made_from: Json, *, earlier: str = ""
) -> Json:
    """A Deployment's ReplicaSet; `earlier` are the numbers that it had before a rollback."""
    name = f"{owner['metadata']['name']}-{number}x"
    annotations = {"deployment.kubernetes.io/revision": str(number)}
    if earlier:
        annotations["deployment.kubernetes.io/revision-history"] = earlier
    found = workload("ReplicaSet", name, owner=owner, age=minutes, annotations=annotations)
    found["spec"]["template"] = made_from
    return found


def history(*objects: Json) -> Snapshot:
    """The objects as changes are read from: ReplicaSets with their whole templates."""
    return snapshot(
        *(
            {**each, "kind": "ReplicaSetRevision"} if each["kind"] == "ReplicaSet" else each
            for each in objects
        )
    )


@identified
def controller_revision(owner: Json, number: int, minutes: float, made_from: Json) -> Json:
    namespace = owner["metadata"]["namespace"]
    return {
        "kind": "ControllerRevision",
        "metadata": meta(
            f"{owner['metadata']['name']}-{number}", namespace, owner=owner, age=minutes
        ),
        "revision": number,
        "data": {"spec": {"template": {**made_from, "$patch": "replace"}}},
    }


@identified
def bare(kind: str, name: str, *writers: Json, age: float = 9000) -> Json:
    """A ConfigMap, quota or budget as far as it is read: its metadata."""
    return {"kind": kind, "metadata": meta(name, age=age, managedFields=list(writers))}
