from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from core.answers import Lookup, Passage, Scope
from core.digests import FindingHistory, KnownIssue, Marks, Precedent
from core.errors import KnowledgeError, StateError
from core.findings import Finding
from core.questions import Intent, Reading
from digest.assemble import DigestConfig
from digest.precedents import Precedents, nearest
from tests.digest.conftest import NINE, Pages, World, finding

HOUR = timedelta(hours=1)
REPORT = Passage(
    "1", "markdown", "INC-2031: payments out of memory", "incidents/inc-2031.md#summary",
    "The settlement batch filled the heap of payments.", "INC-2031 › Summary",
    url="https://docs.example/inc-2031", kind="incident",
)  # fmt: skip
FIX = Passage(
    "2", "markdown", "INC-2031: payments out of memory", "incidents/inc-2031.md#fix",
    "Memory limit raised to 768Mi. Then the batch was paged.", "INC-2031 › Fix", kind="incident",
)  # fmt: skip
RUNBOOK = Passage("3", "markdown", "Payments: OOM", "runbooks/payments.md", "Out of memory.")


def over(found: Finding, lasted: timedelta = 2 * HOUR) -> FindingHistory:
    began = NINE - timedelta(days=5)
    return FindingHistory(
        found.identity, found, began, began + lasted, resolved_at=began + lasted + HOUR
    )


def noted(found: Finding) -> dict[str, Marks]:
    issue = KnownIssue("U1", "mira", NINE, "the registry was full")
    return {found.identity: Marks(known_issue=issue)}


def test_a_report_on_the_workload_and_its_problem_comes_first_with_what_fixed_it() -> None:
    told = nearest(finding(), [REPORT, FIX], [over(finding())], {})
    assert told == Precedent(
        "INC-2031: payments out of memory",
        "https://docs.example/inc-2031",
        helped="Memory limit raised to 768Mi.",
    )


def test_a_report_on_the_workload_alone_is_not_alike() -> None:
    assert nearest(finding(problem="image-pull"), [REPORT, FIX], [], {}) is None


def test_the_same_problem_earlier_comes_before_a_report_on_another_workload() -> None:
    cart = finding("cart")
    again = nearest(cart, [REPORT, FIX], [over(finding("web")), over(cart)], {})
    assert again == Precedent("cart: oom", happened_at=NINE - timedelta(days=5), lasted=2 * HOUR)
    elsewhere = nearest(cart, [REPORT, FIX], [over(finding("web"))], {})
    assert elsewhere is not None
    assert elsewhere.title == REPORT.title


def test_the_same_symptom_elsewhere_counts_only_where_somebody_noted_what_it_was() -> None:
    cart, web = finding("cart", problem="image-pull"), finding("web", problem="image-pull")
    assert nearest(cart, [], [over(web)], {}) is None
    told = nearest(cart, [], [over(web), over(finding("api"))], noted(web))
    assert told is not None
    assert (told.title, told.helped) == ("web: image-pull", "the registry was full")


def test_the_same_workload_with_another_log_line_is_another_problem() -> None:
    line, other = finding(template="timeout <*>"), finding(template="refused <*>")
    assert nearest(line, [], [over(other)], {}) is None
    assert nearest(line, [], [over(line)], {}) is not None


@dataclass
class Remembered:
    """A past that is there, or whose database is not."""

    histories: tuple[FindingHistory, ...] = ()
    error: Exception | None = None
    notes: dict[str, Marks] = field(default_factory=dict)
    notes_error: Exception | None = None

    async def resolved(self, scope: Scope, limit: int) -> tuple[FindingHistory, ...]:
        if self.error:
            raise self.error
        return self.histories[:limit]

    async def all(self, schedule: str) -> dict[str, Marks]:
        if self.notes_error:
            raise self.notes_error
        return self.notes

    async def drop(self, schedule: str, identity: str, mark: object) -> None:
        raise AssertionError(identity)


def asked(*findings: Finding) -> list[tuple[Finding, Reading]]:
    return [(each, Reading(each.title, each.title)) for each in findings]


async def test_reports_are_searched_for_as_similar_and_runbooks_are_none() -> None:
    pages, past = Pages((RUNBOOK, REPORT, FIX)), Remembered()
    found, gaps = await Precedents(pages, past, past).of(
        asked(finding(), finding("cart", problem="image-pull")), "daily", Scope()
    )
    assert [told.title for told in found.values()] == [REPORT.title]
    assert gaps == ()
    assert all(reading.intents == {Intent.SIMILAR} for reading in pages.readings)


async def test_a_lost_database_is_a_gap_and_reports_are_told_all_the_same() -> None:
    past = Remembered(error=StateError("look", "it is locked", "Wait."))
    found, gaps = await Precedents(Pages((REPORT,)), past, past).of(
        asked(finding()), "daily", Scope()
    )
    assert found
    assert [(gap.what, gap.why) for gap in gaps] == [("past digests", "it is locked")]


async def test_lost_notes_and_a_lost_search_leave_what_is_remembered() -> None:
    past = Remembered((over(finding()),), notes_error=StateError("look", "it is locked", "Wait."))
    pages = Pages(error=KnowledgeError("search", "no connection", "Start it."))
    found, gaps = await Precedents(pages, past, past).of(asked(finding()), "daily", Scope())
    assert [told.helped for told in found.values()] == [""]
    assert gaps == ()


async def test_who_may_not_see_the_past_is_told_none_of_it() -> None:
    past = Remembered((over(finding()),))
    scope = Scope(sources=frozenset({"markdown"}))
    found, _ = await Precedents(Pages(), past, past).of(asked(finding()), "daily", scope)
    assert not found


async def test_each_item_of_a_digest_has_its_precedent(world: World) -> None:
    world.pages.passages = (REPORT, FIX)
    world.clusters.findings = (finding(), finding("cart", problem="image-pull"))
    await world.service().publish("daily", NINE)
    (told,) = world.channel.posted
    helped = {
        item.finding.owner.name: item.precedent.helped if item.precedent else None
        for item in told.items
    }
    assert helped == {"payments": "Memory limit raised to 768Mi.", "cart": None}


async def test_what_was_over_is_found_again_when_it_comes_back(world: World) -> None:
    service = world.service()
    for hour, findings in enumerate([(finding(),), (), (), (finding(),)]):
        world.clusters.findings = findings
        world.clock.advance(NINE + hour * HOUR - world.clock.now())
        await service.publish("daily", NINE + hour * HOUR)
    (item,) = world.channel.posted[-1].items
    assert item.precedent is not None
    assert item.precedent.title == "payments: oom"


class Stuck(Pages):
    async def look(self, reading: Reading, scope: Scope, limit: int = 8) -> Lookup:
        await asyncio.sleep(60)
        raise AssertionError("nobody waited so long")


@pytest.mark.usefixtures("database")
async def test_a_search_that_hangs_does_not_hold_the_digest_up(world: World) -> None:
    world.clusters.findings = (finding(),)
    config = DigestConfig(search_timeout_seconds=0.05)
    slow = Precedents(Stuck(), world.past, world.marks)
    await world.service(config, precedents=slow).publish("daily", NINE)
    (told,) = world.channel.posted
    assert [(gap.what, gap.why) for gap in told.gaps] == [
        ("similar incidents", "no answer within 0.05 s")
    ]
    assert told.items
