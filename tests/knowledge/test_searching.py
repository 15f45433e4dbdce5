"""Search on a real index and real CSV tables: what is found, what filters keep, what is told."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.answers import Lookup, Passage, Scope
from core.clock import ManualClock
from core.errors import KnowledgeError, StateError
from core.questions import Reading
from core.redact import Redactor
from knowledge.csvtable import CsvTable
from knowledge.graph import ServiceGraph
from knowledge.library import Library
from knowledge.logtable import LogTable
from knowledge.ports import Embedder, Filter, Hit, VectorStore
from knowledge.searching import MOST_HITS, Past, Searcher, Shelf, snippet
from knowledge.searchquery import Mistake, SearchQuery, marks
from knowledge.store_edge import EdgeStore
from tests.knowledge.conftest import NOW, WordEmbedder

OLD = NOW - timedelta(days=90)
PAGES = {
    "runbooks/payments.md": "---\nservice: payments\nnamespace: shop\nteam: orders\n---\n"
    "# Payments restarts\n\n## Memory\n\nPayments is **OOMKilled** when the batch grows.\n"
    "It then answers with code 503.\nSome other line.\n\n## Rollback\n\nUndo the rollout.\n",
    "runbooks/ledger.md": "---\nnamespace: trading\nteam: trading\nurl: https://wiki.example/ledger"
    "\n---\n# Ledger volume\n\nThe ledger volume fills; memory is not the matter.\n",
    "runbooks/old.md": "# Old notes\n\nMemory of things before the rollout, 15030 of them.\n",
}  # fmt: skip
ROWS = """timestamp,level,namespace,pod,container,code,message
2026-03-04T11:30:00Z,ERROR,shop,payments-6c9d8b7f5b-x2k4q,payments,503,heap full token=hunter2-sword
2026-03-04T10:30:00Z,ERROR,shop,payments-6c9d8b7f5b-x2k4q,payments,503,upstream gave up
2026-03-04T09:30:00Z,ERROR,shop,checkout-79b6d5c8f4-t7v3n,checkout,503,upstream gave up
2026-03-04T09:31:00Z,ERROR,shop,checkout-79b6d5c8f4-t7v3n,checkout,503,upstream gave up
2026-03-04T09:32:00Z,ERROR,shop,checkout-79b6d5c8f4-t7v3n,checkout,502,upstream gave up
2026-03-04T08:00:00Z,FATAL,trading,ledger-0,ledger,ERR_DISK,volume is full
"""
GRAPH = """
services:
  checkout: {namespace: shop, team: storefront, workload: Deployment/checkout}
  payments: {namespace: shop, team: orders, workload: Deployment/payments}
  ledger: {namespace: trading, team: trading, workload: StatefulSet/ledger}
"""


class BrokenStore(EdgeStore):
    """A store that went away."""

    async def search_sparse(
        self, text: str, limit: int, filters: Filter | None = None
    ) -> list[Hit]:
        """Fails as a lost server would."""
        raise KnowledgeError("search the store", "it does not answer", "Check QDRANT_URL")


class LostModel(WordEmbedder):
    """An encoder that went away."""

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Fails as such a server would."""
        raise KnowledgeError("embed", "the model does not answer", "Start it")


class Remembered:
    """A past that was given, or that cannot be read."""

    def __init__(self, *found: Passage, error: StateError | None = None) -> None:
        self.found = found
        self.error = error

    async def find(self, query: SearchQuery, scope: Scope) -> tuple[Passage, ...]:
        """As given."""
        if self.error:
            raise self.error
        return self.found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in PAGES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    os.utime(tmp_path / "runbooks/old.md", (OLD.timestamp(), OLD.timestamp()))
    for name in ("runbooks/payments.md", "runbooks/ledger.md"):
        os.utime(tmp_path / name, (NOW.timestamp() - 60, NOW.timestamp() - 60))
    (tmp_path / "shop.csv").write_text(ROWS)
    (tmp_path / "graph.yaml").write_text(GRAPH)
    return tmp_path


