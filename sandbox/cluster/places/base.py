"""What belongs to no namespace: nodes, namespaces, classes; and what every namespace has."""

from __future__ import annotations

from sandbox.cluster.kinds import config, network, nodes
from sandbox.cluster.kinds.base import metadata
from sandbox.cluster.kinds.events import event
from sandbox.cluster.places.scene import Scene

TEAMS = {
    "shop": "storefront-and-orders",
    "trading": "trading",
    "platform": "platform",
    "batch": "data",
}
SYSTEM = ("default", "kube-system", "kube-public", "kube-node-lease")


def build(scene: Scene) -> None:
    """Nodes (worker-2 short of disk), namespaces and classes."""
    born = scene.ago(days=211)
    pressed = scene.ago(minutes=48)
    for index in nodes.ZONES:
        scene.add(
            nodes.node(index, born, scene.now, disk_pressure_since=pressed if index == 2 else None)
        )
    worker = scene.find("Node", "worker-2")[0]
    scene.add(
        event(
            worker,
            "NodeHasDiskPressure",
            "Node worker-2 status is now: NodeHasDiskPressure",
            first=pressed,
            kind="Normal",
            host="worker-2",
        ),
        event(
            worker,
            "EvictionThresholdMet",
            "Attempting to reclaim ephemeral-storage",
            first=pressed,
            last=scene.ago(minutes=2),
            count=31,
            host="worker-2",
        ),
        event(
            worker,
            "FreeDiskSpaceFailed",
            "Failed to garbage collect required amount of images. Attempted to free 5368709120 "
            "bytes, but only found 0 bytes eligible to free.",
            first=scene.ago(minutes=46),
            last=scene.ago(minutes=4),
            count=9,
            host="worker-2",
        ),
    )
    for name in (*SYSTEM, *TEAMS):
        scene.add(
            config.namespace(name, born, TEAMS.get(name, "")),
            config.config_map(name, "kube-root-ca.crt", "ca.crt", born),
            config.service_account(name, "default", born),
        )
    scene.add(
        config.storage_class("standard", born, is_default=True),
        config.storage_class("fast-ssd", born),
        network.ingress_class("nginx", born),
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata(
                "Service",
                "kubernetes",
                born,
                namespace="default",
                labels={"component": "apiserver", "provider": "kubernetes"},
            ),
            "spec": {
                "clusterIP": "10.96.0.1",
                "clusterIPs": ["10.96.0.1"],
                "ipFamilies": ["IPv4"],
                "ipFamilyPolicy": "SingleStack",
                "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}],
                "sessionAffinity": "None",
                "type": "ClusterIP",
            },
            "status": {"loadBalancer": {}},
        },
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": metadata(
                "EndpointSlice",
                "kubernetes",
                born,
                namespace="default",
                labels={"kubernetes.io/service-name": "kubernetes"},
            ),
            "addressType": "IPv4",
            "endpoints": [{"addresses": ["192.168.10.5"], "conditions": {"ready": True}}],
            "ports": [{"name": "https", "port": 6443, "protocol": "TCP"}],
        },
    )
