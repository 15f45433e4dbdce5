"""Names and zones of people, as far as Slack tells them."""

from __future__ import annotations

from bot.people import People, Person
from tests.bot.bench import Bench


async def test_a_person_is_looked_up_once(bench: Bench) -> None:
    people = People(bench.client)
    told = [await people.person("UINES") for _ in range(3)]
    assert {person.name for person in told} == {"Ines Okafor"}
    assert str(told[0].zone) == "Etc/UTC"
    assert len(bench.calls("users.info")) == 1


async def test_without_the_scope_nobody_is_asked_for_again(bench: Bench) -> None:
    people = People(bench.client)
    bench.fault(kind="error", method="users.info", error="missing_scope")
    assert await people.person("UINES") == Person("UINES")
    assert await people.person("UMEI") == Person("UMEI")
    assert len(bench.calls("users.info")) == 1


async def test_a_failure_of_the_moment_is_forgotten(bench: Bench) -> None:
    people = People(bench.client)
    bench.fault(kind="error", method="users.info", error="internal_error")
    assert await people.person("UINES") == Person("UINES")
    assert (await people.person("UINES")).name == "Ines Okafor"
