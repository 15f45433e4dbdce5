"""The library with a running cluster beside the graph, and with several graphs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest

from core.answers import Lookup, Scope
from core.clock import ManualClock
from core.errors import ClusterError
from core.findings import ObjectRef
from core.redact import Redactor
from core.topology import Relation, TopologyEdge
from knowledge.library import Library
from knowledge.store_edge import EdgeStore
from tests.knowledge.conftest import NOW

GRAPH = """
services:
  web: {namespace: shop, depends_on: [cart]}
  cart: {namespace: shop, depends_on: [redis], team: orders}
  ledger: {namespace: trading}
  redis: {namespace: platform, workload: StatefulSet/redis}
  report: {namespace: batch, depends_on: [redis], workload: Job/report}
"""


def ref(kind: str, name: str, namespace: str = "shop") -> ObjectRef:
    return ObjectRef("demo", kind, "" if kind == "Node" else namespace, name)


def runs(
    holder: ObjectRef, pod: str, node: str, *, is_ready: bool = True
) -> tuple[TopologyEdge, TopologyEdge]:
    its = ref("Pod", pod, holder.namespace)
    relation = Relation.IS_BACKED_BY if holder.kind == "Service" else Relation.CONSISTS_OF
    return (
        TopologyEdge(holder, relation, its, is_ready),
        TopologyEdge(its, Relation.RUNS_ON, ref("Node", node)),
    )


EDGES = (
    *runs(ref("Service", "web"), "web-1", "n1"),
    *runs(ref("Service", "web"), "web-2", "n2"),
    *runs(ref("Service", "cart"), "cart-1", "n1"),
    *runs(ref("Service", "ledger", "trading"), "ledger-1", "n1"),
    *runs(ref("StatefulSet", "redis", "platform"), "redis-0", "n2", is_ready=False),
    *runs(ref("Job", "report", "batch"), "report-1", "n3", is_ready=False),
    *runs(ref("Deployment", "stranger"), "stranger-1", "n3"),
    TopologyEdge(ref("Ingress", "door"), Relation.LEADS_TO, ref("Service", "cart")),
)


class Cluster:
    """Gives edges, or fails."""

    def __init__(self) -> None:
        self.error: ClusterError | None = None

    async def edges(self) -> Sequence[TopologyEdge]:
        if self.error:
            raise self.error
        return EDGES


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
async def open_library(tmp_path: Path, cluster: Cluster) -> AsyncIterator[Callable[..., Library]]:
    store = await EdgeStore.open(tmp_path / "store", "none", 1)

    def make(*uris: str) -> Library:
        redactor, clock = Redactor(b"k" * 32), ManualClock(NOW)
        return Library(uris, store, None, redactor, clock, NOW.tzinfo, topology=cluster.edges)  # type: ignore[arg-type]  # a moment in UTC has a zone

    yield make
    await store.close()


@pytest.fixture
async def library(tmp_path: Path, open_library: Callable[..., Library]) -> Library:
    (tmp_path / "graph.yaml").write_text(GRAPH)
    library = open_library(f"graph:{tmp_path}/graph.yaml")
    await library.start()
    return library


async def asked(library: Library, question: str, scope: Scope | None = None) -> Lookup:
    names = frozenset({"n1", "n2", "n3", "web", "cart", "redis"})
    reading = library.read(question, names, frozenset({"shop", "platform"}))
    return await library.look(reading, scope or Scope())


def live(lookup: Lookup) -> list[str]:
    return [one.text for one in lookup.passages if one.id.startswith("graph:live:")]


async def test_a_failing_node_tells_who_goes_down_and_who_keeps_pods(library: Library) -> None:
    (text,) = live(await asked(library, "what happens if node n1 fails?"))
    assert text == (
        "If n1 fails: cart goes down with its pod shop/cart-1, and shop/door with it. "
        "ledger goes down with its pod trading/ledger-1. "
        "web loses its pod shop/web-1 and keeps 1 serving pod. "
        "Behind what goes down: web → cart."
    )


async def test_a_node_that_runs_nothing_declared_is_not_told_of(library: Library) -> None:
    report = "If n3 fails: report goes down with its pod batch/report-1."
    assert live(await asked(library, "what is affected if n3 fails?")) == [report]
    nothing = Scope(namespaces=frozenset({"nowhere"}))
    assert live(await asked(library, "what is affected if n1 fails?", nothing)) == []


async def test_what_fails_beneath_a_service_is_told_by_the_shortest_way(library: Library) -> None:
    (text,) = live(await asked(library, "why is web failing?"))
    assert text == "web needs redis, which has no serving pod now: web → cart → redis."
    assert live(await asked(library, "why is redis failing?")) == []


@pytest.mark.parametrize(
    "scope",
    [
        Scope(namespaces=frozenset({"shop"})),
        Scope(clusters=frozenset({"other"})),
        Scope(sources=frozenset({"graph"})),
        Scope(sources=frozenset({"cluster"})),
    ],
)
async def test_what_a_channel_may_not_see_is_not_told(library: Library, scope: Scope) -> None:
    assert live(await asked(library, "why is web failing?", scope)) == []


async def test_a_cluster_that_cannot_be_read_is_a_gap(library: Library, cluster: Cluster) -> None:
    cluster.error = ClusterError("read pods", "it does not answer", "Check the address")
    lookup = await asked(library, "what happens if node n1 fails?")
    assert live(lookup) == []
    assert [(gap.what, gap.why) for gap in lookup.gaps] == [
        ("the live topology", "it does not answer")
    ]


async def test_several_graphs_are_one_and_contradictions_stand_with_who_is_not_believed(
    tmp_path: Path, open_library: Callable[..., Library]
) -> None:
    (tmp_path / "one.yaml").write_text("services: {web: {team: a, depends_on: [cart, gone]}}")
    (tmp_path / "two.yaml").write_text("services: {web: {team: b}, cart: {depends_on: [redis]}}")
    (tmp_path / "three.csv").write_text("from,to\ncart,redis\n")
    names = ("one.yaml", "two.yaml", "three.csv")
    library = open_library(*(f"graph:{tmp_path}/{name}" for name in names))
    await library.start()
    assert library.graph.path("web", "redis") == ("web", "cart", "redis")
    assert library.graph is library.graph
    assert [status.problems for status in await library.status()] == [
        (("one.yaml", "web depends on gone, which is no service of the graph"),),
        (("two.yaml", "web belongs to team a in one.yaml, but b in two.yaml; the first counts"),),
        (),
    ]
