"""Gateways that do not work, and routes that come from or lead to nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from cluster.detectors.building import (
    build,
    condition,
    condition_evidence,
    created,
    has_lasted,
)
from cluster.detectors.services import has_port
from cluster.gateway_objects import Gateway, HTTPRoute, RouteReference
from cluster.network_objects import Service
from cluster.objects import Condition
from cluster.snapshot import Snapshot
from cluster.thresholds import Thresholds
from core.findings import Evidence, Finding, Severity

GATEWAY_CONDITIONS = ("Accepted", "Programmed")
ROUTE_CONDITIONS = ("Accepted", "ResolvedRefs")


def detect(snapshot: Snapshot, now: datetime, thresholds: Thresholds) -> Iterator[Finding]:
    """At most one finding a Gateway, and one for each thing that is wrong with a route."""
    hold_seconds = thresholds.ingress_hold_seconds
    for gateway in snapshot.of(Gateway):
        bad = _failed(gateway.status.conditions, GATEWAY_CONDITIONS)
        if bad and has_lasted(bad.last_transition_time or created(gateway), now, hold_seconds):
            yield build(
                snapshot,
                gateway,
                detector="gateways",
                problem="gateway",
                reason=bad.reason or f"Not{bad.type}",
                severity=Severity.HIGH,
                says=f"Gateway is not {bad.type.lower()}, {bad.message or bad.reason}",
                since=bad.last_transition_time or created(gateway),
                evidence=[
                    *condition_evidence(bad),
                    Evidence("spec.gatewayClassName", gateway.spec.gateway_class_name),
                ],
            )
    for route in snapshot.of(HTTPRoute):
        if not has_lasted(created(route), now, hold_seconds):
            continue
        missing = list(_missing(snapshot, route))
        for reason, evidence in missing or _refused(route, now, hold_seconds):
            yield build(
                snapshot,
                route,
                detector="gateways",
                problem="route",
                reason=reason,
                severity=Severity.HIGH,
                says=f"route {evidence.value}",
                since=created(route),
                evidence=[evidence],
            )


def _failed(conditions: tuple[Condition, ...], kinds: tuple[str, ...]) -> Condition | None:
    for kind in kinds:
        found = condition(conditions, kind)
        if found and found.status == "False":
            return found
    return None


def _missing(snapshot: Snapshot, route: HTTPRoute) -> Iterator[tuple[str, Evidence]]:
    """Parents and backends that are not there, and ports that do not fit."""
    for parent in route.spec.parent_refs:
        if parent.kind in {"", "Gateway"} and snapshot.has_read(Gateway):
            place = parent.namespace or route.metadata.namespace
            if not snapshot.find("Gateway", place, parent.name):
                told = f"parent Gateway {place}/{parent.name} does not exist"
                yield "ParentMissing", Evidence("spec.parentRefs[]", told)
    if not snapshot.has_read(Service):
        return
    backends = dict.fromkeys(ref for rule in route.spec.rules for ref in rule.backend_refs)
    for backend in backends:
        if told := _wrong_backend(snapshot, route, backend):
            yield "BackendMissing", Evidence("spec.rules[].backendRefs[]", told)


def _wrong_backend(snapshot: Snapshot, route: HTTPRoute, backend: RouteReference) -> str:
    if backend.group or backend.kind not in {"", "Service"}:
        return ""  # another kind's: whether it is there is not known
    place = backend.namespace or route.metadata.namespace
    found = snapshot.find("Service", place, backend.name)
    if not isinstance(found, Service):
        return f"backend Service {place}/{backend.name} does not exist"
    if backend.port and not has_port(found, number=backend.port):
        return f"backend Service {place}/{backend.name} has no port {backend.port}"
    return ""


def _refused(
    route: HTTPRoute, now: datetime, hold_seconds: float
) -> Iterator[tuple[str, Evidence]]:
    """What a parent has against the route, where the objects do not show it."""
    for parent in route.status.parents:
        bad = _failed(parent.conditions, ROUTE_CONDITIONS)
        if bad and has_lasted(bad.last_transition_time or created(route), now, hold_seconds):
            told = f"is refused by {parent.parent_ref.name}, {bad.message or bad.reason}"
            yield bad.reason or f"Not{bad.type}", Evidence(f"conditions[{bad.type}]", told)
