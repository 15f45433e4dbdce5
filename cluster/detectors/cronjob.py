"""CronJobs that do not run: suspended, missed, or with a schedule that cannot be kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cluster.cron import parse_cron
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
    """At most one finding a CronJob. Suspended is information, the others are problems."""
    for cron_job in snapshot.of(CronJob):
        if cron_job.spec.suspend:
            yield _found(
                snapshot,
                cron_job,
                problem="cronjob-suspended",
                reason="Suspended",
                severity=Severity.INFO,
                says="schedule is suspended",
                since=created(cron_job),
                evidence=[Evidence("spec.suspend", "true")],
            )
        else:
            yield from _broken(snapshot, cron_job, now, thresholds)


def _broken(
    snapshot: Snapshot, cron_job: CronJob, now: datetime, thresholds: Thresholds
) -> Iterator[Finding]:
    spec, event = cron_job.spec, newest(snapshot.events_of(cron_job), REFUSALS)
    wrong, missed = "", None
    try:
        zone = _zone(cron_job)
        missed = _missed(cron_job, zone, now, thresholds)
    except ValueError as error:
        wrong = str(error)
    if wrong:
        yield _found(
            snapshot,
            cron_job,
            problem="cronjob-schedule",
            reason="InvalidSchedule",
            severity=Severity.MEDIUM,
            says=f'schedule "{spec.schedule}" is not valid: {wrong}',
            since=created(cron_job),
            evidence=event_evidence(event),
        )
    elif missed:
        last = cron_job.status.last_schedule_time
        yield _found(
            snapshot,
            cron_job,
            problem="cronjob-schedule",
            reason="MissedSchedule",
            severity=Severity.MEDIUM,
            says=f"missed its run of {missed:%Y-%m-%d %H:%M} UTC",
            since=missed,
            evidence=[
                Evidence("status.lastScheduleTime", f"{last:%Y-%m-%dT%H:%M:%SZ}" if last else "–"),
                *event_evidence(event),
            ],
        )
    elif event and is_recent(last_seen(event), now, thresholds.event_recent_seconds):
        yield _found(
            snapshot,
            cron_job,
            problem="cronjob-schedule",
            reason=event.reason,
            severity=Severity.MEDIUM,
            says=f"runs are missed, {event.reason}",
            since=first_seen(event),
            evidence=event_evidence(event),
        )


def _zone(cron_job: CronJob) -> tzinfo:
    """The controller's own zone, where none is named, is taken for UTC."""
    name = cron_job.spec.time_zone
    if not name:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f'time zone "{name}" is not known') from error


def _missed(
    cron_job: CronJob, zone: tzinfo, now: datetime, thresholds: Thresholds
) -> datetime | None:
    """The last run that was due and did not start; one may wait for the run before it."""
    cron = parse_cron(cron_job.spec.schedule)
    if cron is None or cron_job.status.active:
        return None
    grace = timedelta(seconds=thresholds.cronjob_late_seconds)
    due = cron.last_due(now - grace, zone)
    known_since = cron_job.status.last_schedule_time or created(cron_job)
    return due if due is not None and due > known_since else None


def _found(
    snapshot: Snapshot,
    cron_job: CronJob,
    *,
    problem: str,
    reason: str,
    severity: Severity,
    says: str,
    since: datetime,
    evidence: list[Evidence],
) -> Finding:
    zone = f" {cron_job.spec.time_zone}" if cron_job.spec.time_zone else ""
    return build(
        snapshot,
        cron_job,
        detector="cronjob",
        problem=problem,
        reason=reason,
        severity=severity,
        says=says,
        since=since,
        evidence=[Evidence("spec.schedule", f"{cron_job.spec.schedule}{zone}"), *evidence],
    )
