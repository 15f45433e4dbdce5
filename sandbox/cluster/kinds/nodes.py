"""Nodes and their conditions."""

from __future__ import annotations

from datetime import datetime, timedelta

from sandbox.cluster.kinds.base import condition, hex_id, metadata
from sandbox.cluster.kinds.podstatus import node_ip
from sandbox.cluster.resources import Obj

ZONES = {1: "eu-1a", 2: "eu-1a", 3: "eu-1b", 4: "eu-1b", 5: "eu-1c"}
ALLOCATABLE_MEMORY_KI = 64_618_496

_FINE = {
    "MemoryPressure": ("KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    "DiskPressure": ("KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    "PIDPressure": ("KubeletHasSufficientPID", "kubelet has sufficient PID available"),
}
_UNREACHABLE = [
    {"key": "node.kubernetes.io/unreachable", "effect": "NoSchedule"},
    {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"},
]
_DISK_TAINT = {"key": "node.kubernetes.io/disk-pressure", "effect": "NoSchedule"}


def node(
    index: int, created: datetime, now: datetime, *, disk_pressure_since: datetime | None
) -> Obj:
    """A worker with 16 CPUs and 64 GiB."""
    name = f"worker-{index}"
    spec: Obj = {
        "podCIDR": f"10.0.{index}.0/24",
        "podCIDRs": [f"10.0.{index}.0/24"],
        "providerID": f"fenwick://{ZONES[index]}/{name}",
    }
    if disk_pressure_since:
        spec["taints"] = [{**_DISK_TAINT, "timeAdded": _stamp(disk_pressure_since)}]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": metadata(
            "Node",
            name,
            created,
            labels={
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "kubernetes.io/arch": "amd64",
                "node.kubernetes.io/instance-type": "standard-16",
                "topology.kubernetes.io/region": "eu-1",
                "topology.kubernetes.io/zone": ZONES[index],
            },
            annotations={"node.alpha.kubernetes.io/ttl": "0"},
        ),
        "spec": spec,
        "status": {
            "capacity": {
                "cpu": "16",
                "ephemeral-storage": "102626232Ki",
                "hugepages-2Mi": "0",
                "memory": "67108864Ki",
                "pods": "110",
            },
            "allocatable": {
                "cpu": "15890m",
                "ephemeral-storage": "94580335255",
                "hugepages-2Mi": "0",
                "memory": f"{ALLOCATABLE_MEMORY_KI}Ki",
                "pods": "110",
            },
            "conditions": conditions(created, now, disk_pressure_since=disk_pressure_since),
            "addresses": [
                {"type": "InternalIP", "address": node_ip(index)},
                {"type": "Hostname", "address": name},
            ],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "nodeInfo": {
                "machineID": hex_id("machine", name)[:32],
                "systemUUID": hex_id("system", name)[:32],
                "bootID": hex_id("boot", name)[:32],
                "kernelVersion": "6.8.0-45-generic",
                "osImage": "Ubuntu 24.04.1 LTS",
                "containerRuntimeVersion": "containerd://2.1.4",
                "kubeletVersion": "v1.34.1",
                "kubeProxyVersion": "",
                "operatingSystem": "linux",
                "architecture": "amd64",
            },
        },
    }


def conditions(
    since: datetime, now: datetime, *, disk_pressure_since: datetime | None = None
) -> list[Obj]:
    """What a kubelet that is well reports of its node."""
    made = [
        condition(kind, "False", since, reason, message)
        for kind, (reason, message) in _FINE.items()
    ]
    if disk_pressure_since:
        made[1] = condition(
            "DiskPressure",
            "True",
            disk_pressure_since,
            "KubeletHasDiskPressure",
            "kubelet has disk pressure",
        )
    made.append(
        condition("Ready", "True", since, "KubeletReady", "kubelet is posting ready status")
    )
    heartbeat = now - timedelta(seconds=7)
    return [{**each, "lastHeartbeatTime": _stamp(heartbeat)} for each in made]


def not_ready(node_object: Obj, now: datetime) -> Obj:
    """The node as the controller marks it once its kubelet has fallen silent."""
    message = "Kubelet stopped posting node status."
    unknown = [
        {
            **condition(each["type"], "Unknown", now, "NodeStatusUnknown", message),
            "lastHeartbeatTime": each["lastHeartbeatTime"],
        }
        for each in node_object["status"]["conditions"]
    ]
    taints = [{**taint, "timeAdded": _stamp(now)} for taint in _UNREACHABLE]
    return {
        **node_object,
        "spec": {**node_object["spec"], "taints": taints},
        "status": {**node_object["status"], "conditions": unknown},
    }


def ready_again(node_object: Obj, now: datetime) -> Obj:
    """The node once its kubelet reports again."""
    spec = {key: value for key, value in node_object["spec"].items() if key != "taints"}
    status = {**node_object["status"], "conditions": conditions(now, now)}
    return {**node_object, "spec": spec, "status": status}


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
