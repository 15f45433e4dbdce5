"""Nodes, Services and namespaces in whole sentences; see `cluster.describe`. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from cluster.describe import endpoints, ready_of, warnings_of
from cluster.detectors.building import condition
from cluster.detectors.services import behind
from cluster.network_objects import Service
from cluster.objects import Node, Pod
from cluster.sentences import at, finding_sentence
from cluster.snapshot import Snapshot
from cluster.workload_objects import Workload
from core.findings import Finding, ObjectRef


def describe_node(snapshot: Snapshot, node: Node) -> list[str]:
    """A node's state, the workloads on it, and the Services that lead to those."""
    meta = node.metadata
    ready = condition(node.status.conditions, "Ready")
    state = "Ready" if ready and ready.status == "True" else "NotReady"
    is_lost = ready is not None and ready.status != "True"
    since = ""
    if ready and is_lost:
        since = f" since {at(ready.last_transition_time, snapshot.taken_at)}"
    pressure = "".join(
        f", but reports {item.type}"
        for item in node.status.conditions
        if item.type != "Ready" and item.status == "True"
    )
    lines = [f"Node {meta.name} is {state}{since}{pressure}."]
    if ready and ready.status != "True":
        lines.append(f"{ready.reason}: {ready.message}")
    pressed = [
        f"{item.type} is True ({item.reason}: {item.message})"
        for item in node.status.conditions
        if item.type != "Ready" and item.status == "True"
    ]
    lines += [f"{item}." for item in pressed]
    if node.spec.unschedulable:
        lines.append("It is cordoned: no new pods are scheduled on it.")
    room = ", ".join(
        f"{name} {node.status.allocatable[name]}"
        for name in ("cpu", "memory")
        if name in node.status.allocatable
    )
    if room:
        lines.append(f"Allocatable: {room}.")
    by_owner: dict[ObjectRef, list[Pod]] = defaultdict(list)
    for pod in snapshot.pods_on(meta.name):
        if pod.status.phase not in {"Succeeded", "Failed"}:
            by_owner[snapshot.owner(pod)].append(pod)
    for owner, pods in sorted(by_owner.items(), key=lambda item: str(item[0])):
        names = ", ".join(pod.metadata.name for pod in pods)
        total = len(snapshot.pods_of(owner))
        lines.append(f"{owner} runs {len(pods)} of its {total} pods here: {names}.")
    hit = [
        f"{service.metadata.namespace}/{service.metadata.name}"
        for service in snapshot.of(Service)
        if service.spec.selector and any(owner in by_owner for owner in behind(snapshot, service))
    ]
    if hit:
        lines.append(f"Services that lead to pods on this node: {', '.join(sorted(hit))}.")
    return lines + warnings_of(snapshot, [node])


def describe_service(snapshot: Snapshot, service: Service) -> list[str]:
    """A Service's ports, selector, endpoints and the workloads behind it."""
    meta, spec = service.metadata, service.spec
    ready, total = endpoints(snapshot, service)
    ports = ", ".join(f"{port.port} → {port.target_port}" for port in spec.ports) or "none"
    selector = ", ".join(f"{key}={value}" for key, value in spec.selector.items()) or "none"
    lines = [
        (
            f"Service {meta.namespace}/{meta.name}: type {spec.type}, ports {ports},"
            f" selector {selector}. {ready} of {total} endpoints are ready."
        )
    ]
    owners = behind(snapshot, service) if spec.selector else []
    if owners:
        lines.append(f"It leads to {', '.join(str(owner) for owner in owners)}.")
    return lines


def describe_namespace(
    snapshot: Snapshot, namespace: str, findings: Sequence[Finding]
) -> list[str]:
    """The workloads of a namespace with their ready counts, and what is wrong in it."""
    lines: list[str] = []
    for struct, items in snapshot.objects.items():
        if not issubclass(struct, Workload) or struct.__name__ == "ReplicaSet":
            continue
        told = ", ".join(
            f"{item.metadata.name} ({ready_of(item)} ready)"
            for item in items
            if isinstance(item, Workload) and item.metadata.namespace == namespace
        )
        if told:
            lines.append(f"{struct.__name__}s: {told}.")
    own = [item for item in findings if item.owner.namespace == namespace]
    lines = (
        [f"{len(own)} problem{'s' if len(own) > 1 else ''} in {namespace}.", *lines]
        if own
        else lines
    )
    lines += [finding_sentence(item, snapshot.taken_at) for item in own]
    if not own:
        lines.append("No problem was found in this namespace.")
    return lines
