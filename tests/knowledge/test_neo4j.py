"""The service graph from Neo4j: what rows mean, what is told when it fails, a real server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from neo4j import GraphDatabase

from core.errors import KnowledgeError
from knowledge.documents import Entry
from knowledge.graph import Node, Service, Team
from knowledge.neo4j import QUERIES, Server, graph_of, parse_server
from knowledge.sources import open_source
from knowledge.sources.config import SourceConfig, Surroundings
from knowledge.sources.database import Neo4jSource
from tests.knowledge.neo4j_server import (
    PASSWORD,
    RunningServer,
    missing_programs,
    running_server,
)

# The port of a protocol that nobody serves any more.
NOBODY = "neo4j://neo4j@127.0.0.1:9/neo4j"
SHAPE = """
CREATE (orders:Team {name: 'orders', on_call: 'Tomás Brandt', channel: '#team-orders'})
CREATE (redis:Service {name: 'redis', namespace: 'platform', team: 'platform',
    description: 'Carts and sessions.'})
CREATE (cart:Service {name: 'cart', namespace: 'shop', workloads: ['Deployment/cart'],
    runbook: 'runbooks/cart.md'})-[:DEPENDS_ON]->(redis)
CREATE (cart)-[:OWNED_BY]->(orders)
CREATE (checkout:Service {name: 'checkout', namespace: 'shop'})-[:DEPENDS_ON]->(cart)
CREATE (redis)-[:RUNS_ON]->(:Node {name: 'worker-1', zone: 'eu-1a'})
CREATE (:Service {namespace: 'nameless'})
"""


def rows(**given: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    return {name: given.get(name, []) for name in QUERIES}


@pytest.mark.parametrize(
    ("uri", "server"),
    [
        (
            "neo4j://reader@h.example:7688/services",
            ("neo4j://h.example:7688", "reader", "services"),
        ),
        ("neo4j+s://h.example", ("neo4j+s://h.example:7687", "neo4j", "")),
        ("neo4j://a%40b@[::1]/x", ("neo4j://[::1]:7687", "a@b", "x")),
    ],
)
def test_an_address_is_read_into_its_parts(uri: str, server: tuple[str, str, str]) -> None:
    assert parse_server(uri) == Server(*server)


@pytest.mark.parametrize("uri", ["neo4j:place", "neo4j://h:port", "neo4j://h/x?y=1", "neo4j://u@"])
def test_an_address_of_another_form_is_refused(uri: str) -> None:
    with pytest.raises(KnowledgeError, match="not of the form"):
        parse_server(uri)


def test_rows_without_a_name_are_counted_and_stop_nothing() -> None:
    graph = graph_of(
        rows(
            services=[
                {"name": "a", "workloads": "Deployment/a", "description": 7},
                {"name": None},
                {"name": ["b"]},
            ],
            dependencies=[
                {"caller": "a", "called": "b"},
                {"caller": "a", "called": None},
                {"caller": "x", "called": "a"},
            ],
        ),
        "graph",
    )
    assert graph.services == {
        "a": Service("a", workloads=("Deployment/a",), depends_on=("b",), description="7")
    }
    assert graph.problems == (
        "1 of 3 rows of the query `dependencies` have no caller or no called",
        "2 of 3 rows of the query `services` have no name",
        "x calls something and is no service of the graph",
        "a depends on b, which is no service of the graph",
    )


def test_a_graph_without_services_is_an_error() -> None:
    with pytest.raises(KnowledgeError, match="it gives no services"):
        graph_of(rows(services=[{"label": "a"}]), "graph")


def test_a_server_that_is_down_is_told_without_the_password() -> None:
    source = open_source(NOBODY, Surroundings(neo4j_password="hunter2"))
    listing = source.listing()
    assert listing.problems == (
        ("127.0.0.1:9/neo4j", "no Neo4j answers at neo4j://127.0.0.1:9 (ServiceUnavailable)"),
    )
    assert not listing.is_complete
    assert "hunter2" not in repr(Surroundings(neo4j_password="hunter2"))


def test_a_query_of_no_known_name_is_told() -> None:
    source = open_source(SourceConfig(NOBODY, queries={"people": "RETURN 1"}))
    assert source.listing().problems[0][1] == "people is no query"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    missing = missing_programs()
    if missing:
        pytest.skip(f"{' and '.join(missing)} not installed: no Neo4j can be started")
    with running_server(tmp_path_factory.mktemp("neo4j")) as running:
        write(running, SHAPE)
        yield running


def write(server: RunningServer, cypher: str) -> None:
    address = f"bolt://{server.host}:{server.port}"
    with GraphDatabase.driver(address, auth=("neo4j", PASSWORD)) as driver:
        driver.execute_query(cypher)


def source_of(server: RunningServer, **options: Any) -> Neo4jSource:
    uri = server.uri(**options.pop("uri", {}))
    password = options.pop("password", PASSWORD)
    source = open_source(SourceConfig(uri, **options), Surroundings(neo4j_password=password))
    assert isinstance(source, Neo4jSource)
    return source


@pytest.mark.neo4j
@pytest.mark.timeout(1200)
class TestRealServer:
    def test_the_graph_is_read_in_the_documented_shape(self, server: RunningServer) -> None:
        source = source_of(server)
        listing = source.listing()
        assert [why for _, why in listing.problems] == [
            "1 of 4 rows of the query `services` have no name",
            "redis belongs to team platform, which is not listed",
        ]
        graph = source.graph
        assert graph.services["cart"] == Service(
            "cart",
            namespace="shop",
            team="orders",
            workloads=("Deployment/cart",),
            depends_on=("redis",),
            runbook="runbooks/cart.md",
        )
        assert graph.teams == {"orders": Team("orders", "Tomás Brandt", "#team-orders")}
        assert graph.nodes == {"worker-1": Node("worker-1", "eu-1a", ("redis",))}
        assert [item.service for item in graph.impact("redis")] == ["cart", "checkout"]
        redis = next(entry for entry in listing.entries if entry.path.endswith("#redis"))
        (document,) = source.load(redis)
        assert document.text == "redis: Carts and sessions. It is owned by team platform."
        assert (document.team, document.updated_at) == ("platform", graph.updated_at)
        assert source.load(Entry("x#checkout", "")) == ()

    def test_what_did_not_change_keeps_its_stamp_and_age(self, server: RunningServer) -> None:
        source = source_of(server)
        before = source.listing()
        assert source.listing() == before

    def test_a_wrong_password_is_told(self, server: RunningServer) -> None:
        for password in ("wrong", ""):
            ((place, why),) = source_of(server, password=password).listing().problems
            assert place == f"{server.host}:{server.port}/neo4j"
            assert why == "the server refuses the user neo4j"

    def test_a_database_that_is_not_there_is_told(self, server: RunningServer) -> None:
        listing = source_of(server, uri={"database": "nowhere"}).listing()
        assert "nowhere" in listing.problems[0][1]
        assert not listing.is_complete

    def test_other_shapes_are_read_by_other_queries(self, server: RunningServer) -> None:
        write(server, "CREATE (:App {id: 'web'})-[:USES]->(:App {id: 'api'})")
        source = source_of(
            server,
            queries={
                "services": "MATCH (a:App) RETURN a.id AS name ORDER BY name",
                "dependencies": "MATCH (a:App)-[:USES]->(b) RETURN a.id AS caller, b.id AS called",
            },
        )
        assert source.listing().is_complete
        assert source.graph.services == {
            "api": Service("api"),
            "web": Service("web", depends_on=("api",)),
        }

    @pytest.mark.parametrize(
        ("cypher", "words"),
        [
            ("MATCH (s:Service) RETURN s.name", "gives no column name but s.name"),
            ("MATCH (s:Nothing) RETURN s.name AS name", "it gives no services"),
            ("MATCH (s:Service RETURN s", "the server says: Invalid input"),
        ],
    )
    def test_a_query_that_does_not_fit_is_told(
        self, server: RunningServer, cypher: str, words: str
    ) -> None:
        listing = source_of(server, queries={"services": cypher}).listing()
        assert words in listing.problems[0][1]

    def test_nothing_can_be_written(self, server: RunningServer) -> None:
        cypher = "CREATE (s:Service {name: 'made'}) RETURN s.name AS name"
        source = source_of(server, queries={"services": cypher})
        assert "read access mode" in source.listing().problems[0][1].lower()
        plain = source_of(server)
        plain.listing()
        assert "made" not in plain.graph.services
