"""The node that goes and comes back."""

from __future__ import annotations

from sandbox.cluster.kinds import nodes
from sandbox.cluster.kinds.base import condition
from sandbox.cluster.moves.common import record, settle_all
from sandbox.cluster.recorded import RecordedCluster
from sandbox.cluster.resources import Obj

LOST_NODE = "worker-3"


def worker_goes(world: RecordedCluster) -> None:
    """The kubelet falls silent: the node and its pods are no longer ready."""
    node = world.store.one("Node", "", LOST_NODE)
    world.store.put(nodes.not_ready(node, world.now))
    record(
        world,
        node,
        f"Node {LOST_NODE} status is now: NodeNotReady",
        reason="NodeNotReady",
        kind="Normal",
        source="node-controller",
    )
    for pod in _pods_on(world, LOST_NODE):
        _turn_ready(world, pod, is_on=False)
        record(world, pod, "Node is not ready", reason="NodeNotReady", source="node-controller")
    settle_all(world, "shop", "trading", "platform")


def worker_returns(world: RecordedCluster) -> None:
    """The kubelet reports again."""
    node = world.store.one("Node", "", LOST_NODE)
    world.store.put(nodes.ready_again(node, world.now))
    record(
        world,
        node,
        f"Node {LOST_NODE} status is now: NodeReady",
        reason="NodeReady",
        kind="Normal",
        host=LOST_NODE,
    )
    for pod in _pods_on(world, LOST_NODE):
        _turn_ready(world, pod, is_on=True)
    settle_all(world, "shop", "trading", "platform")


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
