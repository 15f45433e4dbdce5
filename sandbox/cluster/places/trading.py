"""The namespace `trading`, StockTraderX, with its troubles."""

from __future__ import annotations

from datetime import datetime

from sandbox.cluster.kinds import config, network, scaling
from sandbox.cluster.kinds.events import event, series_event
from sandbox.cluster.kinds.podstatus import PodPlan, crash_looping, running
from sandbox.cluster.lines import excerpts
from sandbox.cluster.places import apps
from sandbox.cluster.places.scene import Release, Scene, ended

NO_CLASS = 'storageclass "fast-nvme" not found'
UNBOUND = (
    "0/5 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: "
    "0/5 nodes are available: 5 Preemption is not helpful for scheduling."
)
STALLED = "Liveness probe failed: feed handler: timeout after 1s"


def build(scene: Scene) -> None:
    """All workloads of the trading platform."""
    born = scene.ago(days=120)
    scene.add(
        config.resource_quota(
            "trading",
            {"pods": "40", "requests.cpu": "48", "requests.memory": "128Gi"},
            {"pods": "10", "requests.cpu": "36", "requests.memory": "67Gi"},
            born,
        ),
        config.config_map("trading", "symbols", "symbols.csv", born),
    )
    gateways = (PodPlan(5, 1, scene.ago(days=7)), PodPlan(4, 2, scene.ago(days=7)))
    scene.deploy(
        apps.ORDER_GATEWAY, 2, born, [Release("8.4.2", 9, scene.ago(days=7), gateways)], port=9000
    )
    scene.state(
        apps.MATCHING_ENGINE,
        born,
        (PodPlan(3, 0, scene.ago(days=7)), PodPlan(4, 1, scene.ago(days=7))),
        port=9100,
    )
    scene.add(
        scaling.disruption_budget(apps.MATCHING_ENGINE, 1, born),
        network.ingress(
            "trading",
            "trading",
            "orders.stocktraderx.example",
            scene.find("Service", "order-gateway")[0],
            born,
        ),
    )
    _market_data(scene, born)
    _risk_engine(scene, born)
    _ledger(scene, born)


def _market_data(scene: Scene, born: datetime) -> None:
    app, since = apps.MARKET_DATA, scene.ago(minutes=22)
    killed = scene.ago(seconds=58)
    last = ended(143, "Error", killed, 64)
    failing = (running(scene.ago(seconds=56), restarts=7, last=last).not_ready(),)
    serving = (PodPlan(5, 1, scene.ago(days=10)), PodPlan(1, 2, scene.ago(days=10)))
    deployment = scene.deploy(
        app,
        2,
        born,
        [
            Release("5.1.7", 17, scene.ago(days=10), serving),
            Release("5.2.0", 18, since, (PodPlan(5, 3, since, failing),)),
        ],
        port=8090,
        progress="ProgressDeadlineExceeded",
        progressed=scene.ago(minutes=12),
    )
    pod = scene.pod_of(app)
    stall = excerpts.market_data_stalls
    scene.log(pod, "market-data", stall(killed), previous=True)
    scene.log(pod, "market-data", stall(scene.now))
    scene.add(
        event(
            pod,
            "Unhealthy",
            STALLED,
            first=since,
            last=scene.ago(seconds=9),
            count=24,
            host="worker-5",
            container="market-data",
        ),
        event(
            pod,
            "Killing",
            "Container market-data failed liveness probe, will be restarted",
            first=scene.ago(minutes=21),
            last=killed,
            count=7,
            kind="Normal",
            host="worker-5",
            container="market-data",
        ),
        event(
            deployment,
            "ScalingReplicaSet",
            f"Scaled up replica set {pod['metadata']['ownerReferences'][0]['name']} from 0 to 1",
            first=since,
            kind="Normal",
            source="deployment-controller",
        ),
    )


def _risk_engine(scene: Scene, born: datetime) -> None:
    app, since = apps.RISK_ENGINE, scene.ago(days=9)
    fell = scene.ago(seconds=130)
    last = ended(1, "Error", fell, 7)
    plan = PodPlan(1, 1, since, (crash_looping("risk-engine", 6, last),))
    scene.deploy(app, 1, born, [Release("2.5.0", 6, since, (plan,))], port=9300)
    pod = scene.pod_of(app)
    told = pod["metadata"]
    scene.log(pod, "risk-engine", excerpts.risk_engine_without_redis(fell), previous=True)
    scene.add(
        event(
            pod,
            "BackOff",
            "Back-off restarting failed container risk-engine in pod "
            f"{told['name']}_trading({told['uid']})",
            first=scene.ago(minutes=9),
            last=scene.ago(seconds=15),
            count=38,
            host="worker-1",
            container="risk-engine",
        )
    )


def _ledger(scene: Scene, born: datetime) -> None:
    app, since = apps.LEDGER, scene.ago(minutes=52)
    owner = scene.state(
        app,
        born,
        (PodPlan(4, 0, scene.ago(days=30)), PodPlan(0, 1, since, unschedulable=UNBOUND)),
        port=9400,
        size="200Gi",
        storage_class="fast-nvme",
        unbound=frozenset({1}),
    )
    scene.add(
        event(
            scene.find("PersistentVolumeClaim", "data-ledger-1")[0],
            "ProvisioningFailed",
            NO_CLASS,
            first=since,
            last=scene.ago(seconds=14),
            count=208,
            source="persistentvolume-controller",
        ),
        series_event(
            scene.find("Pod", "ledger-1")[0],
            "FailedScheduling",
            UNBOUND,
            first=since,
            last=scene.ago(seconds=70),
            count=11,
        ),
        event(
            owner,
            "SuccessfulCreate",
            "create Pod ledger-1 in StatefulSet ledger successful",
            first=since,
            kind="Normal",
            source="statefulset-controller",
        ),
    )
