"""Suggested questions on a real index: what they are made of, whose they are, that they help."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import pytest

import sandbox.knowledge
from core.answers import Scope
from core.clock import ManualClock
from core.errors import KnowledgeError
from core.redact import Redactor
from knowledge.library import Library
from knowledge.ports import Filter
from knowledge.sources import open_source
from knowledge.sources.config import SourceConfig
from knowledge.store_edge import EdgeStore
from knowledge.suggested import FRESH_FOR, SuggestedQuestions, question_of
from tests.knowledge.conftest import NOW

PAGES = {
    "runbooks/payments.md": "---\nservice: payments\nnamespace: shop\nteam: orders\n"
    "updated: 2026-03-01\n---\n# Payments restarts (OOMKilled)\n\nRaise it.\n",
    "runbooks/payments-503.md": "---\nservice: payments\nnamespace: shop\nteam: orders\n"
    "updated: 2026-02-28\n---\n# Runbook: payments answers 503\n\nLook.\n",
    "runbooks/ledger.md": "---\nservice: ledger\nnamespace: trading\nteam: trading\n"
    "updated: 2026-02-01\n---\n# How to grow the ledger volume\n\nGrow it.\n",
    "config/payments.md": "# Configuration of payments\n\nLimits.\n",
}  # fmt: skip


class LostStore(EdgeStore):
    """A store that went away."""

    async def scan(
        self, filters: Filter | None = None, fields: Sequence[str] = ()
    ) -> dict[str, Mapping[str, object]]:
        raise KnowledgeError("read", "it is gone", "Start it.")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[EdgeStore]:
    opened = await EdgeStore.open(tmp_path / "qdrant", "none", 1)
    yield opened
    await opened.close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


async def index(store: EdgeStore, folder: Path) -> Library:
    source = open_source(SourceConfig(f"markdown:{folder}"))
    library = Library([source], store, None, Redactor(b"k" * 32), ManualClock(NOW), NOW.tzinfo)  # type: ignore[arg-type]  # aware
    await library.index()
    return library


async def indexed(store: EdgeStore, tmp_path: Path) -> Library:
    for name, text in PAGES.items():
        path = tmp_path / "pages" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return await index(store, tmp_path / "pages")


async def test_they_are_made_of_runbooks_one_a_service_first(
    store: EdgeStore, clock: ManualClock, tmp_path: Path
) -> None:
    await indexed(store, tmp_path)
    assert await SuggestedQuestions(store, clock).questions(Scope()) == (
        "Payments restarts: what should I do?",
        "How to grow the ledger volume?",
        "payments answers 503: what should I do?",
    )


async def test_a_channel_gets_only_what_its_scope_allows(
    store: EdgeStore, clock: ManualClock, tmp_path: Path
) -> None:
    await indexed(store, tmp_path)
    suggested = SuggestedQuestions(store, clock)
    trading = await suggested.questions(Scope(teams=frozenset({"trading"})))
    assert trading == ("How to grow the ledger volume?",)
    shop = await suggested.questions(Scope(namespaces=frozenset({"shop"})))
    assert len(shop) == 2
    assert "ledger" not in str(shop)
    assert await suggested.questions(Scope(sources=frozenset({"csv-logs"}))) == ()


async def test_near_some_words_the_likest_page_comes_first(
    store: EdgeStore, clock: ManualClock, tmp_path: Path
) -> None:
    await indexed(store, tmp_path)
    near = await SuggestedQuestions(store, clock).questions(Scope(), "is the ledger volume full")
    assert near[0] == "How to grow the ledger volume?"


async def test_without_the_store_there_are_none(clock: ManualClock, tmp_path: Path) -> None:
    lost = await LostStore.open(tmp_path / "lost", "none", 1)
    assert await SuggestedQuestions(lost, clock).questions(Scope()) == ()
    await lost.close()


async def test_a_new_runbook_is_suggested_after_a_while(
    store: EdgeStore, clock: ManualClock, tmp_path: Path
) -> None:
    suggested = SuggestedQuestions(store, clock)
    assert await suggested.questions(Scope()) == ()
    library = await indexed(store, tmp_path)
    before = await suggested.questions(Scope())
    page = tmp_path / "pages" / "runbooks" / "kafka.md"
    page.write_text("---\nupdated: 2026-03-03\n---\n# Kafka is full\n\nAdd a disk.\n")
    await library.index()
    assert await suggested.questions(Scope()) == before
    clock.advance(FRESH_FOR)
    assert (await suggested.questions(Scope()))[0] == "Kafka is full: what should I do?"


@pytest.mark.parametrize(
    ("title", "question"),
    [
        ("Runbook: payments restarts", "payments restarts: what should I do?"),
        ("Why is the ingress slow?", "Why is the ingress slow?"),
        ("Node pressure [draft]", "Node pressure: what should I do?"),
        ("Runbook", "Runbook: what should I do?"),
        (f"{'long ' * 30}", f"{' '.join(['long'] * 12)}: what should I do?"),
    ],
)
def test_any_title_becomes_a_question(title: str, question: str) -> None:
    assert question_of(title) == question


async def test_what_is_suggested_finds_its_runbook(store: EdgeStore) -> None:
    library = await index(store, Path(sandbox.knowledge.__file__).parent)
    pages = await store.scan(Filter({"kind": ("runbook",)}), ("title", "path"))
    titles = {str(page["title"]): str(page["path"]) for page in pages.values()}
    assert len(titles) > 10
    missed = []
    for title, path in titles.items():
        reading = library.read(question_of(title), frozenset(), frozenset())
        found = await library.look(reading, Scope(), limit=3)
        if path not in {passage.location for passage in found.passages}:
            missed.append(title)
    assert missed == []
