"""Joins what runs with what is declared: which services fail with a node or a pod. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.answers import Passage, Scope
from core.findings import ObjectRef
from core.questions import Intent, Reading
from core.topology import Relation, TopologyEdge
from knowledge.graph import ARROW, ServiceGraph
from knowledge.reach import longest_ways

MOST_HITS = 12
MOST_PODS = 3
_CAUSES = frozenset({Intent.WHY, Intent.STATUS, Intent.DEPENDENCIES})
_NEVER_SERVE = frozenset({"Job", "CronJob"})
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

    @property
    def nodes(self) -> frozenset[str]:
        """Names of the nodes that run pods."""
        return frozenset(name for _, name in self._pods_on)

    def failing(self, graph: ServiceGraph) -> frozenset[str]:
        """Declared services whose pods all fail, or whose Services lead to none that serves."""
        serving: dict[tuple[str, bool], bool] = {}
        for holder, pods in self._pods_of.items():
            # The pods of a job serve nobody, and are not meant to.
            if holder.kind in _NEVER_SERVE:
                continue
            service = _service_of(graph, holder)
            if service is not None:
                # One workload of several, such as a canary, may fail without the service.
                role = (service, holder.kind == "Service")
                serving[role] = serving.get(role, False) or any(pods.values())
        return frozenset(name for (name, _), serves in serving.items() if not serves)

    def hit_by_node(self, node: str, graph: ServiceGraph) -> tuple[LiveHit, ...]:
        """Declared services that lose pods with a node; those that go down stand first."""
        return self.hit_by_pods(self._pods_on.get(("Node", node), ()), graph)

    def hit_by_pods(self, pods: Sequence[ObjectRef], graph: ServiceGraph) -> tuple[LiveHit, ...]:
        """Declared services that lose these pods; those that go down stand first."""
        lost: dict[str, dict[str, None]] = defaultdict(dict)
        holders: dict[str, dict[ObjectRef, None]] = defaultdict(dict)
        for pod in pods:
            for holder in self._over.get(pod, ()):
                service = _service_of(graph, holder)
                if service is not None:
                    lost[service][_place(pod)] = None
                    holders[service][holder] = None
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


def live_passages(
    live: LiveGraph, graph: ServiceGraph, reading: Reading, scope: Scope, now: datetime
) -> tuple[Passage, ...]:
    """What running and declared topology say together on what a question names.

    Args:
        live: Edges of the clusters that the scope allows.
        graph: The declared services.
        reading: A node with an impact question, or a service that something is asked about.
        scope: Services outside it are not told of.
        now: When the edges were seen.
    """
    if not scope.allows_source("graph") or not scope.allows_source("cluster"):
        return ()
    found: list[Passage] = []
    if Intent.IMPACT in reading.intents:
        for node in reading.names:
            if node in live.nodes:
                hits = [
                    hit for hit in live.hit_by_node(node, graph) if graph.allows(hit.service, scope)
                ]
                sentences = [_told(hit) for hit in hits[:MOST_HITS]]
                sentences += _behind([hit.service for hit in hits if hit.is_down], graph, scope)
                if sentences:
                    title = f"Node {node}: what fails with it"
                    found.append(_passage(node, title, [f"If {node} fails:", *sentences], now))
    if reading.intents & _CAUSES:
        named = (graph.service_of(name) for name in reading.names)
        failing = live.failing(graph)
        for service in dict.fromkeys(one.name for one in named if one):
            way = graph.failing_path(service, failing)
            if len(way) > 1 and all(graph.allows(name, scope) for name in way):
                words = (
                    f"{service} needs {way[-1]}, which has no serving pod now: {ARROW.join(way)}."
                )
                found.append(_passage(service, f"{service}: what fails beneath it", [words], now))
    return tuple(found)


def _told(hit: LiveHit) -> str:
    pods = "its pod" if len(hit.lost) == 1 else f"its {len(hit.lost)} pods"
    door = f", and {', '.join(hit.entrances)} with it" if hit.entrances else ""
    if hit.is_down:
        return f"{hit.service} goes down with {pods} {', '.join(hit.lost[:MOST_PODS])}{door}."
    left = "1 serving pod" if len(hit.left) == 1 else f"{len(hit.left)} serving pods"
    return f"{hit.service} loses {pods} {', '.join(hit.lost[:MOST_PODS])} and keeps {left}."


def _behind(down: Sequence[str], graph: ServiceGraph, scope: Scope) -> list[str]:
    hit = [item for item in graph.impact(*down) if graph.allows(item.service, scope)]
    if not hit:
        return []
    ways = longest_ways(hit, MOST_HITS)
    return [f"Behind what goes down: {'; '.join(ARROW.join(way) for way in ways)}."]


def _passage(key: str, title: str, sentences: Sequence[str], now: datetime) -> Passage:
    return Passage(
        id=f"graph:live:{key}",
        source="graph",
        title=title,
        location="live cluster and service graph",
        text=" ".join(sentences),
        updated_at=now,
        kind="graph",
        score=1.0,
        is_fact=True,
    )


def _service_of(graph: ServiceGraph, holder: ObjectRef) -> str | None:
    """The declared service of a workload or a Service, which is known by its name alone."""
    service = graph.service_of(holder.name, holder.namespace, holder.kind)
    if service is None and holder.kind == "Service":
        service = graph.service_of(holder.name, holder.namespace)
    return service.name if service else None


def _place(ref: ObjectRef) -> str:
    return f"{ref.namespace}/{ref.name}"