@pytest.fixture
async def store(folder: Path, embedder: WordEmbedder) -> AsyncIterator[EdgeStore]:
    opened = await EdgeStore.open(folder / "qdrant", embedder.name, embedder.size)
    yield opened
    await opened.close()


@pytest.fixture
async def library(folder: Path, store: EdgeStore, embedder: WordEmbedder) -> Library:
    sources = [
        f"markdown:{folder}/runbooks",
        f"csv-logs:{folder}/*.csv",
        f"graph:{folder}/graph.yaml",
    ]
    made = Library(sources, store, embedder, Redactor(b"k" * 32), ManualClock(NOW), UTC)
    await made.start()
    await made.index()
    await made.fill_dense()
    return made


def searcher(
    library: Shelf, store: VectorStore, embedder: Embedder | None, past: Past | None = None
) -> Searcher:
    return Searcher(
        library,
        store,
        embedder,
        Redactor(b"k" * 32).redact,
        ManualClock(NOW),
        UTC,
        ["markdown", "csv-logs", "graph"],
        past,
    )


@pytest.fixture
def search(library: Library, store: EdgeStore, embedder: WordEmbedder) -> Searcher:
    return searcher(library, store, embedder)


async def find(search: Searcher, text: str, scope: Scope | None = None) -> Lookup:
    query = search.read(text)
    assert not isinstance(query, Mistake), query
    return await search.find(query, scope or Scope())


def places(found: Lookup) -> list[str]:
    return [hit.location for hit in found.passages]


async def test_a_hit_names_title_section_source_age_and_the_lines_that_say_it(
    search: Searcher,
) -> None:
    found = await find(search, "payments oomkilled batch")
    best = found.passages[0]
    assert (best.title, best.heading) == ("Payments restarts", "Memory")
    assert best.text.startswith("Payments is OOMKilled when the batch grows. It then answers")
    assert len(best.text.splitlines()) <= 2
    assert (best.source, best.location) == ("markdown", "payments.md")
    assert best.updated_at is not None
    assert found.gaps == ()


async def test_each_page_is_one_hit(search: Searcher) -> None:
    found = await find(search, "payments memory rollout")
    assert len(places(found)) == len(set(places(found)))
    assert "payments.md" in places(found)


async def test_of_a_page_the_section_that_says_most_is_shown(
    folder: Path, library: Library, store: EdgeStore
) -> None:
    filler = "It is a long story of other things. " * 60
    (folder / "runbooks" / "long.md").write_text(
        f"# Gizmo trouble\n\n## First\n\n{filler}\n\n## Second\n\nThe gizmo sprocket. {filler}\n"
    )
    await library.index()
    found = await find(searcher(library, store, None), "gizmo sprocket")
    assert found.passages[0].location == "long.md"
    assert found.passages[0].text.startswith("The gizmo sprocket.")


# One index serves all rows of a table: to build one takes longer than to search it.
FILTERED: list[tuple[str, set[str]]] = [
    ("", {"payments.md", "ledger.md", "old.md"}),
    ("ns:shop", {"payments.md"}),
    ("ns:shop,trading", {"payments.md", "ledger.md"}),
    ("team:trading", {"ledger.md"}),
    ("after:7d", {"payments.md", "ledger.md"}),
    ("after:2025-01-01", {"payments.md", "ledger.md", "old.md"}),
    ("code:503 source:markdown", {"payments.md"}),
    ("code:15030 source:markdown", {"old.md"}),
    ("source:graph", set()),
    ("ns:shop team:trading", set()),
]


async def test_filters_limit_what_is_searched(search: Searcher) -> None:
    for filters, wanted in FILTERED:
        found = places(await find(search, f"memory {filters}"))
        assert set(found) == wanted, filters


