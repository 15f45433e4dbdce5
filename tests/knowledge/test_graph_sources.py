"""Graphs from CSV, from a Backstage catalogue, and several as one."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.errors import KnowledgeError
from knowledge.graph import Node, Service, ServiceGraph, Team
from knowledge.graphcsv import parse_csv_graph
from knowledge.graphmerge import merge_graphs
from knowledge.sources import open_source
from knowledge.sources.config import SourceConfig
from knowledge.sources.graph import LARGEST_GRAPH_BYTES, GraphSource

CALLS = "from,to\nfrontend,cart\nfrontend,cart\ncart, redis \n"
SERVICES = (
    "Name,NS,Owner,workload,runbook,description,on_call,slack_channel,node\n"
    'cart,shop,orders,Deployment/cart StatefulSet/cart-x,runbooks/cart.md,"Carts, kept.",'
    "Tomás Brandt,#team-orders,worker-1 worker-2\n"
    "redis,platform,orders,,,,,,worker-1\n"
)

CATALOGUE = """
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: payments
  description: Authorises card payments.
  annotations:
    backstage.io/kubernetes-id: payments-api
    backstage.io/kubernetes-namespace: shop
    fenwick.example/runbook: https://wiki.example.com/payments
spec:
  type: service
  owner: group:default/orders
  dependsOn: [resource:orders-db, component:kafka]
  consumesApis: [risk]
  providesApis: [pay]
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: risk-engine
  links: [{title: Its Runbook, url: "https://wiki.example.com/risk"}, {title: Grafana}]
