"""The service graph: reach, owners, ways, mistakes in its file, and the sentences told of it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.answers import Scope
from core.errors import KnowledgeError
from core.findings import ObjectRef
from core.questions import Intent, Reading
from knowledge.graph import Service, ServiceGraph, Team, parse_graph
from knowledge.graphfacts import graph_passages
from knowledge.reach import longest_ways

GRAPH = """
teams:
  orders: {on_call: Tomás Brandt, channel: "#team-orders"}
  platform: {on_call: Jonas Lind}
  quiet: {}
services:
  frontend: {namespace: shop, team: orders, workload: Deployment/frontend, depends_on: [checkout]}
  checkout:
    namespace: shop
    team: orders
    workload: Deployment/checkout
    also: [Deployment/checkout-canary]
    depends_on: [payments, cart]
    runbook: runbooks/checkout.md
    description: Turns a cart into a paid order
  payments: {namespace: shop, team: orders, depends_on: [orders-db]}
  cart: {namespace: shop, depends_on: [redis]}
  redis: {namespace: platform, team: platform, workload: StatefulSet/redis}
  orders-db: {namespace: platform, team: platform, workload: StatefulSet/orders-db}
  loner: {team: quiet}
nodes:
  worker-1: {zone: eu-1a, runs: [redis, cart]}
  worker-2: {}
