"""Services that lead nowhere, and Ingresses that lead to no Service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from cluster.detectors.building import (
    build,
    created,
    has_lasted,
    is_leaving,
    not_ready_since,
    shared_node,
)
from cluster.network_objects import (
    EndpointSlice,
    Ingress,
    IngressBackend,
    Service,
    ServiceBackend,
)
from cluster.objects import Pod
from cluster.snapshot import Snapshot
from cluster.thresholds import Thresholds
from cluster.workload_objects import DaemonSet, Deployment, StatefulSet, Workload
from core.findings import Evidence, Finding, ObjectRef, Severity

SERVICE_LABEL = "kubernetes.io/service-name"
LEADER_ANNOTATION = "control-plane.alpha.kubernetes.io/leader"


def detect(snapshot: Snapshot, now: datetime, thresholds: Thresholds) -> Iterator[Finding]:
    """Findings of Services, then of Ingresses; both only where all that matters was read."""
    if snapshot.has_read(EndpointSlice) and snapshot.has_read(Pod):
        ready = _services_with_endpoints(snapshot)
        for service in snapshot.of(Service):
            place = (service.metadata.namespace, service.metadata.name)
            if service.spec.selector and place not in ready and _is_for_traffic(service):
                yield from _without_endpoints(snapshot, service, now, thresholds)
    if snapshot.has_read(Service):
        for ingress in snapshot.of(Ingress):
            if has_lasted(created(ingress), now, thresholds.ingress_hold_seconds):
                yield from _broken_backends(snapshot, ingress)


def behind(snapshot: Snapshot, service: Service) -> list[ObjectRef]:
    """The workloads a Service leads to: owners of the pods it selects, else by pod template."""
    owners = {snapshot.owner(pod): None for pod in _selected(snapshot, service)}
    if owners:
        return list(owners)
    return [snapshot.ref(workload) for workload in _templates(snapshot, service)]


def selects(selector: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """Whether every label of the selector is there with its value."""
    return all(labels.get(key) == value for key, value in selector.items())


def _is_for_traffic(service: Service) -> bool:
    is_leader_election = LEADER_ANNOTATION in service.metadata.annotations
    return service.spec.type != "ExternalName" and not is_leader_election


def _services_with_endpoints(snapshot: Snapshot) -> set[tuple[str, str]]:
    return {
        (piece.metadata.namespace, piece.metadata.labels.get(SERVICE_LABEL, ""))
        for piece in snapshot.of(EndpointSlice)
        if any(endpoint.conditions.ready is not False for endpoint in piece.endpoints or ())
    }


def _selected(snapshot: Snapshot, service: Service) -> list[Pod]:
    return [
        pod
        for pod in snapshot.pods_in(service.metadata.namespace)
        if pod.status.phase not in {"Succeeded", "Failed"}
        and not is_leaving(pod)
        and selects(service.spec.selector, pod.metadata.labels)
    ]


def _templates(snapshot: Snapshot, service: Service) -> list[Workload]:
    workloads: tuple[Workload, ...] = (
        snapshot.of(Deployment) + snapshot.of(StatefulSet) + snapshot.of(DaemonSet)
    )
    return [
        workload
        for workload in workloads
        if workload.metadata.namespace == service.metadata.namespace
        and selects(service.spec.selector, workload.spec.template.metadata.labels)
    ]


def _without_endpoints(
    snapshot: Snapshot, service: Service, now: datetime, thresholds: Thresholds
) -> Iterator[Finding]:
    pods = _selected(snapshot, service)
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
        node=shared_node(pods),
    )


def _near_misses(snapshot: Snapshot, service: Service) -> list[Evidence]:
    """Labels of pods that carry the selector's keys with other values: often a typing error."""
    keys = service.spec.selector.keys()
    near = {
        ", ".join(f"{key}={pod.metadata.labels[key]}" for key in keys)
        for pod in snapshot.pods_in(service.metadata.namespace)
        if keys <= pod.metadata.labels.keys()
    }
    return [Evidence("labels of pods nearby", "; ".join(sorted(near)[:5]))] if near else []


def _broken_backends(snapshot: Snapshot, ingress: Ingress) -> Iterator[Finding]:
    for backend in _backends(ingress):
        found = snapshot.find("Service", ingress.metadata.namespace, backend.name)
        if not isinstance(found, Service):
            wrong = f"backend Service {backend.name} does not exist"
        elif not _has_port(found, backend):
            wanted = backend.port.name or backend.port.number
            wrong = f"backend Service {backend.name} has no port {wanted}"
        else:
            continue
        yield build(
            snapshot,
            ingress,
            detector="services",
            problem="ingress-backend",
            reason="BackendMissing",
            severity=Severity.HIGH,
            says=f"Ingress {wrong}",
            since=created(ingress),
            evidence=[Evidence("spec.rules[].http.paths[].backend", wrong)],
        )


def _backends(ingress: Ingress) -> Iterator[ServiceBackend]:
    found: list[IngressBackend] = []
    if ingress.spec.default_backend:
        found.append(ingress.spec.default_backend)
    for rule in ingress.spec.rules:
        found += [path.backend for path in rule.http.paths] if rule.http else []
    seen: dict[tuple[str, str, int], ServiceBackend] = {}
    for backend in found:
        if backend.service:
            port = backend.service.port
            seen[backend.service.name, port.name, port.number] = backend.service
    yield from seen.values()


def _has_port(service: Service, backend: ServiceBackend) -> bool:
    if service.spec.type == "ExternalName":
        return True
    wanted = backend.port
    return any(
        (wanted.name and port.name == wanted.name) or port.port == wanted.number
        for port in service.spec.ports
    )
