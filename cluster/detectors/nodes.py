"""Nodes that are not ready or under pressure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from cluster.detectors.building import build, condition, condition_evidence, created, has_lasted
from cluster.detectors.reasons import PRESSURES
from cluster.objects import Node
from cluster.snapshot import Snapshot
from cluster.thresholds import Thresholds
from core.findings import Evidence, Finding, Severity


def detect(snapshot: Snapshot, now: datetime, thresholds: Thresholds) -> Iterator[Finding]:
    """Not ready is critical; pressure is told besides only while the node is ready."""
    for node in snapshot.of(Node):
        ready = condition(node.status.conditions, "Ready")
        if ready and ready.status != "True":
            since = ready.last_transition_time or created(node)
            if has_lasted(since, now, thresholds.node_not_ready_hold_seconds):
                yield build(
                    snapshot,
                    node,
                    detector="nodes",
                    problem="node-not-ready",
                    reason=ready.reason or "NotReady",
                    severity=Severity.CRITICAL,
                    says=f"node is NotReady, {ready.message or ready.reason or ready.status}",
                    since=since,
                    evidence=[*condition_evidence(ready), *_pods_evidence(snapshot, node)],
                    node=node.metadata.name,
                )
            continue
        pressed = [
            item
            for item in node.status.conditions
            if item.type in PRESSURES
            and item.status == "True"
            and has_lasted(
                item.last_transition_time or created(node),
                now,
                thresholds.node_pressure_hold_seconds,
            )
        ]
        if pressed:
            yield build(
                snapshot,
                node,
                detector="nodes",
                problem="node-pressure",
                reason=pressed[0].type,
                severity=Severity.HIGH,
                says=f"node reports {', '.join(item.type for item in pressed)}",
                since=min(item.last_transition_time or created(node) for item in pressed),
                evidence=[
                    *(evidence for item in pressed for evidence in condition_evidence(item)),
                    *_pods_evidence(snapshot, node),
                ],
                node=node.metadata.name,
            )


def _pods_evidence(snapshot: Snapshot, node: Node) -> list[Evidence]:
    """The workloads hit; daemons run on every node and tell nothing."""
    owners = {
        str(owner)
        for pod in snapshot.pods_on(node.metadata.name)
        if pod.status.phase not in {"Succeeded", "Failed"}
        and (owner := snapshot.owner(pod)).kind != "DaemonSet"
    }
    return [Evidence("workloads on the node", ", ".join(sorted(owners)))] if owners else []
