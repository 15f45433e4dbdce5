"""The bot's own past: what is alike, how it is marked, who may see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from core.answers import Inquiry, Lookup, Passage, Scope
from core.clock import ManualClock
from core.digests import FindingHistory
from core.errors import StateError
from core.findings import Evidence, Finding, ObjectRef, Severity
from core.questions import Intent, Reading, TimeRange
from knowledge.chain import RagChain
from knowledge.graph import ServiceGraph, parse_graph
from knowledge.models import EXTRACTIVE, ModelConfig, Models
from knowledge.past import PastDigests, WithPast, alike, passage_of
from knowledge.searchquery import SearchQuery
from tests.knowledge.conftest import NOW
from tests.knowledge.fakes import RUNBOOK, WrittenDown

GRAPH = parse_graph(
    "services:\n"
    "  payments: {namespace: shop, team: orders, workload: Deployment/payments}\n"
    "  ledger: {namespace: trading, team: trading, workload: StatefulSet/ledger}\n",
    "graph.yaml",
    NOW,
)


def history(name: str, reason: str = "OOMKilled", **changes: object) -> FindingHistory:
    namespace = str(changes.pop("namespace", "shop"))
    kind = "StatefulSet" if name == "ledger" else "Deployment"
    owner = ObjectRef("demo", kind, namespace, name)
    pod = ObjectRef("demo", "Pod", namespace, f"{name}-7d9f8c6b5-x2x4q")
    finding = Finding(
        "oom", reason.lower(), reason, Severity.HIGH, f"{name}: {reason}, 14 restarts.", pod, owner,
        NOW - timedelta(days=4), NOW - timedelta(days=3),
        (Evidence("limits.memory", "256Mi"),), ("settlement batch failed",), node="worker-2",
    )  # fmt: skip
    made = FindingHistory(
        finding.identity, finding, finding.first_seen, finding.last_seen, (3, 0, 0), 2,
        NOW - timedelta(days=2),
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]  # keywords of one dataclass


PAYMENTS, CART = history("payments"), history("cart", "ImagePullBackOff")
LEDGER = history("ledger", "FailedMount", namespace="trading")
ALL = (PAYMENTS, CART, LEDGER)


def asks(question: str, *names: str, **rest: object) -> Reading:
    values: dict[str, object] = {"names": names, "intents": frozenset({Intent.SIMILAR}), **rest}
    return Reading(question, question, **values)  # type: ignore[arg-type]  # keywords of one dataclass


def found(reading: Reading) -> list[str]:
    return [each.finding.owner.name for each in alike(reading, ALL)]


class Memory:
    """Remembers what it was given, or fails."""

    def __init__(self, *histories: FindingHistory, error: StateError | None = None) -> None:
        self.histories = histories
        self.error = error
        self.scopes: list[Scope] = []

    async def resolved(self, scope: Scope, limit: int) -> Sequence[FindingHistory]:
        """All of it."""
        self.scopes.append(scope)
        if self.error:
            raise self.error
        return self.histories[:limit]


class Holder:
    """Has the graph."""

    graph: ServiceGraph = GRAPH


@pytest.mark.parametrize(
    ("reading", "wanted"),
    [
        (asks("has payments failed before", "payments"), ["payments"]),
        (asks("did payments-7d9f8c6b5-x2x4q crash before", "payments-7d9f8c6b5-x2x4q"),
         ["payments"]),
        (asks("anything on worker-2 before", "worker-2"), ["payments", "cart", "ledger"]),
        (asks("similar to ImagePullBackOff", codes=("ImagePullBackOff",)), ["cart"]),
        (asks("was there a settlement batch problem"), ["payments", "cart", "ledger"]),
        (asks("was there a similar settlement problem before"), []),
        (asks("similar incidents last week?"), []),
        (asks("sourdough bread before"), []),
        (asks("has payments failed before", "payments", namespaces=("trading",)), []),
        (asks("payments before", "payments",
              time_range=TimeRange(NOW - timedelta(days=1), NOW)), []),
        (asks("payments before", "payments",
              time_range=TimeRange(NOW - timedelta(days=7), NOW)), ["payments"]),
        (asks("cart or payments OOMKilled", "cart", "payments", codes=("OOMKilled",)),
         ["payments", "cart"]),
    ],
    ids=lambda value: value.question if isinstance(value, Reading) else "",
)  # fmt: skip
def test_problems_are_alike_by_owner_by_code_or_by_several_words(
    reading: Reading, wanted: list[str]
) -> None:
    assert found(reading) == wanted


def test_a_problem_that_was_over_twice_is_told_once() -> None:
    older = replace(PAYMENTS, resolved_at=NOW - timedelta(days=50))
    assert alike(asks("payments before", "payments"), (PAYMENTS, older)) == [PAYMENTS]


def test_a_passage_is_marked_as_machine_made_with_its_digests_day() -> None:
    passage = passage_of(PAYMENTS)
    assert passage.source == "past"
    assert passage.title == (
        "payments: OOMKilled, 14 restarts (from the digest of 2026-03-02, machine-made)"
    )
    assert passage.text.startswith("From the digest of 2026-03-02, machine-made: payments:")
    assert "limits.memory: 256Mi" in passage.text
    assert "Log line: settlement batch failed" in passage.text
    assert (passage.is_fact, passage.namespace, passage.updated_at) == (
        False, "shop", NOW - timedelta(days=2),
    )  # fmt: skip
    open_end = passage_of(replace(PAYMENTS, resolved_at=None))
    assert "2026-03-01, machine-made" in open_end.title


async def look(
    retriever: WrittenDown, memory: Memory, reading: Reading, scope: Scope | None = None
) -> Lookup:
    past = PastDigests(memory, Holder())
    return await WithPast(retriever, past).look(reading, scope or Scope(), 8)


async def test_only_questions_after_similar_problems_look_at_the_past() -> None:
    memory = Memory(*ALL)
    plain = asks("why does payments fail", "payments", intents=frozenset({Intent.WHY}))
    lookup = await look(WrittenDown([RUNBOOK]), memory, plain)
    assert [passage.id for passage in lookup.passages] == ["runbook"]
    assert memory.scopes == []
    only_pages = Scope(sources=frozenset({"markdown"}))
    await look(WrittenDown([RUNBOOK]), memory, asks("payments before", "payments"), only_pages)
    assert memory.scopes == []


async def test_reports_of_people_stand_first_where_they_speak_of_it() -> None:
    report = replace(RUNBOOK, id="report", location="incidents/1.md", title="payments was lost")
    asked = asks("has payments failed before", "payments")
    lookup = await look(WrittenDown([report]), Memory(*ALL), asked)
    assert [passage.source for passage in lookup.passages] == ["markdown", "past"]
    assert lookup.looked_in == ("12 runbooks", "past digests")
    lookup = await look(WrittenDown([RUNBOOK]), Memory(*ALL), asked)
    assert [passage.source for passage in lookup.passages] == ["past", "markdown"]


async def test_pages_make_room_for_the_past() -> None:
    pages = [replace(RUNBOOK, id=str(n)) for n in range(8)]
    lookup = await look(WrittenDown(pages), Memory(*ALL), asks("payments before", "payments"))
    assert len(lookup.passages) == 8
    assert sum(passage.source == "past" for passage in lookup.passages) == 1


async def test_a_memory_that_fails_is_a_gap_and_the_pages_still_come() -> None:
    memory = Memory(error=StateError("look", "its disk is full", "Free some space."))
    lookup = await look(WrittenDown([RUNBOOK]), memory, asks("payments before", "payments"))
    assert [gap.what for gap in lookup.gaps] == ["past digests"]
    assert lookup.passages == (RUNBOOK,)


async def test_a_channel_of_a_team_sees_its_own_past() -> None:
    memory = Memory(*ALL)
    scope = Scope(teams=frozenset({"orders"}))
    asked = asks("worker-2 before", "worker-2")
    past = PastDigests(memory, Holder())
    told = await past.similar(asked, scope)
    assert [each.finding.owner.name for each in told] == ["payments", "cart"]
    assert memory.scopes == [scope]


def since(days: int) -> datetime:
    return NOW - timedelta(days=days)


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        (SearchQuery("payments"), {"payments"}),
        (SearchQuery("payments", namespaces=("trading",)), set()),
        (SearchQuery("worker-2", namespaces=("trading",)), {"ledger"}),
        (SearchQuery("worker-2", teams=("Orders",)), {"payments"}),
        (SearchQuery("payments", since=since(2)), set()),
        (SearchQuery("payments", since=since(5)), {"payments"}),
        (SearchQuery("", codes=("oomkilled",)), {"payments"}),
        (SearchQuery("payments", codes=("503",)), set()),
    ],
)
async def test_search_finds_the_past_within_its_filters(
    query: SearchQuery, wanted: set[str]
) -> None:
    past = PastDigests(Memory(*ALL), Holder())
    assert {passage.service for passage in await past.find(query, Scope())} == wanted


async def test_the_answer_says_that_it_comes_from_a_digest() -> None:
    retriever = WithPast(
        WrittenDown([], intents=[Intent.SIMILAR]), PastDigests(Memory(*ALL), Holder())
    )
    clock = ManualClock(NOW)
    chain = RagChain(retriever, None, Models(ModelConfig(model=EXTRACTIVE), clock), clock)
    reading = retriever.read("ImagePullBackOff of the cart image", frozenset(), frozenset())
    assert reading.intents == {Intent.SIMILAR}
    answer = await chain.answer(Inquiry("cart ImagePullBackOff seen before?"))
    assert answer.is_grounded
    assert "machine-made" in answer.text
    assert answer.citations[0].source == "past"


def test_passages_differ_by_problem() -> None:
    assert isinstance(passage_of(CART), Passage)
    assert passage_of(CART).id != passage_of(PAYMENTS).id
