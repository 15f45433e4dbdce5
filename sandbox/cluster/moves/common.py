"""What every change needs: whose pods, what follows, what is recorded."""

from __future__ import annotations

from typing import Any

from sandbox.cluster.kinds.apps import App
from sandbox.cluster.kinds.events import about_reference, event, repeated
from sandbox.cluster.kinds.settling import settle
from sandbox.cluster.recorded import RecordedCluster
from sandbox.cluster.resources import Obj


def living_pods(world: RecordedCluster, app: App) -> list[Obj]:
    """Pods of one release of an application that are not over."""
    return [
        pod
        for pod in world.store.of_kind("Pod", app.namespace)
        if pod["spec"]["containers"][0]["image"] == app.image
        and pod["metadata"]["labels"]["app"] == app.name
        and pod["status"]["phase"] not in ("Failed", "Succeeded")
    ]


def settle_all(world: RecordedCluster, *namespaces: str) -> None:
    """Let the controllers do their work in these namespaces."""
    for namespace in namespaces:
        members = world.store.in_namespace(namespace)
        for changed in settle(members, world.now):
            world.store.put(changed)


def record(world: RecordedCluster, about: Obj, message: str, *, reason: str, **more: Any) -> None:
    """Record an Event that may have been seen before: then its count grows."""
    uid = about_reference(about, more.get("source", "kubelet"))["uid"]
    for each in world.store.of_kind("Event"):
        if (each["involvedObject"].get("uid"), each["reason"], each["message"]) == (
            uid,
            reason,
            message,
        ):
            world.store.put(repeated(each, world.now))
            return
    world.store.put(event(about, reason, message, first=world.now, **more))
