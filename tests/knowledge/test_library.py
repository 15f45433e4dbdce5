"""The library: what a question names decides which sources answer, and failures are gaps."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.answers import Lookup, Scope
from core.clock import ManualClock
from core.errors import KnowledgeError
from core.findings import ObjectRef
from core.redact import Redactor
from knowledge.library import Library, ServicesOnNode
from knowledge.ports import Filter, Hit, VectorStore
from knowledge.store_edge import EdgeStore
from tests.knowledge.conftest import NOW, WordEmbedder

NONE: frozenset[str] = frozenset()
GRAPH = """
teams: {orders: {on_call: Tomás Brandt}}
services:
  checkout: {namespace: shop, team: orders, depends_on: [payments], workload: Deployment/checkout}
  payments: {namespace: shop, team: orders, workload: Deployment/payments}
  ledger: {namespace: trading, workload: StatefulSet/ledger}
nodes: {worker-1: {runs: [ledger]}}
"""


class BrokenStore(EdgeStore):
    """An edge store that cannot be searched or scanned."""

    async def search_sparse(
        self, text: str, limit: int, filters: Filter | None = None
    ) -> list[Hit]:
        """Fails as a lost server would."""
        del text, limit, filters
        raise KnowledgeError("search the store", "it does not answer", "Check QDRANT_URL")

    async def count(self, filters: Filter | None = None) -> int:
        """Fails as well."""
        del filters
        raise KnowledgeError("read the store", "it does not answer", "Check QDRANT_URL")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "logs").mkdir()
    (tmp_path / "metrics").mkdir()
    (tmp_path / "runbooks" / "payments.md").write_text(
        "---\nservice: payments\nnamespace: shop\n---\n# payments restarts\n\n"
        "When payments is OOMKilled raise its memory limit. The token is token=abcd1234efgh5678.\n"
    )
    (tmp_path / "runbooks" / "ledger.md").write_text(
        "---\nnamespace: trading\n---\n# Ledger volume\n\nThe ledger volume stays pending.\n"
    )
    (tmp_path / "logs" / "shop.csv").write_text(
        "timestamp,level,namespace,pod,container,code,message\n"
        "2026-03-04T11:30:00Z,ERROR,shop,payments-6c9d8b7f5b-x2k4q,payments,503,heap is full "
        "password=hunter2-swordfish\n"
        "2026-03-04T10:30:00Z,ERROR,shop,payments-6c9d8b7f5b-x2k4q,payments,503,heap is full\n"
    )
    (tmp_path / "metrics" / "m.csv").write_text(
        "timestamp,series,value\n2026-03-04T11:00:00Z,payments/memory_bytes,1048576\n"
        "2026-03-04T11:30:00Z,payments/memory_bytes,2097152\n"
        "2026-03-04T11:40:00Z,ledger/memory_bytes,2097152\n"
    )
    (tmp_path / "graph.yaml").write_text(GRAPH)
    return tmp_path


def uris(folder: Path) -> list[str]:
    return [
        f"markdown:{folder}/runbooks",
        f"csv-logs:{folder}/logs/*.csv",
        f"csv-metrics:{folder}/metrics/*.csv",
        f"graph:{folder}/graph.yaml",
    ]


def make(
    folder: Path, store: VectorStore, embedder: WordEmbedder | None, on_node: ServicesOnNode | None
) -> Library:
    return Library(
        uris(folder), store, embedder, Redactor(b"k" * 32), ManualClock(NOW), UTC, on_node
    )


@pytest.fixture
async def library(folder: Path, embedder: WordEmbedder) -> AsyncIterator[Library]:
    store = await EdgeStore.open(folder / "qdrant", embedder.name, embedder.size)
    library = make(folder, store, embedder, None)
    await library.start()
    await library.index()
    await library.fill_dense()
    yield library
    await library.close()


async def ask(library: Library, question: str, scope: Scope | None = None) -> Lookup:
    return await library.look(library.read(question, NONE, NONE), scope or Scope())


async def test_the_graphs_names_are_known_besides_the_clusters(library: Library) -> None:
    reading = library.read("do checkout and mailer in x1 work", frozenset({"mailer"}), NONE)
    assert set(reading.names) == {"checkout", "mailer"}
    assert library.read("pods in shop", NONE, NONE).namespaces == ("shop",)
    owned = library.ownership(ObjectRef("demo", "Deployment", "shop", "payments"))
    assert (owned.team, owned.affected) == ("orders", ("checkout",))


async def test_an_impact_question_is_answered_by_the_graph_first(library: Library) -> None:
    lookup = await ask(library, "which services are affected if payments fails?")
    assert lookup.passages[0].source == "graph"
    assert "it hits checkout directly." in lookup.passages[0].text
    assert lookup.gaps == ()


async def test_log_lines_stand_before_prose_and_are_redacted(library: Library) -> None:
    lookup = await ask(library, "which lines have code 503 in the last hour")
    facts = [passage for passage in lookup.passages if passage.is_fact]
    assert facts[0].source == "csv-logs"
    assert facts[0].text.startswith("1 line with code 503 between 2026-03-04 11:00 UTC")
    assert "hunter2" not in "".join(passage.text for passage in lookup.passages)
    assert "<REDACTED:" in facts[0].text


async def test_metrics_answer_questions_on_numbers(library: Library) -> None:
    lookup = await ask(library, "memory usage of payments")
    assert "is at 2.0 MiB" in next(
        passage.text for passage in lookup.passages if passage.source == "csv-metrics"
    )


async def test_prose_is_found_by_words_with_its_labels_and_without_secrets(
    library: Library,
) -> None:
    lookup = await ask(library, "payments OOMKilled memory limit")
    page = next(passage for passage in lookup.passages if passage.source == "markdown")
    assert (page.location, page.service, page.score) == ("payments.md", "payments", 1.0)
    assert page.updated_at is not None
    assert "abcd1234efgh5678" not in page.text


async def test_a_question_about_something_else_finds_nothing_and_says_where_it_looked(
    library: Library,
) -> None:
    lookup = await ask(library, "best recipe of sourdough bread")
    assert lookup == Lookup(
        looked_in=(
            "runbooks and documents",
            "CSV logs",
            "CSV metrics",
            "the service graph",
        )
    )
    assert (await ask(library, "")).passages == ()


async def test_the_channels_scope_limits_all_sources(library: Library) -> None:
    shop = Scope(namespaces=frozenset({"shop"}))
    lookup = await ask(library, "ledger volume pending, why and memory metrics", shop)
    assert all("ledger" not in passage.text.lower() for passage in lookup.passages)
    only = await ask(library, "ledger volume pending", Scope(sources=frozenset({"markdown"})))
    assert only.looked_in == ("runbooks and documents",)
    assert {passage.source for passage in only.passages} == {"markdown"}


async def test_status_tells_each_sources_count_age_and_problems(
    library: Library, folder: Path
) -> None:
    (folder / "runbooks" / "bad.md").write_bytes(b"\xff\x00")
    (folder / "runbooks" / "dead.md").symlink_to(folder / "gone.md")
    report = await library.index()
    assert ("markdown: bad.md", "not UTF-8 text") in report.problems
    states = {state.uri.partition(":")[0]: state for state in await library.status()}
    assert (states["markdown"].count, states["markdown"].unit) == (2, "chunks")
    assert set(states["markdown"].problems) == {
        ("bad.md", "not UTF-8 text"),
        ("dead.md", "no such file or directory"),
    }
    assert (states["csv-logs"].count, states["csv-logs"].unit) == (2, "lines")
    assert (states["csv-metrics"].count, states["csv-metrics"].unit) == (3, "values")
    assert (states["graph"].count, states["graph"].unit) == (3, "services")
    assert all(state.newest is not None for state in states.values())


async def test_a_lost_store_is_a_gap_and_the_facts_still_come(
    folder: Path, embedder: WordEmbedder
) -> None:
    store = await BrokenStore.open(folder / "qdrant", embedder.name, embedder.size)
    library = make(folder, store, embedder, None)
    await library.start()
    lookup = await ask(library, "who owns payments")
    assert "Tomás Brandt" in lookup.passages[0].text
    (gap,) = lookup.gaps
    assert (gap.what, gap.why) == ("documentation search", "it does not answer")
    await library.close()


class LostModel(WordEmbedder):
    """An encoder whose server went away."""

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Fails as such a server would."""
        del texts
        raise KnowledgeError("embed the question", "the model does not answer", "Start it")


