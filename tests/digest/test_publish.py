from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from core.answers import Gap, Scope
from core.digests import Digest, ItemState, SlotClaim
from core.errors import ClusterError, KnowledgeError, StateError
from core.findings import Collected, Severity
from core.questions import TimeRange
from digest import claims
from digest.assemble import DigestConfig
from digest.publish import PublishOutcome, slot_name
from tests.digest.conftest import NINE, Clusters, Words, World, finding

HOUR = timedelta(hours=1)


def _states(digest: Digest) -> dict[str, ItemState]:
    return {item.finding.owner.name: item.state for item in (*digest.items, *digest.resolved)}


async def test_a_slot_is_posted_once(world: World) -> None:
    world.clusters.findings = (finding(),)
    service = world.service()
    assert await service.publish("daily", NINE) is PublishOutcome.POSTED
    assert await service.publish("daily", NINE) is PublishOutcome.ALREADY_POSTED
    assert [digest.slot for digest in world.channel.posted] == ["daily@2026-03-01T09:00:00Z"]
    assert _states(world.channel.posted[0]) == {"payments": ItemState.NEW}


async def test_a_finding_goes_through_its_life(world: World) -> None:
    service = world.service()
    told = []
    for hour, findings in enumerate([[3], [4], [90], [], [], [], [5], [5]]):
        world.clusters.findings = tuple(finding(count=count) for count in findings)
        end = NINE + hour * HOUR
        world.clock.advance(end - world.clock.now())
        assert await service.publish("daily", end) is PublishOutcome.POSTED
        told.append(list(_states(world.channel.posted[-1]).values()))
    assert told == [
        [ItemState.NEW],
        [ItemState.ONGOING],
        [ItemState.ESCALATING],
        [],
        [ItemState.RESOLVED],
        [],
        [ItemState.REGRESSED],
        [ItemState.ONGOING],
    ]
    assert "healthy now" in world.channel.posted[3].notes[0]


async def test_the_window_begins_where_the_last_one_ended(world: World) -> None:
    service = world.service()
    for hours in (0, 5, 5 + 30):
        await service.publish("daily", NINE + hours * HOUR)
    assert world.clusters.windows == [
        TimeRange(NINE - 24 * HOUR, NINE),
        TimeRange(NINE, NINE + 5 * HOUR),
        TimeRange(NINE + 11 * HOUR, NINE + 35 * HOUR),
    ]
    assert "6 hours before this were not looked at" in world.channel.posted[2].notes[0]
    assert await service.publish("daily", NINE + 4 * HOUR) is PublishOutcome.ALREADY_POSTED


async def test_new_is_per_schedule(world: World) -> None:
    world.clusters.findings = (finding(),)
    service = world.service()
    await service.publish("daily", NINE)
    await service.publish("weekly", NINE)
    assert [_states(d) for d in world.channel.posted] == [{"payments": ItemState.NEW}] * 2


async def test_another_process_that_holds_the_slot_is_left_alone(world: World) -> None:
    window = TimeRange(NINE - HOUR, NINE)
    assert await world.store.claim("daily", slot_name("daily", NINE), window)
    assert await world.service().publish("daily", NINE) is PublishOutcome.HELD_ELSEWHERE
    assert world.channel.posted == []


async def test_of_two_publishers_at_once_one_posts(world: World) -> None:
    outcomes = await asyncio.gather(
        world.service().publish("daily", NINE), world.service().publish("daily", NINE)
    )
    # The other one finds it held, or posted already: that depends on who was how fast.
    other, first = sorted(outcomes)
    assert first == "posted"
    assert other in {"held_elsewhere", "already_posted"}
    assert len(world.channel.posted) == 1


async def test_what_another_process_may_have_posted_is_not_told_again(world: World) -> None:
    world.clusters.findings = (finding(),)
    claim = await world.store.claim("daily", slot_name("daily", NINE), TimeRange(NINE - HOUR, NINE))
    assert claim is not None
    await world.store.prepare(claim, [])
    world.clock.advance(HOUR)
    await world.store.renew(claim)
    # The other one is slow, but alive: its slot comes first.
    assert await world.service().publish("daily", NINE + HOUR) is PublishOutcome.HELD_ELSEWHERE
    world.clock.advance(timedelta(minutes=3))
    assert await world.service().publish("daily", NINE + HOUR) is PublishOutcome.POSTED


