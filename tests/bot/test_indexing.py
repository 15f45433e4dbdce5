"""`opsbot index --watch`: what it indexes, what it says, how it ends."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from bot.indexing import follow
from core.answers import AnswerEvent, GenerationOptions, Lookup, PartHealth
from core.digests import Digest
from core.errors import KnowledgeError
from knowledge.index import IndexProgress, IndexReport
from knowledge.watching import FileChange, changes, stamps


class CountingEngine:
    """Counts its index runs; fails in those it is told to."""

    def __init__(self, failing: frozenset[int] = frozenset()) -> None:
        self.runs = 0
        self.failing = failing

    async def index(self, progress: Callable[[IndexProgress], None]) -> IndexReport:
        self.runs += 1
        progress(IndexProgress("indexing", "markdown:docs", 1, 1))
        if self.runs in self.failing:
            raise KnowledgeError("write to the store", "its disk is full", "Free some space.")
        problems = (("markdown: b.md", "not UTF-8"),) if self.runs < 3 else ()
        return IndexReport(documents=self.runs, problems=problems)

    def ask(
        self, question: str, options: GenerationOptions, task: str = ""
    ) -> AsyncIterator[AnswerEvent]:
        raise NotImplementedError

    async def search(self, text: str) -> Lookup:
        raise NotImplementedError

    async def digest(self, window: timedelta | None) -> Digest:
        raise NotImplementedError

    async def health(self) -> tuple[PartHealth, ...]:
        raise NotImplementedError


class Watch:
    """A watch under way, and what it has said."""

    def __init__(self, engine: CountingEngine, uri: str) -> None:
        self.said: list[str] = []
        self.task = asyncio.create_task(follow(engine, (uri,), self.said.append, 0.01))

    async def until(self, words: str) -> None:
        async with asyncio.timeout(10):
            while not any(words in line for line in self.said):
                assert not self.task.done(), self.task
                await asyncio.sleep(0.01)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "docs" / "sub").mkdir(parents=True)
    (tmp_path / "docs" / "a.md").write_text("# A\n")
    (tmp_path / "docs" / "sub" / "b.md").write_text("# B\n")
    (tmp_path / "docs" / "picture.png").write_text("no")
    (tmp_path / "logs.csv").write_text("timestamp,message\n")
    return tmp_path


def test_files_behind_all_kinds_of_sources_are_watched(folder: Path) -> None:
    uris = [f"markdown:{folder}/docs/", f"csv-logs:{folder}/*.csv", "neo4j:bolt://graph:7687", "x"]
    assert sorted(stamps(uris)) == [
        f"{folder}/docs/a.md",
        f"{folder}/docs/sub/b.md",
        f"{folder}/logs.csv",
    ]
    assert stamps([f"markdown:{folder}/nowhere"]) == {}


def test_changes_are_told_by_path() -> None:
    before = {"a": "1", "b": "1", "c": "1"}
    assert changes(before, {"a": "1", "b": "2", "d": "1"}) == (
        FileChange("changed", "b"),
        FileChange("removed", "c"),
        FileChange("added", "d"),
    )
    assert changes(before, before) == ()


async def test_a_change_is_told_in_a_line_and_indexed(folder: Path) -> None:
    engine = CountingEngine()
    watch = Watch(engine, f"markdown:{folder}/docs")
    await watch.until("1 documents read")
    assert watch.said[0].startswith("Watching 2 files")
    assert "Not read: markdown: b.md: not UTF-8" in watch.said
    (folder / "docs" / "new.md").write_text("# New\n")
    await watch.until("added    " + str(folder / "docs" / "new.md"))
    await watch.until("2 documents read")
    os.utime(folder / "docs" / "a.md", (1, 1))
    await watch.until("changed  " + str(folder / "docs" / "a.md"))
    await watch.until("3 documents read")
    (folder / "docs" / "sub" / "b.md").unlink()
    await watch.until("removed  " + str(folder / "docs" / "sub" / "b.md"))
    await watch.until("4 documents read")
    await asyncio.sleep(0.1)
    assert engine.runs == 4  # nothing changed since, so nothing was indexed
    # Told once, though it lasted; its count stands in each line.
    assert sum(line.startswith("Not read: ") for line in watch.said) == 1
    assert sum(line.endswith("removed. Not read, or not whole: 1.") for line in watch.said) > 1
    assert watch.said.count("Solved since: 1.") == 1
    watch.task.cancel()
    with suppress(asyncio.CancelledError):
        await watch.task


async def test_a_run_that_fails_is_told_and_tried_again(folder: Path) -> None:
    engine = CountingEngine(failing=frozenset({1, 2}))
    watch = Watch(engine, f"markdown:{folder}/docs")
    await watch.until("3 documents read")
    assert sum("its disk is full" in line for line in watch.said) == 2
    assert "It is tried again." in watch.said[1]
    watch.task.cancel()
    with suppress(asyncio.CancelledError):
        await watch.task