async def test_a_lost_encoder_leaves_the_text_search_and_is_a_gap(folder: Path) -> None:
    store = await EdgeStore.open(folder / "qdrant", "words-32", 32)
    library = make(folder, store, LostModel(), None)
    await library.start()
    await library.index()
    lookup = await ask(library, "payments OOMKilled memory")
    assert any(passage.location == "payments.md" for passage in lookup.passages)
    assert [gap.what for gap in lookup.gaps] == ["search by meaning"]
    await library.close()


async def test_missing_files_are_gaps_and_problems_never_failures(
    tmp_path: Path, embedder: WordEmbedder
) -> None:
    store = await EdgeStore.open(tmp_path / "qdrant", embedder.name, embedder.size)
    library = make(tmp_path / "nowhere", store, embedder, None)
    await library.start()
    report = await library.index()
    assert len(report.problems) == 4
    lookup = await ask(library, "log lines with code 503 and memory metrics")
    assert [gap.what for gap in lookup.gaps] == ["CSV logs", "CSV metrics"]
    assert lookup.gaps[0].why == "no file matches"
    assert library.graph.services == {}
    await library.close()
    assert [state.count for state in await library.status()] == [0, 0, 0, 0]


async def test_without_an_embedder_text_alone_answers(folder: Path) -> None:
    store = await EdgeStore.open(folder / "qdrant", "none", 1)
    library = make(folder, store, None, None)
    await library.start()
    await library.index()
    assert await library.fill_dense() == 0
    lookup = await ask(library, "payments OOMKilled memory")
    assert any(passage.source == "markdown" for passage in lookup.passages)
    await library.close()