async def test_lines_of_a_code_stand_first_a_hit_a_workload_and_redacted(search: Searcher) -> None:
    found = await find(search, "code:503")
    lines = [hit for hit in found.passages if hit.is_fact]
    assert found.passages[: len(lines)] == tuple(lines)
    assert [hit.title for hit in lines] == [
        "shop/checkout: 2 lines with code 503",
        "shop/payments: 2 lines with code 503",
    ]
    assert lines[1].heading == "2026-03-04 10:30 – 11:30 UTC"
    assert lines[1].text.startswith("11:30:00 ERROR payments-6c9d8b7f5b-x2k4q 503 heap full")
    assert "hunter2" not in lines[1].text
    assert "payments.md" in places(found)


LINES: list[tuple[str, list[str]]] = [
    ("heap code:503", ["shop/payments: 2 lines", "shop/checkout: 2 lines"]),
    ("code:5xx", ["shop/checkout: 3 lines", "shop/payments: 2 lines"]),
    ("code:err_disk", ["trading/ledger: 1 line "]),
    ("code:503 team:orders", ["shop/payments: 2 lines"]),
    ("code:503 team:nobody", []),
    ("code:503 ns:trading", []),
    ("code:503 after:2h", ["shop/payments: 2 lines"]),
    ("code:503 after:1h", ["shop/payments: 1 line "]),
    ("code:503 source:markdown", []),
    ("code:404", []),
    ("upstream", []),
]


async def test_lines_obey_the_filters_and_words_rank_them(search: Searcher) -> None:
    for text, titles in LINES:
        found = [hit.title for hit in (await find(search, text)).passages if hit.is_fact]
        assert len(found) == len(titles), text
        pairs = zip(found, titles, strict=True)
        assert all(title.startswith(wanted) for title, wanted in pairs), text


async def test_the_channels_scope_holds_whatever_is_asked(search: Searcher) -> None:
    trading = Scope(namespaces=frozenset({"trading"}))
    assert "payments.md" not in places(await find(search, "memory", trading))
    assert (await find(search, "memory code:503 ns:shop", trading)).passages == ()
    only_logs = Scope(sources=frozenset({"csv-logs"}))
    assert (await find(search, "memory", only_logs)).looked_in == ("CSV logs",)
    assert "payments.md" not in places(await find(search, "memory", only_logs))
    orders = Scope(teams=frozenset({"orders"}))
    titles = [hit.title for hit in (await find(search, "code:503", orders)).passages]
    assert not any(title.startswith("shop/checkout") for title in titles)


async def test_nothing_found_says_where_it_looked(library: Library, store: EdgeStore) -> None:
    search = searcher(library, store, None)
    found = await find(search, "sourdough")
    assert found.passages == ()
    assert found.looked_in == ("runbooks and documents", "CSV logs", "the service graph")
    assert (await find(search, "sourdough source:past")).looked_in == ()


async def test_a_lost_store_is_told_and_not_named_as_looked_at(
    folder: Path, library: Library, embedder: WordEmbedder
) -> None:
    broken = await BrokenStore.open(folder / "other", embedder.name, embedder.size)
    found = await find(searcher(library, broken, embedder), "memory code:503")
    assert [gap.what for gap in found.gaps] == ["documentation search"]
    assert found.looked_in == ()
    assert [hit.source for hit in found.passages] == ["csv-logs", "csv-logs"]
    await broken.close()


async def test_a_lost_encoder_leaves_the_text_search(library: Library, store: EdgeStore) -> None:
    found = await find(searcher(library, store, LostModel()), "memory")
    assert [gap.what for gap in found.gaps] == ["search by meaning"]
    assert "payments.md" in places(found)
    assert "runbooks and documents" in found.looked_in
    assert places(await find(searcher(library, store, None), "matter")) == ["ledger.md"]


async def test_logs_that_are_gone_or_fail_take_nothing_else_away(
    library: Library, store: EdgeStore, folder: Path
) -> None:
    search = searcher(library, store, None)
    assert (await find(search, "code:503")).passages[0].is_fact
    library.log_tables[0].table.close()
    found = await find(search, "code:503")
    assert found.passages[0].is_fact  # a closed table is loaded again
    (folder / "shop.csv").unlink()
    found = await find(search, "code:503")
    assert next(hit.location for hit in found.passages if not hit.is_fact) == "payments.md"
    assert not [hit for hit in found.passages if hit.is_fact]


