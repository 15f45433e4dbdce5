"""The namespace `shop`, with its troubles."""

from __future__ import annotations

from datetime import datetime

from sandbox.cluster.kinds import config, network, workloads
from sandbox.cluster.kinds.base import condition
from sandbox.cluster.kinds.events import event, series_event
from sandbox.cluster.kinds.pods import Doing, PodPlan, crash_looping, running, waiting
from sandbox.cluster.lines import excerpts
from sandbox.cluster.places import apps
from sandbox.cluster.places.scene import Release, Scene, ended, log_key
from sandbox.cluster.resources import Obj

EVICTED = (
    "The node was low on resource: ephemeral-storage. Threshold quantity: 10Gi, available: 7Gi. "
)
NO_MEMORY = (
    "0/5 nodes are available: 5 Insufficient memory. preemption: 0/5 nodes are available: "
    "5 No preemption victims found for incoming pod."
)
NO_METRICS = (
    "failed to get cpu utilization: unable to get metrics for resource cpu: "
    "no metrics returned from resource metrics API"
)


def build(scene: Scene) -> None:
    """All workloads of the shop."""
    born = scene.ago(days=190)
    for name in ("frontend-config", "catalog-config", "checkout-config", "payments-config"):
        scene.add(config.config_map("shop", name, "application.yaml", born))
    scene.add(
        config.resource_quota(
            "shop",
            {"pods": "60", "requests.cpu": "32", "requests.memory": "96Gi"},
            {"pods": "20", "requests.cpu": "7750m", "requests.memory": "53Gi"},
            born,
        ),
        config.limit_range("shop", born),
    )
    _frontend(scene, born)
    _catalog(scene, born)
    _search(scene, born)
    _cart(scene, born)
    _checkout(scene, born)
    _canary(scene)
    _payments(scene, born)
    _inventory(scene, born)
    app = apps.EMAIL_WORKER
    pods = (PodPlan(1, 1, scene.ago(days=6)), PodPlan(5, 2, scene.ago(days=6)))
    scene.deploy(app, 2, born, [Release("1.7.5", 11, scene.ago(days=6), pods)])


def image_pull_events(
    pod: Obj, image: str, first: datetime, last: datetime, times: int
) -> list[Obj]:
    """What a kubelet records while a tag is not found."""
    host = pod["spec"]["nodeName"]
    container = pod["spec"]["containers"][0]["name"]
    missing = "rpc error: code = NotFound desc = failed to pull and unpack image"
    told = (
        ("Normal", "Pulling", f'Pulling image "{image}"', times),
        (
            "Warning",
            "Failed",
            (
                f'Failed to pull image "{image}": {missing} "{image}": failed to resolve reference '
                f'"{image}": {image}: not found'
            ),
            times,
        ),
        ("Warning", "Failed", "Error: ErrImagePull", times),
        ("Normal", "BackOff", f'Back-off pulling image "{image}"', times * 6),
        ("Warning", "Failed", "Error: ImagePullBackOff", times * 6),
    )
    return [
        event(
            pod,
            reason,
            message,
            first=first,
            last=last,
            count=count,
            kind=kind,
            host=host,
            container=container,
        )
        for kind, reason, message, count in told
    ]


def image_pull_failing(image: str) -> Doing:
    """A container whose image is not there."""
    return waiting(
        "ImagePullBackOff",
        f'Back-off pulling image "{image}": ErrImagePull: rpc error: code = NotFound desc = failed '
        f'to pull and unpack image "{image}": failed to resolve reference "{image}": {image}: '
        "not found",
    )


