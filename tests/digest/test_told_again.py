"""What a schedule tells digest after digest: muted, collapsed, silent, and the teams' parts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from core.answers import Gap
from core.digests import Digest, ItemState, Mute, Ownership
from core.errors import OpsbotError
from core.findings import ObjectRef, Severity
from digest.assemble import DigestConfig
from digest.publish import PublishOutcome
from tests.digest.conftest import NINE, World, finding

HOUR = timedelta(hours=1)
TEAMS = DigestConfig(team_channels={"orders": "CORDERS", "search": "CSEARCH"})


async def _tell(world: World, hour: int, config: DigestConfig | None = None) -> Digest | None:
    """The digest of an hour as it was posted, or None where nothing was."""
    before = len(world.channel.posted)
    slot = NINE + hour * HOUR
    if slot > world.clock.now():
        world.clock.advance(slot - world.clock.now())
    assert await world.service(config).publish("daily", slot) is PublishOutcome.POSTED
    return world.channel.posted[-1] if len(world.channel.posted) > before else None


async def test_what_goes_on_is_collapsed_with_the_way_to_the_full_one(world: World) -> None:
    world.clusters.findings = (finding(),)
    first = await _tell(world, 0)
    second, third = await _tell(world, 1), await _tell(world, 2)
    assert first is not None
    assert second is not None
    assert third is not None
    assert (first.is_collapsed, second.is_collapsed, third.is_collapsed) == (False, True, True)
    assert (second.full_ts, third.full_ts) == ("0.0", "0.0")
    world.clusters.findings = (finding(), finding("cart"))
    news = await _tell(world, 3)
    assert news is not None
    assert not news.is_collapsed
    later = await _tell(world, 4)
    assert later is not None
    # In between, one stands in the thread of the first.
    assert later.full_ts == "4.0"


async def test_after_a_week_it_is_told_in_full_again(world: World) -> None:
    world.clusters.findings = (finding(),)
    await _tell(world, 0)
    again = await _tell(world, 24 * 7 + 1)
    assert again is not None
    assert not again.is_collapsed


async def test_a_muted_finding_is_counted_by_the_next_digest_and_its_end_is_news(
    world: World,
) -> None:
    world.clusters.findings = (finding(), finding("cart"))
    await _tell(world, 0)
    mute = Mute("U1", "mira", NINE, NINE + 2 * HOUR, Severity.HIGH, 3)
    await world.marks.put("daily", finding().identity, mute)
    quiet = await _tell(world, 1)
    assert quiet is not None
    assert [item.finding.owner.name for item in quiet.muted] == ["payments"]
    assert quiet.totals == ((ItemState.ONGOING, 1),)
    ended = await _tell(world, 2)
    assert ended is not None
    assert [item.finding.owner.name for item in ended.items if item.is_unmuted] == ["payments"]
    assert not ended.is_collapsed
    assert (await world.marks.of("daily", finding().identity)).mute is None
    after = await _tell(world, 3)
    assert after is not None
    assert after.is_collapsed


async def test_silence_is_for_when_there_is_nothing_at_all(world: World) -> None:
    silent = DigestConfig(is_silent_when_quiet=True)
    assert await _tell(world, 0, silent) is None
    record = await world.store.last_try("daily")
    assert record is not None
    assert (record.posted_ts, record.committed_at) == ("", NINE)
    world.clusters.gaps = (Gap("pods of cluster demo", "forbidden", "Grant it."),)
    assert await _tell(world, 1, silent) is not None
    world.clusters.gaps = ()
    assert await _tell(world, 2) is not None, "one line is the default"


async def test_what_comes_and_goes_is_one_line(world: World) -> None:
    for hour, found in enumerate([(finding(),), (), (finding(),), (), (finding(),)]):
        world.clusters.findings = found
        told = await _tell(world, hour)
    assert told is not None
    assert not told.items
    assert [item.finding.owner.name for item in told.flapping] == ["payments"]


async def test_a_teams_channel_gets_its_part_once(world: World) -> None:
    world.graph.known = {"payments": Ownership(team="Orders"), "cart": Ownership(team="web")}
    world.clusters.findings = (finding(), finding("cart"))
    await _tell(world, 0, TEAMS)
    (part,) = world.others["CORDERS"].posted
    assert [item.finding.owner.name for item in part.items] == ["payments"]
    assert part.totals == ((ItemState.NEW, 1),)
    assert part.slot == "daily@2026-03-01T09:00:00Z#orders"
    assert "CSEARCH" not in world.others
    # What only goes on is not told to them again; what is over is.
    await _tell(world, 1, TEAMS)
    world.clusters.findings = (finding("cart"),)
    await _tell(world, 2, TEAMS)
    await _tell(world, 3, TEAMS)
    assert [len(each.resolved) for each in world.others["CORDERS"].posted] == [0, 1]


async def test_a_teams_part_is_lost_by_no_failure_and_no_restart(world: World) -> None:
    world.graph.known = {"payments": Ownership(team="orders")}
    world.clusters.findings = (finding(),)
    orders = world.channel_of("CORDERS")
    orders.error = OpsbotError("post", "Slack is away", "Wait.")
    await _tell(world, 0, TEAMS)
    assert not orders.posted
    orders.error = None
    outcome = await world.service(TEAMS).publish("daily", NINE)
    assert outcome is PublishOutcome.ALREADY_POSTED
    assert len(orders.posted) == 1
    await world.service(TEAMS).publish("daily", NINE)
    assert len(orders.posted) == 1


async def test_an_unread_cluster_and_a_long_gap_lose_nothing(world: World) -> None:
    world.clusters.findings = (finding(),)
    await _tell(world, 0)
    world.clusters.findings, world.clusters.clusters = (), ()
    unread = await _tell(world, 1)
    assert unread is not None
    assert unread.notes
    # Longer than Events live, and than a window reaches back.
    world.clusters.findings, world.clusters.clusters = (finding(),), ("demo",)
    back = await _tell(world, 40)
    assert back is not None
    assert [item.state for item in back.items] == [ItemState.ONGOING]
    assert any("were not looked at" in note for note in back.notes)


async def test_what_was_only_counted_is_news_once_there_is_room_for_it(world: World) -> None:
    one = DigestConfig(max_items=1)
    worst = finding(severity=Severity.CRITICAL)
    world.clusters.findings = (worst, finding("cart"))
    await _tell(world, 0, one)
    assert (again := await _tell(world, 1, one)) is not None
    assert again.is_collapsed
    world.clusters.findings = (finding("cart"),)
    listed = await _tell(world, 2, one)
    assert listed is not None
    assert [item.finding.owner.name for item in listed.items] == ["cart"]
    assert not listed.is_collapsed


async def test_old_critical_ones_do_not_push_out_what_is_new(world: World) -> None:
    old = tuple(finding(f"old-{n}", severity=Severity.CRITICAL, count=50) for n in range(10))
    world.clusters.findings = old
    await _tell(world, 0)
    world.clusters.findings = (*old, finding("fresh", count=1))
    told = await _tell(world, 1)
    assert told is not None
    assert [item.finding.owner.name for item in told.items if item.is_news] == ["fresh"]
    assert told.items[0].finding.owner.name == "fresh"
    assert len(told.items) == 10
    # The one that gave way is still named, and counted.
    assert [item.finding.owner.name[:4] for item in told.rest] == ["old-"]
    assert told.hidden == ((Severity.CRITICAL, 1),)


async def test_what_a_lost_node_takes_with_it_is_not_told_as_over(world: World) -> None:
    on_node = replace(finding(), node="worker-3")
    elsewhere = replace(finding("cart"), node="worker-1")
    node = finding("worker-3", problem="node-not-ready", kind="Node", namespace="")
    node = replace(node, owner=ObjectRef("demo", "Node", "", "worker-3"))
    told = []
    for hour, found in enumerate([(on_node, elsewhere), (node,), (node,), (on_node,)]):
        world.clusters.findings = found
        told.append(await _tell(world, hour))
    assert [item.finding.owner.name for one in told if one for item in one.resolved] == ["cart"]
    last = told[-1]
    assert last is not None
    (again,) = last.items
    assert again.state is ItemState.ONGOING


async def test_a_workload_with_another_problem_is_not_told_as_healed(world: World) -> None:
    states = []
    for hour, problem in enumerate(["not-ready", "crash-loop", "crash-loop", "not-ready"]):
        world.clusters.findings = (finding(problem=problem),)
        told = await _tell(world, hour)
        assert told is not None
        assert told.resolved == ()
        states.append(told.items[0].state)
    assert states == [ItemState.NEW, ItemState.NEW, ItemState.ONGOING, ItemState.ONGOING]
