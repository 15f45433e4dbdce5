"""The releases of cart: one that heals it and one that breaks it again."""

from __future__ import annotations

from datetime import timedelta

from sandbox.cluster.kinds import pods, workloads
from sandbox.cluster.kinds.apps import App
from sandbox.cluster.kinds.base import parse_stamp, stamp
from sandbox.cluster.kinds.podstatus import PodPlan, running
from sandbox.cluster.moves.common import living_pods, record, settle_all
from sandbox.cluster.places import apps
from sandbox.cluster.places.pulls import image_pull_events, image_pull_failing
from sandbox.cluster.recorded import RecordedCluster
from sandbox.cluster.resources import resource_of


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
        released=world.now,
        deadline_seconds=before["spec"]["progressDeadlineSeconds"],
    )
    available = [each for each in before["status"]["conditions"] if each["type"] == "Available"]
    made["status"]["conditions"] += available
    world.store.put(made)
    owner = workloads.replica_set(app, made, revision, wanted, world.now)
    world.store.put(owner)
    for plan in plans:
        world.store.put(pods.pod(app, owner, plan))
    record(
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
    for pod in living_pods(world, app):
        told = pod["metadata"]
        # A pod that is going away is seen terminating before it is gone.
        leaving = {**told, "deletionTimestamp": stamp(world.now), "deletionGracePeriodSeconds": 30}
        world.store.put({**pod, "metadata": leaving})
        world.store.delete(resource_of(pod), told["namespace"], told["name"])


def cart_recovers(world: RecordedCluster) -> None:
    """A tag that exists: all pods are replaced and the failing one is gone."""
    since = world.now
    plans = tuple(
        PodPlan(node, seed, since, (running(since + timedelta(seconds=3)),))
        for seed, node in ((11, 4), (14, 5))
    )
    app = _release_cart(world, "2.8.1", "NewReplicaSetAvailable", plans, 2)
    for tag in ("2.8.0", "2.8.1-rc"):
        _scale_down(world, apps.CART.with_tag(tag))
    for pod in living_pods(world, app):
        record(
            world,
            pod,
            "Started container cart",
            reason="Started",
            kind="Normal",
            host=pod["spec"]["nodeName"],
            container="cart",
        )
    settle_all(world, "shop")


def cart_breaks_again(world: RecordedCluster) -> None:
    """The next tag is a candidate again, which nobody pushed."""
    image = apps.CART.with_tag("2.8.2-rc").image
    plan = PodPlan(1, 21, world.now, (image_pull_failing(image),))
    app = _release_cart(world, "2.8.2-rc", "ReplicaSetUpdated", (plan,), 1)
    for pod in living_pods(world, app):
        for each in image_pull_events(pod, image, world.now, world.now, 1):
            world.store.put(each)
    settle_all(world, "shop")
