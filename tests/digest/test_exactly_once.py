"""Cut short at every single step: nothing is lost, nothing is told twice."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from core.clock import ManualClock
from core.digests import Digest, ItemState, Ownership
from core.errors import OpsbotError
from core.findings import Severity
from core.posts import PostKind
from digest.assemble import DigestConfig
from digest.publish import PublishOutcome
from state.database import Database
from state.digests import SqlDigestStore
from state.errorcounts import SqlErrorCounts
from state.leases import SqlLeases
from state.marks import SqlMarkStore
from state.past import SqlPast
from state.posts import SqlPostStore
from tests.digest.conftest import NINE, Channel, World, finding

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
TEAMS = DigestConfig(team_channels={"orders": "CORDERS"}, has_chart=True)


class _KilledError(BaseException):
    """Ends the process, as far as the service can tell: nothing after it runs."""


class _Fate:
    """Counts all that a process does to the outside world, and cuts it short at one step.

    Args:
        step: Which one, from 0.
        kills: Whether the process is dead from then on, rather than told of one failure.
        is_done: Whether the step is done before it is cut short.
    """

    def __init__(self, step: int, *, kills: bool, is_done: bool) -> None:
        self._left, self._kills, self._is_done = step, kills, is_done
        self.has_struck = False

    async def meet(self, work: Callable[[], Awaitable[Any]]) -> Any:
        if self.has_struck and self._kills:
            raise _KilledError
        self._left -= 1
        if self._left != -1:
            return await work()
        if self._is_done:
            await work()
        self.has_struck = True
        raise _KilledError if self._kills else OpsbotError("do it", "it broke", "Try again.")


class _Mortal:
    """Whatever it wraps, under a fate."""

    def __init__(self, inner: object, fate: _Fate) -> None:
        self._inner, self._fate = inner, fate

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)

        async def call(*args: object, **named: object) -> Any:
            return await self._fate.meet(lambda: method(*args, **named))

        return call

    @asynccontextmanager
    async def hold(self, *args: Any) -> AsyncIterator[bool]:
        """A lease; a dead process does not give it back."""
        lease = self._inner.hold(*args)  # type: ignore[attr-defined]  # a lease's
        is_held = await self._fate.meet(lease.__aenter__)
        yield is_held
        await self._fate.meet(lambda: lease.__aexit__(None, None, None))


class _Doomed(World):
    """The same world, seen by a process with a fate."""

    fate: _Fate

    @classmethod
    def of(cls, world: World, fate: _Fate) -> _Doomed:
        parts: dict[str, Any] = {
            name: _Mortal(getattr(world, name), fate)
            for name in ("store", "marks", "posts", "leases", "counts", "past")
        }
        doomed = cls(**parts, clock=world.clock, clusters=world.clusters, graph=world.graph)
        doomed.fate, doomed.channel, doomed.others = fate, world.channel, world.others
        return doomed

    def channel_of(self, name: str) -> Channel:
        return _Mortal(super().channel_of(name), self.fate)  # type: ignore[return-value]  # fits it


def _new_world(database: Database) -> World:
    clock = ManualClock(NINE)
    world = World(
        SqlDigestStore(database, clock),
        SqlMarkStore(database),
        SqlPostStore(database, clock),
        SqlLeases(database, clock),
        SqlErrorCounts(database),
        SqlPast(database, ("daily",)),
        clock,
    )
    world.graph.known = {"payments": Ownership(team="orders")}
    return world


async def _work(world: World) -> None:
    """A digest, then an urgent finding."""
    try:
        await world.service(TEAMS).publish("daily", NINE)
        world.clock.advance(MINUTE)
        if len(world.clusters.findings) == 2:
            world.clusters.findings += (finding("search", severity=Severity.CRITICAL),)
        await world.urgent().look()
    except (_KilledError, OpsbotError):
        pass


async def _lead(world: World, *, is_next: bool) -> None:
    """What healthy processes do from then on."""
    # By then claims and leases of the dead have run out.
    world.clock.advance(5 * MINUTE)
    if not is_next:
        await _work(world)
    for hour in (1, 2):
        world.clock.advance(NINE + hour * HOUR - world.clock.now())
        outcome = await world.service(TEAMS).publish("daily", NINE + hour * HOUR)
        assert outcome is PublishOutcome.POSTED
        await world.urgent().look()


def _news(digests: list[Digest], state: ItemState = ItemState.NEW) -> list[str]:
    return sorted(
        item.finding.owner.name
        for digest in digests
        for item in digest.items
        if item.state is state
    )


def _identities(digests: list[Digest]) -> list[str]:
    return [item.finding.identity for digest in digests for item in digest.items]


def _check(world: World) -> None:
    for channel in (world.channel, *world.others.values()):
        assert not [key for key, n in Counter(p.key for p in channel.sent).items() if n > 1]
        for place, post in enumerate(channel.sent):
            if post.kind is not PostKind.DIGEST or post.digest.is_collapsed:
                continue
            thread = [each.digest for each in channel.sent if each.thread_ts == f"{place}.0"]
            assert sorted(_identities(thread)) == sorted(_identities([post.digest]))
    digests = [p.digest for p in world.channel.sent if p.kind is PostKind.DIGEST]
    urgent = [p.digest for p in world.channel.sent if p.kind is PostKind.URGENT]
    assert _news(digests) in (["cart", "payments"], ["cart", "payments", "search"])
    assert sorted({*_news(digests), *_news(urgent)}) == ["cart", "payments", "search"]
    assert len(_news(urgent)) <= 1
    assert _news([p.digest for p in world.others["CORDERS"].sent if not p.parent]) == ["payments"]


_WAYS = list(product([False, True], repeat=3))


@pytest.mark.parametrize(("number", "way"), list(enumerate(_WAYS)))
async def test_cut_short_at_some_steps_it_loses_and_doubles_nothing(
    tmp_path: Path, number: int, way: tuple[bool, bool, bool]
) -> None:
    # Each way meets other steps; together they meet them all.
    await _cut_short(tmp_path, way, first=number, stride=len(_WAYS))


@pytest.mark.drill
@pytest.mark.parametrize("way", _WAYS)
async def test_cut_short_at_every_step_it_loses_and_doubles_nothing(
    tmp_path: Path, way: tuple[bool, bool, bool]
) -> None:
    await _cut_short(tmp_path, way, first=0, stride=1)


async def _cut_short(
    folder: Path, way: tuple[bool, bool, bool], *, first: int, stride: int
) -> None:
    kills, is_done, is_next = way
    empty, used = folder / "empty.db", folder / "used.db"
    await (await Database.open(f"sqlite+aiosqlite:///{empty}")).close()
    has_struck, step = True, first
    while has_struck:
        shutil.copy(empty, used)
        database = await Database.open(f"sqlite+aiosqlite:///{used}")
        try:
            world = _new_world(database)
            world.clusters.findings = (finding("payments"), finding("cart", problem="image-pull"))
            fate = _Fate(step, kills=kills, is_done=is_done)
            await _work(_Doomed.of(world, fate))
            has_struck = fate.has_struck
            if len(world.clusters.findings) == 2:
                world.clusters.findings += (finding("search", severity=Severity.CRITICAL),)
            await _lead(world, is_next=is_next)
            _check(world)
        except AssertionError as error:
            error.add_note(f"cut short at step {step}")
            raise
        finally:
            await database.close()
        step += stride
    assert step > 30, "every step has been met"
