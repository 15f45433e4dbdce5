"""What happens while you look: the steps of sandbox/README.md, and what goes on all the time."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sandbox.cluster.kinds import nodes, pods, workloads
from sandbox.cluster.kinds.apps import App
from sandbox.cluster.kinds.base import condition, number, parse_stamp, stamp
from sandbox.cluster.kinds.events import event, last_seen, repeated
from sandbox.cluster.kinds.pods import Ended, PodPlan, crash_looping, running
from sandbox.cluster.kinds.settling import is_ready, settle
from sandbox.cluster.lines import excerpts
from sandbox.cluster.lines.voices import VOICES, say
from sandbox.cluster.places import apps
from sandbox.cluster.places.scene import log_key
from sandbox.cluster.places.shop import image_pull_events, image_pull_failing
from sandbox.cluster.recorded import LogLine, RecordedCluster, Step
from sandbox.cluster.resources import EVENTS, Obj, resource_of

EVENT_LIFE = timedelta(hours=1)
LOST_NODE = "worker-3"

Excerpt = Callable[[datetime], list[LogLine]]


def shop_steps() -> tuple[Step, ...]:
    """Everything that happens to the shop after it starts."""
    return (
        Step(45, "email-worker starts crash looping", _email_worker_falls),
        Step(90, "worker-3 goes NotReady", _worker_goes),
        Step(150, "cart recovers", _cart_recovers),
        Step(210, "worker-3 comes back", _worker_returns),
        Step(270, "cart breaks again", _cart_breaks_again),
        Step(12, "chatter", _chatter, every_seconds=12),
        Step(15, "probes and back-offs", _repeat_events, every_seconds=15),
        Step(60, "old events expire", _expire_events, every_seconds=60),
        Step(40, "kubelets report", _heartbeat, every_seconds=40),
        Step(130, "risk-engine restarts", _restart_risk_engine, every_seconds=305),
        Step(110, "market-data restarts", _restart_market_data, every_seconds=185),
        Step(2_045, "catalog-import runs", _import_again, every_seconds=3_600),
        Step(190, "payments restarts", _restart_payments, every_seconds=310),
        # The back-off of a fresh crash loop doubles up to five minutes.
        *(Step(at, "email-worker restarts", _restart_email_worker) for at in (140, 245, 430)),
        Step(800, "email-worker restarts", _restart_email_worker, every_seconds=365),
    )


def _pods(world: RecordedCluster, app: App) -> list[Obj]:
    """Pods of one release of an application that are not over."""
    return [
        pod
        for pod in world.store.of_kind("Pod", app.namespace)
        if pod["spec"]["containers"][0]["image"] == app.image
        and pod["metadata"]["labels"]["app"] == app.name
        and pod["status"]["phase"] not in ("Failed", "Succeeded")
    ]


def _settle(world: RecordedCluster, *namespaces: str) -> None:
    for namespace in namespaces:
        members = world.store.in_namespace(namespace)
        for changed in settle(members, world.now):
            world.store.put(changed)


def _record(world: RecordedCluster, about: Obj, message: str, *, reason: str, **more: Any) -> None:
    """Record an Event that may have been seen before: then its count grows."""
    uid = about["metadata"]["uid"]
    for each in world.store.of_kind("Event"):
        if (each["involvedObject"].get("uid"), each["reason"], each["message"]) == (
            uid,
            reason,
            message,
        ):
            world.store.put(repeated(each, world.now))
            return
    world.store.put(event(about, reason, message, first=world.now, **more))


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
    _record(
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
    for pod in _pods(world, app):
        status = pod["status"]["containerStatuses"][0]
        if (status["state"].get("waiting") or {}).get("reason") != "CrashLoopBackOff":
            continue
        how = Ended(exit_code, reason, world.now - timedelta(seconds=lasted_seconds), world.now)
        _crash(world, app, pod, how, excerpt=excerpt, restarts=status["restartCount"] + 1)
    _settle(world, app.namespace)


def _restart_payments(world: RecordedCluster) -> None:
    _restart(
        world,
        apps.PAYMENTS,
        excerpts.payments_out_of_memory,
        exit_code=137,
        reason="OOMKilled",
        lasted_seconds=39,
    )


def _restart_risk_engine(world: RecordedCluster) -> None:
    _restart(
        world,
        apps.RISK_ENGINE,
        excerpts.risk_engine_without_redis,
        exit_code=1,
        reason="Error",
        lasted_seconds=7,
    )


def _restart_email_worker(world: RecordedCluster) -> None:
    _restart(
        world,
        apps.EMAIL_WORKER,
        excerpts.email_worker_without_topic,
        exit_code=1,
        reason="Error",
        lasted_seconds=62,
    )


def _restart_market_data(world: RecordedCluster) -> None:
    """The liveness probe fails three times, and the kubelet starts the container anew."""
    app = apps.MARKET_DATA
    for pod in _pods(world, app):
        restarts = pod["status"]["containerStatuses"][0]["restartCount"] + 1
        how = Ended(143, "Error", world.now - timedelta(seconds=64), world.now)
        again = running(world.now, restarts=restarts, last=how).not_ready()
        created = parse_stamp(pod["metadata"]["creationTimestamp"])
        node = int(pod["spec"]["nodeName"].rpartition("-")[2])
        world.store.put(pods.with_plan(pod, app, PodPlan(node, 0, created, (again,))))
        world.rotate_log(log_key(pod, app.name))
        _record(
            world,
            pod,
            f"Container {app.name} failed liveness probe, will be restarted",
            reason="Killing",
            kind="Normal",
            host=pod["spec"]["nodeName"],
            container=app.name,
        )
    _settle(world, app.namespace)


def _import_again(world: RecordedCluster) -> None:
    """The hourly import runs on time, and finds nothing new."""
    app = apps.CATALOG_IMPORT
    cron = world.store.one("CronJob", app.namespace, app.name)
    due = parse_stamp(cron["status"]["lastScheduleTime"]) + timedelta(hours=1)
    status = {"lastScheduleTime": stamp(due), "lastSuccessfulTime": stamp(world.now)}
    cron = world.store.put({**cron, "status": status})
    job_spec = {"backoffLimit": 3}
    world.store.put(workloads.job(app, cron, due, job_spec, finished=world.now))


def _email_worker_falls(world: RecordedCluster) -> None:
    app = apps.EMAIL_WORKER
    how = Ended(1, "Error", world.now - timedelta(seconds=3), world.now)
    for pod in _pods(world, app):
        _crash(world, app, pod, how, excerpt=excerpts.email_worker_without_topic, restarts=2)
    _settle(world, app.namespace)


def _worker_goes(world: RecordedCluster) -> None:
    node = world.store.one("Node", "", LOST_NODE)
    world.store.put(nodes.not_ready(node, world.now))
    _record(
        world,
        node,
        f"Node {LOST_NODE} status is now: NodeNotReady",
        reason="NodeNotReady",
        kind="Normal",
        source="node-controller",
    )
    for pod in _pods_on(world, LOST_NODE):
        _turn_ready(world, pod, is_on=False)
        _record(world, pod, "Node is not ready", reason="NodeNotReady", source="node-controller")
    _settle(world, "shop", "trading", "platform")


def _worker_returns(world: RecordedCluster) -> None:
    node = world.store.one("Node", "", LOST_NODE)
    world.store.put(nodes.ready_again(node, world.now))
    _record(
        world,
        node,
        f"Node {LOST_NODE} status is now: NodeReady",
        reason="NodeReady",
        kind="Normal",
        host=LOST_NODE,
    )
    for pod in _pods_on(world, LOST_NODE):
        _turn_ready(world, pod, is_on=True)
    _settle(world, "shop", "trading", "platform")


def _pods_on(world: RecordedCluster, node: str) -> list[Obj]:
    return [
        pod
        for pod in world.store.of_kind("Pod")
        if pod["spec"].get("nodeName") == node and pod["status"]["phase"] == "Running"
    ]


def _turn_ready(world: RecordedCluster, pod: Obj, *, is_on: bool) -> None:
    """The node controller turns Ready off with the node; what containers do stays unknown."""
    kept = [each for each in pod["status"]["conditions"] if each["type"] != "Ready"]
    ready = condition("Ready", str(is_on), world.now, "" if is_on else "NodeNotReady")
    world.store.put({**pod, "status": {**pod["status"], "conditions": [*kept, ready]}})


def _release_cart(
    world: RecordedCluster, tag: str, reason: str, plans: tuple[PodPlan, ...], wanted: int
) -> App:
    """Roll cart out to another tag: a new revision of the Deployment, a ReplicaSet, its pods."""
    app = apps.CART.with_tag(tag)
    before = world.store.one("Deployment", "shop", "cart")
    revision = int(before["metadata"]["annotations"][workloads.REVISION]) + 1
    made = workloads.deployment(
        app,
        before["spec"]["replicas"],
        parse_stamp(before["metadata"]["creationTimestamp"]),
        revision,
        workloads.progressing("cart", app, world.now, reason),
        deadline_seconds=before["spec"]["progressDeadlineSeconds"],
    )
    available = [each for each in before["status"]["conditions"] if each["type"] == "Available"]
    made["status"]["conditions"] += available
    world.store.put(made)
    owner = workloads.replica_set(app, made, revision, wanted, world.now)
    world.store.put(owner)
    for plan in plans:
        world.store.put(pods.pod(app, owner, plan))
    _record(
        world,
        made,
        f"Scaled up replica set {owner['metadata']['name']} from 0 to {wanted}",
        reason="ScalingReplicaSet",
        kind="Normal",
        source="deployment-controller",
    )
    return app


def _scale_down(world: RecordedCluster, app: App) -> None:
    """Take a release's pods away."""
    owner = world.store.one("ReplicaSet", app.namespace, f"{app.name}-{app.hash}")
    world.store.put({**owner, "spec": {**owner["spec"], "replicas": 0}})
    for pod in _pods(world, app):
        told = pod["metadata"]
        # A pod that is going away is seen terminating before it is gone.
        leaving = {**told, "deletionTimestamp": stamp(world.now), "deletionGracePeriodSeconds": 30}
        world.store.put({**pod, "metadata": leaving})
        world.store.delete(resource_of(pod), told["namespace"], told["name"])


