"""Ingresses without a class, a backend or a certificate that is there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from cluster.detectors.building import build, created, has_lasted
from cluster.detectors.services import has_port
from cluster.gateway_objects import IngressClass
from cluster.network_objects import Ingress, IngressBackend, Service, ServiceBackend
from cluster.secret_objects import Secret
from cluster.snapshot import Snapshot
from cluster.thresholds import Thresholds
from core.findings import Evidence, Finding, Severity


def detect(snapshot: Snapshot, now: datetime, thresholds: Thresholds) -> Iterator[Finding]:
    """One finding for each thing that is missing, where its kind was read."""
    for ingress in snapshot.of(Ingress):
        if not has_lasted(created(ingress), now, thresholds.ingress_hold_seconds):
            continue
        for problem, reason, field, wrong in _wrongs(snapshot, ingress):
            yield build(
                snapshot,
                ingress,
                detector="ingress",
                problem=problem,
                reason=reason,
                severity=Severity.HIGH,
                says=f"Ingress {wrong}",
                since=created(ingress),
                evidence=[Evidence(field, wrong)],
            )


def _wrongs(snapshot: Snapshot, ingress: Ingress) -> Iterator[tuple[str, str, str, str]]:
    """Problem, reason, field and what is wrong with it."""
    namespace, name = ingress.metadata.namespace, ingress.spec.ingress_class_name
    if name and snapshot.has_read(IngressClass) and not snapshot.find("IngressClass", "", name):
        wrong = f"class {name} does not exist"
        yield "ingress-class", "ClassMissing", "spec.ingressClassName", wrong
    if snapshot.has_read(Service):
        for backend in _backends(ingress):
            if wrong := _wrong_backend(snapshot, namespace, backend):
                yield (
                    "ingress-backend",
                    "BackendMissing",
                    "spec.rules[].http.paths[].backend",
                    wrong,
                )
    if snapshot.has_read(Secret):
        for tls in ingress.spec.tls:
            secret = tls.secret_name
            if secret and not snapshot.find("Secret", namespace, secret):
                wrong = f"TLS Secret {secret} does not exist"
                yield "ingress-tls", "SecretMissing", "spec.tls[].secretName", wrong


def _wrong_backend(snapshot: Snapshot, namespace: str, backend: ServiceBackend) -> str:
    found = snapshot.find("Service", namespace, backend.name)
    if not isinstance(found, Service):
        return f"backend Service {backend.name} does not exist"
    port = backend.port
    if has_port(found, number=port.number, name=port.name):
        return ""
    return f"backend Service {backend.name} has no port {port.name or port.number}"


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
