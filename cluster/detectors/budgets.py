"""Disruption budgets that let nothing be disrupted: nodes cannot be drained."""

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
from cluster.history_objects import PodDisruptionBudget
from cluster.snapshot import Snapshot
from cluster.thresholds import Thresholds
from core.findings import Evidence, Finding, Severity


def detect(snapshot: Snapshot, now: datetime, thresholds: Thresholds) -> Iterator[Finding]:
    """One finding a budget that has blocked for its hold."""
    for budget in snapshot.of(PodDisruptionBudget):
        allowed = condition(budget.status.conditions, "DisruptionAllowed")
        selector = budget.spec.selector.match_labels
        if allowed is None or allowed.status != "False" or not selector:
            continue
        since = allowed.last_transition_time or created(budget)
        if not has_lasted(since, now, thresholds.budget_blocks_hold_seconds):
            continue
        status = budget.status
        yield build(
            snapshot,
            budget,
            detector="budgets",
            problem="budget-blocks",
            reason=allowed.reason or "DisruptionNotAllowed",
            severity=Severity.INFO,
            says="disruption budget allows none: its nodes cannot be drained",
            since=since,
            evidence=[
                *condition_evidence(allowed),
                Evidence("spec.selector", ", ".join(f"{k}={v}" for k, v in selector.items())),
                Evidence(
                    "status.currentHealthy",
                    f"{status.current_healthy} healthy of {status.expected_pods}, "
                    f"{status.desired_healthy} needed",
                ),
            ],
        )
