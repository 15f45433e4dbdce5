"""Requests and limits of the containers that a question names, as values."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping

from cluster.collect import ClusterCollector
from cluster.describe_limits import pod_spec
from cluster.objects import Container, KubeObject, Pod, Quantity
from cluster.snapshot import Snapshot
from cluster.targets import targets
from core.answers import Scope
from core.questions import Reading
from core.resources import ContainerResources, ResourcesFound

RESOURCES = ("memory", "cpu")


class LiveLimits:
    """Reads them from the snapshots of a collector. Implements `knowledge.ports.LiveLimits`."""

    def __init__(self, collector: ClusterCollector) -> None:
        self._collector = collector

    async def of(self, reading: Reading, scope: Scope) -> ResourcesFound:
        """Of the workloads that a question names, in every cluster of the scope."""
        snapshots, gaps = await self._collector.snapshots(scope)
        found = [
            container
            for snapshot in snapshots
            for container in await asyncio.to_thread(resources_of, snapshot, reading)
        ]
        looked_in = tuple(f"cluster {snapshot.cluster}" for snapshot in snapshots)
        return ResourcesFound(tuple(found), tuple(gaps), looked_in)


def resources_of(snapshot: Snapshot, reading: Reading) -> list[ContainerResources]:
    """Containers of the named workloads; of a named pod those of its workload, if it has one."""
    named = [obj for obj in targets(snapshot, reading) if pod_spec(obj) is not None]
    tops = {snapshot.owner(obj) if isinstance(obj, Pod) else snapshot.ref(obj) for obj in named}
    return [
        container
        for obj in named
        if not isinstance(obj, Pod) or snapshot.owner(obj) not in tops - {snapshot.ref(obj)}
        for container in _containers(snapshot, obj)
    ]


def _containers(snapshot: Snapshot, obj: KubeObject) -> Iterator[ContainerResources]:
    ref, spec = snapshot.ref(obj), pod_spec(obj)
    if spec is None:
        return
    running = {
        container.name: container
        for pod in snapshot.pods_of(ref)
        for container in pod.spec.containers
    }
    for container in spec.containers:
        real = running.get(container.name, container)
        limits = _settled(container, real, "limits")
        requests = _settled(container, real, "requests")
        yield ContainerResources(
            workload=ref,
            container=container.name,
            requests=requests,
            limits=limits,
            defaulted=frozenset(
                (setting, name)
                for setting, settled, own in (
                    ("limit", limits, container.resources.limits),
                    ("request", requests, container.resources.requests),
                )
                for name in settled
                if name not in own
            ),
            seen_at=snapshot.taken_at,
        )


def _settled(container: Container, real: Container, field: str) -> Mapping[str, str]:
    """What is set, and what a pod has besides, which the API server filled in."""
    own: Mapping[str, Quantity] = getattr(container.resources, field)
    filled: Mapping[str, Quantity] = getattr(real.resources, field)
    return {
        name: str(own.get(name, filled.get(name)))
        for name in RESOURCES
        if name in own or name in filled
    }
