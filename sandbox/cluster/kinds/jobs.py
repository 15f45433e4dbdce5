"""CronJobs and the Jobs they start."""

from __future__ import annotations

from datetime import datetime

from sandbox.cluster.kinds.apps import App
from sandbox.cluster.kinds.base import condition, metadata, stamp
from sandbox.cluster.resources import Obj


def cron_job(
    app: App,
    schedule: str,
    time_zone: str,
    created: datetime,
    job_spec: Obj,
    *,
    last_scheduled: datetime,
    last_successful: datetime,
) -> Obj:
    """A CronJob that runs the application."""
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": metadata(
            "CronJob",
            app.name,
            created,
            namespace=app.namespace,
            labels=app.all_labels,
            generation=1,
        ),
        "spec": {
            "schedule": schedule,
            "timeZone": time_zone,
            "concurrencyPolicy": "Forbid",
            "suspend": False,
            "startingDeadlineSeconds": 300,
            "successfulJobsHistoryLimit": 3,
            "failedJobsHistoryLimit": 1,
            "jobTemplate": {
                "metadata": {"labels": app.all_labels},
                "spec": {**job_spec, "template": app.template()},
            },
        },
        "status": {
            "lastScheduleTime": stamp(last_scheduled),
            "lastSuccessfulTime": stamp(last_successful),
        },
    }


def job(
    app: App,
    owner: Obj,
    scheduled: datetime,
    job_spec: Obj,
    *,
    finished: datetime,
    failure: tuple[str, str] | None = None,
    failed_pods: int = 0,
) -> Obj:
    """A Job that a CronJob started. `failure` is the reason and message, None for success."""
    name = f"{app.name}-{int(scheduled.timestamp() // 60)}"
    status: Obj = {"startTime": stamp(scheduled), "ready": 0, "terminating": 0}
    status["uncountedTerminatedPods"] = {}
    if failure:
        status |= {
            "failed": failed_pods,
            "conditions": [
                condition(kind, "True", finished, *failure, time_field="lastProbeTime")
                for kind in ("FailureTarget", "Failed")
            ],
        }
    else:
        message = "Reached expected number of succeeded pods"
        status |= {
            "succeeded": 1,
            "completionTime": stamp(finished),
            "conditions": [
                condition(
                    kind,
                    "True",
                    finished,
                    "CompletionsReached",
                    message,
                    time_field="lastProbeTime",
                )
                for kind in ("SuccessCriteriaMet", "Complete")
            ],
        }
    made: Obj = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata(
            "Job",
            name,
            scheduled,
            namespace=app.namespace,
            labels=app.all_labels,
            annotations={"batch.kubernetes.io/cronjob-scheduled-timestamp": stamp(scheduled)},
            owner=owner,
            generation=1,
        ),
        "spec": {
            "parallelism": 1,
            "completions": 1,
            "completionMode": "NonIndexed",
            "suspend": False,
            "manualSelector": False,
            "podReplacementPolicy": "TerminatingOrFailed",
            **job_spec,
            "template": app.template({"job-name": name, "batch.kubernetes.io/job-name": name}),
        },
        "status": status,
    }
    made["spec"]["selector"] = {
        "matchLabels": {"batch.kubernetes.io/controller-uid": made["metadata"]["uid"]}
    }
    return made
