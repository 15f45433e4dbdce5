"""The index follows its sources: nothing twice, nothing left over, and a cut run is finished."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import pytest

from core.errors import KnowledgeError
from core.redact import Redactor
from knowledge.dense import fill_dense
from knowledge.index import (
    ENTRIES_FOR_PROCESSES,
    IndexProgress,
    IndexReport,
    index_sources,
)
from knowledge.points import make_points
from knowledge.ports import Point
from knowledge.sources import open_source
from knowledge.sources.config import Surroundings
from knowledge.store_edge import EdgeStore
from tests.knowledge.conftest import WordEmbedder

REDACTOR = Redactor(b"k" * 32)
SENTENCE = "The pod restarts because its memory limit is too small for the settlement batch. "
PAGE = f"# Payments\n\n{SENTENCE * 8}\n\n## Rollback\n\n{SENTENCE * 8}\n"


class FragileStore:
    """An edge store whose writes fail after a number of points, as if the process had died."""

    def __init__(self, store: EdgeStore, points_left: int) -> None:
        self._store = store
        self.points_left = points_left

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    async def upsert(self, points: Sequence[Point]) -> None:
        """Writes until the allowance is used up."""
        await self._store.upsert(points[: self.points_left])
        self.points_left -= len(points)
        if self.points_left < 0:
            raise KnowledgeError("write", "the process died", "start again")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[EdgeStore]:
    store = await EdgeStore.open(tmp_path / "qdrant", "words-32", 32)
    yield store
    await store.close()


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "payments.md").write_text(PAGE)
    (folder / "redis.md").write_text("# Redis\n\nFailover of redis.")
    return folder


async def index(store: EdgeStore, *uris: str) -> IndexReport:
    return await index_sources([open_source(uri) for uri in uris], store, REDACTOR)


async def test_pages_become_points_with_their_payload(store: EdgeStore, docs: Path) -> None:
    report = await index(store, f"markdown:{docs}")
    assert (report.documents, report.chunks, report.added) == (2, 3, 3)
    payloads: list[Mapping[str, object]] = list((await store.scan()).values())
    redis = next(payload for payload in payloads if payload["path"] == "redis.md")
    assert redis["title"] == "Redis"
    assert redis["source"] == "markdown"
    assert str(redis["edition"]).startswith("1 ")
    assert (redis["team"], "url" in redis) == ("", False)
    assert {payload["heading"] for payload in payloads} == {
        "Payments",
        "Payments › Rollback",
        "Redis",
    }


async def test_indexing_again_reads_nothing_and_changes_nothing(
    store: EdgeStore, docs: Path
) -> None:
    await index(store, f"markdown:{docs}")
    before = await store.scan()
    report = await index(store, f"markdown:{docs}")
    assert report == IndexReport(documents=0, chunks=3, unchanged=2)
    assert await store.scan() == before


async def test_a_touched_file_keeps_its_vectors(
    store: EdgeStore, docs: Path, embedder: WordEmbedder
) -> None:
    await index(store, f"markdown:{docs}")
    await fill_dense(store, embedder)
    os.utime(docs / "payments.md", (1, 1))
    report = await index(store, f"markdown:{docs}")
    assert (report.documents, report.added, report.unchanged) == (1, 0, 2)
    assert await store.missing_dense(5) == []


async def test_a_changed_page_replaces_its_chunks(store: EdgeStore, docs: Path) -> None:
    await index(store, f"markdown:{docs}")
    (docs / "payments.md").write_text(PAGE.replace("## Rollback", "## Undo"))
    report = await index(store, f"markdown:{docs}")
    assert (report.added, report.removed, report.unchanged) == (2, 1, 1)
    headings = {payload["heading"] for payload in (await store.scan()).values()}
    assert headings == {"Payments", "Payments › Undo", "Redis"}
    assert (await index(store, f"markdown:{docs}")).unchanged == 2


async def test_vanished_pages_and_sources_disappear(store: EdgeStore, docs: Path) -> None:
    await index(store, f"markdown:{docs}")
    (docs / "payments.md").unlink()
    assert (await index(store, f"markdown:{docs}")).removed == 2
    assert (await index(store)).removed == 1
    assert await store.count() == 0


async def test_a_folder_that_is_away_for_a_while_loses_nothing(
    store: EdgeStore, docs: Path, tmp_path: Path
) -> None:
    await index(store, f"markdown:{docs}")
    os.rename(docs, tmp_path / "unmounted")  # noqa: PTH104  (see ASYNC240)
    report = await index(store, f"markdown:{docs}", "markdown:/also/nowhere")
    assert report.chunks == 3
    assert report.problems == (
        (f"markdown: {docs}", "the folder does not exist"),
        ("markdown: /also/nowhere", "the folder does not exist"),
    )


@pytest.mark.parametrize("allowed", [0, 1, 2, 60])
async def test_a_run_that_was_cut_anywhere_is_finished_by_the_next(
    store: EdgeStore, docs: Path, allowed: int
) -> None:
    for number in range(40):
        (docs / f"{number:02}.md").write_text(PAGE.replace("Payments", f"Service {number}"))
    source = open_source(f"markdown:{docs}")
    fragile = FragileStore(store, allowed)
    with pytest.raises(KnowledgeError):
        await index_sources([source], fragile, REDACTOR)  # type: ignore[arg-type]
    report = await index_sources([source], store, REDACTOR)
    assert report.chunks == 83
    assert report.added < 84
    assert await index_sources([source], store, REDACTOR) == IndexReport(chunks=83, unchanged=42)


async def test_unreadable_files_are_problems_and_the_rest_goes_in(
    store: EdgeStore, docs: Path
) -> None:
    (docs / "bad.md").write_bytes(b"\xff\xfe\x00")
    report = await index(store, f"markdown:{docs}")
    assert report.problems == (("markdown: bad.md", "not UTF-8 text"),)
    assert report.chunks == 3


async def test_secrets_are_redacted_before_they_are_stored(store: EdgeStore, docs: Path) -> None:
    (docs / "redis.md").write_text("# Redis\n\npassword: hunter2-swordfish\n\nAfter.")
    await index(store, f"markdown:{docs}")
    (hit,) = await store.search_sparse("redis password", 1)
    assert "hunter2" not in hit.text
    assert "<REDACTED:" in hit.text


async def test_each_passage_gets_the_address_of_its_heading(store: EdgeStore, docs: Path) -> None:
    (docs / "redis.md").write_text(f"# Redis\n\n{SENTENCE * 8}\n\n## Fail over\n\n{SENTENCE * 9}\n")
    shared = Surroundings(link_template="https://git.example.com/blob/main/{path}#{anchor}")
    await index_sources([open_source(f"markdown:{docs}", shared)], store, REDACTOR)
    urls = {payload["url"] for payload in (await store.scan()).values()}
    page = "https://git.example.com/blob/main/redis.md"
    assert {f"{page}#redis", f"{page}#fail-over"} <= urls


async def test_words_that_stand_twice_on_a_page_are_one_point(store: EdgeStore, docs: Path) -> None:
    (docs / "payments.md").write_text(f"# A\n\n{SENTENCE * 8}\n\n# A\n\n{SENTENCE * 8}\n")
    await index(store, f"markdown:{docs}")
    assert await store.count() == 2
    assert (await index(store, f"markdown:{docs}")).unchanged == 2


async def test_dense_vectors_are_filled_in_behind_and_progress_is_told(
    store: EdgeStore, docs: Path, embedder: WordEmbedder
) -> None:
    told: list[IndexProgress] = []
    await index_sources([open_source(f"markdown:{docs}")], store, REDACTOR, told.append)
    assert told == [IndexProgress("indexing", f"markdown:{docs}", 2, 2)]
    assert await fill_dense(store, embedder, told.append) == 3
    assert told[-1] == IndexProgress("embedding", "words-32", 3, 3)
    assert await fill_dense(store, embedder) == 0
    assert len(embedder.texts_seen) == 3


async def test_a_point_that_vanishes_while_it_is_embedded_ends_the_filling(
    store: EdgeStore, docs: Path
) -> None:
    await index(store, f"markdown:{docs}")

    class Deleting(WordEmbedder):
        async def embed(self, texts: Sequence[str]) -> list[list[float]]:
            await store.delete(list(await store.scan()))
            return await super().embed(texts)

    assert await fill_dense(store, Deleting()) == 3
    assert await store.count() == 0


async def test_many_pages_are_prepared_by_processes_as_one_would_do_it(
    store: EdgeStore, docs: Path, tmp_path: Path
) -> None:
    for number in range(ENTRIES_FOR_PROCESSES):
        (docs / f"{number:03}.md").write_text(PAGE.replace("Payments", f"Service {number}"))
    (docs / "bad.md").write_bytes(b"\xff\xfe\x00")
    told: list[IndexProgress] = []
    source = open_source(f"markdown:{docs}")
    report = await index_sources([source], store, REDACTOR, told.append)
    total = ENTRIES_FOR_PROCESSES + 3
    assert (report.documents, report.problems) == (
        total - 1,
        (("markdown: bad.md", "not UTF-8 text"),),
    )
    assert [step.done for step in told] == [*range(32, total, 32), total]
    (docs / "bad.md").unlink()
    here = await EdgeStore.open(tmp_path / "here", "words-32", 32)
    for entry in source.listing().entries:
        points = make_points(source.uri, entry, source.load(entry), REDACTOR)
        await here.upsert(points)
    assert await store.scan() == await here.scan()
    await here.close()
