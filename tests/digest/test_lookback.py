from __future__ import annotations

from datetime import datetime, timedelta

from core.answers import Scope
from core.digests import FindingHistory
from core.errors import StateError
from core.findings import Finding, ObjectRef, Severity
from core.lookback import Tally
from core.posts import PostKind
from core.questions import TimeRange
from digest.lookback import WEEK, LookBackPlan, LookBackPublisher, LookBacks, look_back
from tests.digest.conftest import NINE, World, finding

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WINDOW, BEFORE = TimeRange(NINE - WEEK, NINE), TimeRange(NINE - 2 * WEEK, NINE - WEEK)


def nobody(owner: ObjectRef) -> str:
    return "orders" if owner.name == "payments" else ""


def there(
    found: Finding, began: datetime, lasted: timedelta = HOUR, *, is_over: bool = True
) -> FindingHistory:
    end = began + lasted
    return FindingHistory(
        found.identity, found, began, end, (found.count,), resolved_at=end if is_over else None
    )


def test_problems_are_counted_by_when_they_began_and_were_over() -> None:
    told = [
        there(finding("a"), NINE - 3 * DAY, 2 * HOUR),
        there(finding("b"), NINE - 2 * DAY, 4 * HOUR),
        there(finding("c"), NINE - 8 * DAY, 2 * DAY),
        there(finding("d"), NINE - DAY, DAY, is_over=False),
        there(finding("e"), NINE - 10 * DAY, 6 * HOUR),
    ]
    back = look_back("daily", told, WINDOW, BEFORE, nobody)
    assert back.now == Tally(began=3, over=3, open=1, lasted=4 * HOUR)
    assert back.before == Tally(began=2, over=1, open=1, lasted=6 * HOUR)
    assert back.problems == 4
    assert [count for _, count in back.days] == [0, 0, 0, 0, 1, 1, 1]
    assert back.days[0][0] == WINDOW.start
    assert back.offenders == ()


def test_what_came_again_most_often_stands_first_with_how_long_it_lasted_in_all() -> None:
    told = [
        *(there(finding("twice"), NINE - number * DAY, 5 * HOUR) for number in (2, 4)),
        *(there(finding(), NINE - number * DAY) for number in (1, 3, 5)),
        there(finding("once"), NINE - DAY),
        # One that goes on, told by the history that is over as well, is there once.
        there(finding("on"), NINE - DAY, 2 * HOUR),
        there(finding("on"), NINE - DAY + HOUR, 2 * HOUR, is_over=False),
    ]
    back = look_back("daily", told, WINDOW, BEFORE, nobody)
    assert [
        (one.finding.owner.name, one.times, one.lasted, one.team) for one in back.offenders
    ] == [
        ("payments", 3, 3 * HOUR, "orders"),
        ("twice", 2, 10 * HOUR, ""),
    ]


def test_error_lines_count_and_restarts_do_not() -> None:
    told = [
        there(finding(template="timeout <*>", count=40), NINE - DAY),
        there(finding("cart", count=900), NINE - DAY),
    ]
    assert look_back("daily", told, WINDOW, BEFORE, nobody).log_lines == 40


class Counts:
    """Events of the last two days."""

    def __init__(self) -> None:
        self.windows: list[TimeRange] = []

    async def over(
        self, clusters: object, window: TimeRange, scope: Scope
    ) -> tuple[tuple[datetime, int], ...]:
        self.windows.append(window)
        return ((window.end - 2 * DAY, 300), (window.end - DAY, 700))


def look_backs(world: World, counts: object = None, **plan: object) -> LookBacks:
    return LookBacks(
        LookBackPlan("weekly", "daily", **plan),  # type: ignore[arg-type]  # a test's own
        world.past,
        counts or world.counts,  # type: ignore[arg-type]  # likewise
        team_of=nobody,
        clusters=("demo",),
        clock=world.clock,
    )


async def a_week(world: World) -> None:
    """Payments is broken every other hour of four, the cart all the time."""
    service = world.service()
    for hour, is_broken in enumerate((1, 0, 0, 1, 0, 0, 1)):
        broken = (finding(first_seen=NINE + hour * HOUR),) if is_broken else ()
        low = finding("low", severity=Severity.MEDIUM)
        world.clusters.findings = (*broken, finding("cart"), low)
        world.clock.advance(NINE + hour * HOUR - world.clock.now())
        await service.publish("daily", NINE + hour * HOUR)
    world.clock.advance(HOUR)


async def test_it_takes_together_what_the_digests_told(world: World) -> None:
    await a_week(world)
    counts = Counts()
    made = await look_backs(world, counts).preview(Scope())
    back = made.look_back
    assert back is not None
    assert back.problems == 2
    assert [(one.finding.owner.name, one.times) for one in back.offenders] == [("payments", 3)]
    assert (back.warnings, back.warnings_window) == (
        1_000, TimeRange(world.clock.now() - 2 * DAY, world.clock.now()),
    )  # fmt: skip
    assert counts.windows[0].start == world.clock.now() - 3 * DAY
    assert made.slot == ""
    assert sum(count for _, count in made.error_counts) == 4


async def test_a_reader_is_told_only_what_may_be_seen(world: World) -> None:
    await a_week(world)
    backs = look_backs(world)
    elsewhere = (await backs.preview(Scope(namespaces=frozenset({"other"})))).look_back
    team = (await backs.preview(Scope(teams=frozenset({"search"})))).look_back
    blind = await backs.preview(Scope(sources=frozenset({"markdown"})))
    assert elsewhere is not None
    assert elsewhere.problems == 0
    assert team is not None
    assert team.problems == 1  # the cart is nobody's
    assert [gap.what for gap in blind.gaps] == ["past digests"]


def publisher(world: World) -> LookBackPublisher:
    return LookBackPublisher(
        look_backs(world), "weekly", "COPS", world.store, world.outbox(), world.clock
    )


async def test_a_slot_is_posted_once_whoever_tries(world: World) -> None:
    await a_week(world)
    before = len(world.channel.posted)
    end = world.clock.now()
    assert await publisher(world).publish(end)
    assert await publisher(world).publish(end)
    (posted,) = world.channel.posted[before:]
    assert posted.slot == "weekly@2026-03-01T16:00:00Z"
    assert posted.look_back is not None
    picture = world.channel.sent[-1]
    assert (picture.kind, picture.parent) == (PostKind.CHART, posted.slot)


async def test_another_process_that_makes_it_is_left_alone(world: World) -> None:
    assert await world.store.claim("weekly", "weekly@2026-03-01T09:00:00Z", WINDOW)
    assert not await publisher(world).publish(NINE)
    assert world.channel.posted == []


async def test_what_failed_is_tried_again(world: World) -> None:
    class Locked:
        async def seen(self, period: TimeRange, scope: Scope) -> list[FindingHistory]:
            raise StateError("look", "it is locked", "Wait.")

    broken = publisher(world)
    broken._look_backs._seen = Locked()
    assert not await broken.publish(NINE)
    assert world.channel.posted == []
    assert await publisher(world).publish(NINE)
    assert [digest.slot for digest in world.channel.posted] == ["weekly@2026-03-01T09:00:00Z"]
