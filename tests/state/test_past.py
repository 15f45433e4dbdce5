from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text

from core.answers import Scope
from core.clock import ManualClock
from core.digests import FindingHistory
from core.findings import Finding, ObjectRef, Severity
from core.questions import TimeRange
from state.database import Database
from state.digests import SqlDigestStore
from state.past import SqlPast
from state.retention import purge
from tests.state.conftest import START


def history(
    name: str, *, namespace: str = "shop", cluster: str = "demo", over_days: int | None = 0
) -> FindingHistory:
    owner = ObjectRef(cluster, "Deployment", namespace, name)
    finding = Finding(
        "oom", "oom-killed", "OOMKilled", Severity.HIGH, f"{name}: OOMKilled", owner, owner,
        START - timedelta(hours=2), START,
    )  # fmt: skip
    over = START + timedelta(days=over_days) if over_days is not None else None
    return FindingHistory(finding.identity, finding, finding.first_seen, START, (1,), 2, over)


async def tell(database: Database, schedule: str, day: int, *told: FindingHistory) -> None:
    """Commit a digest of that day."""
    end = START + timedelta(days=day)
    store = SqlDigestStore(database, ManualClock(end))
    window = TimeRange(end - timedelta(days=1), end)
    claim = await store.claim(schedule, f"{schedule}@{day}", window)
    assert claim is not None
    await store.commit(claim, "1.1", told)


async def names(database: Database, scope: Scope | None = None, limit: int = 10) -> list[str]:
    found = await SqlPast(database, ("daily",)).resolved(scope or Scope(), limit)
    return [each.finding.owner.name for each in found]


async def test_what_was_told_as_over_stays_after_digests_forget_it(database: Database) -> None:
    await tell(database, "daily", 1, history("payments"), history("cart", over_days=None))
    await tell(database, "daily", 2, history("payments"))
    await tell(database, "daily", 40, history("redis", over_days=40))
    assert await names(database) == ["redis", "payments"]
    assert await names(database, limit=1) == ["redis"]


async def test_each_time_it_was_over_is_kept(database: Database) -> None:
    await tell(database, "daily", 1, history("payments"))
    await tell(database, "daily", 9, history("payments", over_days=9))
    found = await SqlPast(database, ("daily",)).resolved(Scope(), 10)
    assert [each.resolved_at for each in found] == [START + timedelta(days=9), START]


async def test_what_another_channel_was_told_is_not_shown(database: Database) -> None:
    await tell(database, "daily", 1, history("payments"))
    await tell(database, "trading", 1, history("ledger"))
    assert await names(database) == ["payments"]


async def test_the_scope_is_part_of_the_query(database: Database) -> None:
    others = (
        history("ledger", namespace="trading"),
        history("worker-1", namespace=""),
        history("cart", cluster="prod"),
    )
    await tell(database, "daily", 1, history("payments"), *others)
    shop = Scope(namespaces=frozenset({"shop"}), clusters=frozenset({"demo"}))
    assert set(await names(database, shop)) == {"payments", "worker-1"}


async def test_what_cannot_be_read_is_left_out_and_the_old_is_purged(database: Database) -> None:
    await tell(database, "daily", 1, history("payments"), history("cart"))
    async with database.write("test") as connection:
        await connection.execute(
            text("UPDATE past_findings SET history = '{}' WHERE history LIKE '%cart%'")
        )
    assert await names(database) == ["payments"]
    gone = await purge(database, START + timedelta(days=400))
    assert gone["past_findings"] == 2
    assert await names(database) == []


async def test_of_a_period_both_what_is_over_and_what_is_not_are_told(database: Database) -> None:
    await tell(database, "daily", 1, history("payments"), history("cart", over_days=None))
    await tell(database, "trading", 1, history("ledger", over_days=None))
    past = SqlPast(database, ("daily",))
    then = TimeRange(START - timedelta(hours=1), START + timedelta(hours=1))
    later = TimeRange(START + timedelta(hours=1), START + timedelta(hours=2))
    seen = await past.seen(then, Scope())
    assert sorted(each.finding.owner.name for each in seen) == ["cart", "payments"]
    assert await past.seen(later, Scope()) == []
    assert await past.seen(then, Scope(namespaces=frozenset({"trading"}))) == []
