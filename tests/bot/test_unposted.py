"""A digest that Slack refuses is told in log and status and, once a day, to the owner."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from bot.notices import SlackError
from bot.poster import SlackPoster
from bot.telemetry.metrics import Meter
from bot.unposted import Unposted
from core.answers import PartState
from core.errors import StateError
from core.posts import PostKind
from digest.outbox import thread_of
from sandbox.slack import world
from tests.bot.bench import Bench, seen
from tests.bot.samples import NOW, digest, item
from tests.bot.telemetry.scraped import value


@dataclass
class Claims:
    seen: set[str] = field(default_factory=set)
    error: StateError | None = None

    async def __call__(self, key: str) -> bool:
        if self.error:
            raise self.error
        is_first = key not in self.seen
        self.seen.add(key)
        return is_first


def told_owner(bench: Bench) -> list[str]:
    dm = bench.running.controls.conversation("@opsbot", bench.running.controls.user("jonas"))
    return [seen(row) for row in dm.messages.values()]


def poster(bench: Bench) -> SlackPoster:
    return SlackPoster(bench.client, "COPS", "/k8s")


(POST,) = thread_of(digest(), "daily@9", "#ops", NOW)
URGENT = replace(POST, kind=PostKind.URGENT, digest=digest(item()))


async def test_a_channel_without_the_bot_is_told_until_it_is_invited(
    either: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    members = either.running.controls.conversation("ops").members
    members.remove(world.BOT_USER_ID)
    meter = Meter()
    unposted = Unposted(either.client, "UJONAS", Claims(), meter)
    watched = unposted.watch(poster(either), "#ops")
    for _ in range(2):
        with pytest.raises(SlackError):
            await watched.send(POST)
    assert value(meter, "refused_posts_total", code="not_in_channel") == 2
    assert value(meter, "refused_channels") == 1
    (words,) = told_owner(either)
    assert "cannot post the digest to #ops: the bot is not a member of the channel" in words
    assert "/invite @opsbot" in words
    look = await unposted.check.look()
    assert (look.state, "not a member" in look.detail) == (PartState.DOWN, True)
    assert value(meter, "refused_posts_total", code="not_in_channel") == 2
    assert value(meter, "refused_channels") == 1
    assert "/invite" in look.remedy
    assert [row.levelname for row in caplog.records if row.name == "bot.unposted"] == ["ERROR"] * 2
    members.add(world.BOT_USER_ID)
    assert await watched.find(POST) is None
    assert (await unposted.check.look()).state is PartState.DOWN
    await watched.send(POST)
    assert (await unposted.check.look()).state is PartState.OK
    assert value(meter, "refused_channels") == 0


async def test_what_is_urgent_is_watched_too(bench: Bench) -> None:
    unposted = Unposted(bench.client, "UJONAS", Claims(), Meter())
    watched = unposted.watch(poster(bench), "#ops")
    bench.fault(kind="error", method="chat.postMessage", error="is_archived")
    with pytest.raises(SlackError):
        await watched.send(URGENT)
    assert (await unposted.check.look()).state is PartState.DOWN
    ts = await watched.send(URGENT)
    await watched.update(replace(URGENT, posted_ts=ts))
    assert (await unposted.check.look()).state is PartState.OK


async def test_a_failure_of_the_moment_alarms_nobody(bench: Bench) -> None:
    unposted = Unposted(bench.client, "UJONAS", Claims(), Meter())
    bench.fault(kind="error", method="chat.postMessage", error="fatal_error", times=3)
    with pytest.raises(SlackError):
        await unposted.watch(poster(bench), "#ops").send(POST)
    assert not told_owner(bench)
    assert (await unposted.check.look()).state is PartState.OK


async def test_an_owner_who_cannot_be_told_is_no_further_failure(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    claims = Claims(error=StateError("remember it", "the disk is full", "Free some space."))
    unposted = Unposted(bench.client, "UJONAS", claims, Meter())
    bench.fault(kind="error", method="chat.postMessage", error="not_in_channel", times=2)
    with pytest.raises(SlackError):
        await unposted.watch(poster(bench), "#ops").send(POST)
    assert "could not be told" in caplog.text
    nobody = Unposted(bench.client, "", claims, Meter())
    with pytest.raises(SlackError):
        await nobody.watch(poster(bench), "#ops").send(POST)
