"""The shop window: frontend, catalog and search, with their troubles."""

from __future__ import annotations

from datetime import datetime

from sandbox.cluster.kinds import network, scaling
from sandbox.cluster.kinds.base import condition
from sandbox.cluster.kinds.events import event, series_event
from sandbox.cluster.kinds.podstatus import PodPlan
from sandbox.cluster.lines import excerpts
from sandbox.cluster.places import apps
from sandbox.cluster.places.scene import Release, Scene, log_key

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


def build(scene: Scene, born: datetime) -> None:
    """What the team storefront owns."""
    _frontend(scene, born)
    _catalog(scene, born)
    _search(scene, born)


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
    scaler = scaling.horizontal_pod_autoscaler(
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
        scaling.disruption_budget(app, 2, born),
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
    scaler = scaling.horizontal_pod_autoscaler(
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
    scene.add(
        scaler,
        event(
            scaler,
            "SuccessfulRescale",
            "New size: 2; reason: All metrics below target",
            first=scene.ago(minutes=31),
            kind="Normal",
            source="horizontal-pod-autoscaler",
        ),
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
