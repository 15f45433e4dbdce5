"""The live topology of a snapshot: Node ← Pod ← Service ← Ingress, and workloads."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator

from cluster.collect import ClusterCollector
from cluster.detectors.services import SERVICE_LABEL
from cluster.network_objects import EndpointSlice, Ingress, Service
from cluster.objects import Pod
from cluster.snapshot import Snapshot
from core.answers import Scope
from core.findings import ObjectRef
from core.topology import Relation, TopologyEdge

_OVER = frozenset({"Succeeded", "Failed"})


class LiveTopology:
    """The topology of all clusters of a collector, as of its last snapshots."""

    def __init__(self, collector: ClusterCollector) -> None:
        self._collector = collector

    async def edges(self) -> tuple[TopologyEdge, ...]:
        """All edges now; a cluster that cannot be read has none.

        Who may be told of them is for the reader of the edges to decide.
        """
        snapshots, _ = await self._collector.snapshots(Scope())
        made = [await asyncio.to_thread(topology_of, snapshot) for snapshot in snapshots]
        return tuple(edge for edges in made for edge in edges)


def topology_of(snapshot: Snapshot) -> tuple[TopologyEdge, ...]:
    """All edges between what was read; pods that are over need nothing and back nothing.

    A Service is backed by the pods of its EndpointSlices, which know who serves, and by those that
    its selector chooses and no slice names, as not ready once there is a slice.
    """
    pods = [pod for pod in snapshot.of(Pod) if pod.status.phase not in _OVER]
    return (
        *_of_pods(snapshot, pods),
        *_of_services(snapshot, pods),
        *_of_ingresses(snapshot),
    )


def _of_pods(snapshot: Snapshot, pods: list[Pod]) -> Iterator[TopologyEdge]:
    for pod in pods:
        ref = snapshot.ref(pod)
        is_ready = _is_ready(pod)
        owner = snapshot.owner(pod)
        if owner != ref:
            yield TopologyEdge(owner, Relation.CONSISTS_OF, ref, is_ready)
        if pod.spec.node_name:
            node = snapshot.find("Node", "", pod.spec.node_name)
            known = ObjectRef(snapshot.cluster, "Node", "", pod.spec.node_name)
            yield TopologyEdge(ref, Relation.RUNS_ON, snapshot.ref(node) if node else known)


def _of_services(snapshot: Snapshot, pods: list[Pod]) -> Iterator[TopologyEdge]:
    by_name = {(pod.metadata.namespace, pod.metadata.name): pod for pod in pods}
    slices: dict[tuple[str, str], list[EndpointSlice]] = defaultdict(list)
    for piece in snapshot.of(EndpointSlice):
        name = piece.metadata.labels.get(SERVICE_LABEL, "")
        slices[piece.metadata.namespace, name].append(piece)
    for service in snapshot.of(Service):
        place = (service.metadata.namespace, service.metadata.name)
        ref = snapshot.ref(service)
        pieces = slices.get(place, [])
        ready = dict(_named(pieces, place[0]))
        for (namespace, name), is_ready in ready.items():
            named = by_name.get((namespace, name))
            if named is not None:
                yield TopologyEdge(ref, Relation.IS_BACKED_BY, snapshot.ref(named), is_ready)
        for pod in snapshot.pods_by_label.selected(place[0], service.spec.selector):
            pod_place = (pod.metadata.namespace, pod.metadata.name)
            if pod_place in by_name and pod_place not in ready:
                is_ready = _is_ready(pod) and not _names_pods(pieces)
                yield TopologyEdge(ref, Relation.IS_BACKED_BY, snapshot.ref(pod), is_ready)


def _named(pieces: list[EndpointSlice], namespace: str) -> Iterator[tuple[tuple[str, str], bool]]:
    """Pods that slices name, and whether they serve; a pod may stand in several."""
    found: dict[tuple[str, str], bool] = {}
    for piece in pieces:
        for endpoint in piece.endpoints or ():
            if endpoint.target_ref is not None and endpoint.target_ref.kind == "Pod":
                place = (namespace, endpoint.target_ref.name)
                serves = endpoint.conditions.ready is not False
                found[place] = found.get(place, False) or serves
    yield from found.items()


def _names_pods(pieces: list[EndpointSlice]) -> bool:
    """Whether slices tell whose addresses theirs are: recorded ones may not."""
    return any(endpoint.target_ref for piece in pieces for endpoint in piece.endpoints or ())


def _of_ingresses(snapshot: Snapshot) -> Iterator[TopologyEdge]:
    for ingress in snapshot.of(Ingress):
        backends = [ingress.spec.default_backend] + [
            path.backend for rule in ingress.spec.rules if rule.http for path in rule.http.paths
        ]
        names = dict.fromkeys(
            backend.service.name for backend in backends if backend and backend.service
        )
        for name in names:
            target = snapshot.find("Service", ingress.metadata.namespace, name)
            if target is not None:
                ref = snapshot.ref(target)
                yield TopologyEdge(snapshot.ref(ingress), Relation.LEADS_TO, ref)


def _is_ready(pod: Pod) -> bool:
    return any(item.type == "Ready" and item.status == "True" for item in pod.status.conditions)
