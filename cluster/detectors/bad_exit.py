"""Containers that have ended with a bad exit code and stay down."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from cluster.detectors.building import (
    build,
    containers,
    created,
    ended_evidence,
    is_bad_end,
    is_recent,
    live_pods,
)
from cluster.objects import Pod
from cluster.snapshot import Snapshot
from cluster.thresholds import Thresholds
from cluster.workload_objects import Job
from core.findings import Evidence, Finding, Severity


def detect(snapshot: Snapshot, now: datetime, thresholds: Thresholds) -> Iterator[Finding]:
    """One finding a container; those of jobs that got there in the end are no news."""
    for pod in live_pods(snapshot):
        for status in containers(pod):
            ended = status.state.terminated
            if ended is None or not is_bad_end(ended) or ended.reason == "OOMKilled":
                continue
            if _job_succeeded(snapshot, pod):
                break
            if status.restart_count >= thresholds.crash_loop_minimum_restarts and is_recent(
                ended.finished_at, now, thresholds.recent_crash_seconds
            ):
                continue  # between two restarts: the crash loop's rule tells it
            if is_recent(ended.finished_at, now, thresholds.bad_exit_recent_seconds):
                yield build(
                    snapshot,
                    pod,
                    detector="bad_exit",
                    problem="bad-exit",
                    reason=ended.reason or "Error",
                    severity=Severity.MEDIUM,
                    says=f"{status.name} ended with exit code {ended.exit_code}",
                    since=ended.finished_at or created(pod),
                    until=ended.finished_at,
                    evidence=[
                        Evidence("container", status.name),
                        *ended_evidence("state.terminated", ended),
                        Evidence("image", status.image),
                    ],
                )


def _job_succeeded(snapshot: Snapshot, pod: Pod) -> bool:
    for ref in snapshot.owners(pod):
        owner = snapshot.find(ref.kind, ref.namespace, ref.name)
        if isinstance(owner, Job):
            return owner.status.completion_time is not None
    return False