spec: {type: service, owner: user:priya, providesApis: [risk], consumesApis: [risk]}
---
apiVersion: backstage.io/v1alpha1
kind: API
metadata: {name: risk}
spec: {type: openapi, owner: orders}
"""
OTHERS = """
apiVersion: backstage.io/v1alpha1
kind: Resource
metadata: {name: orders-db, namespace: default}
spec: {type: database, system: shop, dependencyOf: [component:risk-engine]}
---
apiVersion: backstage.io/v1alpha1
kind: System
metadata: {name: shop}
spec: {owner: platform}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: orders, annotations: {slack.com/channel: "#team-orders"}}
spec: {type: team, profile: {email: orders@example.com}}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: priya}
spec: {profile: {displayName: Priya Raman}, memberOf: [trading]}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: jonas}
spec: {memberOf: [platform]}
---
kind: Deployment
"""


def opened(config: str | SourceConfig) -> GraphSource:
    source = open_source(config)
    assert isinstance(source, GraphSource)
    return source


class TestCsv:
    def test_calls_alone_make_a_graph(self, tmp_path: Path) -> None:
        (tmp_path / "shop.csv").write_text(CALLS)
        source = opened(f"graph:{tmp_path}/shop.csv")
        listing = source.listing()
        assert listing.problems == ()
        assert source.graph.path("frontend", "redis") == ("frontend", "cart", "redis")
        assert [entry.path for entry in listing.entries] == [
            "shop.csv#frontend",
            "shop.csv#cart",
            "shop.csv#redis",
        ]

    def test_what_is_known_of_the_services_stands_beside(self, tmp_path: Path) -> None:
        (tmp_path / "shop.csv").write_text(CALLS)
        (tmp_path / "shop.nodes.csv").write_text(SERVICES)
        source = opened(f"graph:{tmp_path}/shop.csv")
        listing = source.listing()
        assert source.graph.services["cart"] == Service(
            "cart",
            namespace="shop",
            team="orders",
            workloads=("Deployment/cart", "StatefulSet/cart-x"),
            depends_on=("redis",),
            runbook="runbooks/cart.md",
            description="Carts, kept",
        )
        assert source.graph.teams == {"orders": Team("orders", "Tomás Brandt", "#team-orders")}
        assert source.graph.nodes["worker-1"] == Node("worker-1", runs=("cart", "redis"))
        (document,) = source.load(listing.entries[1])
        assert document.text == "cart: Carts, kept. It is owned by team orders. It calls redis."
        (tmp_path / "shop.nodes.csv").write_text("name,team\ncart,other\n")
        os.utime(tmp_path / "shop.nodes.csv", (1, 1))
        source.listing()
        assert source.graph.services["cart"].team == "other"

    def test_rows_that_cannot_be_used_are_counted_with_the_first_line(self) -> None:
        graph = parse_csv_graph(
            "from,to\na,b\na\n,b\na,b,c\n\nb,c\n", "name\n\n \nx\n", "calls.csv"
        )
        assert graph.problems == (
            "3 rows are no call, the first at line 3 of calls.csv",
            "1 row is no service, the first at line 3 of the services beside calls.csv",
        )
        assert graph.path("a", "c") == ("a", "b", "c")
        assert "x" in graph.services

    def test_what_is_no_csv_stops_there_and_is_told(self) -> None:
        graph = parse_csv_graph('from,to\na,b\n"x"y,z\nb,c\n', "", "calls.csv")
        assert graph.services == {"a": Service("a", depends_on=("b",)), "b": Service("b")}
        assert graph.problems[0].startswith("reading stops at line 3 of calls.csv, which is no CSV")
        huge = parse_csv_graph(f"from,to\na,b\n{'x' * 200_000},b\n", "", "calls.csv")
        assert "field larger than field limit" in huge.problems[0]

    def test_columns_are_guessed_or_given(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_text("Aufrufer,Ziel\nweb,api\n")
        uri = f"graph:{tmp_path}/a.csv"
        ((_, why),) = opened(uri).listing().problems
        assert why == "no column for from, to among Aufrufer, Ziel"
        source = opened(SourceConfig(uri, columns={"from": "aufrufer", "to": "Ziel"}))
        assert source.listing().problems == ()
        assert source.graph.path("web", "api") == ("web", "api")
        with pytest.raises(KnowledgeError, match="among none"):
            parse_csv_graph("", "", "a.csv")

    @pytest.mark.parametrize("name", ["shop.csv", "shop.nodes.csv", "shop.yaml"])
    def test_a_file_that_cannot_be_read_is_told_and_the_old_graph_stays(
        self, tmp_path: Path, name: str
    ) -> None:
        (tmp_path / "shop.csv").write_text(CALLS)
        (tmp_path / "shop.yaml").write_text("services: {cart: {}}")
        source = opened(f"graph:{tmp_path}/{name.replace('.nodes', '')}")
        assert source.listing().is_complete
        path = tmp_path / name
        for write, words in (
            (lambda: path.write_bytes(b"\xff\xfef\0r\0"), "not UTF-8 text"),
            (lambda: path.write_bytes(b"from,to\0\n"), "binary, not text"),
            (lambda: os.truncate(path, 100_000_000), "larger than 20 MB"),
        ):
            write()
            listing = source.listing()
            assert words in listing.problems[0][1]
            assert not listing.is_complete
            assert "cart" in source.graph.services
        path.unlink()
        os.mkfifo(path)
        assert source.listing().problems[0][1] == "not a regular file"
        assert LARGEST_GRAPH_BYTES == 20_000_000


class TestBackstage:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        (tmp_path / "payments").mkdir()
        (tmp_path / "payments" / "catalog-info.yaml").write_text(CATALOGUE)
        (tmp_path / "others.yml").write_text(OTHERS)
        (tmp_path / "values.yaml").write_text("replicas: {{ .Values.replicas }}\n")
        return tmp_path

    def test_a_catalogue_becomes_a_graph(self, folder: Path) -> None:
        source = opened(f"backstage:{folder}")
        listing = source.listing()
        assert source.graph.services == {
            "orders-db": Service("orders-db", team="platform"),
            "payments": Service(
                "payments",
                namespace="shop",
                team="orders",
                workloads=("payments-api",),
                depends_on=("orders-db", "risk-engine"),
                runbook="https://wiki.example.com/payments",
                description="Authorises card payments",
            ),
            "risk-engine": Service(
                "risk-engine",
                team="priya",
                depends_on=("orders-db",),
                runbook="https://wiki.example.com/risk",
            ),
        }
        assert source.graph.teams == {
            "orders": Team("orders", "orders@example.com", "#team-orders"),
            "priya": Team("priya", "Priya Raman"),
        }
        assert [why for _, why in listing.problems] == [
            (
                "payments/catalog-info.yaml: component payments refers to component kafka, "
                "which is not in the catalogue"
            ),
            "orders-db is owned by platform, which is no Group or User of the catalogue",
        ]
        assert len(listing.entries) == 3
        assert source.listing() == listing

    def test_broken_files_and_entities_cost_themselves_alone(self, folder: Path) -> None:
        (folder / "broken.yaml").write_text("apiVersion: backstage.io/v1\nkind: [Component\n")
        (folder / "deep.yaml").write_text("apiVersion: backstage.io/v1\nx: " + "[" * 200_000)
        (folder / "latin.yaml").write_bytes("Größe".encode("latin-1"))
        os.truncate(folder / "latin.yaml", 5)
        (folder / "huge.yaml").touch()
        os.truncate(folder / "huge.yaml", 100_000_000)
        (folder / "loop").symlink_to(folder)
        (folder / "odd.yaml").write_text(
            "apiVersion: backstage.io/v1\nkind: Component\nmetadata: {name: [x]}\n---\n"
            "apiVersion: backstage.io/v1\nkind: Component\n"
            "metadata: {name: odd, annotations: [a], links: {a: b}}\n"
            "spec: {owner: {a: b}, dependsOn: [7, 'api:none'], consumesApis: [gone]}\n---\n"
            "apiVersion: backstage.io/v1\nkind: Component\nmetadata: {name: payments}\n---\n"
            "apiVersion: backstage.io/v1\nkind: Resource\nmetadata: {name: odd}\nspec: [a]\n---\n"
            "- a list\n"
        )
        source = opened(f"backstage:{folder}")
        listing = source.listing()
        told = dict(listing.problems[:5])
        assert told == {
            "loop": "a link to a folder listed already",
            "broken.yaml": "it is no YAML at line 3",
            "deep.yaml": "it is nested more than 200 deep",
            "huge.yaml": "larger than 2 MB",
            "latin.yaml": "not UTF-8 text",
        }
        rest = "\n".join(why for _, why in listing.problems[5:])
        for words in (
            "odd.yaml: an entity has no kind or no metadata.name",
            "component payments is in odd.yaml already; the first counts",
            "resource odd has the name of a component; that one counts",
            "odd.yaml: spec.dependsOn of odd must hold references",
            "odd.yaml: spec.owner of odd must hold references",
            "component odd consumes API none, which no component provides",
            "component odd consumes API gone, which no component provides",
        ):
            assert words in rest
        assert source.graph.services["odd"] == Service("odd")
        assert listing.is_complete

    def test_a_folder_without_a_catalogue_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "a.yaml").write_text("a: b")
        listing = opened(f"backstage:{tmp_path}").listing()
        wrong = "it holds no Component or Resource of a catalogue"
        assert listing.problems == ((str(tmp_path), wrong),)
        assert not listing.is_complete
        gone = opened(f"backstage:{tmp_path}/gone").listing()
        assert gone.problems[0][1] == "the folder does not exist"


class TestMerge:
    def test_none_and_one_are_what_they_are(self) -> None:
        one = ServiceGraph({"a": Service("a")})
        assert merge_graphs([]) == ServiceGraph()
        assert merge_graphs([ServiceGraph(), one]) is one

    def test_what_one_leaves_out_the_other_adds(self) -> None:
        early, late = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
        merged = merge_graphs(
            [
                ServiceGraph(
                    {"a": Service("a", team="t", depends_on=("b",))},
                    {"t": Team("t", "Ines")},
                    {"n": Node("n", runs=("a",))},
                    ("a depends on b, which is no service of the graph",),
                    "one.yaml",
                    early,
                ),
                ServiceGraph(
                    {
                        "a": Service("a", namespace="shop", depends_on=("b", "c")),
                        "b": Service("b", description="Bees"),
                    },
                    {"t": Team("t", channel="#t")},
                    {"n": Node("n", "eu-1a", ("b",))},
                    location="two.csv",
                    updated_at=late,
                ),
            ]
        )
        assert merged.services["a"] == Service("a", "shop", "t", depends_on=("b", "c"))
        assert merged.teams == {"t": Team("t", "Ines", "#t")}
        assert merged.nodes == {"n": Node("n", "eu-1a", ("a", "b"))}
        assert (merged.location, merged.updated_at) == ("one.yaml, two.csv", late)
        assert merged.problems == ("a depends on c, which is no service of the graph",)

    def test_contradictions_are_told_and_the_first_counts(self) -> None:
        graphs = [
            ServiceGraph({"a": Service("a", "shop")}, {"t": Team("t", "Ines")}, location="one"),
            ServiceGraph({"a": Service("a", team="t")}, location="two"),
            ServiceGraph(
                {"a": Service("a", "shop", "u", runbook="r")},
                {"t": Team("t", "Mei"), "u": Team("u")},
                {"n": Node("n", "z")},
                location="three",
            ),
            ServiceGraph(nodes={"n": Node("n", "y")}, location="four"),
        ]
        merged = merge_graphs(graphs)
        assert merged.services["a"].team == "t"
        assert merged.problems == (
            "a belongs to team t in two, but u in three; the first counts",
            "t has on call Ines in one, but Mei in three; the first counts",
            "n stands in zone z in three, but y in four; the first counts",
        )