class BrokenRows(CsvTable):
    """Rows that cannot be read."""

    def query(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Fails as a full memory would."""
        raise KnowledgeError(f"query {self.pattern}", "out of memory", "Use fewer files")


@dataclass
class BrokenShelf:
    """A library whose log rows cannot be read."""

    library: Library

    @property
    def graph(self) -> ServiceGraph:
        """As it is."""
        return self.library.graph

    @property
    def log_tables(self) -> tuple[LogTable, ...]:
        """One, broken."""
        (table,) = self.library.log_tables
        rows = table.table
        table.table = BrokenRows(
            rows.pattern, {}, guesses=rows._guesses, required=(), select=rows._select
        )
        return (table,)

    def read(self, question: str, names: frozenset[str], namespaces: frozenset[str]) -> Reading:
        """As it does."""
        return self.library.read(question, names, namespaces)


async def test_rows_that_cannot_be_read_are_told(library: Library, store: EdgeStore) -> None:
    found = await find(searcher(BrokenShelf(library), store, None), "payments code:503")
    assert [(gap.what, gap.why) for gap in found.gaps] == [("CSV logs", "out of memory")]
    assert found.looked_in == ("runbooks and documents", "the service graph")
    assert places(found) == ["payments.md"]


async def test_the_past_stands_last_and_may_fail(
    library: Library, store: EdgeStore, embedder: WordEmbedder
) -> None:
    told = Passage("p", "past", "Digest of 2026-03-01", "digest", "payments: OOMKilled")
    found = await find(searcher(library, store, embedder, Remembered(told)), "memory")
    assert found.passages[-1].id == "p"
    assert "past digests" in found.looked_in
    unasked = searcher(library, store, embedder, Remembered(told))
    assert "p" not in [hit.id for hit in (await find(unasked, "memory source:graph")).passages]
    failing = Remembered(error=StateError("read", "its disk is full", "Free some space."))
    lost = await find(searcher(library, store, embedder, failing), "memory")
    assert [gap.what for gap in lost.gaps] == ["past digests"]
    assert "past digests" not in lost.looked_in


async def test_at_most_eight_hits(folder: Path, library: Library, search: Searcher) -> None:
    for number in range(12):
        (folder / "runbooks" / f"n{number}.md").write_text(f"# Page {number}\n\nMemory {number}.\n")
    await library.index()
    assert len((await find(search, "memory")).passages) == MOST_HITS


def test_a_snippet_is_plain_and_made_of_the_lines_with_most_words() -> None:
    text = (
        "# Heading\n\nNothing here.\n\n| a | b |\n|---|---|\n| redis | timeout |\n\n"
        "```bash\nkubectl logs redis\n```\n- see [the `redis` page](https://x.example) on *timeout*"
    )
    assert snippet(text, marks("redis timeout")) == "redis timeout\nsee the redis page on timeout"
    assert snippet(text, None).splitlines()[0] == "Nothing here."
    assert snippet("# Redis\n\n## Timeouts\n", marks("timeout")) == "Redis\nTimeouts"
    assert snippet("", marks("x1")) == ""


def test_wrapped_lines_are_read_as_one_paragraph() -> None:
    text = "- first item of\n  redis and\n- second\n\nA paragraph that\ngoes on about redis.\n"
    assert snippet(text, marks("redis")) == (
        "first item of redis and\nA paragraph that goes on about redis."
    )
    long = f"{'It begins here and goes on. ' * 9}\nThe redis\nsentence is this one. The end."
    assert "The redis sentence is this one." in snippet(long, marks("redis"))


def test_a_long_line_is_cut_around_the_word() -> None:
    line = "word " * 60 + "needle " + "word " * 60
    cut = snippet(line, marks("needle"))
    assert "needle" in cut
    assert cut.startswith("…")
    assert cut.endswith("…")
    assert len(cut) <= 180
    assert snippet("word " * 60, None).endswith("…")