def _cart_recovers(world: RecordedCluster) -> None:
    since = world.now
    plans = tuple(
        PodPlan(node, seed, since, (running(since + timedelta(seconds=3)),))
        for seed, node in ((11, 4), (14, 5))
    )
    app = _release_cart(world, "2.8.1", "NewReplicaSetAvailable", plans, 2)
    for tag in ("2.8.0", "2.8.1-rc"):
        _scale_down(world, apps.CART.with_tag(tag))
    for pod in _pods(world, app):
        _record(
            world,
            pod,
            "Started container cart",
            reason="Started",
            kind="Normal",
            host=pod["spec"]["nodeName"],
            container="cart",
        )
    _settle(world, "shop")


def _cart_breaks_again(world: RecordedCluster) -> None:
    image = apps.CART.with_tag("2.8.2-rc").image
    plan = PodPlan(1, 21, world.now, (image_pull_failing(image),))
    app = _release_cart(world, "2.8.2-rc", "ReplicaSetUpdated", (plan,), 1)
    for pod in _pods(world, app):
        for each in image_pull_events(pod, image, world.now, world.now, 1):
            world.store.put(each)
    _settle(world, "shop")


def _chatter(world: RecordedCluster) -> None:
    """Containers that run go on writing."""
    lost = {
        node["metadata"]["name"]
        for node in world.store.of_kind("Node")
        if any(
            each["type"] == "Ready" and each["status"] != "True"
            for each in node["status"]["conditions"]
        )
    }
    chance = random.Random(number("chatter", world.elapsed_seconds))
    for pod in world.store.of_kind("Pod"):
        if pod["spec"]["containers"][0]["image"] == apps.MARKET_DATA.image:
            world.append_log(log_key(pod, "market-data"), excerpts.market_data_stall(world.now))
            continue
        voice = VOICES.get(pod["metadata"]["labels"]["app"])
        if voice is None or pod["spec"].get("nodeName") in lost:
            continue
        for status in (pod["status"].get("containerStatuses") or ())[:1]:
            if "running" in status["state"]:
                at = world.now - timedelta(seconds=chance.random() * 10)
                lines = say(voice, pod["metadata"]["labels"]["app"], at, chance)
                world.append_log(log_key(pod, status["name"]), lines)


