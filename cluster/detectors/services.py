"""Services that lead nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from cluster.detectors.building import (
    build,
    created,
    failing_node,
    has_lasted,
    is_leaving,
    not_ready_since,
)
from cluster.network_objects import EndpointSlice, Service
from cluster.objects import Pod
from cluster.snapshot import Snapshot
from cluster.thresholds import Thresholds
from cluster.workload_objects import Workload
from core.findings import Evidence, Finding, ObjectRef, Severity

SERVICE_LABEL = "kubernetes.io/service-name"
LEADER_ANNOTATION = "control-plane.alpha.kubernetes.io/leader"


def detect(snapshot: Snapshot, now: datetime, thresholds: Thresholds) -> Iterator[Finding]:
    """One finding a Service, where all that matters was read."""
    if not (snapshot.has_read(EndpointSlice) and snapshot.has_read(Pod)):
        return
    ready = services_with_endpoints(snapshot)
    for service in snapshot.of(Service):
        place = (service.metadata.namespace, service.metadata.name)
        if service.spec.selector and place not in ready and _is_for_traffic(service):
            yield from _without_endpoints(snapshot, service, now, thresholds)


def behind(snapshot: Snapshot, service: Service) -> list[ObjectRef]:
    """The workloads a Service leads to: owners of the pods it selects, else by pod template."""
    owners = {snapshot.owner(pod): None for pod in selected(snapshot, service)}
    if owners:
        return list(owners)
    return [snapshot.ref(workload) for workload in _templates(snapshot, service)]


def has_port(service: Service, *, number: int = 0, name: str = "") -> bool:
    """Whether a Service has this port; one that stands for a name outside has all."""
    if service.spec.type == "ExternalName":
        return True
    return any((name and port.name == name) or port.port == number for port in service.spec.ports)


def _is_for_traffic(service: Service) -> bool:
    is_leader_election = LEADER_ANNOTATION in service.metadata.annotations
    return service.spec.type != "ExternalName" and not is_leader_election


def services_with_endpoints(snapshot: Snapshot) -> set[tuple[str, str]]:
    """Namespace and name of the Services that lead somewhere."""
    return {
        (piece.metadata.namespace, piece.metadata.labels.get(SERVICE_LABEL, ""))
        for piece in snapshot.of(EndpointSlice)
        if any(endpoint.conditions.ready is not False for endpoint in piece.endpoints or ())
    }


def selected(snapshot: Snapshot, service: Service) -> list[Pod]:
    """The pods that a Service selects, those that leave or are done left out."""
    return [
        pod
        for pod in snapshot.pods_by_label.selected(
            service.metadata.namespace, service.spec.selector
        )
        if pod.status.phase not in {"Succeeded", "Failed"} and not is_leaving(pod)
    ]


def _templates(snapshot: Snapshot, service: Service) -> list[Workload]:
    place = service.metadata.namespace
    return snapshot.workloads_by_label.selected(place, service.spec.selector)


def _without_endpoints(
    snapshot: Snapshot, service: Service, now: datetime, thresholds: Thresholds
) -> Iterator[Finding]:
    pods = selected(snapshot, service)
    templates = _templates(snapshot, service)
    if not pods and templates and all(item.spec.replicas == 0 for item in templates):
        return  # scaled to nothing on purpose
    # The Service has had no endpoint since its last pod stopped being ready.
    since = max((not_ready_since(pod) for pod in pods), default=created(service))
    if not has_lasted(since, now, thresholds.service_hold_seconds):
        return
    owners = behind(snapshot, service)
    selector = ", ".join(f"{key}={value}" for key, value in service.spec.selector.items())
    evidence = [Evidence("spec.selector", selector)]
    if pods:
        evidence.append(Evidence("endpoints", f"none ready of {len(pods)} pods selected"))
    else:
        evidence.append(Evidence("endpoints", "none, the selector matches no pod"))
        evidence += _near_misses(snapshot, service)
    yield build(
        snapshot,
        service,
        detector="services",
        problem="no-endpoints",
        reason="NoEndpoints",
        severity=Severity.HIGH,
        says=f"Service {service.metadata.name} has no ready endpoints",
        since=since,
        evidence=evidence,
        owner=owners[0] if len(owners) == 1 else None,
        node=failing_node(snapshot, pods),
    )


def _near_misses(snapshot: Snapshot, service: Service) -> list[Evidence]:
    """Labels of pods that carry the selector's keys with other values: often a typing error."""
    namespace, keys = service.metadata.namespace, service.spec.selector.keys()
    examples = (snapshot.pods_by_label.examples(namespace, key) for key in keys)
    near = {
        ", ".join(f"{key}={labels[key]}" for key in keys)
        for labels in min(examples, key=len)
        if keys <= labels.keys()
    }
    return [Evidence("labels of pods nearby", "; ".join(sorted(near)[:5]))] if near else []
