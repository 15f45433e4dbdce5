"""Stand-ins of our own for what the digest is given, and a real SQLite store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.answers import Gap, Lookup, Passage, Scope
from core.clock import ManualClock
from core.digests import Digest, Ownership, Wording
from core.findings import Collected, Evidence, Finding, ObjectRef, Severity
from core.posts import Post
from core.questions import Reading, TimeRange
from digest.assemble import Assembler, DigestConfig
from digest.outbox import Outbox
from digest.ports import DigestStore, Wordsmith
from digest.precedents import Precedents
from digest.publish import DigestService
from digest.urgent import UrgentPlan, UrgentService
from state.database import Database
from state.digests import SqlDigestStore
from state.errorcounts import SqlErrorCounts
from state.leases import SqlLeases
from state.marks import SqlMarkStore
from state.past import SqlPast
from state.posts import SqlPostStore

NINE = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


def finding(
    name: str = "payments",
    *,
    problem: str = "oom",
    severity: Severity = Severity.HIGH,
    count: int = 3,
    cluster: str = "demo",
    namespace: str = "shop",
    first_seen: datetime = NINE - timedelta(hours=1),
    template: str = "",
    evidence: tuple[Evidence, ...] = (),
    kind: str = "Pod",
) -> Finding:
    """A finding; its identity follows from name, problem, cluster, namespace and template."""
    return Finding(
        problem.replace("-", "_"),
        problem,
        {"oom": "OOMKilled", "image-pull": "ImagePullBackOff"}.get(problem, problem),
        severity,
        f"{name}: {problem}",
        ObjectRef(cluster, kind, namespace, f"{name}-7d9f8b6c5d-x2x7z", "u1"),
        ObjectRef(cluster, "Deployment", namespace, name),
        first_seen,
        NINE,
        evidence,
        template=template,
        count=count,
    )


@dataclass
class Clusters:
    """What `collect` gives; set anew by tests."""

    findings: tuple[Finding, ...] = ()
    gaps: tuple[Gap, ...] = ()
    clusters: tuple[str, ...] = ("demo",)
    windows: list[TimeRange] = field(default_factory=list)
    error: Exception | None = None

    async def collect(self, window: TimeRange, scope: Scope) -> Collected:
        self.windows.append(window)
        if self.error:
            raise self.error
        allowed = tuple(f for f in self.findings if scope.allows_namespace(f.owner.namespace))
        return Collected(allowed, self.gaps, self.clusters)


@dataclass
class Graph:
    """Knows one service."""

    known: dict[str, Ownership] = field(default_factory=dict)

    def ownership(self, owner: ObjectRef) -> Ownership:
        return self.known.get(owner.name, Ownership())


@dataclass
class Pages:
    """A search that always finds the same."""

    passages: tuple[Passage, ...] = ()
    gaps: tuple[Gap, ...] = ()
    error: Exception | None = None
    readings: list[Reading] = field(default_factory=list)

    async def look(self, reading: Reading, scope: Scope, limit: int = 8) -> Lookup:
        assert scope is not None
        self.readings.append(reading)
        if self.error:
            raise self.error
        return Lookup(self.passages[:limit], self.gaps, ("documentation",))


@dataclass
class Words:
    """A model that words every finding, or none with a note."""

    note: str = ""
    name: str = "ollama:llama3.1"

    @property
    def model(self) -> str:
        return self.name

    async def word(
        self, items: Sequence[tuple[Finding, Lookup]]
    ) -> tuple[Mapping[str, Wording], str]:
        if self.note:
            return {}, self.note
        return {f.identity: Wording(f"worded {f.title}", "do it") for f, _ in items}, ""


@dataclass
class Channel:
    """A recording poster: what it posted can be found again by its key."""

    sent: list[Post] = field(default_factory=list)
    updates: list[tuple[str, Digest]] = field(default_factory=list)
    error: Exception | None = None

    @property
    def posted(self) -> list[Digest]:
        """Digests and urgent messages, without what stands in their threads."""
        return [post.digest for post in self.sent if not post.parent]

    def clear(self) -> None:
        """Forget all."""
        self.sent.clear()

    async def find(self, post: Post) -> str | None:
        return next((f"{n}.0" for n, each in enumerate(self.sent) if each.key == post.key), None)

    async def send(self, post: Post) -> str:
        if self.error:
            raise self.error
        self.sent.append(post)
        return f"{len(self.sent) - 1}.0"

    async def update(self, post: Post) -> None:
        if self.error:
            raise self.error
        self.updates.append((post.posted_ts, post.digest))


@dataclass
class World:
    """Everything a DigestService is given."""

    store: DigestStore
    marks: SqlMarkStore
    posts: SqlPostStore
    leases: SqlLeases
    counts: SqlErrorCounts
    past: SqlPast
    clock: ManualClock
    clusters: Clusters = field(default_factory=Clusters)
    graph: Graph = field(default_factory=Graph)
    pages: Pages = field(default_factory=Pages)
    words: Wordsmith | None = None
    channel: Channel = field(default_factory=Channel)
    others: dict[str, Channel] = field(default_factory=dict)

    def channel_of(self, name: str) -> Channel:
        return self.channel if name == "COPS" else self.others.setdefault(name, Channel())

    def outbox(self) -> Outbox:
        return Outbox(self.posts, self.leases, self.channel_of)

    def precedents(self) -> Precedents:
        return Precedents(self.pages, self.past, self.marks)

    def urgent(self) -> UrgentService:
        """A look-out; each has forgotten what others of it saw, as after a restart."""
        return UrgentService(
            UrgentPlan("daily", "COPS"),
            self.clusters,
            Assembler(
                self.graph,
                self.pages,
                self.precedents(),
                None,
                lambda text: Reading(text, text),
                DigestConfig(),
            ),
            self.store,
            self.marks,
            self.posts,
            self.leases,
            self.outbox(),
            self.clock,
        )

    def service(self, config: DigestConfig | None = None, **changed: Any) -> DigestService:
        parts: dict[str, Any] = {
            "source": self.clusters,
            "owners": self.graph,
            "runbooks": self.pages,
            "precedents": self.precedents(),
            "wordsmith": self.words,
            "store": self.store,
            "marks": self.marks,
            "posts": self.posts,
            "outbox": self.outbox(),
            "channel": "COPS",
            "error_counts": self.counts,
            "clock": self.clock,
            "reader": lambda text: Reading(text, text),
            "config": config or DigestConfig(),
        }
        return DigestService(**(parts | changed))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NINE)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await Database.open(f"sqlite+aiosqlite:///{tmp_path / 'state.db'}")
    yield opened
    await opened.close()


@pytest.fixture
def store(database: Database, clock: ManualClock) -> SqlDigestStore:
    return SqlDigestStore(database, clock)


@pytest.fixture
def world(store: SqlDigestStore, database: Database, clock: ManualClock) -> World:
    return World(
        store,
        SqlMarkStore(database),
        SqlPostStore(database, clock),
        SqlLeases(database, clock),
        SqlErrorCounts(database),
        SqlPast(database, ("daily",)),
        clock,
    )
