"""`owner`, `impact`, `similar` and the names they are asked about."""

from __future__ import annotations

import pytest

from core.answers import Gap, Scope
from core.errors import RequestError
from knowledge.models import ModelConfig
from knowledge.tasks.chained import ChainedTask
from knowledge.tasks.named import NO_GRAPH, impact, owner
from knowledge.tasks.similar import similar
from sandbox.ollama import scripts
from sandbox.ollama.server import run_ollama
from tests.knowledge.tasks.conftest import OpenWorld, World


def tell_owner(world: World) -> ChainedTask:
    return ChainedTask(world.chain, owner(world.namer, world.library))


def tell_impact(world: World) -> ChainedTask:
    return ChainedTask(world.chain, impact(world.namer, world.library))


@pytest.mark.parametrize("asked", ["payments", "shop/payments", "deployment/payments", "Payments"])
async def test_the_owner_is_told_however_the_service_is_written(world: World, asked: str) -> None:
    answer = await world.ask(tell_owner(world), asked)
    assert "payments is owned by team orders (on call: Tomás Brandt, #team-orders)" in answer.text
    assert {citation.source for citation in answer.citations} == {"graph"}


async def test_an_owner_is_looked_up_and_not_worded_by_a_model(open_world: OpenWorld) -> None:
    async with run_ollama(scripts.hostile) as running:
        world = await open_world(config=ModelConfig(ollama_url=running.url))
        answer = await world.ask(tell_owner(world), "payments")
    assert answer.model == "extractive"
    assert answer.notes == ()
    assert "team orders" in answer.text


async def test_a_slip_gets_guesses_among_all_known_names(world: World) -> None:
    for asked, guess in (
        ("paymnts", "Did you mean `payments`"),
        ("payment-db", "`payments-db`"),
        ("worker3", "`worker-3`"),
        ("zzz", "Check its spelling."),
    ):
        with pytest.raises(RequestError, match="no service, workload or node") as caught:
            await world.ask(tell_owner(world), asked)
        assert guess in caught.value.remedy


async def test_guesses_keep_to_what_the_channel_may_see(world: World) -> None:
    scope = Scope(namespaces=frozenset({"trading"}))
    with pytest.raises(RequestError) as caught:
        await world.ask(tell_owner(world), "paymnts", scope)
    assert "payments" not in caught.value.remedy
    with pytest.raises(RequestError) as caught:
        await world.ask(tell_owner(world), "risk-engin", scope)
    assert "`risk-engine`" in caught.value.remedy


async def test_the_owner_of_a_service_outside_the_scope_is_not_told(world: World) -> None:
    answer = await world.ask(
        tell_owner(world), "payments", Scope(namespaces=frozenset({"trading"}))
    )
    assert "orders" not in answer.text
    assert not answer.is_grounded


async def test_a_namespace_is_no_service(world: World) -> None:
    with pytest.raises(RequestError, match="it is a namespace"):
        await world.ask(tell_owner(world), "shop")


async def test_impact_of_a_service_tells_who_is_hit_and_whose_they_are(world: World) -> None:
    answer = await world.ask(tell_impact(world), "risk-engine")
    assert (
        "If risk-engine fails, it hits payments directly and through them checkout" in answer.text
    )
    assert "| orders | payments, checkout | Tomás Brandt, #team-orders |" in answer.text
    assert {citation.source for citation in answer.citations} == {"graph"}  # no prose beside it


async def test_impact_of_a_node(world: World) -> None:
    answer = await world.ask(tell_impact(world), "worker-3")
    assert "If worker-3 fails, it hits payments directly" in answer.text


async def test_without_a_graph_it_says_what_to_configure(open_world: OpenWorld) -> None:
    world = await open_world(has_graph=False, has_pages=False)
    answer = await world.ask(tell_impact(world), "payments")
    assert not answer.is_grounded
    assert answer.notes == (NO_GRAPH,)


async def test_with_the_cluster_down_the_graph_still_answers_and_the_gap_is_told(
    world: World,
) -> None:
    world.cluster.go_down()
    answer = await world.ask(tell_impact(world), "risk-engine")
    assert "it hits payments directly" in answer.text
    assert answer.gaps == (Gap("cluster demo", "connection refused", "Check its address."),)
    # Nobody can tell a slip from a name of the cluster now: it is taken as it was typed.
    answer = await world.ask(tell_impact(world), "shop/paymnts")
    assert not answer.is_grounded
    assert "I could not look at cluster demo: connection refused" in answer.text


async def test_with_the_vector_store_down_the_graph_still_answers(world: World) -> None:
    world.take_store_down()
    answer = await world.ask(tell_owner(world), "payments")
    assert "team orders" in answer.text


async def test_where_nothing_is_known_a_name_is_taken_as_typed(open_world: OpenWorld) -> None:
    world = await open_world(has_graph=False, has_pages=False, has_cluster=False)
    answer = await world.ask(tell_owner(world), "payments")
    assert "there is nowhere to look" in answer.text


async def test_similar_finds_the_report_and_what_helped_then(world: World) -> None:
    task = ChainedTask(world.chain, similar(world.namer))
    answer = await world.ask(task, "OOMKilled exit code 137")
    assert answer.text.startswith("Yes: **INC-7: payments OOMKilled at month-end**")
    assert "**Fix then" in answer.text
    assert "pages of 5000 rows" in answer.text


async def test_words_alone_make_a_report_only_near(world: World) -> None:
    task = ChainedTask(world.chain, similar(world.namer))
    answer = await world.ask(task, "settlement reads all rows of the month into memory")
    assert answer.text.startswith("The nearest report: **INC-7")


async def test_similar_says_so_when_nothing_is_alike_or_could_be_looked_at(world: World) -> None:
    task = ChainedTask(world.chain, similar(world.namer))
    answer = await world.ask(task, "quorum lost in etcd raft election")
    assert not answer.is_grounded
    world.take_store_down()
    answer = await world.ask(task, "OOMKilled exit code 137")
    assert not answer.is_grounded
    assert [gap.what for gap in answer.gaps] == ["documentation search"]