async def test_text_search_works_before_the_vectors_are_there(
    folder: Path, embedder: WordEmbedder
) -> None:
    store = await EdgeStore.open(folder / "qdrant", embedder.name, embedder.size)
    library = make(folder, store, embedder, None)
    await library.start()
    await library.index()
    lookup = await ask(library, "payments OOMKilled memory")
    assert any(passage.location == "payments.md" for passage in lookup.passages)
    await library.close()


async def live(node: str) -> Sequence[str]:
    return ["payments", "unknown-workload"] if node == "worker-1" else []


def blind(node: str) -> Sequence[str]:
    raise KnowledgeError(f"read the pods on {node}", "the cluster does not answer", "Try later")


@pytest.mark.parametrize(
    ("on_node", "words", "gaps"),
    [
        (live, "hits payments directly (they run there now)", 0),
        (lambda _: ["ledger"], "hits ledger directly (they run there now)", 0),
        (blind, "hits ledger directly (according to the service graph's file)", 1),
        (None, "hits ledger directly (according to the service graph's file)", 0),
    ],
)
async def test_a_nodes_services_come_from_the_cluster_where_it_can_be_read(
    folder: Path, embedder: WordEmbedder, on_node: ServicesOnNode | None, words: str, gaps: int
) -> None:
    store = await EdgeStore.open(folder / "qdrant", embedder.name, embedder.size)
    library = make(folder, store, embedder, on_node)
    await library.start()
    lookup = await ask(library, "what is affected if worker-1 fails")
    assert words in lookup.passages[0].text
    assert len(lookup.gaps) == gaps
    await library.close()


async def test_the_limit_cuts_prose_but_never_facts(library: Library) -> None:
    reading = library.read("why does payments fail with 503 and OOMKilled memory", NONE, NONE)
    lookup = await library.look(reading, Scope(), 1)
    facts = [passage for passage in lookup.passages if passage.is_fact]
    assert len(facts) >= 1
    assert len(lookup.passages) == len(facts) + 1


async def test_logs_that_grow_are_answered_from_at_once(library: Library, folder: Path) -> None:
    with (folder / "logs" / "shop.csv").open("a") as file:
        file.write("2026-03-04T11:45:00Z,ERROR,shop,payments-0,payments,503,again\n")
    lookup = await ask(library, "which lines have code 503 since 11:40")
    assert lookup.passages[0].text.startswith("1 line with code 503")
    newest = {state.unit: state.newest for state in await library.status()}["lines"]
    assert newest is not None
    assert newest > datetime(2026, 3, 4, tzinfo=UTC)
