"""The shop's world: what stands in sandbox/README.md, as a recorded cluster that moves."""

from __future__ import annotations

from datetime import datetime

from sandbox.cluster.kinds.settling import settle
from sandbox.cluster.places import base, batch, platform, shop, trading
from sandbox.cluster.places.scene import Scene
from sandbox.cluster.recorded import RecordedCluster, format_stamp
from sandbox.cluster.resources import Obj
from sandbox.cluster.script import shop_steps

__all__ = ["RecordedCluster", "shop_recording", "shop_world"]


def shop_world(now: datetime) -> RecordedCluster:
    """The whole shop as it stands at `now`, with what happens afterwards."""
    objects, logs = shop_recording(now)
    return RecordedCluster(objects, logs, now=now, steps=shop_steps())


def shop_recording(now: datetime) -> tuple[list[Obj], dict[str, str]]:
    """The shop's objects and logs, as any other recording has them."""
    scene = Scene(now)
    for place in (base, shop, trading, platform, batch):
        place.build(scene)
    return settled(scene), {
        key: "".join(f"{format_stamp(line.at)} {line.text}\n" for line in lines)
        for key, lines in scene.logs.items()
    }


def settled(scene: Scene) -> list[Obj]:
    """The scene's objects with counts and endpoints that follow from its pods."""
    keyed = {_key(obj): obj for obj in scene.objects}
    if len(keyed) != len(scene.objects):
        raise ValueError("Cannot record the shop: two objects share kind, namespace and name.")
    namespaces = {obj["metadata"].get("namespace", "") for obj in scene.objects}
    for namespace in sorted(namespaces - {""}):
        members = [
            each for each in keyed.values() if each["metadata"].get("namespace") == namespace
        ]
        # Conditions that the builders leave to the controllers turned some time ago, not now.
        for changed in settle(members, scene.ago(minutes=20)):
            keyed[_key(changed)] = changed
    return [_available_since(obj) for obj in keyed.values()]


def _available_since(obj: Obj) -> Obj:
    """A Deployment that is available has been so since it was made."""
    if obj["kind"] != "Deployment":
        return obj
    conditions = [
        {**each, "lastTransitionTime": obj["metadata"]["creationTimestamp"]}
        if each["type"] == "Available" and each["status"] == "True"
        else {**each, "lastUpdateTime": max(each["lastUpdateTime"], each["lastTransitionTime"])}
        for each in obj["status"]["conditions"]
    ]
    return {**obj, "status": {**obj["status"], "conditions": conditions}}


def _key(obj: Obj) -> tuple[str, str, str]:
    told = obj["metadata"]
    return obj["kind"], told.get("namespace", ""), told["name"]
