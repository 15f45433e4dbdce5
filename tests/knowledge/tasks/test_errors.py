from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from core.answers import Scope
from core.errors import RequestError
from core.questions import Intent
from knowledge.tasks.chained import ChainedTask
from knowledge.tasks.errors import ErrorsWanted, errors, parse
from tests.knowledge.conftest import NOW
from tests.knowledge.fakes import POD
from tests.knowledge.tasks.conftest import World

FINDING = replace(
    POD,
    id="cluster:demo:Deployment/shop/payments:finding",
    title="Finding on Deployment shop/payments",
    text="payments keeps restarting because its container is OOMKilled (14 restarts).\n"
    "Severity critical.",
)


@pytest.mark.parametrize(
    ("argument", "wanted"),
    [
        ("", ErrorsWanted()),
        ("5", ErrorsWanted(limit=5)),
        ("since 2h", ErrorsWanted(since="2h")),
        ("3 since 9:30 today code 5xx ns shop", ErrorsWanted(3, "9:30 today", "5xx", "shop")),
        ("code ERR_STOCK_SYNC", ErrorsWanted(code="ERR_STOCK_SYNC")),
        ("NS shop Code 503", ErrorsWanted(code="503", namespace="shop")),
        ("namespace: shop", ErrorsWanted(namespace="shop")),
    ],
)
def test_the_parts_may_stand_in_any_order(argument: str, wanted: ErrorsWanted) -> None:
    assert parse(argument) == wanted


@pytest.mark.parametrize(
    ("argument", "wrong"),
    [
        ("0", "0 is not a number from 1 to 10"),
        ("-3", "-3 is not a number"),
        ("11", "11 is not a number from 1 to 10"),
        ("code", '"code" needs a status code'),
        ("code since 2h", '"code" needs a status code'),
        ("code 42", '"code 42" is no code'),
        ("since", '"since" needs a length of time'),
        ("ns", '"ns" needs the name of a namespace'),
        ("ns shop trading", '"ns" needs one namespace, not "shop trading"'),
        ("payments", 'I do not know what "payments" means here'),
        ("ns shop ns trading", '"ns" stands there twice'),
    ],
)
def test_a_mistake_is_named_with_an_example(argument: str, wrong: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse(argument)
    assert wrong in caught.value.wrong
    assert "errors 5 since 2h code 503 ns shop" in caught.value.remedy


async def test_an_argument_becomes_a_reading(world: World) -> None:
    read = errors(world.namer, world.clock, NOW.tzinfo)  # type: ignore[arg-type]  # a moment in UTC has a zone
    reading = (await read("3 since 2h code 503 ns SHOP", Scope())).reading
    assert (reading.limit, reading.codes, reading.namespaces) == (3, ("503",), ("shop",))
    assert reading.intents == {Intent.LOGS}
    assert reading.time_range is not None
    assert reading.time_range.start == NOW - timedelta(hours=2)
    since = (await read("since 9:30", Scope())).reading.time_range
    assert since is not None
    assert since.start == NOW.replace(hour=9, minute=30)


@pytest.mark.parametrize("since", ["soon", "tomorrow", "2030-01-01"])
async def test_a_time_that_is_none_is_refused(world: World, since: str) -> None:
    read = errors(world.namer, world.clock, NOW.tzinfo)  # type: ignore[arg-type]  # as above
    with pytest.raises(RequestError, match=f'"since {since}" is no time in the past'):
        await read(f"since {since}", Scope())


async def test_an_unknown_namespace_gets_a_guess(world: World) -> None:
    task = ChainedTask(world.chain, errors(world.namer, world.clock, NOW.tzinfo))  # type: ignore[arg-type]  # as above
    with pytest.raises(RequestError, match="find the namespace 'shpo'") as caught:
        await world.ask(task, "ns shpo")
    assert caught.value.remedy == "Did you mean `shop`?"
    with pytest.raises(RequestError) as caught:
        await world.ask(task, "ns shpo", Scope(namespaces=frozenset({"trading"})))
    assert "shop`" not in caught.value.remedy  # what a channel may not see is not suggested


async def test_each_error_is_told_with_its_fix(world: World) -> None:
    world.cluster.facts = (FINDING,)
    task = ChainedTask(world.chain, errors(world.namer, world.clock, NOW.tzinfo))  # type: ignore[arg-type]  # as above
    answer = await world.ask(task, "5")
    assert "**payments** keeps restarting" in answer.text
    assert answer.is_grounded
    world.cluster.go_down()
    answer = await world.ask(task, "5")
    assert not answer.is_grounded
    assert [gap.what for gap in answer.gaps] == ["cluster demo"]
    assert "connection refused" in answer.text