async def test_a_claim_is_kept_while_its_digest_is_made(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow(Clusters):
        async def collect(self, window: TimeRange, scope: Scope) -> Collected:
            for _ in range(3):
                world.clock.advance(timedelta(seconds=100))
                await renewed.wait()
                renewed.clear()
            return await super().collect(window, scope)

    class Renewing(_Failing):
        async def renew(self, claim: SlotClaim) -> None:
            await world.store.renew(claim)
            renewed.set()
            if not failed:
                failed.append(True)
                raise StateError("renew", "locked", "Wait.")

    renewed, failed = asyncio.Event(), list[bool]()
    monkeypatch.setattr(claims, "RENEW_SECONDS", 0.001)
    service = world.service(source=Slow(), store=Renewing(world.store, "", RuntimeError()))
    assert await service.publish("daily", NINE) is PublishOutcome.POSTED


async def test_without_a_channel_nothing_is_claimed(world: World) -> None:
    assert await world.service(channel="").publish("daily", NINE) is PublishOutcome.FAILED
    assert await world.service().publish("daily", NINE) is PublishOutcome.POSTED


class _Failing:
    """Passes calls on to what it wraps, but raises in place of the one of one name."""

    def __init__(self, inner: object, name: str, error: Exception) -> None:
        self._inner, self._name, self._error = inner, name, error

    def __getattr__(self, name: str) -> object:
        method = getattr(self._inner, name)

        async def call(*args: object, **named: object) -> object:
            if name != self._name:
                return await method(*args, **named)
            raise self._error

        return call


async def test_a_cancelled_publisher_gives_its_claim_back(world: World) -> None:
    class Hanging(Clusters):
        async def collect(self, window: TimeRange, scope: Scope) -> Collected:
            started.set()
            await asyncio.Event().wait()
            return await super().collect(window, scope)

    started = asyncio.Event()
    task = asyncio.create_task(world.service(source=Hanging()).publish("daily", NINE))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await world.service().publish("daily", NINE) is PublishOutcome.POSTED


async def test_a_claim_that_cannot_be_given_back_is_only_logged(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.clusters.error = ClusterError("read", "it broke", "Wait.")
    store = _Failing(world.store, "release", StateError("give back", "gone", "Wait."))
    assert await world.service(store=store).publish("daily", NINE) is PublishOutcome.FAILED
    assert "was not given back" in caplog.text


async def test_an_unread_cluster_is_never_quiet_and_resolves_nothing(world: World) -> None:
    service = world.service()
    world.clusters.findings = (finding(),)
    await service.publish("daily", NINE)
    world.clusters.findings, world.clusters.clusters = (), ()
    world.clusters.gaps = (Gap("cluster demo", "timed out", "Check it."),)
    for hour in (1, 2, 3):
        assert await service.publish("daily", NINE + hour * HOUR) is PublishOutcome.POSTED
    last = world.channel.posted[-1]
    assert (last.items, last.resolved, last.gaps) == ((), (), world.clusters.gaps)
    assert "could not be looked at again" in last.notes[0]
    world.clusters.findings, world.clusters.clusters = (finding(),), ("demo",)
    world.clusters.gaps = ()
    await service.publish("daily", NINE + 4 * HOUR)
    assert _states(world.channel.posted[-1]) == {"payments": ItemState.ONGOING}


async def test_it_goes_out_without_model_and_search(world: World) -> None:
    world.clusters.findings = (finding(), finding("cart"))
    world.pages.error = KnowledgeError("search", "the store is down", "Start it.")
    world.words = Words(note="The model did not answer.")
    assert await world.service().publish("daily", NINE) is PublishOutcome.POSTED
    digest = world.channel.posted[0]
    assert digest.gaps == (Gap("documentation search", "the store is down", "Start it."),)
    assert digest.notes == ("The model did not answer.",)
    assert digest.model == "extractive"
    assert all(item.cause and item.next_command for item in digest.items)


async def test_slow_search_and_model_are_waited_for_only_so_long(world: World) -> None:
    class Slow:
        model = "slow"

        async def look(self, *_: object) -> None:
            await asyncio.Event().wait()

        async def word(self, _: object) -> None:
            await asyncio.Event().wait()

    world.clusters.findings = (finding(),)
    config = DigestConfig(search_timeout_seconds=0.01, wording_timeout_seconds=0.01)
    digest = await world.service(config, runbooks=Slow(), wordsmith=Slow()).preview(None, Scope())
    assert digest.gaps[0].why == "no answer within 0.01 s"
    assert "took too long" in digest.notes[0]
    assert digest.items[0].cause


async def test_a_model_words_causes(world: World) -> None:
    world.clusters.findings = (finding(),)
    world.words = Words()
    digest = await world.service().preview(None, Scope())
    assert (digest.model, digest.items[0].cause) == ("ollama:llama3.1", "worded payments: oom")


async def test_a_preview_commits_nothing(world: World) -> None:
    world.clusters.findings = (finding(),)
    service = world.service(DigestConfig(default_schedule="daily"))
    for _ in range(3):
        preview = await service.preview(timedelta(hours=2), Scope())
        assert (preview.slot, _states(preview)) == ("", {"payments": ItemState.NEW})
    await service.publish("daily", NINE)
    assert _states(world.channel.posted[0]) == {"payments": ItemState.NEW}
    assert _states(await service.preview(None, Scope())) == {"payments": ItemState.ONGOING}
    assert world.clusters.windows[0] == TimeRange(NINE - 2 * HOUR, NINE)


async def test_a_preview_looks_no_further_back_than_allowed(world: World) -> None:
    digest = await world.service().preview(timedelta(days=30), Scope())
    assert digest.window == TimeRange(NINE - 24 * HOUR, NINE)


async def test_a_preview_knows_only_what_its_reader_may_see(world: World) -> None:
    world.clusters.findings = (finding(), finding("ledger", namespace="trading"))
    service = world.service(DigestConfig(default_schedule="daily"))
    await service.publish("daily", NINE)
    world.clock.advance(HOUR)
    digest = await service.preview(None, Scope(namespaces=frozenset({"trading"})))
    assert _states(digest) == {"ledger": ItemState.ONGOING}
    assert digest.notes == ()


async def test_a_preview_without_its_history_says_so(world: World) -> None:
    world.clusters.findings = (finding(),)
    broken = _Failing(world.store, "history", StateError("x", "locked", "Wait."))
    digest = await world.service(store=broken).preview(None, Scope())
    assert digest.gaps == (Gap("history of digests", "locked", "Wait."),)
    assert _states(digest) == {"payments": ItemState.NEW}


async def test_ten_are_listed_and_the_rest_is_counted(world: World) -> None:
    world.clusters.findings = (
        *(finding(f"app-{n}") for n in range(12)),
        finding("worst", severity=Severity.CRITICAL),
        finding("minor", severity=Severity.MEDIUM),
        finding("told", severity=Severity.INFO),
    )
    digest = await world.service().preview(None, Scope())
    assert len(digest.items) == 10
    assert digest.items[0].finding.owner.name == "worst"
    assert digest.hidden == ((Severity.HIGH, 3), (Severity.MEDIUM, 1))
    assert digest.totals == ((ItemState.NEW, 14),)


async def test_a_model_words_causes_and_decides_nothing(world: World) -> None:
    world.clusters.findings = tuple(finding(f"w-{number}", count=number) for number in range(1, 16))
    await world.service().publish("daily", NINE)
    await world.service(wordsmith=Words()).publish("worded", NINE)
    plain, worded = world.channel.posted
    assert worded.items[0].cause.startswith("worded")
    for told in ("items", "rest", "resolved", "flapping"):
        assert [(item.finding.identity, item.state) for item in getattr(plain, told)] == [
            (item.finding.identity, item.state) for item in getattr(worded, told)
        ]
