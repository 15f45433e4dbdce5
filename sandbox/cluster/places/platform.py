"""The namespace `platform`, with its trouble."""

from __future__ import annotations

from sandbox.cluster.kinds import config, scaling, workloads
from sandbox.cluster.kinds.events import event
from sandbox.cluster.kinds.podstatus import PodPlan, waiting
from sandbox.cluster.places import apps
from sandbox.cluster.places.scene import Release, Scene

NO_JOURNAL = (
    'MountVolume.SetUp failed for volume "journal" : hostPath type check failed: '
    "/var/log/journal is not a directory"
)


def build(scene: Scene) -> None:
    """All workloads of the platform."""
    born = scene.ago(days=205)
    long_ago = scene.ago(days=34)
    for name in ("ingress-nginx-controller", "prometheus-config", "log-forwarder-config"):
        scene.add(config.config_map("platform", name, "config", born))
    edges = (PodPlan(4, 1, long_ago), PodPlan(5, 2, long_ago))
    scene.deploy(apps.INGRESS_NGINX, 2, born, [Release("v1.13.2", 7, long_ago, edges)], port=443)
    scene.deploy(
        apps.PROMETHEUS,
        1,
        born,
        [Release("v3.6.0", 12, long_ago, (PodPlan(5, 1, long_ago),))],
        port=9090,
    )
    brokers = tuple(PodPlan(node, seed, long_ago) for seed, node in ((0, 1), (1, 3), (2, 2)))
    scene.state(
        apps.KAFKA, born, brokers, port=9092, size="500Gi", earlier=[("4.0.0", scene.ago(days=90))]
    )
    databases = tuple(PodPlan(node, seed, long_ago) for seed, node in ((0, 1), (1, 4)))
    scene.state(apps.ORDERS_DB, born, databases, port=5432, size="300Gi")
    # redis-0 was drained from worker-3 some time ago: whoever wrote its old address down lost it.
    moved = scene.ago(minutes=10)
    owner = scene.state(
        apps.REDIS,
        born,
        (PodPlan(5, 0, moved), PodPlan(2, 1, long_ago)),
        port=6379,
        size="20Gi",
    )
    scene.add(
        event(
            owner,
            "SuccessfulCreate",
            "create Pod redis-0 in StatefulSet redis successful",
            first=moved,
            kind="Normal",
            source="statefulset-controller",
        ),
        scaling.disruption_budget(apps.KAFKA, 2, born),
        scaling.disruption_budget(apps.ORDERS_DB, 1, born),
    )
    _log_forwarder(scene)


def _log_forwarder(scene: Scene) -> None:
    app, since = apps.LOG_FORWARDER, scene.ago(minutes=39)
    owner = workloads.daemon_set(app, scene.ago(days=205))
    scene.add(
        config.service_account("platform", app.name, scene.ago(days=205)),
        owner,
        workloads.controller_revision(app, owner, 1, scene.ago(days=34)),
    )
    plans = tuple(
        PodPlan(node, node, since, (waiting("ContainerCreating"),))
        if node == 2
        else PodPlan(node, node, scene.ago(days=34))
        for node in range(1, 6)
    )
    stuck = scene.add_pods(app, owner, plans)[1]
    scene.add(
        event(
            stuck,
            "FailedMount",
            NO_JOURNAL,
            first=since,
            last=scene.ago(seconds=63),
            count=27,
            host="worker-2",
        )
    )
