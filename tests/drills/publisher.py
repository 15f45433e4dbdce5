"""`python -m tests.drills.publisher`: one process that publishes a digest and what is urgent.

It is made of the product's own parts, down to the Slack client; the findings alone are invented.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import aiohttp

from bot.poster import SlackPoster
from bot.slack_client import SlackClient, make_client
from core.answers import Scope
from core.digests import Ownership
from core.findings import Finding, Severity
from core.questions import TimeRange
from digest.assemble import DigestConfig
from sandbox.slack.world import BOT_TOKEN
from state.database import Database
from state.digests import SqlDigestStore
from state.errorcounts import SqlErrorCounts
from state.leases import SqlLeases, release_all
from state.marks import SqlMarkStore
from state.past import SqlPast
from state.posts import SqlPostStore
from tests.digest.conftest import Channel, World, finding

SCHEDULE = "daily"
ROUND = timedelta(minutes=1)
BORN = datetime(2026, 1, 1, tzinfo=UTC)
# Longer than any row of kills before the first post, so that none ends untold.
_LASTS_ROUNDS = 40


@dataclass(frozen=True, slots=True)
class ShiftedClock:
    """The machine's clock, so many rounds ahead."""

    number: int

    def now(self) -> datetime:
        """The present moment, aware UTC."""
        return datetime.now(UTC) + self.number * ROUND


class Counts:
    """Errors over time, for the picture."""

    async def over(
        self, clusters: object, window: TimeRange, scope: Scope
    ) -> tuple[tuple[datetime, int], ...]:
        """The same for every window."""
        return tuple((window.start, number) for number in (1, 2, 3))


def steady(number: int) -> Finding:
    """What a round's digest finds for the first time."""
    return finding(f"steady-{number}", first_seen=BORN + number * ROUND)


def urgent(number: int) -> Finding:
    """What a round finds after its digest."""
    return finding(f"urgent-{number}", severity=Severity.CRITICAL, first_seen=BORN + number * ROUND)


class SlackWorld(World):
    """A digest's world whose channels are Slack's."""

    client: SlackClient

    def channel_of(self, name: str) -> Channel:
        """The product's own poster."""
        return SlackPoster(self.client, name, "/k8s")  # type: ignore[return-value]  # fits its port


async def publish(state: str, slack: str, number: int) -> None:
    """The digest of a round, and a look for what is urgent after it."""
    clock = ShiftedClock(number)
    database = await Database.open(state)
    await release_all(database)
    world = SlackWorld(
        SqlDigestStore(database, clock), SqlMarkStore(database), SqlPostStore(database, clock),
        SqlLeases(database, clock), SqlErrorCounts(database), SqlPast(database, (SCHEDULE,)),
        clock,  # type: ignore[arg-type]  # it need not be set
    )  # fmt: skip
    before = range(max(0, number - _LASTS_ROUNDS), number)
    world.clusters.findings = (*map(steady, (*before, number)), *map(urgent, before))
    world.graph.known = {f"steady-{number}": Ownership(team="orders")}
    config = DigestConfig(team_channels={"orders": "CGENERAL"}, has_chart=True)
    async with aiohttp.ClientSession() as session:
        world.client = make_client(BOT_TOKEN, slack, session, post_seconds=0)
        _say("begins")
        slot_end = clock.now().replace(second=0, microsecond=0)
        service = world.service(config, error_counts=Counts())
        _say(await service.publish(SCHEDULE, slot_end))
        world.clusters.findings += (urgent(number),)
        await world.urgent().look()
    await database.close()
    _say("ends")


def _say(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(publish(sys.argv[1], sys.argv[2], int(sys.argv[3])))
