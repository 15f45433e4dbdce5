"""Containers that crash again and again: waiting in back-off, or running between two crashes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from cluster.detectors.building import (
    build,
    containers,
    created,
    ended_evidence,
    event_evidence,
    is_bad_end,
    is_recent,
    live_pods,
    newest,
    resource_evidence,
)
from cluster.detectors.restart_waves import find_waves
from cluster.events import first_seen
from cluster.objects import ContainerStatus, Pod, Terminated
from cluster.snapshot import Snapshot
from cluster.thresholds import Thresholds
from core.findings import Evidence, Finding, Severity


def detect(snapshot: Snapshot, now: datetime, thresholds: Thresholds) -> Iterator[Finding]:
    """One finding a container. OOM kills and waves of restarts are left to the rules for them."""
    together = {restart.key for wave in find_waves(snapshot, now, thresholds) for restart in wave}
    for pod in live_pods(snapshot):
        for status in containers(pod):
            ended = status.state.terminated or status.last_state.terminated
            if ended and ended.reason == "OOMKilled":
                continue
            if (pod.metadata.namespace, pod.metadata.name, status.name) in together:
                continue
            waiting = status.state.waiting
            enough = status.restart_count >= thresholds.crash_loop_minimum_restarts
            if waiting and waiting.reason == "CrashLoopBackOff":
                if enough or _is_old(pod, now, thresholds):
                    yield _loop(
                        snapshot,
                        pod,
                        status,
                        ended,
                        reason="CrashLoopBackOff",
                        thresholds=thresholds,
                    )
            elif ended and not waiting and _crashed_lately(ended, now, thresholds):
                if enough:
                    yield _loop(snapshot, pod, status, ended, reason="Error", thresholds=thresholds)
                elif status.state.running:
                    yield _once(snapshot, pod, status, ended)


def _is_old(pod: Pod, now: datetime, thresholds: Thresholds) -> bool:
    """In back-off with few restarts counts as well once the pod is no longer just starting."""
    return not is_recent(created(pod), now, thresholds.recent_crash_seconds)


def _crashed_lately(ended: Terminated, now: datetime, thresholds: Thresholds) -> bool:
    return (
        is_bad_end(ended)
        and ended.finished_at is not None
        and is_recent(ended.finished_at, now, thresholds.recent_crash_seconds)
    )


def _loop(
    snapshot: Snapshot,
    pod: Pod,
    status: ContainerStatus,
    ended: Terminated | None,
    *,
    reason: str,
    thresholds: Thresholds,
) -> Finding:
    restarts = status.restart_count
    back_off = newest(snapshot.events_of(pod), {"BackOff"})
    is_critical = restarts >= thresholds.crash_loop_critical_restarts
    stages = (
        thresholds.crash_loop_repeated_restarts,
        thresholds.crash_loop_critical_restarts,
        thresholds.crash_loop_endless_restarts,
    )
    says = "CrashLoopBackOff" if reason == "CrashLoopBackOff" else "keeps crashing"
    exits = f", exit {ended.exit_code}" if ended else ""
    return build(
        snapshot,
        pod,
        detector="crash_loop",
        problem="crash-loop",
        reason=reason,
        severity=Severity.CRITICAL if is_critical else Severity.HIGH,
        says=f"{says}, {restarts} restarts{exits}",
        since=first_seen(back_off) if back_off else created(pod),
        evidence=[*_evidence(pod, status, ended), *event_evidence(back_off)],
        count=restarts,
        stage=sum(restarts >= least for least in stages),
        cooldown_seconds=thresholds.crash_loop_cooldown_seconds,
    )


def _once(snapshot: Snapshot, pod: Pod, status: ContainerStatus, ended: Terminated) -> Finding:
    return build(
        snapshot,
        pod,
        detector="crash_loop",
        problem="bad-exit",
        reason=ended.reason or "Error",
        severity=Severity.HIGH,
        says=f"{status.name} crashed with exit {ended.exit_code} and runs again",
        since=ended.finished_at or created(pod),
        until=ended.finished_at,
        evidence=_evidence(pod, status, ended),
        count=status.restart_count,
    )


def _evidence(pod: Pod, status: ContainerStatus, ended: Terminated | None) -> list[Evidence]:
    field = "state" if status.state.terminated else "lastState"
    found = [
        Evidence("container", status.name),
        Evidence("restartCount", str(status.restart_count)),
    ]
    if ended:
        found += ended_evidence(f"{field}.terminated", ended)
    found.append(Evidence("image", status.image))
    return found + resource_evidence(pod, status.name, "memory")