def _frontend(scene: Scene, born: datetime) -> None:
    app, since = apps.FRONTEND, scene.ago(days=2)
    pods = (PodPlan(1, 1, since), PodPlan(3, 2, since), PodPlan(5, 3, since))
    deployment = scene.deploy(
        app,
        3,
        born,
        [Release("6.2.0", 41, scene.ago(days=9)), Release("6.2.1", 42, since, pods)],
        port=80,
    )
    blind = scene.ago(minutes=95)
    scaler = workloads.horizontal_pod_autoscaler(
        deployment,
        3,
        10,
        born,
        metric={
            "type": "Resource",
            "resource": {
                "name": "cpu",
                "target": {"type": "Utilization", "averageUtilization": 70},
            },
        },
        current=None,
        conditions=[
            condition(
                "AbleToScale",
                "True",
                born,
                "SucceededGetScale",
                "the HPA controller was able to get the target's current scale",
            ),
            condition(
                "ScalingActive",
                "False",
                blind,
                "FailedGetResourceMetric",
                f"the HPA was unable to compute the replica count: {NO_METRICS}",
            ),
            condition(
                "ScalingLimited",
                "False",
                born,
                "DesiredWithinRange",
                "the desired count is within the acceptable range",
            ),
        ],
    )
    scene.add(
        scaler,
        workloads.disruption_budget(app, 2, born),
        event(
            scaler,
            "FailedGetResourceMetric",
            NO_METRICS,
            first=blind,
            last=scene.ago(seconds=12),
            count=379,
            source="horizontal-pod-autoscaler",
        ),
        event(
            scaler,
            "FailedComputeMetricsReplicas",
            "invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource "
            f"metric value: {NO_METRICS}",
            first=blind,
            last=scene.ago(seconds=12),
            count=379,
            source="horizontal-pod-autoscaler",
        ),
        network.ingress(
            "shop", "shop", "shop.fenwick.example", scene.find("Service", "frontend")[0], born
        ),
    )


def _catalog(scene: Scene, born: datetime) -> None:
    app, since = apps.CATALOG, scene.ago(days=4)
    evicted = tuple(
        PodPlan(
            2,
            seed,
            since,
            phase="Failed",
            reason="Evicted",
            message=EVICTED
            + f"Container catalog was using {used}Ki, request is 0, has larger consumption of "
            "ephemeral-storage. ",
        )
        for seed, used in ((1, 812_344), (2, 790_112))
    )
    replaced = (PodPlan(4, 3, scene.ago(minutes=47)), PodPlan(1, 4, scene.ago(minutes=44)))
    deployment = scene.deploy(
        app,
        2,
        born,
        [
            Release("4.10.7", 18, scene.ago(days=16)),
            Release("4.11.0", 19, since, (*evicted, *replaced), replicas=2),
        ],
        port=80,
    )
    for index, minutes in ((0, 47), (1, 44)):
        pod = scene.pod_of(app, index)
        scene.add(
            event(
                pod,
                "Evicted",
                pod["status"]["message"],
                first=scene.ago(minutes=minutes),
                host="worker-2",
            ),
            event(
                pod,
                "Killing",
                "Stopping container catalog",
                first=scene.ago(minutes=minutes),
                kind="Normal",
                host="worker-2",
                container="catalog",
            ),
        )
    requests = {"name": "http_requests_per_second"}
    scene.add(
        workloads.horizontal_pod_autoscaler(
            deployment,
            2,
            6,
            born,
            metric={
                "type": "Pods",
                "pods": {
                    "metric": requests,
                    "target": {"type": "AverageValue", "averageValue": "120"},
                },
            },
            current={
                "type": "Pods",
                "pods": {"metric": requests, "current": {"averageValue": "71"}},
            },
            conditions=[
                condition(
                    "AbleToScale",
                    "True",
                    born,
                    "ReadyForNewScale",
                    "recommended size matches current size",
                ),
                condition(
                    "ScalingActive",
                    "True",
                    born,
                    "ValidMetricFound",
                    "the HPA was able to successfully calculate a replica count from pods metric "
                    "http_requests_per_second",
                ),
                condition(
                    "ScalingLimited",
                    "False",
                    born,
                    "DesiredWithinRange",
                    "the desired count is within the acceptable range",
                ),
            ],
        )
    )


def _search(scene: Scene, born: datetime) -> None:
    app, since = apps.SEARCH, scene.ago(minutes=41)
    pods = (PodPlan(2, 1, scene.ago(days=12)), PodPlan(0, 2, since, unschedulable=NO_MEMORY))
    scene.deploy(app, 2, born, [Release("1.19.3", 23, scene.ago(days=12), pods)], port=80)
    pending = scene.pod_of(app, 1)
    scene.add(
        series_event(
            pending,
            "FailedScheduling",
            NO_MEMORY,
            first=since,
            last=scene.ago(seconds=50),
            count=9,
        )
    )
    served = scene.pod_of(app)
    scene.logs[log_key(served, "search")] += excerpts.search_is_addressed(scene.now)


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
        [Release("3.8.2", 26, scene.ago(days=13)), Release("3.9.0", 27, since, pods)],
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
            "Memory cgroup out of memory: Killed process 31877 (java) total-vm:3921004kB, "
            "anon-rss:259112kB, file-rss:0kB, shmem-rss:0kB, UID:1000 oom_score_adj:996",
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
