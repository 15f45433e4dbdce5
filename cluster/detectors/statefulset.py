"""StatefulSets that wait for one ordinal before they go on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from cluster.detectors.building import (
    build,
    created,
    has_lasted,
    is_leaving,
    is_ready,
    not_ready_since,
)
from cluster.network_objects import PersistentVolumeClaim, Service
from cluster.objects import Pod
from cluster.snapshot import Snapshot
from cluster.storage_objects import StorageClass
from cluster.thresholds import Thresholds
from cluster.workload_objects import StatefulSet
from core.findings import Evidence, Finding, Severity


def detect(snapshot: Snapshot, now: datetime, thresholds: Thresholds) -> Iterator[Finding]:
    """What a set needs and has not, else the first ordinal that does not run, with its claim."""
    for stateful_set in snapshot.of(StatefulSet):
        if told := _missing(snapshot, stateful_set):
            if has_lasted(created(stateful_set), now, thresholds.statefulset_hold_seconds):
                yield _lacking(snapshot, stateful_set, told)
            continue
        wanted = stateful_set.spec.replicas or 0
        pods = {pod.metadata.name: pod for pod in snapshot.pods_of(snapshot.ref(stateful_set))}
        for ordinal in range(wanted):
            name = f"{stateful_set.metadata.name}-{ordinal}"
            pod = pods.get(name)
            if pod is None and not pods:
                break  # no pods at all: nothing is known of an order
            if pod is not None and (is_leaving(pod) or is_ready(pod)):
                continue
            if pod is not None and pod.status.phase == "Running":
                continue  # runs, though not ready: other rules say why
            since = not_ready_since(pod) if pod else created(stateful_set)
            if has_lasted(since, now, thresholds.statefulset_hold_seconds):
                yield _blocked(snapshot, stateful_set, name, pod, since)
            break


def _missing(snapshot: Snapshot, stateful_set: StatefulSet) -> Evidence | None:
    """A Service or storage class that is not there; one that runs all the same needs it not."""
    spec, status = stateful_set.spec, stateful_set.status
    wanted = 1 if spec.replicas is None else spec.replicas
    if status.ready_replicas >= wanted:
        return None
    namespace, name = stateful_set.metadata.namespace, spec.service_name
    if name and snapshot.has_read(Service) and not snapshot.find("Service", namespace, name):
        return Evidence("spec.serviceName", f"Service {name} does not exist")
    for template in spec.volume_claim_templates:
        name = template.spec.storage_class_name or ""
        is_known = not name or snapshot.find("StorageClass", "", name)
        if not is_known and snapshot.has_read(StorageClass):
            return Evidence(
                f"volumeClaimTemplates {template.metadata.name}",
                f"StorageClass {name} does not exist",
            )
    return None


def _lacking(snapshot: Snapshot, stateful_set: StatefulSet, told: Evidence) -> Finding:
    status = stateful_set.status
    return build(
        snapshot,
        stateful_set,
        detector="statefulset",
        problem="statefulset-blocked",
        reason="StatefulSetBlocked",
        severity=Severity.HIGH,
        says=f"{status.ready_replicas} of its replicas are ready, {told.value}",
        since=created(stateful_set),
        evidence=[told],
    )


def _blocked(
    snapshot: Snapshot, stateful_set: StatefulSet, name: str, pod: Pod | None, since: datetime
) -> Finding:
    phase = pod.status.phase if pod else "missing"
    evidence = [Evidence(f"Pod {name} status.phase", f"{phase}, not running")]
    for volume in pod.spec.volumes if pod else ():
        claim = volume.persistent_volume_claim
        if claim is None:
            continue
        found = snapshot.find(
            "PersistentVolumeClaim", stateful_set.metadata.namespace, claim.claim_name
        )
        if isinstance(found, PersistentVolumeClaim):
            value = (
                f"{found.status.phase}, storage class {found.spec.storage_class_name or 'default'}"
            )
            evidence.append(Evidence(f"PersistentVolumeClaim {claim.claim_name}", value))
    return build(
        snapshot,
        stateful_set,
        detector="statefulset",
        problem="statefulset-blocked",
        reason="StatefulSetBlocked",
        severity=Severity.HIGH,
        says=f"blocked at {name}, which is {phase}",
        since=since,
        evidence=evidence,
        node=pod.spec.node_name if pod else "",
    )
