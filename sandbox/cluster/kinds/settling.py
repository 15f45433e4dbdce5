"""What Kubernetes' controllers do: counts, endpoints and conditions that follow from the pods."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from sandbox.cluster.kinds.base import condition, metadata, object_reference, set_condition, suffix
from sandbox.cluster.resources import Obj


def settle(objects: Iterable[Obj], now: datetime) -> list[Obj]:
    """Workloads, budgets and endpoints as the pods make them; only those that changed or are new.

    Args:
        objects: Everything of one namespace.
        now: The time of a condition that flips.
    """
    everything = list(objects)
    by_kind: dict[str, list[Obj]] = {}
    for obj in everything:
        by_kind.setdefault(obj["kind"], []).append(obj)
    pods = by_kind.get("Pod", [])
    changed: list[Obj] = []
    sets: list[Obj] = []
    for each in by_kind.get("ReplicaSet", []):
        settled = _replica_set(each, _controlled(pods, each))
        sets.append(settled)
        changed += _if_other(each, settled)
    for each in by_kind.get("Deployment", []):
        mine = [one for one in sets if _is_controlled(one, each)]
        changed += _if_other(each, _deployment(each, mine, now))
    for each in by_kind.get("StatefulSet", []):
        changed += _if_other(each, _stateful_set(each, _controlled(pods, each)))
    for each in by_kind.get("DaemonSet", []):
        changed += _if_other(each, _daemon_set(each, _controlled(pods, each)))
    for each in by_kind.get("PodDisruptionBudget", []):
        changed += _if_other(each, _budget(each, pods, now))
    return changed + _settle_endpoints(by_kind, now)


def _settle_endpoints(by_kind: Mapping[str, list[Obj]], now: datetime) -> list[Obj]:
    """EndpointSlices and Endpoints of Services with a selector that are new or changed."""
    changed: list[Obj] = []
    pods = by_kind.get("Pod", [])
    old = {
        (each["kind"], each["metadata"]["name"]): each
        for kind in ("EndpointSlice", "Endpoints")
        for each in by_kind.get(kind, [])
    }
    for service in by_kind.get("Service", []):
        if service["spec"].get("selector"):
            for made in _endpoints(service, pods, now):
                before = old.get((made["kind"], made["metadata"]["name"]))
                if before is None or _payload(before) != _payload(made):
                    changed.append(made if before is None else {**before, **_payload(made)})
    return changed


def is_ready(pod: Obj) -> bool:
    """Whether the pod's Ready condition is True."""
    return any(
        each["type"] == "Ready" and each["status"] == "True"
        for each in pod["status"].get("conditions") or ()
    )


def _if_other(before: Obj, after: Obj) -> list[Obj]:
    return [] if before == after else [after]


def _payload(obj: Obj) -> Obj:
    return {key: value for key, value in obj.items() if key != "metadata"}


def _is_controlled(obj: Obj, owner: Obj) -> bool:
    uid = owner["metadata"]["uid"]
    return any(each["uid"] == uid for each in obj["metadata"].get("ownerReferences") or ())


def _controlled(pods: list[Obj], owner: Obj) -> list[Obj]:
    """The owner's pods that count: those that failed or succeeded are over."""
    return [
        pod
        for pod in pods
        if _is_controlled(pod, owner) and pod["status"]["phase"] not in ("Failed", "Succeeded")
    ]


def _counts(**counts: int) -> dict[str, int]:
    """Counts as the API sends them: a zero is left out."""
    return {name: count for name, count in counts.items() if count}


def _replica_set(obj: Obj, pods: list[Obj]) -> Obj:
    ready = sum(map(is_ready, pods))
    status = {
        "replicas": len(pods),
        **_counts(fullyLabeledReplicas=len(pods), readyReplicas=ready, availableReplicas=ready),
        "observedGeneration": obj["metadata"]["generation"],
    }
    return {**obj, "status": status}


def _deployment(obj: Obj, sets: list[Obj], now: datetime) -> Obj:
    spec, status = obj["spec"], obj["status"]
    revision = "deployment.kubernetes.io/revision"
    newest = obj["metadata"]["annotations"][revision]
    ready = sum(each["status"].get("readyReplicas", 0) for each in sets)
    total = sum(each["status"]["replicas"] for each in sets)
    updated = sum(
        each["status"]["replicas"]
        for each in sets
        if each["metadata"]["annotations"][revision] == newest
    )
    has_minimum = ready >= spec["replicas"]  # The strategy allows none to be unavailable.
    conditions = _flip(
        status["conditions"],
        condition(
            "Available",
            str(has_minimum),
            now,
            "MinimumReplicasAvailable" if has_minimum else "MinimumReplicasUnavailable",
            "Deployment has minimum availability."
            if has_minimum
            else "Deployment does not have minimum availability.",
            time_field="lastUpdateTime",
        ),
    )
    counts = _counts(
        replicas=total,
        updatedReplicas=updated,
        readyReplicas=ready,
        availableReplicas=ready,
        unavailableReplicas=max(0, max(total, spec["replicas"]) - ready),
    )
    generation = obj["metadata"]["generation"]
    return {
        **obj,
        "status": {"observedGeneration": generation, **counts, "conditions": conditions},
    }


