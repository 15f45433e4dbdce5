"""Pods that the kubelet has evicted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from cluster.detectors.building import build, condition, created, is_recent
from cluster.detectors.reasons import PRESSURES
from cluster.objects import Node, Pod
from cluster.snapshot import Snapshot
from cluster.thresholds import Thresholds
from core.findings import Evidence, Finding, Severity


def detect(snapshot: Snapshot, now: datetime, thresholds: Thresholds) -> Iterator[Finding]:
    """One finding a pod evicted lately, or earlier while its node is under pressure still.

    The kubelet marks these DisruptionTarget too, so that mark does not excuse them.
    """
    pressed = {
        node.metadata.name
        for node in snapshot.of(Node)
        for item in node.status.conditions
        if item.type in PRESSURES and item.status == "True"
    }
    evicted = [
        pod
        for pod in snapshot.of(Pod)
        if pod.status.reason == "Evicted"
        and pod.metadata.deletion_timestamp is None
        and (
            pod.spec.node_name in pressed
            or is_recent(_evicted_at(pod), now, thresholds.evicted_recent_seconds)
        )
    ]
    times = Counter(str(snapshot.owner(pod)) for pod in evicted)
    for pod in evicted:
        count = times[str(snapshot.owner(pod))]
        message = pod.status.message or "no reason given"
        at = _evicted_at(pod)
        yield build(
            snapshot,
            pod,
            detector="evicted",
            problem="evicted",
            reason="Evicted",
            severity=Severity.HIGH if count >= thresholds.evicted_high_count else Severity.MEDIUM,
            says=f"{count} pod{'' if count == 1 else 's'} evicted",
            since=at,
            until=at,
            evidence=[
                Evidence("status.reason", "Evicted"),
                Evidence("status.message", message),
                Evidence("spec.nodeName", pod.spec.node_name or "unknown"),
            ],
        )


def _evicted_at(pod: Pod) -> datetime:
    for kind in ("DisruptionTarget", "Ready"):
        found = condition(pod.status.conditions, kind)
        if found and found.last_transition_time:
            return found.last_transition_time
    return pod.status.start_time or created(pod)
