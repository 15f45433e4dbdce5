from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.owner import OwnerServer, RemoteEngine
from core.answers import (
    Answer,
    AnswerEvent,
    Citation,
    Delta,
    Done,
    Gap,
    GenerationOptions,
    Lookup,
    PartHealth,
    PartState,
    Passage,
    Progress,
)
from core.digests import Digest, DigestItem, ItemState
from core.errors import DataFolderError, KnowledgeError, OpsbotError
from core.findings import Finding, ObjectRef, Severity
from core.questions import TimeRange
from knowledge.index import IndexProgress, IndexReport

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
PAYMENTS = ObjectRef("demo", "Deployment", "shop", "payments")
ANSWER = Answer(
    question="why?",
    text="It was out of memory [1].",
    citations=(Citation(1, "Payments", "runbooks/payments.md", "markdown", updated_at=NOW),),
    gaps=(Gap("cluster prod", "no answer"),),
)
HITS = Lookup(
    (Passage("1", "markdown", "Payments", "runbooks/payments.md", "Raise it.", updated_at=NOW),),
    (Gap("CSV logs", "no file"),),
    ("runbooks and documents",),
)
DIGEST = Digest(
    schedule="daily",
    slot="",
    window=TimeRange(NOW - timedelta(hours=6), NOW),
    items=(
        DigestItem(
            finding=Finding(
                detector="oom",
                problem="oom",
                reason="OOMKilled",
                severity=Severity.HIGH,
                title="payments: OOMKilled, " + "x" * 200_000,
                involved=PAYMENTS,
                owner=PAYMENTS,
                first_seen=NOW,
                last_seen=NOW,
            ),
            state=ItemState.NEW,
            since=NOW,
            buckets=(0, 1, 2),
        ),
    ),
    totals=((ItemState.NEW, 1),),
)


class FakeEngine:
    """An engine that says what it was asked, or fails as it is told."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, GenerationOptions, str]] = []
        self.windows: list[timedelta | None] = []
        self.searched: list[str] = []
        self.error: OpsbotError | None = None

    async def ask(
        self, question: str, options: GenerationOptions, task: str = ""
    ) -> AsyncIterator[AnswerEvent]:
        self.asked.append((question, options, task))
        yield Progress("Looking…")
        yield Delta("It was ")
        if self.error is not None:
            raise self.error
        yield Done(ANSWER)

    async def search(self, text: str) -> Lookup:
        self.searched.append(text)
        if self.error is not None:
            raise self.error
        return HITS

    async def digest(self, window: timedelta | None) -> Digest:
        self.windows.append(window)
        if self.error is not None:
            raise self.error
        return DIGEST

    async def index(self, progress: Callable[[IndexProgress], None]) -> IndexReport:
        progress(IndexProgress("indexing", "markdown:docs", 1, 2))
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        return IndexReport(documents=2, problems=(("a.md", "not UTF-8"),))

    async def health(self) -> tuple[PartHealth, ...]:
        return (PartHealth("model", PartState.DEGRADED, "none", NOW, "pull one"),)


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
async def remote(engine: FakeEngine, tmp_path: Path) -> AsyncIterator[RemoteEngine]:
    path = tmp_path / "private" / "owner.sock"
    server = OwnerServer(engine, path)
    await server.start()
    yield RemoteEngine(path)
    await server.close()
    assert not path.exists()


async def test_an_answer_arrives_event_by_event_as_it_was_given(
    remote: RemoteEngine, engine: FakeEngine
) -> None:
    options = GenerationOptions(model="ollama:phi4", temperature=0.5, stop=("END",), stream=False)
    events = [event async for event in remote.ask("why?", options)]
    assert events == [Progress("Looking…"), Delta("It was "), Done(ANSWER)]
    assert [event async for event in remote.ask("cart", options, "owner")] == events
    assert engine.asked == [("why?", options, ""), ("cart", options, "owner")]


async def test_a_digest_arrives_whole_however_long(
    remote: RemoteEngine, engine: FakeEngine
) -> None:
    assert await remote.digest(timedelta(hours=6)) == DIGEST
    assert await remote.digest(None) == DIGEST
    assert engine.windows == [timedelta(hours=6), None]


async def test_hits_arrive_as_they_were_found(remote: RemoteEngine, engine: FakeEngine) -> None:
    assert await remote.search("memory ns:shop") == HITS
    assert engine.searched == ["memory ns:shop"]


async def test_index_tells_its_progress_and_its_report(remote: RemoteEngine) -> None:
    steps: list[IndexProgress] = []
    report = await remote.index(steps.append)
    assert steps == [IndexProgress("indexing", "markdown:docs", 1, 2)]
    assert report.problems == (("a.md", "not UTF-8"),)


async def test_health_arrives(remote: RemoteEngine) -> None:
    (part,) = await remote.health()
    assert (part.state, part.remedy) == (PartState.DEGRADED, "pull one")


async def test_an_error_keeps_its_words(remote: RemoteEngine, engine: FakeEngine) -> None:
    engine.error = KnowledgeError("search the documents", "Qdrant is down", "Start it.")
    for attempt in (
        remote.digest(None),
        remote.search("x"),
        remote.index(lambda _: None),
        _drain(remote.ask("why?", GenerationOptions())),
    ):
        with pytest.raises(OpsbotError, match="Qdrant is down") as caught:
            await attempt
        assert caught.value.remedy == "Start it."


async def _drain(events: AsyncIterator[AnswerEvent]) -> None:
    async for _ in events:
        pass


async def test_a_fault_of_the_owner_is_told_without_a_trace(
    remote: RemoteEngine, engine: FakeEngine, caplog: pytest.LogCaptureFixture
) -> None:
    engine.windows = None  # type: ignore[assignment]  # makes the owner stumble
    with pytest.raises(DataFolderError, match="owns the data folder"):
        await remote.digest(None)
    assert "AttributeError" in caplog.text


async def test_an_owner_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataFolderError, match="stop it and try again"):
        await RemoteEngine(tmp_path / "nobody.sock").health()
