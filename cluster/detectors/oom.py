"""Out of memory: containers whose end says OOMKilled, and nodes whose Events say so.

Exit code 137 alone proves nothing: every SIGKILL gives it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from cluster.detectors.building import (
    build,
    containers,
    created,
    ended_evidence,
    event_evidence,
    is_recent,
    live_pods,
    newest,
    resource_evidence,
)
from cluster.events import first_seen, last_seen, times_seen
from cluster.objects import ContainerStatus, Node, Pod, Terminated
from cluster.snapshot import Snapshot
from cluster.thresholds import Thresholds
from core.findings import Evidence, Finding, Severity


def detect(snapshot: Snapshot, now: datetime, thresholds: Thresholds) -> Iterator[Finding]:
    """Containers that were killed lately or are down since; nodes that killed lately."""
    hit_nodes: set[str] = set()
    for pod in live_pods(snapshot):
        for status in containers(pod):
            ended = status.state.terminated or status.last_state.terminated
            if ended is None or ended.reason != "OOMKilled":
                continue
            is_up = status.ready and status.state.running is not None
            if not is_up or is_recent(ended.finished_at, now, thresholds.oom_recent_seconds):
                hit_nodes.add(pod.spec.node_name)
                yield _killed(snapshot, pod, status, ended, thresholds)
    for node in snapshot.of(Node):
        event = newest(snapshot.events_of(node), {"OOMKilling", "SystemOOM"})
        if event is None or not is_recent(last_seen(event), now, thresholds.oom_recent_seconds):
            continue
        if event.reason == "OOMKilling" and node.metadata.name in hit_nodes:
            continue  # the kernel's side of a container's kill that is told already
        yield build(
            snapshot,
            node,
            detector="oom",
            problem="node-oom",
            reason=event.reason,
            severity=Severity.HIGH,
            says="the kernel killed processes for want of memory",
            since=first_seen(event),
            until=last_seen(event),
            evidence=event_evidence(event),
            node=node.metadata.name,
            count=times_seen(event),
            cooldown_seconds=thresholds.oom_cooldown_seconds,
        )


def _killed(
    snapshot: Snapshot,
    pod: Pod,
    status: ContainerStatus,
    ended: Terminated,
    thresholds: Thresholds,
) -> Finding:
    restarts = status.restart_count
    is_up = status.ready and status.state.running is not None
    waiting = status.state.waiting
    field = "state" if status.state.terminated else "lastState"
    is_critical = restarts >= thresholds.crash_loop_critical_restarts and not is_up
    evidence = [
        Evidence("container", status.name),
        *ended_evidence(f"{field}.terminated", ended),
        Evidence("restartCount", str(restarts)),
        *resource_evidence(pod, status.name, "memory"),
        Evidence("image", status.image),
    ]
    if waiting:
        evidence.insert(1, Evidence("state.waiting.reason", waiting.reason))
    return build(
        snapshot,
        pod,
        detector="oom",
        problem="oom",
        reason="OOMKilled",
        severity=Severity.CRITICAL if is_critical else Severity.HIGH,
        says=f"OOMKilled, {restarts} restart{'' if restarts == 1 else 's'}",
        since=created(pod) if restarts > 1 else (ended.finished_at or created(pod)),
        until=ended.finished_at if is_up else None,
        evidence=evidence,
        count=restarts,
        cooldown_seconds=thresholds.oom_cooldown_seconds,
    )
