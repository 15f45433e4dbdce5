"""Autoscalers that cannot act, or that have no room left."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from cluster.detectors.building import (
    build,
    condition,
    condition_evidence,
    created,
    event_evidence,
    has_lasted,
    newest,
)
from cluster.kinds import BY_NAME
from cluster.network_objects import HorizontalPodAutoscaler
from cluster.objects import Condition, KubeObject
from cluster.snapshot import Snapshot
from cluster.thresholds import Thresholds
from cluster.workload_objects import Workload
from core.findings import Evidence, Finding, ObjectRef, Severity


def detect(snapshot: Snapshot, now: datetime, thresholds: Thresholds) -> Iterator[Finding]:
    """At most one finding an autoscaler; its owner is the workload it scales."""
    for hpa in snapshot.of(HorizontalPodAutoscaler):
        target = hpa.spec.scale_target_ref
        known = BY_NAME.get(target.kind)
        found = snapshot.find(target.kind, hpa.metadata.namespace, target.name)
        owner = snapshot.owner(found) if found else snapshot.ref(hpa)
        named = Evidence("spec.scaleTargetRef", f"{target.kind} {target.name}")
        if found is None and known and snapshot.has_read(known.struct):
            if has_lasted(created(hpa), now, thresholds.hpa_hold_seconds):
                yield build(
                    snapshot,
                    hpa,
                    detector="hpa",
                    problem="hpa-cannot-act",
                    reason="TargetMissing",
                    severity=Severity.HIGH,
                    says=f"autoscaler's target {target.kind} {target.name} does not exist",
                    since=created(hpa),
                    evidence=[named, *_broken_evidence(hpa)],
                    owner=owner,
                )
            continue
        lacking = _lacking(hpa, found)
        if lacking and has_lasted(created(hpa), now, thresholds.hpa_hold_seconds):
            yield build(
                snapshot,
                hpa,
                detector="hpa",
                problem="hpa-cannot-act",
                reason="RequestsMissing",
                severity=Severity.HIGH,
                says=f"autoscaler cannot act, {lacking.value}",
                since=created(hpa),
                evidence=[lacking, *_broken_evidence(hpa)],
                owner=owner,
            )
            continue
        yield from _by_conditions(snapshot, hpa, owner, now, thresholds)


def _by_conditions(
    snapshot: Snapshot,
    hpa: HorizontalPodAutoscaler,
    owner: ObjectRef,
    now: datetime,
    thresholds: Thresholds,
) -> Iterator[Finding]:
    status, spec = hpa.status, hpa.spec
    broken = _broken(hpa)
    if broken:
        since = broken.last_transition_time or created(hpa)
        if has_lasted(since, now, thresholds.hpa_hold_seconds):
            yield build(
                snapshot,
                hpa,
                detector="hpa",
                problem="hpa-cannot-act",
                reason=broken.reason or broken.type,
                severity=Severity.HIGH,
                says=f"autoscaler cannot act, {broken.reason or broken.type}",
                since=since,
                evidence=[
                    *condition_evidence(broken),
                    *event_evidence(newest(snapshot.events_of(hpa))),
                ],
                owner=owner,
            )
        return
    limited = condition(status.conditions, "ScalingLimited")
    if limited and limited.status == "True" and limited.reason == "TooManyReplicas":
        since = limited.last_transition_time or created(hpa)
        if spec.max_replicas > 1 and has_lasted(since, now, thresholds.hpa_at_maximum_hold_seconds):
            yield build(
                snapshot,
                hpa,
                detector="hpa",
                problem="hpa-at-maximum",
                reason=limited.reason,
                severity=Severity.MEDIUM,
                says=f"autoscaler is at its maximum of {spec.max_replicas}",
                since=since,
                evidence=[
                    *condition_evidence(limited),
                    Evidence("status.desiredReplicas", str(status.desired_replicas)),
                    Evidence("spec.maxReplicas", str(spec.max_replicas)),
                ],
                owner=owner,
            )


def _lacking(hpa: HorizontalPodAutoscaler, target: KubeObject | None) -> Evidence | None:
    """Containers without the request that a utilization is a part of; a limit stands for it."""
    if not isinstance(target, Workload):
        return None
    used = {
        metric.resource.name
        for metric in hpa.spec.metrics
        if metric.resource and metric.resource.target.type == "Utilization"
    }
    for resource in sorted(used):
        names = [
            container.name
            for container in target.spec.template.spec.containers
            if resource not in container.resources.requests
            and resource not in container.resources.limits
        ]
        if names:
            told = f"{', '.join(names)} of its target has no {resource} request"
            return Evidence("resources.requests", told)
    return None


def _broken_evidence(hpa: HorizontalPodAutoscaler) -> list[Evidence]:
    broken = _broken(hpa)
    return condition_evidence(broken) if broken else []


def _broken(hpa: HorizontalPodAutoscaler) -> Condition | None:
    for kind in ("AbleToScale", "ScalingActive"):
        found = condition(hpa.status.conditions, kind)
        if found and found.status == "False" and found.reason != "ScalingDisabled":
            return found
    return None
