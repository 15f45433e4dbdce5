"""The namespace `batch`, with its failed jobs."""

from __future__ import annotations

from datetime import datetime, timedelta

from sandbox.cluster.kinds import jobs
from sandbox.cluster.kinds.apps import App
from sandbox.cluster.kinds.base import number
from sandbox.cluster.kinds.events import event
from sandbox.cluster.kinds.podstatus import Doing, PodPlan
from sandbox.cluster.lines import excerpts
from sandbox.cluster.lines.voices import VOICES, noise
from sandbox.cluster.places import apps
from sandbox.cluster.places.scene import Scene, ended, log_key
from sandbox.cluster.resources import Obj

DAY = timedelta(days=1)


def build(scene: Scene) -> None:
    """The CronJobs, their last successes and their failures."""
    born = scene.ago(days=150)
    begun = scene.ago(minutes=52).replace(second=0, microsecond=0)
    zone = night_zone(begun)
    _reconciliation(scene, born, begun, zone)
    _report(scene, born, zone)
    _import(scene, born)


def night_zone(at: datetime) -> str:
    """The time zone in which it is two in the morning: there the nightly job ran on time."""
    ahead = (2 - at.hour) % 24
    if ahead > 12:
        ahead -= 24
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"


def _local_hour(at: datetime, zone: str) -> int:
    ahead = -int(zone.removeprefix("Etc/GMT") or 0)
    return (at.hour + ahead) % 24


def _daily(at: datetime, zone: str) -> str:
    return f"{at.minute} {_local_hour(at, zone)} * * *"


def _done_pod(scene: Scene, app: App, owner: Obj, started: datetime, finished: datetime) -> Obj:
    """The pod of a job that went well, with its log."""
    over = ended(0, "Completed", finished, (finished - started).total_seconds() - 2)
    plan = PodPlan(1, 1, started, (Doing(ended=over),), phase="Succeeded")
    pod = scene.add_pods(app, owner, (plan,))[0]
    scene.log(
        pod,
        app.name,
        noise(
            VOICES["catalog-import"], app.name, started, finished, count=30, seed=number(app.name)
        ),
    )
    return pod


def _reconciliation(scene: Scene, born: datetime, begun: datetime, zone: str) -> None:
    app = apps.NIGHTLY_RECONCILIATION
    spec: Obj = {"backoffLimit": 2, "activeDeadlineSeconds": 7_200}
    yesterday = begun - DAY
    succeeded = yesterday + timedelta(minutes=21)
    cron = jobs.cron_job(
        app, _daily(begun, zone), zone, born, spec, last_scheduled=begun, last_successful=succeeded
    )
    good = jobs.job(app, cron, yesterday, spec, finished=succeeded)
    failed_at = begun + timedelta(minutes=14)
    bad = jobs.job(
        app,
        cron,
        begun,
        spec,
        finished=failed_at,
        failure=("BackoffLimitExceeded", "Job has reached the specified backoff limit"),
        failed_pods=3,
    )
    scene.add(cron, good, bad)
    _done_pod(scene, app, good, yesterday, succeeded)
    for seed, minutes in ((1, 3.0), (2, 8.0), (3, 13.5)):
        fell = begun + timedelta(minutes=minutes)
        how = ended(1, "Error", fell, 95)
        plan = PodPlan(
            seed + 2, seed, how.started - timedelta(seconds=3), (Doing(ended=how),), phase="Failed"
        )
        pod = scene.add_pods(app, bad, (plan,))[0]
        scene.logs[log_key(pod, app.name)] = excerpts.reconciliation_deadlock(fell)
    scene.add(
        event(
            bad,
            "BackoffLimitExceeded",
            "Job has reached the specified backoff limit",
            first=failed_at,
            source="job-controller",
        ),
        event(
            cron,
            "SawCompletedJob",
            f"Saw completed job: {bad['metadata']['name']}, condition: Failed",
            first=failed_at,
            kind="Normal",
            source="cronjob-controller",
        ),
    )


def _report(scene: Scene, born: datetime, zone: str) -> None:
    app = apps.REPORT_EXPORT
    spec: Obj = {"backoffLimit": 6, "activeDeadlineSeconds": 3_600}
    begun = scene.ago(minutes=76).replace(second=0, microsecond=0)
    succeeded = begun - DAY + timedelta(minutes=44)
    cron = jobs.cron_job(
        app, _daily(begun, zone), zone, born, spec, last_scheduled=begun, last_successful=succeeded
    )
    late = begun + timedelta(seconds=3_600)
    bad = jobs.job(
        app,
        cron,
        begun,
        spec,
        finished=late,
        failure=("DeadlineExceeded", "Job was active longer than specified deadline"),
        failed_pods=1,
    )
    # The controller deletes the pod of a job that is out of time, and its log goes with it.
    scene.add(
        cron,
        bad,
        event(
            bad,
            "DeadlineExceeded",
            "Job was active longer than specified deadline",
            first=late,
            source="job-controller",
        ),
        event(
            bad,
            "SuccessfulDelete",
            f"Deleted pod: {bad['metadata']['name']}-x7k2p",
            first=late,
            kind="Normal",
            source="job-controller",
        ),
    )


def _import(scene: Scene, born: datetime) -> None:
    app = apps.CATALOG_IMPORT
    spec: Obj = {"backoffLimit": 3}
    begun = scene.ago(minutes=26).replace(second=0, microsecond=0)
    finished = begun + timedelta(minutes=4)
    schedule = f"{begun.minute} * * * *"
    cron = jobs.cron_job(
        app, schedule, "Etc/UTC", born, spec, last_scheduled=begun, last_successful=finished
    )
    good = jobs.job(app, cron, begun, spec, finished=finished)
    scene.add(cron, good)
    pod = _done_pod(scene, app, good, begun, finished)
    scene.logs[log_key(pod, app.name)] += excerpts.catalog_import_leaks_a_key(finished)
