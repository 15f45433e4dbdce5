"""Jobs that have failed for good."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from cluster.detectors.building import (
    build,
    condition,
    condition_evidence,
    created,
    event_evidence,
    is_recent,
    newest,
)
from cluster.events import last_seen
from cluster.snapshot import Snapshot
from cluster.thresholds import Thresholds
from cluster.workload_objects import Job
from core.findings import Evidence, Finding, Severity

FAILURES = frozenset({"BackoffLimitExceeded", "DeadlineExceeded"})
CRITICAL_LABELS = frozenset({"critical", "high"})


def detect(snapshot: Snapshot, now: datetime, thresholds: Thresholds) -> Iterator[Finding]:
    """One finding a failed job, unless a later run of the same owner has succeeded."""
    for job in snapshot.of(Job):
        if job.metadata.deletion_timestamp or job.status.completion_time:
            continue
        failed = condition(job.status.conditions, "Failed")
        event = newest(snapshot.events_of(job), FAILURES)
        if failed and failed.status == "True":
            at = failed.last_transition_time or created(job)
            reason = failed.reason or "Failed"
        elif event and not job.status.active:
            at = last_seen(event)
            reason = event.reason
        else:
            continue
        if not is_recent(at, now, thresholds.job_failed_recent_seconds):
            continue
        if _succeeded_since(snapshot, job, at):
            continue
        is_vital = CRITICAL_LABELS & {
            value.lower()
            for key, value in job.metadata.labels.items()
            if key.rsplit("/", 1)[-1] in {"criticality", "priority", "severity"}
        }
        limit = job.spec.backoff_limit
        evidence = [
            *(condition_evidence(failed) if failed else []),
            *event_evidence(event),
            Evidence("status.failed", f"{job.status.failed} pods failed"),
            *([Evidence("spec.backoffLimit", str(limit))] if limit is not None else []),
        ]
        if reason == "DeadlineExceeded" and job.spec.active_deadline_seconds:
            seconds = f"{job.spec.active_deadline_seconds} s"
            evidence.append(Evidence("spec.activeDeadlineSeconds", seconds))
        yield build(
            snapshot,
            job,
            detector="job_failed",
            problem="job-failed",
            reason=reason,
            severity=Severity.HIGH if is_vital else Severity.MEDIUM,
            says=f"job {job.metadata.name} failed, {reason}",
            since=at,
            until=at,
            evidence=evidence,
        )


def _succeeded_since(snapshot: Snapshot, job: Job, at: datetime) -> bool:
    owner = snapshot.owner(job)
    return owner.kind != "Job" and any(
        other.status.completion_time is not None
        and other.status.completion_time > at
        and snapshot.owner(other) == owner
        for other in snapshot.of(Job)
    )
