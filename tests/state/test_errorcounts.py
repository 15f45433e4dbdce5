from __future__ import annotations

from datetime import UTC, datetime, timedelta

from core.answers import Scope
from core.findings import ObjectRef
from core.questions import TimeRange
from core.sightings import Sighting
from state.database import Database
from state.errorcounts import SqlErrorCounts
from state.events import SqlEventStore

NINE = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
DAY = TimeRange(NINE - timedelta(hours=12), NINE)


def _event(uid: str, minutes_ago: int, count: int = 1, **more: str) -> Sighting:
    pod = ObjectRef("demo", "Pod", more.get("namespace", "shop"), "payments-1")
    moment = NINE - timedelta(minutes=minutes_ago)
    kind = more.get("type", "Warning")
    return Sighting(uid, str(count), pod, kind, "BackOff", "", moment, moment, count)


async def test_warnings_are_counted_by_part_of_the_window(database: Database) -> None:
    events = SqlEventStore(database)
    await events.cover("demo", TimeRange(DAY.start - timedelta(hours=1), NINE))
    await events.put(
        "demo",
        [
            _event("a", 11 * 60 + 30, 2),
            _event("a", 30, 5),  # three more since
            _event("b", 10),
            _event("c", 10, type="Normal"),
            _event("d", 10, namespace="other"),
            _event("e", 13 * 60),
        ],
    )
    counts = SqlErrorCounts(database)
    every = await counts.over(("demo",), DAY, Scope())
    assert [count for _, count in every] == [2, *[0] * 10, 5]
    assert [start for start, _ in every][:2] == [DAY.start, DAY.start + timedelta(hours=1)]
    shop = await counts.over(("demo",), DAY, Scope(namespaces=frozenset({"shop"})))
    assert shop[-1][1] == 4


async def test_what_was_before_anything_was_kept_is_not_nought(database: Database) -> None:
    counts = SqlErrorCounts(database)
    assert await counts.over(("demo",), DAY, Scope()) == ()
    events = SqlEventStore(database)
    await events.cover("demo", TimeRange(NINE - timedelta(minutes=90), NINE))
    known = await counts.over(("demo",), DAY, Scope())
    assert [start for start, _ in known] == [
        NINE - timedelta(hours=2),
        NINE - timedelta(hours=1),
    ]
    nothing = Scope(clusters=frozenset({"east"}))
    assert await counts.over(("demo",), DAY, nothing) == ()
