"""Containers that end and are started again, and the job that runs by the hour."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sandbox.cluster.kinds import jobs, pods
from sandbox.cluster.kinds.apps import App
from sandbox.cluster.kinds.base import parse_stamp, stamp
from sandbox.cluster.kinds.podstatus import Ended, PodPlan, crash_looping, running
from sandbox.cluster.lines import excerpts
from sandbox.cluster.moves.common import living_pods, record, settle_all
from sandbox.cluster.places import apps
from sandbox.cluster.places.orders import out_of_memory
from sandbox.cluster.places.scene import log_key
from sandbox.cluster.recorded import LogLine, RecordedCluster
from sandbox.cluster.resources import Obj

Excerpt = Callable[[datetime], list[LogLine]]


def _crash(
    world: RecordedCluster, app: App, pod: Obj, how: Ended, *, excerpt: Excerpt, restarts: int
) -> None:
    """A container ends once more and waits in its back-off."""
    container = app.containers[0].name
    node = int(pod["spec"]["nodeName"].rpartition("-")[2])
    plan = PodPlan(
        node,
        0,
        parse_stamp(pod["metadata"]["creationTimestamp"]),
        (crash_looping(container, restarts, how),),
    )
    world.store.put(pods.with_plan(pod, app, plan))
    key = log_key(pod, container)
    world.logs.pop(key, None)
    world.append_log(key, excerpt(how.finished))
    world.rotate_log(key)
    told = pod["metadata"]
    record(
        world,
        pod,
        f"Back-off restarting failed container {container} in pod "
        f"{told['name']}_{told['namespace']}({told['uid']})",
        reason="BackOff",
        host=pod["spec"]["nodeName"],
        container=container,
    )


def _restart(
    world: RecordedCluster,
    app: App,
    excerpt: Excerpt,
    *,
    exit_code: int,
    reason: str,
    lasted_seconds: float,
) -> None:
    """Those pods of an application that are in a crash loop try once more, and fail."""
    for pod in living_pods(world, app):
        status = pod["status"]["containerStatuses"][0]
        if (status["state"].get("waiting") or {}).get("reason") != "CrashLoopBackOff":
            continue
        how = Ended(exit_code, reason, world.now - timedelta(seconds=lasted_seconds), world.now)
        _crash(world, app, pod, how, excerpt=excerpt, restarts=status["restartCount"] + 1)
    settle_all(world, app.namespace)


def restart_payments(world: RecordedCluster) -> None:
    """The batch does not fit into the heap once more."""
    _restart(
        world,
        apps.PAYMENTS,
        excerpts.payments_out_of_memory,
        exit_code=137,
        reason="OOMKilled",
        lasted_seconds=39,
    )
    record(
        world,
        world.store.one("Node", "", "worker-4"),
        out_of_memory(31_877 + int(world.elapsed_seconds) * 7),
        reason="OOMKilling",
        source="kernel-monitor",
        host="worker-4",
    )


def restart_risk_engine(world: RecordedCluster) -> None:
    """Redis is still not where it was."""
    _restart(
        world,
        apps.RISK_ENGINE,
        excerpts.risk_engine_without_redis,
        exit_code=1,
        reason="Error",
        lasted_seconds=7,
    )


def restart_email_worker(world: RecordedCluster) -> None:
    """The topic is still missing; before it first fell this does nothing."""
    _restart(
        world,
        apps.EMAIL_WORKER,
        excerpts.email_worker_without_topic,
        exit_code=1,
        reason="Error",
        lasted_seconds=62,
    )


def restart_market_data(world: RecordedCluster) -> None:
    """The liveness probe fails three times, and the kubelet starts the container anew."""
    app = apps.MARKET_DATA
    for pod in living_pods(world, app):
        restarts = pod["status"]["containerStatuses"][0]["restartCount"] + 1
        how = Ended(143, "Error", world.now - timedelta(seconds=64), world.now)
        again = running(world.now, restarts=restarts, last=how).not_ready()
        created = parse_stamp(pod["metadata"]["creationTimestamp"])
        node = int(pod["spec"]["nodeName"].rpartition("-")[2])
        world.store.put(pods.with_plan(pod, app, PodPlan(node, 0, created, (again,))))
        world.rotate_log(log_key(pod, app.name))
        record(
            world,
            pod,
            f"Container {app.name} failed liveness probe, will be restarted",
            reason="Killing",
            kind="Normal",
            host=pod["spec"]["nodeName"],
            container=app.name,
        )
    settle_all(world, app.namespace)


def import_again(world: RecordedCluster) -> None:
    """The hourly import runs on time, and finds nothing new."""
    app = apps.CATALOG_IMPORT
    cron = world.store.one("CronJob", app.namespace, app.name)
    due = parse_stamp(cron["status"]["lastScheduleTime"]) + timedelta(hours=1)
    status = {"lastScheduleTime": stamp(due), "lastSuccessfulTime": stamp(world.now)}
    cron = world.store.put({**cron, "status": status})
    job_spec = {"backoffLimit": 3}
    world.store.put(jobs.job(app, cron, due, job_spec, finished=world.now))


def email_worker_falls(world: RecordedCluster) -> None:
    """Both pods lose their topic, and are in their back-off after two tries."""
    app = apps.EMAIL_WORKER
    how = Ended(1, "Error", world.now - timedelta(seconds=3), world.now)
    for pod in living_pods(world, app):
        _crash(world, app, pod, how, excerpt=excerpts.email_worker_without_topic, restarts=2)
    settle_all(world, app.namespace)
