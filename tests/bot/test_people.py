"""Names, zones and standing of people, as far as Slack tells them."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.people import People, Person
from core.clock import ManualClock
from tests.bot.bench import Bench
from tests.bot.samples import NOW


async def test_a_person_is_looked_up_once(bench: Bench) -> None:
    people = People(bench.client, ManualClock(NOW))
    told = await asyncio.gather(*(people.person("UINES") for _ in range(3)))
    told.append(await people.person("UINES"))
    assert {person.name for person in told} == {"Ines Okafor"}
    assert str(told[0].zone) == "Etc/UTC"
    assert told[0].is_full_member is True
    assert told[0].team == "TFENWICK"
    assert len(bench.calls("users.info")) == 1


async def test_a_guest_is_no_full_member_and_neither_is_who_became_one(bench: Bench) -> None:
    clock = ManualClock(NOW)
    people = People(bench.client, clock)
    bench.running.controls.add_user("gus", "Gus", "TFENWICK", is_restricted=True)
    assert (await people.person("UGUS")).is_full_member is False
    assert (await people.person("UINES")).is_full_member is True
    bench.running.controls.restrict("ines", is_restricted=True)
    clock.advance(timedelta(minutes=9))
    assert (await people.person("UINES")).is_full_member is True
    clock.advance(timedelta(minutes=2))
    assert (await people.person("UINES")).is_full_member is False


async def test_without_the_scope_nobody_is_known_or_asked_for_until_a_minute_is_over(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    clock = ManualClock(NOW)
    people = People(bench.client, clock)
    bench.fault(kind="error", method="users.info", error="missing_scope", times=2)
    assert [await people.person("UMEI") for _ in range(3)] == [Person("UMEI")] * 3
    assert len(bench.calls("users.info")) == 1
    clock.advance(timedelta(minutes=2))
    assert await people.person("UMEI") == Person("UMEI")
    assert [row.levelname for row in caplog.records].count("ERROR") == 1
    clock.advance(timedelta(minutes=2))
    assert (await people.person("UMEI")).name == "Mei Tanaka"


async def test_of_many_who_ask_in_vain_one_asks(bench: Bench) -> None:
    people = People(bench.client, ManualClock(NOW))
    bench.fault(kind="error", method="users.info", error="internal_error")
    told = await asyncio.gather(*(people.person("UINES") for _ in range(3)))
    assert told == [Person("UINES")] * 3
    assert len(bench.calls("users.info")) == 1


async def test_a_failure_of_the_moment_is_forgotten(bench: Bench) -> None:
    people = People(bench.client, ManualClock(NOW))
    bench.fault(kind="error", method="users.info", error="internal_error")
    assert await people.person("UINES") == Person("UINES")
    assert (await people.person("UINES")).name == "Ines Okafor"


async def test_while_slack_fails_what_it_last_said_counts_for_hours_but_not_for_ever(
    bench: Bench,
) -> None:
    clock = ManualClock(NOW)
    people = People(bench.client, clock)
    await people.person("UINES")
    bench.fault(kind="error", method="users.info", error="internal_error", times=9)
    clock.advance(timedelta(hours=2))
    assert (await people.person("UINES")).is_full_member is True
    clock.advance(timedelta(hours=20))
    assert (await people.person("UINES")).is_full_member is None