"""


@pytest.fixture
def graph() -> ServiceGraph:
    return parse_graph(GRAPH, "graph.yaml")


def asked(*names: str, intents: set[Intent]) -> Reading:
    return Reading("?", "?", names=names, intents=frozenset(intents))


def told(graph: ServiceGraph, reading: Reading, scope: Scope | None = None) -> str:
    return "\n".join(passage.text for passage in graph_passages(graph, reading, scope or Scope()))


def test_impact_goes_against_the_calls_nearest_first(graph: ServiceGraph) -> None:
    hit = graph.impact("redis")
    assert [(item.service, item.depth) for item in hit] == [
        ("cart", 1),
        ("checkout", 2),
        ("frontend", 3),
    ]
    assert hit[-1].path == ("frontend", "checkout", "cart", "redis")
    assert graph.impact("frontend") == ()
    assert graph.impact("unknown") == ()


def test_dependencies_and_the_shortest_way(graph: ServiceGraph) -> None:
    assert [item.service for item in graph.dependencies("checkout")] == [
        "payments",
        "cart",
        "orders-db",
        "redis",
    ]
    assert graph.path("frontend", "redis") == ("frontend", "checkout", "cart", "redis")
    assert graph.path("redis", "frontend") == ()
    assert graph.path("redis", "redis") == ("redis",)


@given(
    st.dictionaries(
        st.sampled_from("abcdef"), st.lists(st.sampled_from("abcdefg"), max_size=4).map(tuple)
    )
)
def test_search_ends_on_any_graph_and_ways_are_real(edges: dict[str, tuple[str, ...]]) -> None:
    services = {name: Service(name, depends_on=calls) for name, calls in edges.items()}
    graph = ServiceGraph(services)
    for name in services:
        hit = graph.impact(name)
        owned = graph.ownership(ObjectRef("demo", "Service", "", name))
        assert owned.affected == tuple(item.service for item in hit)
        for item in hit:
            assert item.path[-1] == name
            assert len(item.path) == item.depth + 1
            for caller, called in zip(item.path, item.path[1:], strict=False):
                assert called in services[caller].depends_on


def test_names_hold_services_workloads_teams_and_nodes(graph: ServiceGraph) -> None:
    assert {"checkout-canary", "redis", "orders", "worker-2"} <= graph.names
    assert graph.namespaces == {"shop", "platform"}


def test_ownership_by_workload_kind_name_and_namespace(graph: ServiceGraph) -> None:
    owned = graph.ownership(ObjectRef("demo", "Deployment", "shop", "checkout-canary"))
    assert (owned.team, owned.on_call) == ("orders", "Tomás Brandt, #team-orders")
    assert owned.affected == ("frontend",)
    assert owned.runbook == "runbooks/checkout.md"
    elsewhere = graph.ownership(ObjectRef("demo", "Deployment", "other", "checkout"))
    assert elsewhere.team == ""
    service = graph.ownership(ObjectRef("demo", "Service", "shop", "payments"))
    assert service.team == "orders"
    assert graph.ownership(ObjectRef("demo", "Pod", "shop", "cart")).on_call == ""
    assert graph.ownership(ObjectRef("demo", "Pod", "x", "nobody")) == type(owned)()


def test_a_node_hits_what_runs_there_and_what_stands_behind(graph: ServiceGraph) -> None:
    owned = graph.ownership(ObjectRef("demo", "Node", "", "worker-1"))
    assert owned.affected == ("redis", "cart", "checkout", "frontend")
    assert graph.ownership(ObjectRef("demo", "Node", "", "worker-9")).affected == ()


def test_a_team_that_is_not_listed_is_still_named() -> None:
    graph = parse_graph("services: {a: {team: ghosts, depends_on: [b, c]}, b: {}}", "g.yaml")
    assert graph.team_of("a") == Team("ghosts")
    assert graph.team_of("b") is None
    assert graph.problems == ("a depends on c, which is no service of the graph",)
    listed = parse_graph("teams: {t: {}}\nservices: {a: {team: u}}\nnodes: {n: {runs: [x]}}", "g")
    assert listed.problems == (
        "a belongs to team u, which is not listed",
        "n runs x, which is no service of the graph",
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("services: [a, b]", "`services` must hold keys and values"),
        ("- a", "the file must hold keys and values"),
        ("services: {a: text}", "`services.a` must hold keys and values"),
        ("services: {a: {depends_on: b}}", "`services.a.depends_on` must be a list"),
        ("services: {a: {depends_on: [{b: c}]}}", "`services.a.depends_on` must be a list"),
        ("teams: {t: {on_call: [x]}}", "`teams.t.on_call` must be one word"),
        ("a: 1\nb: [x}\n", "it is no YAML at line 2"),
        ("[" * 300_000, "it is nested more than 200 deep"),
        ("a: " + "[" * 250 + "]" * 250, "it is nested more than 200 deep"),
    ],
)
def test_a_mistake_names_its_key(text: str, words: str) -> None:
    with pytest.raises(KnowledgeError) as wrong:
        parse_graph(text, "graph.yaml")
    assert words in wrong.value.wrong
    assert "graph.yaml" in wrong.value.asked


def test_an_empty_service_has_no_facts_of_its_own(graph: ServiceGraph) -> None:
    assert parse_graph("services: {a: }", "g").services["a"] == Service("a")
    assert told(graph, asked("nobody", intents={Intent.OWNER})) == ""


def test_impact_is_told_with_owner_and_way(graph: ServiceGraph) -> None:
    assert told(graph, asked("redis", intents={Intent.IMPACT})) == (
        "If redis fails, it hits cart directly and through them checkout and frontend.\n"
        "| team | services hit | on call |\n"
        "|---|---|---|\n"
        "| nobody known | cart | - |\n"
        "| orders | checkout, frontend | Tomás Brandt, #team-orders |\n"
        "The ways: frontend → checkout → cart → redis.\n"
        "redis is owned by team platform (on call: Jonas Lind)."
    )
    assert "nothing depends on it" in told(graph, asked("loner", intents={Intent.IMPACT}))
    assert "it hits frontend directly.\n" in told(graph, asked("checkout", intents={Intent.IMPACT}))


def test_dependencies_are_told_in_both_directions(graph: ServiceGraph) -> None:
    text = told(graph, asked("checkout", intents={Intent.DEPENDENCIES}))
    assert "checkout depends on payments and cart." in text
    assert "Through them it also needs orders-db and redis." in text
    assert "checkout is called by frontend." in text
    assert "redis depends on no other service" in told(
        graph, asked("redis", intents={Intent.DEPENDENCIES})
    )


def test_two_named_services_are_told_by_their_way(graph: ServiceGraph) -> None:
    text = told(graph, asked("redis", "frontend", intents={Intent.IMPACT}))
    assert "frontend depends on redis: frontend → checkout → cart → redis." in text


def test_a_missing_owner_is_said_when_asked_for(graph: ServiceGraph) -> None:
    assert "names no owner of cart" in told(graph, asked("cart", intents={Intent.OWNER}))
    assert "names no owner" not in told(graph, asked("cart", intents={Intent.IMPACT}))
    assert "owned by team quiet." in told(graph, asked("loner", intents={Intent.OWNER}))


def test_a_why_question_gets_the_graph_as_background(graph: ServiceGraph) -> None:
    text = told(graph, asked("checkout", intents={Intent.WHY}))
    assert "checkout: Turns a cart into a paid order." in text
    assert "depends on payments and cart" in text
    assert "Its runbook: runbooks/checkout.md." in text
    assert told(graph, asked("checkout", intents={Intent.HOW})) == ""


def test_a_team_is_told_with_its_services(graph: ServiceGraph) -> None:
    text = told(graph, asked("orders", "quiet", intents={Intent.OWNER}))
    assert "Team orders is reached at Tomás Brandt, #team-orders." in text
    assert "It owns frontend, checkout and payments." in text
    assert "It owns loner." in text
    bare = parse_graph("teams: {t: {}}", "g")
    assert told(bare, asked("t", intents={Intent.OWNER})) == "Team t."


def test_a_node_is_told_by_the_live_cluster_where_it_is_known(graph: ServiceGraph) -> None:
    reading = asked("worker-1", intents={Intent.IMPACT})
    (filed,) = graph_passages(graph, reading, Scope())
    assert filed.text.startswith(
        "If worker-1 fails, it hits redis and cart directly (according to the service graph's "
        "file) and, through them, checkout and frontend.\n| team |"
    )
    assert "| orders | checkout, frontend | Tomás Brandt, #team-orders |" in filed.text
    (live,) = graph_passages(graph, reading, Scope(), {"worker-1": ("payments",)})
    assert "If worker-1 fails, it hits payments directly (they run there now)" in live.text
    assert live.is_fact
    empty = asked("worker-2", intents={Intent.IMPACT})
    assert "No service of the graph is known to run on worker-2" in told(graph, empty)


def test_services_outside_the_channels_scope_are_not_told(graph: ServiceGraph) -> None:
    scope = Scope(namespaces=frozenset({"platform"}))
    text = told(graph, asked("redis", "cart", intents={Intent.IMPACT}), scope)
    assert "cart" not in text
    assert "3 more stand outside what this channel may see." in text
    assert told(graph, asked("redis", intents={Intent.IMPACT}), Scope(teams=frozenset({"x"}))) == ""
    by_source = Scope(sources=frozenset({"markdown"}))
    assert told(graph, asked("redis", intents={Intent.IMPACT}), by_source) == ""


@given(
    st.dictionaries(
        st.sampled_from("abcdefgh"), st.lists(st.sampled_from("abcdefghx"), max_size=4).map(tuple)
    ),
    st.sets(st.sampled_from("abcdefgh")),
)
def test_ways_are_shortest_from_either_end(
    edges: dict[str, tuple[str, ...]], failing: set[str]
) -> None:
    graph = ServiceGraph({name: Service(name, depends_on=calls) for name, calls in edges.items()})
    for start in edges:
        depths = {start: 0} | {item.service: item.depth for item in graph.dependencies(start)}
        for end in "abcdefghx":
            way = graph.path(start, end)
            assert len(way) == (depths[end] + 1 if end in depths else 0)
            assert all(b in edges[a] for a, b in pairwise(way))
        roots = {
            name for name in failing if not any(called in failing for called in edges.get(name, ()))
        } or failing
        way = graph.failing_path(start, failing)
        near = [depths[name] for name in roots if name in depths]
        assert len(way) == (min(near) + 1 if near else 0)


def test_the_longest_ways_hold_every_service_that_is_hit(graph: ServiceGraph) -> None:
    hit = graph.impact("redis", "orders-db")
    ways = longest_ways(hit)
    assert {name for way in ways for name in way} == {item.service for item in hit} | {
        "redis",
        "orders-db",
    }
    assert len(ways) < len(hit)
    assert repr(hit[0]) == "Reach('cart', 1)"


def test_a_chain_of_ten_thousand_calls_is_no_trouble() -> None:
    names = [f"s{index}" for index in range(10_000)]
    calls = dict(pairwise(names))
    graph = ServiceGraph(
        {name: Service(name, depends_on=(calls[name],) if name in calls else ()) for name in names}
    )
    hit = graph.impact(names[-1])
    assert hit[-1].path == tuple(names)
    assert longest_ways(hit) == [tuple(names)]
    assert graph.path(names[0], names[-1]) == tuple(names)


def test_of_thousands_that_are_hit_some_are_named_and_the_rest_is_counted() -> None:
    services = {"db": Service("db")} | {
        f"s{index}": Service(f"s{index}", team=f"t{index % 40}", depends_on=("db",))
        for index in range(5_000)
    }
    text = told(ServiceGraph(services), asked("db", intents={Intent.IMPACT}))
    assert "If db fails, it hits s0, s1, " in text
    assert "s29 and 4970 more directly." in text
    assert "| 20 more teams | | |" in text
    assert text.count(" → ") == 12
    assert text.endswith("; ….")
    assert len(text) < 10_000
