"""The two views of one Event: core/v1 is what the store keeps, events.k8s.io/v1 is made from it."""

from __future__ import annotations

from sandbox.cluster.resources import Obj


def to_new(event: Obj) -> Obj:
    """A core/v1 Event as events.k8s.io/v1 shows it."""
    shown: Obj = {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": event["metadata"],
        # The real API sends null for Events of the older recorders, and so do we.
        "eventTime": event.get("eventTime"),
        "reportingController": event.get("reportingComponent", ""),
        "reportingInstance": event.get("reportingInstance", ""),
        "reason": event.get("reason", ""),
        "regarding": event["involvedObject"],
        "note": event.get("message", ""),
        "type": event.get("type", "Normal"),
        "deprecatedSource": event.get("source") or {},
        "deprecatedFirstTimestamp": event.get("firstTimestamp"),
        "deprecatedLastTimestamp": event.get("lastTimestamp"),
    }
    for name in ("series", "action", "related"):
        if event.get(name):
            shown[name] = event[name]
    if event.get("count"):
        shown["deprecatedCount"] = event["count"]
    return shown


def to_core(event: Obj) -> Obj:
    """An events.k8s.io/v1 Event as core/v1 shows it."""
    shown: Obj = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": event["metadata"],
        "involvedObject": event.get("regarding") or {},
        "reason": event.get("reason", ""),
        "message": event.get("note", ""),
        "source": event.get("deprecatedSource") or {},
        "firstTimestamp": event.get("deprecatedFirstTimestamp"),
        "lastTimestamp": event.get("deprecatedLastTimestamp"),
        "type": event.get("type", "Normal"),
        "eventTime": event.get("eventTime"),
        "reportingComponent": event.get("reportingController", ""),
        "reportingInstance": event.get("reportingInstance", ""),
    }
    for name in ("series", "action", "related"):
        if event.get(name):
            shown[name] = event[name]
    if event.get("deprecatedCount"):
        shown["count"] = event["deprecatedCount"]
    return shown
