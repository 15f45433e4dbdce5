"""Recorded objects as a server of today gives them.

A real server keeps one object and shows it in every version; a recording has the version that
somebody asked for. It makes slices for Endpoints, and its Events are where their objects are; a
recording may have been renamed in parts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sandbox.cluster.resources import RESOURCES, Obj

# Kinds that moved between groups; the others changed their version alone.
_MOVED = {"extensions", "apps", "policy", "batch", "autoscaling", "networking.k8s.io"}
_CONDITIONS = "autoscaling.alpha.kubernetes.io/conditions"


def as_served(objects: Iterable[Obj]) -> list[Obj]:
    """The objects in the versions that are served, with what a server has besides them."""
    served = _moved_events([_upgraded(obj) for obj in objects])
    sliced = {
        (each["metadata"].get("namespace"), _labels(each).get("kubernetes.io/service-name"))
        for each in served
        if each.get("kind") == "EndpointSlice"
    }
    return served + [
        _slice(each)
        for each in served
        if each.get("kind") == "Endpoints"
        and (each["metadata"].get("namespace"), each["metadata"].get("name")) not in sliced
    ]


def _moved_events(objects: list[Obj]) -> list[Obj]:
    """Where an Event's uid is that of an object elsewhere, the Events of its namespace move there.

    They were recorded together: what happened to one object's namespace happened to all.
    """
    places = {
        each["metadata"]["uid"]: each["metadata"].get("namespace", "")
        for each in objects
        if each.get("kind") != "Event" and "metadata" in each and each["metadata"].get("uid")
    }
    renamed: dict[str, str] = {}
    for each in objects:
        about = each.get("involvedObject") or {}
        place = places.get(about.get("uid", ""))
        if place and about.get("namespace") and place != about["namespace"]:
            renamed[about["namespace"]] = place
    return [_moved(each, renamed) if each.get("kind") == "Event" else each for each in objects]


def _moved(event: Obj, renamed: dict[str, str]) -> Obj:
    about = event.get("involvedObject") or {}
    place = renamed.get(about.get("namespace", ""))
    if place is None:
        return event
    return {
        **event,
        "metadata": {**event["metadata"], "namespace": place},
        "involvedObject": {**about, "namespace": place},
    }


def _upgraded(obj: Obj) -> Obj:
    kind, api_version = obj.get("kind"), str(obj.get("apiVersion", ""))
    group = api_version.rpartition("/")[0]
    for resource in RESOURCES:
        if resource.kind != kind or resource.api_version == api_version:
            continue
        if resource.group == group or {resource.group, group} <= _MOVED:
            changed = {**obj, "apiVersion": resource.api_version}
            return _CHANGES.get(str(kind), lambda same: same)(changed)
    return obj


def _autoscaler(obj: Obj) -> Obj:
    """autoscaling/v1 keeps conditions in an annotation, and its one metric in two fields."""
    spec, status = dict(obj.get("spec") or {}), dict(obj.get("status") or {})
    annotations = obj["metadata"].get("annotations") or {}
    if "conditions" not in status and _CONDITIONS in annotations:
        status["conditions"] = json.loads(annotations[_CONDITIONS])
    percent = spec.pop("targetCPUUtilizationPercentage", None)
    if percent is not None:
        target = {"type": "Utilization", "averageUtilization": percent}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    return {**obj, "spec": spec, "status": status}


def _ingress(obj: Obj) -> Obj:
    """Before v1 a backend was a name and a port side by side."""
    spec = dict(obj.get("spec") or {})
    if "backend" in spec:
        spec["defaultBackend"] = _backend(spec.pop("backend"))
    spec["rules"] = [
        {
            **rule,
            "http": {
                "paths": [
                    {**path, "backend": _backend(path.get("backend") or {})}
                    for path in (rule.get("http") or {}).get("paths") or ()
                ]
            },
        }
        for rule in spec.get("rules") or ()
    ]
    return {**obj, "spec": spec}


def _backend(old: dict[str, Any]) -> dict[str, Any]:
    if "serviceName" not in old:
        return old
    port = old.get("servicePort")
    told = {"number": port} if isinstance(port, int) else {"name": port}
    return {"service": {"name": old["serviceName"], "port": told}}


_CHANGES = {"HorizontalPodAutoscaler": _autoscaler, "Ingress": _ingress}


def _slice(endpoints: Obj) -> Obj:
    told = endpoints["metadata"]
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            **{key: told[key] for key in ("namespace", "creationTimestamp") if key in told},
            "name": f"{told.get('name')}-recorded",
            "labels": {"kubernetes.io/service-name": told.get("name")},
        },
        "addressType": "IPv4",
        "endpoints": [
            {"addresses": [each.get("ip", "")], "conditions": {"ready": is_ready}}
            for subset in endpoints.get("subsets") or ()
            for field, is_ready in (("addresses", True), ("notReadyAddresses", False))
            for each in subset.get(field) or ()
        ],
    }


def _labels(obj: Obj) -> dict[str, str]:
    return obj["metadata"].get("labels") or {}
