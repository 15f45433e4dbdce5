"""The orders: cart, checkout, payments, inventory and email-worker, with their troubles."""

from __future__ import annotations

from datetime import datetime

from sandbox.cluster.kinds import config
from sandbox.cluster.kinds.events import event
from sandbox.cluster.kinds.podstatus import PodPlan, crash_looping, running, waiting
from sandbox.cluster.lines import excerpts
from sandbox.cluster.places import apps
from sandbox.cluster.places.pulls import image_pull_events, image_pull_failing
from sandbox.cluster.places.scene import Release, Scene, ended, log_key


def build(scene: Scene, born: datetime) -> None:
    """What the team orders owns."""
    _cart(scene, born)
    _checkout(scene, born)
    _canary(scene)
    _payments(scene, born)
    _inventory(scene, born)
    app = apps.EMAIL_WORKER
    pods = (PodPlan(1, 1, scene.ago(days=6)), PodPlan(5, 2, scene.ago(days=6)))
    scene.deploy(app, 2, born, [Release("1.7.5", 11, scene.ago(days=6), pods)])


def out_of_memory(process: int) -> str:
    """The kernel's words when it ends a process of payments."""
    return (
        f"Memory cgroup out of memory: Killed process {process} (java) total-vm:3921004kB, "
        "anon-rss:259112kB, file-rss:0kB, shmem-rss:0kB, UID:1000 oom_score_adj:996"
    )


def _cart(scene: Scene, born: datetime) -> None:
    app, since = apps.CART, scene.ago(minutes=18)
    image = app.with_tag("2.8.1-rc").image
    serving = (PodPlan(4, 1, scene.ago(days=8)), PodPlan(5, 2, scene.ago(days=8)))
    failing = (PodPlan(1, 3, since, (image_pull_failing(image),)),)
    deployment = scene.deploy(
        app,
        2,
        born,
        [
            Release("2.8.0", 30, scene.ago(days=8), serving),
            Release("2.8.1-rc", 31, since, failing),
        ],
        port=80,
        progress="ReplicaSetUpdated",
        deadline_seconds=1_800,
    )
    pod = scene.pod_of(app.with_tag("2.8.1-rc"))
    scene.add(
        *image_pull_events(pod, image, since, scene.ago(seconds=35), 8),
        event(
            deployment,
            "ScalingReplicaSet",
            f"Scaled up replica set {pod['metadata']['ownerReferences'][0]['name']} from 0 to 1",
            first=since,
            kind="Normal",
            source="deployment-controller",
        ),
    )


def _checkout(scene: Scene, born: datetime) -> None:
    app, since = apps.CHECKOUT, scene.ago(days=5)
    pods = (PodPlan(4, 1, since), PodPlan(5, 2, since))
    scene.deploy(app, 2, born, [Release("7.0.4", 52, since, pods)], port=80)
    scene.logs[log_key(scene.pod_of(app), "checkout")] += excerpts.checkout_leaks_a_token(scene.now)


def _canary(scene: Scene) -> None:
    app, since = apps.CHECKOUT_CANARY, scene.ago(minutes=25)
    missing = 'configmap "checkout-canary-config" not found'
    pods = (PodPlan(4, 1, since, (waiting("CreateContainerConfigError", missing),)),)
    scene.deploy(
        app,
        1,
        since,
        [Release("7.1.0", 1, since, pods)],
        progress="ReplicaSetUpdated",
        deadline_seconds=3_600,
    )
    pod = scene.find("Pod", "checkout-canary-")[0]
    scene.add(
        event(
            pod,
            "Failed",
            f"Error: {missing}",
            first=since,
            last=scene.ago(seconds=8),
            count=112,
            host="worker-4",
            container="checkout",
        ),
        event(
            pod,
            "Pulled",
            f'Container image "{app.image}" already present on machine',
            first=since,
            last=scene.ago(seconds=8),
            count=113,
            kind="Normal",
            host="worker-4",
            container="checkout",
        ),
    )


def _payments(scene: Scene, born: datetime) -> None:
    app, since = apps.PAYMENTS, scene.ago(hours=3)
    fell = scene.ago(seconds=95)
    last = ended(137, "OOMKilled", fell, 39)
    pods = (
        PodPlan(4, 1, since, (crash_looping("payments", 14, last),)),
        PodPlan(5, 2, since, (running(scene.ago(hours=2, minutes=59)),)),
    )
    scene.deploy(
        app,
        2,
        born,
        [
            Release("3.8.2", 26, scene.ago(days=13), app=apps.PAYMENTS_BEFORE),
            Release("3.9.0", 27, since, pods),
        ],
        port=80,
    )
    pod = scene.pod_of(app)
    told = pod["metadata"]
    scene.log(pod, "payments", excerpts.payments_out_of_memory(fell), previous=True)
    scene.add(
        event(
            pod,
            "BackOff",
            "Back-off restarting failed container payments in pod "
            f"{told['name']}_shop({told['uid']})",
            first=scene.ago(hours=2, minutes=57),
            last=scene.ago(seconds=20),
            count=212,
            host="worker-4",
            container="payments",
        ),
        event(
            scene.find("Node", "worker-4")[0],
            "OOMKilling",
            out_of_memory(31_877),
            first=fell,
            host="worker-4",
            source="kernel-monitor",
        ),
        event(
            pod,
            "Pulled",
            f'Container image "{app.image}" already present on machine',
            first=since,
            last=scene.ago(seconds=134),
            count=15,
            kind="Normal",
            host="worker-4",
            container="payments",
        ),
    )


def _inventory(scene: Scene, born: datetime) -> None:
    app, since = apps.INVENTORY, scene.ago(minutes=33)
    begun = scene.ago(days=3)
    pods = tuple(
        PodPlan(node, seed, begun, (running(begun).not_ready(),)) for seed, node in ((1, 1), (2, 4))
    )
    scene.deploy(app, 2, born, [Release("3.3.2", 15, begun, pods)], port=80)
    edited = scene.ago(minutes=34)
    scene.add(config.config_map("shop", "inventory-config", "application.yaml", born, edited))
    for index in (0, 1):
        pod = scene.pod_of(app, index)
        ready_at = f"{since:%Y-%m-%dT%H:%M:%SZ}"
        for told in pod["status"]["conditions"]:
            if told["type"] in ("Ready", "ContainersReady"):
                told["lastTransitionTime"] = ready_at
        scene.add(
            event(
                pod,
                "Unhealthy",
                "Readiness probe failed: HTTP probe failed with statuscode: 503",
                first=since,
                last=scene.ago(seconds=6),
                count=197,
                host=pod["spec"]["nodeName"],
                container="inventory",
            )
        )
