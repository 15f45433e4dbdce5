"""Joins what runs with what is declared: which services fail with a node or a pod. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from core.findings import ObjectRef
from core.topology import Relation, TopologyEdge
from knowledge.graph import ServiceGraph

_OF_PODS = frozenset({Relation.CONSISTS_OF, Relation.IS_BACKED_BY})


@dataclass(frozen=True, slots=True)
class LiveHit:
    """A service that loses pods.

    Attributes:
        service: Its name in the service graph.
        lost: Its pods that fail, as "namespace/name".
        left: Its pods elsewhere that serve now.
        entrances: Ingresses that lead to it, as "namespace/name".
    """

    service: str
    lost: tuple[str, ...]
    left: tuple[str, ...]
    entrances: tuple[str, ...] = ()

    @property
    def is_down(self) -> bool:
        """Nothing of it is left that serves."""
        return not self.left


class LiveGraph:
    """Edges of all clusters, indexed for questions.

    Args:
        edges: See `cluster.topology`.
    """

    def __init__(self, edges: Iterable[TopologyEdge]) -> None:
        self._pods_on: dict[tuple[str, str], list[ObjectRef]] = defaultdict(list)
        self._over: dict[ObjectRef, list[ObjectRef]] = defaultdict(list)
        self._pods_of: dict[ObjectRef, dict[ObjectRef, bool]] = defaultdict(dict)
        self._entrances: dict[ObjectRef, list[ObjectRef]] = defaultdict(list)
        for edge in edges:
            if edge.relation is Relation.RUNS_ON:
                self._pods_on[edge.needed.kind, edge.needed.name].append(edge.dependent)
            elif edge.relation in _OF_PODS:
                self._over[edge.needed].append(edge.dependent)
                self._pods_of[edge.dependent][edge.needed] = edge.is_ready
            else:
                self._entrances[edge.needed].append(edge.dependent)

    def hit_by_node(self, node: str, graph: ServiceGraph) -> tuple[LiveHit, ...]:
        """Declared services that lose pods with a node; those that go down stand first."""
        return self.hit_by_pods(self._pods_on.get(("Node", node), ()), graph)

    def hit_by_pods(self, pods: Sequence[ObjectRef], graph: ServiceGraph) -> tuple[LiveHit, ...]:
        """Declared services that lose these pods; those that go down stand first."""
        lost: dict[str, dict[str, None]] = defaultdict(dict)
        holders: dict[str, dict[ObjectRef, None]] = defaultdict(dict)
        for pod in pods:
            for holder in self._over.get(pod, ()):
                service = graph.service_of(holder.name, holder.namespace, holder.kind)
                if service is None and holder.kind == "Service":
                    service = graph.service_of(holder.name, holder.namespace)
                if service is not None:
                    lost[service.name][_place(pod)] = None
                    holders[service.name][holder] = None
        hits = [self._hit(name, tuple(gone), holders[name]) for name, gone in lost.items()]
        return tuple(sorted(hits, key=lambda hit: (not hit.is_down, hit.service)))

    def _hit(
        self, service: str, lost: tuple[str, ...], holders: Mapping[ObjectRef, None]
    ) -> LiveHit:
        left: dict[str, bool] = {}
        for holder in holders:
            for pod, is_ready in self._pods_of[holder].items():
                place = _place(pod)
                # A workload knows that its pod is ready; the Service knows whether it serves.
                left[place] = left.get(place, True) and is_ready
        entrances = dict.fromkeys(
            _place(entrance) for holder in holders for entrance in self._entrances.get(holder, ())
        )
        serving = tuple(place for place, serves in left.items() if serves and place not in lost)
        return LiveHit(service, lost, serving, tuple(entrances))


def _place(ref: ObjectRef) -> str:
    return f"{ref.namespace}/{ref.name}"
