"""Rollouts that do not get on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from cluster.detectors.building import build, condition, condition_evidence, created
from cluster.revisions import image_change
from cluster.snapshot import Snapshot
from cluster.thresholds import Thresholds
from cluster.workload_objects import Deployment
from core.findings import Evidence, Finding, Severity


def detect(snapshot: Snapshot, _now: datetime, _thresholds: Thresholds) -> Iterator[Finding]:
    """Deployments past their progress deadline, which is a hold of its own."""
    for deployment in snapshot.of(Deployment):
        progressing = condition(deployment.status.conditions, "Progressing")
        if (
            progressing is None
            or progressing.status != "False"
            or progressing.reason != "ProgressDeadlineExceeded"
        ):
            continue
        change = image_change(snapshot, deployment)
        status = deployment.status
        yield build(
            snapshot,
            deployment,
            detector="rollout",
            problem="rollout-stuck",
            reason=progressing.reason,
            severity=Severity.HIGH,
            says="rollout stuck, ProgressDeadlineExceeded",
            since=progressing.last_transition_time or created(deployment),
            evidence=[
                *condition_evidence(progressing),
                *([Evidence("image change", change)] if change else []),
                Evidence(
                    "status.updatedReplicas",
                    f"{status.updated_replicas} updated, {status.unavailable_replicas} unavailable",
                ),
            ],
        )
