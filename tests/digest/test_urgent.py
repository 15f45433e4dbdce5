from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from core.answers import Gap
from core.digests import Digest, ItemState, Mute
from core.errors import OpsbotError
from core.findings import Finding, Severity
from core.questions import TimeRange
from digest.publish import PublishOutcome
from tests.digest.conftest import NINE, World, finding

MINUTE = timedelta(minutes=1)


def _critical(name: str = "payments") -> Finding:
    return finding(name, severity=Severity.CRITICAL)


def _names(digest: Digest) -> list[str]:
    return [item.finding.owner.name for item in digest.items]


async def _after_a_quiet_digest(world: World) -> None:
    assert await world.service().publish("daily", NINE) is PublishOutcome.POSTED
    world.channel.clear()
    world.clock.advance(MINUTE)


async def test_before_the_first_digest_nothing_is_urgent(world: World) -> None:
    world.clusters.findings = (_critical(),)
    await world.urgent().look()
    assert not world.channel.posted


async def test_a_critical_finding_is_told_once_whatever_restarts(world: World) -> None:
    await _after_a_quiet_digest(world)
    world.clusters.findings = (_critical(), finding("cart"))
    for _ in range(4):
        await world.urgent().look()
        world.clock.advance(MINUTE)
    (told,) = world.channel.posted
    assert _names(told) == ["payments"]
    assert told.items[0].state is ItemState.NEW


async def test_what_a_digest_has_told_is_not_urgent_any_more(world: World) -> None:
    world.clusters.findings = (_critical(),)
    await _after_a_quiet_digest(world)
    await world.urgent().look()
    assert not world.channel.posted


async def test_what_became_critical_since_is_urgent(world: World) -> None:
    world.clusters.findings = (finding(),)
    await _after_a_quiet_digest(world)
    world.clusters.findings = (_critical(),)
    await world.urgent().look()
    (told,) = world.channel.posted
    assert told.items[0].state is ItemState.ESCALATING


async def test_what_is_muted_waits(world: World) -> None:
    await _after_a_quiet_digest(world)
    mute = Mute("U1", "mira", NINE, NINE + timedelta(hours=1), Severity.CRITICAL, 3)
    await world.marks.put("daily", _critical().identity, mute)
    world.clusters.findings = (_critical(),)
    await world.urgent().look()
    assert not world.channel.posted


async def test_it_is_told_as_over_in_its_place_after_two_healthy_looks(world: World) -> None:
    await _after_a_quiet_digest(world)
    look_out = world.urgent()
    world.clusters.findings = (_critical(),)
    await look_out.look()
    world.clusters.findings = ()
    await look_out.look()
    assert not world.channel.updates
    await look_out.look()
    ((ts, over),) = world.channel.updates
    assert ts == "0.0"
    assert (over.items, [item.state for item in over.resolved]) == ((), [ItemState.RESOLVED])
    await look_out.look()
    assert len(world.channel.updates) == 1


async def test_what_is_told_under_another_problem_of_its_workload_is_not_over(
    world: World,
) -> None:
    await _after_a_quiet_digest(world)
    look_out = world.urgent()
    world.clusters.findings = (_critical(),)
    await look_out.look()
    world.clusters.findings = (replace(_critical(), problem="crash-loop", severity=Severity.HIGH),)
    for _ in range(4):
        await look_out.look()
    assert not world.channel.updates


async def test_what_could_not_be_looked_at_is_not_over(world: World) -> None:
    await _after_a_quiet_digest(world)
    look_out = world.urgent()
    world.clusters.findings = (_critical(),)
    await look_out.look()
    world.clusters.findings = ()
    world.clusters.gaps = (Gap("pods of cluster demo", "forbidden", ""),)
    for _ in range(4):
        await look_out.look()
    assert not world.channel.updates


async def test_what_is_back_within_the_hour_is_told_in_the_same_message(world: World) -> None:
    await _after_a_quiet_digest(world)
    look_out = world.urgent()
    for found in ((_critical(),), (), (), (_critical(),)):
        world.clusters.findings = found
        await look_out.look()
        world.clock.advance(MINUTE)
    assert len(world.channel.posted) == 1
    assert world.channel.updates[-1][1].items[0].state is ItemState.REGRESSED
    # Much later it is another message.
    world.clusters.findings = ()
    for _ in range(2):
        await look_out.look()
    world.clock.advance(timedelta(hours=2))
    world.clusters.findings = (_critical(),)
    await look_out.look()
    assert len(world.channel.posted) == 2


