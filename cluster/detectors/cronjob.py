"""CronJobs that do not run: suspended, or with a schedule that the controller refuses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from cluster.detectors.building import build, created, event_evidence, is_recent, newest
from cluster.events import first_seen, last_seen
from cluster.snapshot import Snapshot
from cluster.thresholds import Thresholds
from cluster.workload_objects import CronJob
from core.findings import Evidence, Finding, Severity

REFUSALS = frozenset(
    {"FailedNeedsStart", "InvalidSchedule", "MissSchedule", "TooManyMissedTimes", "UnknownTimeZone"}
    | {"UnparseableSchedule", "UnparsableSchedule"}
)


def detect(snapshot: Snapshot, now: datetime, thresholds: Thresholds) -> Iterator[Finding]:
    """Suspended is information; a schedule that cannot be kept is a problem."""
    for cron_job in snapshot.of(CronJob):
        schedule = Evidence("spec.schedule", cron_job.spec.schedule)
        event = newest(snapshot.events_of(cron_job), REFUSALS)
        if cron_job.spec.suspend:
            yield build(
                snapshot,
                cron_job,
                detector="cronjob",
                problem="cronjob-suspended",
                reason="Suspended",
                severity=Severity.INFO,
                says="schedule is suspended",
                since=created(cron_job),
                evidence=[schedule, Evidence("spec.suspend", "true")],
            )
        elif not _is_schedule(cron_job.spec.schedule):
            yield build(
                snapshot,
                cron_job,
                detector="cronjob",
                problem="cronjob-schedule",
                reason="InvalidSchedule",
                severity=Severity.MEDIUM,
                says=f'schedule "{cron_job.spec.schedule}" is not valid',
                since=created(cron_job),
                evidence=[schedule, *event_evidence(event)],
            )
        elif event and is_recent(last_seen(event), now, thresholds.event_recent_seconds):
            yield build(
                snapshot,
                cron_job,
                detector="cronjob",
                problem="cronjob-schedule",
                reason=event.reason,
                severity=Severity.MEDIUM,
                says=f"runs are missed, {event.reason}",
                since=first_seen(event),
                evidence=[schedule, *event_evidence(event)],
            )


def _is_schedule(schedule: str) -> bool:
    """Has the shape of one; whether it can ever come due is the controller's to say."""
    if schedule.startswith("@"):
        return True
    fields = schedule.split()
    return len(fields) == 5 and all(
        all(sign.isalnum() or sign in "*/,-?#" for sign in part) for part in fields
    )