_GOING_ON = frozenset(
    {
        "Unhealthy",
        "BackOff",
        "Failed",
        "FailedMount",
        "FailedScheduling",
        "ProvisioningFailed",
        "FailedGetResourceMetric",
        "FailedComputeMetricsReplicas",
        "EvictionThresholdMet",
    }
)
_REPEAT_AFTER = timedelta(seconds=30)


def _repeat_events(world: RecordedCluster) -> None:
    """Troubles that last are seen again; what they are about must still be there and unwell."""
    there = {
        obj["metadata"]["uid"]: obj
        for kind in ("Pod", "PersistentVolumeClaim", "HorizontalPodAutoscaler", "Node")
        for obj in world.store.of_kind(kind)
    }
    for each in world.store.of_kind("Event"):
        about = there.get(each["involvedObject"].get("uid", ""))
        if about is None or each["reason"] not in _GOING_ON or each["type"] != "Warning":
            continue
        if about["kind"] == "Pod" and (is_ready(about) or about["status"]["phase"] == "Failed"):
            continue
        if world.now - parse_stamp(last_seen(each)) >= _REPEAT_AFTER:
            world.store.put(repeated(each, world.now))


def _expire_events(world: RecordedCluster) -> None:
    """Events live one hour after they were last seen."""
    for each in world.store.of_kind("Event"):
        if world.now - parse_stamp(last_seen(each)) > EVENT_LIFE:
            told = each["metadata"]
            world.store.delete(EVENTS, told["namespace"], told["name"])


def _heartbeat(world: RecordedCluster) -> None:
    """Kubelets that are there say that their node's conditions still hold."""
    for node in world.store.of_kind("Node"):
        told = node["status"]["conditions"]
        if any(each["status"] == "Unknown" for each in told):
            continue
        renewed = [{**each, "lastHeartbeatTime": stamp(world.now)} for each in told]
        world.store.put({**node, "status": {**node["status"], "conditions": renewed}})
