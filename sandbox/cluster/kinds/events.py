"""Events: those of the kubelet and the controllers, and those of the scheduler."""

from __future__ import annotations

from datetime import datetime

from sandbox.cluster.kinds.base import (
    hex_id,
    metadata,
    micro_stamp,
    object_reference,
    stamp,
)
from sandbox.cluster.resources import Obj

NODE_AGENTS = ("kubelet", "kernel-monitor")


def event(
    about: Obj,
    reason: str,
    message: str,
    *,
    first: datetime,
    last: datetime | None = None,
    count: int = 1,
    kind: str = "Warning",
    source: str = "kubelet",
    host: str = "",
    container: str = "",
) -> Obj:
    """An Event of the older shape: count, firstTimestamp and lastTimestamp; eventTime is null."""
    made = _event(about, reason, message, first, kind=kind, component=source, container=container)
    made["source"] = {"component": source, **({"host": host} if host else {})}
    made |= {
        "firstTimestamp": stamp(first),
        "lastTimestamp": stamp(last or first),
        "count": count,
        "eventTime": None,
        "reportingComponent": source,
        "reportingInstance": host,
    }
    return made


def series_event(
    about: Obj,
    reason: str,
    message: str,
    *,
    first: datetime,
    last: datetime | None = None,
    count: int = 1,
    kind: str = "Warning",
    source: str = "default-scheduler",
    action: str = "Scheduling",
) -> Obj:
    """An Event of the newer shape, as the scheduler writes it: null times and count, a series."""
    made = _event(about, reason, message, first, kind=kind, component=source)
    made |= {
        "source": {},
        "firstTimestamp": None,
        "lastTimestamp": None,
        "eventTime": micro_stamp(first),
        "action": action,
        "reportingComponent": source,
        "reportingInstance": f"{source}-control-1",
    }
    if count > 1:
        made["series"] = {"count": count, "lastObservedTime": micro_stamp(last or first)}
    return made


def repeated(before: Obj, at: datetime) -> Obj:
    """The same Event, seen once more."""
    if before.get("count"):
        return {**before, "count": before["count"] + 1, "lastTimestamp": stamp(at)}
    count = (before.get("series") or {}).get("count", 1) + 1
    return {**before, "series": {"count": count, "lastObservedTime": micro_stamp(at)}}


def about_reference(about: Obj, component: str, field_path: str = "") -> Obj:
    """What an Event is about. A node's own agents know its name only, and give that as its uid."""
    made = object_reference(about, field_path)
    if about["kind"] == "Node" and component in NODE_AGENTS:
        made["uid"] = about["metadata"]["name"]
        del made["apiVersion"]
    return made


def last_seen(event_object: Obj) -> str:
    """When an Event was last seen, as its own stamp."""
    series = event_object.get("series") or {}
    return str(
        series.get("lastObservedTime")
        or event_object.get("lastTimestamp")
        or event_object.get("eventTime")
        or event_object["metadata"]["creationTimestamp"]
    )


def _event(
    about: Obj,
    reason: str,
    message: str,
    first: datetime,
    *,
    kind: str,
    component: str,
    container: str = "",
) -> Obj:
    name = about["metadata"]["name"]
    # One Event a reason and message: the recorders fold what repeats into a count.
    identity = hex_id("event", about["metadata"]["uid"], reason, message, micro_stamp(first))[:16]
    namespace = about["metadata"].get("namespace", "default")
    path = f"spec.containers{{{container}}}" if container else ""
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": metadata("Event", f"{name}.{identity}", first, namespace=namespace),
        "involvedObject": about_reference(about, component, path),
        "reason": reason,
        "message": message,
        "type": kind,
    }