def _flip(conditions: list[Obj], new: Obj) -> list[Obj]:
    """Set a condition, keeping its times when its status stays what it was."""
    for each in conditions:
        if each["type"] == new["type"] and each["status"] == new["status"]:
            return conditions
    return set_condition(conditions, new)


def _stateful_set(obj: Obj, pods: list[Obj]) -> Obj:
    ready = sum(map(is_ready, pods))
    first = pods[0]["metadata"]["labels"] if pods else {}
    revision = first.get("controller-revision-hash", obj["metadata"]["name"])
    status = {
        "observedGeneration": obj["metadata"]["generation"],
        "replicas": len(pods),
        **_counts(readyReplicas=ready, currentReplicas=len(pods), updatedReplicas=len(pods)),
        "availableReplicas": ready,
        "currentRevision": revision,
        "updateRevision": revision,
        "collisionCount": 0,
    }
    return {**obj, "status": status}


def _daemon_set(obj: Obj, pods: list[Obj]) -> Obj:
    ready = sum(map(is_ready, pods))
    status = {
        "currentNumberScheduled": len(pods),
        "numberMisscheduled": 0,
        "desiredNumberScheduled": len(pods),
        "numberReady": ready,
        "observedGeneration": obj["metadata"]["generation"],
        "updatedNumberScheduled": len(pods),
        **_counts(numberAvailable=ready, numberUnavailable=len(pods) - ready),
    }
    return {**obj, "status": status}


def _budget(obj: Obj, pods: list[Obj], now: datetime) -> Obj:
    wanted = obj["spec"]["selector"]["matchLabels"]
    mine = [pod for pod in pods if _matches(pod, wanted)]
    healthy = sum(map(is_ready, mine))
    allowed = max(0, healthy - obj["spec"]["minAvailable"])
    status = {
        "observedGeneration": obj["metadata"]["generation"],
        "currentHealthy": healthy,
        "desiredHealthy": obj["spec"]["minAvailable"],
        "expectedPods": len(mine),
        "disruptionsAllowed": allowed,
        "conditions": _flip(
            (obj["status"] or {}).get("conditions", []),
            {
                **condition(
                    "DisruptionAllowed",
                    str(allowed > 0),
                    now,
                    "SufficientPods" if allowed else "InsufficientPods",
                ),
                "message": "",
            },
        ),
    }
    return {**obj, "status": status}


def _matches(pod: Obj, wanted: Mapping[str, str]) -> bool:
    labels = pod["metadata"].get("labels") or {}
    return all(labels.get(key) == value for key, value in wanted.items())


def _endpoints(service: Obj, pods: list[Obj], now: datetime) -> list[Obj]:
    """The EndpointSlice of a Service and, for older readers, its Endpoints."""
    name, namespace = service["metadata"]["name"], service["metadata"]["namespace"]
    found = [
        pod
        for pod in pods
        if _matches(pod, service["spec"]["selector"])
        and pod["status"].get("podIP")
        and pod["status"]["phase"] == "Running"
    ]
    ports = [
        {"name": each["name"], "port": each["targetPort"], "protocol": "TCP"}
        for each in service["spec"]["ports"]
    ]
    labels = {"kubernetes.io/service-name": name}
    made_by = {"endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io"}
    slice_object: Obj = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": metadata(
            "EndpointSlice",
            f"{name}-{suffix('slice', namespace, name)}",
            now,
            namespace=namespace,
            labels={**labels, **made_by},
            owner=service,
            generate_name=f"{name}-",
        ),
        "addressType": "IPv4",
        "endpoints": [
            {
                "addresses": [pod["status"]["podIP"]],
                "conditions": {
                    "ready": is_ready(pod),
                    "serving": is_ready(pod),
                    "terminating": False,
                },
                "nodeName": pod["spec"]["nodeName"],
                "targetRef": object_reference(pod),
            }
            for pod in found
        ],
        "ports": ports,
    }
    subset: Obj = {"ports": ports}
    for key, wanted in (("addresses", True), ("notReadyAddresses", False)):
        addresses = [
            {
                "ip": pod["status"]["podIP"],
                "nodeName": pod["spec"]["nodeName"],
                "targetRef": object_reference(pod),
            }
            for pod in found
            if is_ready(pod) is wanted
        ]
        if addresses:
            subset[key] = addresses
    endpoints: Obj = {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": metadata("Endpoints", name, now, namespace=namespace),
    }
    if len(subset) > 1:
        endpoints["subsets"] = [subset]
    return [slice_object, endpoints]