async def test_what_cools_down_slowly_is_told_in_the_same_message_all_that_time(
    world: World,
) -> None:
    await _after_a_quiet_digest(world)
    look_out = world.urgent()
    loop = replace(_critical(), cooldown_seconds=4 * 3600)
    world.clusters.findings = (loop, _critical("cart"))
    await look_out.look()
    for hours, posted in ((3, 3), (5, 4)):
        world.clusters.findings = ()
        for _ in range(2):
            await look_out.look()
        assert world.channel.updates[-1][1].items == ()
        world.clock.advance(timedelta(hours=hours))
        world.clusters.findings = (loop, _critical("cart")) if hours == 3 else (loop,)
        await look_out.look()
        # After three hours only what has no cooldown is a new message.
        assert len(world.channel.posted) == posted
    assert [_names(digest) for digest in world.channel.posted[2:]] == [["cart"], ["payments"]]


async def test_a_storm_is_one_message_that_grows(world: World) -> None:
    await _after_a_quiet_digest(world)
    look_out = world.urgent()
    world.clusters.findings = tuple(_critical(f"s{number}") for number in range(10))
    await look_out.look()
    world.clock.advance(MINUTE)
    world.clusters.findings += (_critical("late"),)
    await look_out.look()
    (storm,) = world.channel.posted
    assert len(storm.items) == 10
    assert "late" in _names(world.channel.updates[-1][1])


async def test_nine_are_nine_messages(world: World) -> None:
    await _after_a_quiet_digest(world)
    world.clusters.findings = tuple(_critical(f"s{number}") for number in range(9))
    await world.urgent().look()
    assert len(world.channel.posted) == 9


async def test_killed_after_the_post_it_is_found_and_not_posted_again(world: World) -> None:
    await _after_a_quiet_digest(world)
    world.clusters.findings = (_critical(),)
    await world.urgent().look()
    # As if the process had ended before it could note the ts.
    (post,) = await world.posts.urgent("daily", NINE)
    await world.posts.posted(post.key, "")
    await world.urgent().look()
    assert len(world.channel.posted) == 1
    (found,) = await world.posts.urgent("daily", NINE)
    assert found.posted_ts == "0.0"


async def test_a_channel_that_fails_gets_it_later(world: World) -> None:
    await _after_a_quiet_digest(world)
    world.clusters.findings = (_critical(),)
    world.channel.error = OpsbotError("post", "Slack is away", "Wait.")
    await world.urgent().look()
    world.channel.error = None
    world.clock.advance(MINUTE)
    await world.urgent().look()
    assert len(world.channel.posted) == 1


async def test_of_two_replicas_one_looks(world: World) -> None:
    await _after_a_quiet_digest(world)
    world.clusters.findings = (_critical(),)
    async with world.leases.hold("urgent of daily", 120):
        await world.urgent().look()
    assert not world.channel.posted
    await world.urgent().look()
    assert len(world.channel.posted) == 1


async def test_the_next_digest_links_what_was_told_as_it_came(world: World) -> None:
    await _after_a_quiet_digest(world)
    world.clusters.findings = (_critical(), finding("cart"))
    await world.urgent().look()
    world.clock.advance(timedelta(hours=1))
    await world.service().publish("daily", NINE + timedelta(hours=1))
    told = {item.finding.owner.name: item.told_ts for item in world.channel.posted[-1].items}
    assert told == {"payments": "0.0", "cart": ""}


async def test_while_a_digest_is_made_nobody_tells_beside_it(world: World) -> None:
    await _after_a_quiet_digest(world)
    world.clusters.findings = (_critical(),)
    window = TimeRange(NINE, NINE + MINUTE)
    claim = await world.store.claim("daily", "daily@later", window)
    assert claim is not None
    await world.urgent().look()
    assert not world.channel.posted
    # One that died with its claim in hand holds up nothing for long.
    world.clock.advance(2 * MINUTE)
    await world.urgent().look()
    assert len(world.channel.posted) == 1
