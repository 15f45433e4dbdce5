"""What goes on all the time: logs grow, Events repeat and expire, kubelets report."""

from __future__ import annotations

import random
from datetime import timedelta

from sandbox.cluster.kinds.base import number, parse_stamp, stamp
from sandbox.cluster.kinds.events import last_seen, repeated
from sandbox.cluster.kinds.settling import is_ready
from sandbox.cluster.lines import excerpts
from sandbox.cluster.lines.voices import VOICES, say
from sandbox.cluster.places import apps
from sandbox.cluster.places.scene import log_key
from sandbox.cluster.recorded import RecordedCluster
from sandbox.cluster.resources import EVENTS

EVENT_LIFE = timedelta(hours=1)


def chatter(world: RecordedCluster) -> None:
    """Containers that run go on writing."""
    lost = {
        node["metadata"]["name"]
        for node in world.store.of_kind("Node")
        if any(
            each["type"] == "Ready" and each["status"] != "True"
            for each in node["status"]["conditions"]
        )
    }
    chance = random.Random(number("chatter", world.elapsed_seconds))
    for pod in world.store.of_kind("Pod"):
        if pod["spec"]["containers"][0]["image"] == apps.MARKET_DATA.image:
            world.append_log(log_key(pod, "market-data"), excerpts.market_data_stall(world.now))
            continue
        voice = VOICES.get(pod["metadata"]["labels"]["app"])
        if voice is None or pod["spec"].get("nodeName") in lost:
            continue
        for status in (pod["status"].get("containerStatuses") or ())[:1]:
            if "running" in status["state"]:
                at = world.now - timedelta(seconds=chance.random() * 10)
                lines = say(voice, pod["metadata"]["labels"]["app"], at, chance)
                world.append_log(log_key(pod, status["name"]), lines)


_GOING_ON = frozenset(
    {
        "Unhealthy",
        "BackOff",
        "Failed",
        "FailedMount",
        "FailedScheduling",
        "ProvisioningFailed",
        "FailedGetResourceMetric",
        "FailedComputeMetricsReplicas",
        "EvictionThresholdMet",
    }
)


_REPEAT_AFTER = timedelta(seconds=30)


def repeat_events(world: RecordedCluster) -> None:
    """Troubles that last are seen again; what they are about must still be there and unwell."""
    there = {
        obj["metadata"]["uid"]: obj
        for kind in ("Pod", "PersistentVolumeClaim", "HorizontalPodAutoscaler")
        for obj in world.store.of_kind(kind)
    }
    there |= {node["metadata"]["name"]: node for node in world.store.of_kind("Node")}
    for each in world.store.of_kind("Event"):
        about = there.get(each["involvedObject"].get("uid", ""))
        if about is None or each["reason"] not in _GOING_ON or each["type"] != "Warning":
            continue
        if about["kind"] == "Pod" and (is_ready(about) or about["status"]["phase"] == "Failed"):
            continue
        if world.now - parse_stamp(last_seen(each)) >= _REPEAT_AFTER:
            world.store.put(repeated(each, world.now))


def expire_events(world: RecordedCluster) -> None:
    """Events live one hour after they were last seen."""
    for each in world.store.of_kind("Event"):
        if world.now - parse_stamp(last_seen(each)) > EVENT_LIFE:
            told = each["metadata"]
            world.store.delete(EVENTS, told["namespace"], told["name"])


def heartbeat(world: RecordedCluster) -> None:
    """Kubelets that are there say that their node's conditions still hold."""
    for node in world.store.of_kind("Node"):
        told = node["status"]["conditions"]
        if any(each["status"] == "Unknown" for each in told):
            continue
        renewed = [{**each, "lastHeartbeatTime": stamp(world.now)} for each in told]
        world.store.put({**node, "status": {**node["status"], "conditions": renewed}})
