from __future__ import annotations

from dataclasses import replace

import pytest

from core.answers import Confidence, Scope
from core.errors import RequestError
from knowledge.tasks.limits import LimitsTask
from tests.knowledge.tasks.conftest import OpenWorld, World, container

FULL = {"memory": "512Mi", "cpu": "1000m"}
REQUESTS = {"memory": "256Mi", "cpu": "0.25"}


def task(world: World) -> LimitsTask:
    return LimitsTask(world.pages, world.namer, world.cluster, world.clock)


async def test_live_and_documented_values_stand_side_by_side(world: World) -> None:
    world.cluster.containers = (container(limits={"memory": "256Mi", "cpu": "1"}),)
    answer = await world.ask(task(world), "payments")
    assert "**Deployment shop/payments** [1]" in answer.text
    assert "| memory limit | 256Mi | 512Mi [2] | ⚠️ differs |" in answer.text
    assert "| memory request | none | 256Mi [2] | ⚠️ differs |" in answer.text
    assert "| CPU limit | 1 | 1 [2] |  |" in answer.text
    assert "memory limit is 256Mi [1], written down 512Mi [2]" in answer.text
    assert [citation.source for citation in answer.citations] == ["cluster", "markdown"]
    assert answer.confidence is Confidence.CONFIRMED


async def test_values_that_mean_the_same_do_not_differ(world: World) -> None:
    world.cluster.containers = (container(limits=FULL, requests=REQUESTS),)
    answer = await world.ask(task(world), "payments")
    assert "differs" not in answer.text
    assert "They differ" not in answer.text
    assert "| CPU limit | 1000m | 1 [2] |  |" in answer.text


async def test_what_is_not_set_is_named_and_a_memory_limit_warned_of(world: World) -> None:
    world.cluster.containers = (container(limits={}, workload="payments-db"),)
    answer = await world.ask(task(world), "payments-db")
    assert "| memory limit | none | – | ⚠️ not set |" in answer.text
    assert "**Not set:** memory limit, CPU limit [1]." in answer.text
    assert "No table in the documents gives requests or limits of payments-db." in answer.text


async def test_what_the_namespace_fills_in_is_marked(world: World) -> None:
    filled = frozenset({("limit", "cpu")})
    world.cluster.containers = (container(limits=FULL, requests=REQUESTS, defaulted=filled),)
    answer = await world.ask(task(world), "payments")
    assert "| CPU limit | 1000m | 1 [2] | by the namespace's LimitRange |" in answer.text


async def test_each_container_has_its_rows_and_pages_speak_of_the_first(world: World) -> None:
    world.cluster.containers = (
        container("app", limits=FULL, requests=REQUESTS),
        container("proxy", limits={"cpu": "1"}, requests={}),
    )
    answer = await world.ask(task(world), "payments")
    assert "| app: memory limit | 512Mi | 512Mi [2] |  |" in answer.text
    assert "| proxy: memory limit | none | – | ⚠️ not set |" in answer.text
    assert "**Not set:** memory limit of proxy [1]." in answer.text


async def test_pages_that_disagree_are_told(world: World) -> None:
    world.cluster.containers = (container(limits=FULL, requests=REQUESTS),)
    await world.write_page(
        "config/all.md",
        "# Limits of all\n\n| service | memory limit |\n|---|---|\n| payments | 384Mi |\n",
    )
    answer = await world.ask(task(world), "payments")
    assert "**The pages disagree** on the memory limit:" in answer.text
    assert "384Mi" in answer.text


async def test_with_the_cluster_down_the_pages_still_tell(world: World) -> None:
    world.cluster.go_down()
    answer = await world.ask(task(world), "payments")
    assert "as it is written down" in answer.text
    assert "| memory limit | 512Mi [1] |" in answer.text
    assert [gap.what for gap in answer.gaps] == ["cluster demo"]
    assert answer.confidence is Confidence.LIKELY


async def test_with_the_store_down_the_cluster_still_tells(world: World) -> None:
    world.cluster.containers = (container(),)
    world.take_store_down()
    answer = await world.ask(task(world), "payments")
    assert "| memory limit | 256Mi | – |" in answer.text
    assert [gap.what for gap in answer.gaps] == ["documentation search"]


async def test_nothing_known_says_where_was_looked(world: World) -> None:
    answer = await world.ask(task(world), "checkout")
    assert not answer.is_grounded
    assert "I know no requests or limits of checkout." in answer.text
    assert "cluster demo" in answer.text
    with pytest.raises(RequestError, match="Did you mean `checkout`"):
        await world.ask(task(world), "chekout")


async def test_without_anything_it_says_what_to_configure(open_world: OpenWorld) -> None:
    world = await open_world(has_graph=False, has_pages=False, has_cluster=False)
    bare = LimitsTask(world.pages, world.namer, None, world.clock)
    answer = await world.ask(bare, "payments")
    assert "No cluster is configured (KUBECONFIG), and KNOWLEDGE_SOURCES is empty" in answer.text


async def test_a_pod_is_asked_for_by_its_name_and_the_scope_is_handed_on(world: World) -> None:
    world.cluster.names |= {"payments-6bbf4d7d9-x2x4q"}
    world.cluster.containers = (container(),)
    scope = Scope(namespaces=frozenset({"shop"}))
    answer = await world.ask(task(world), "payments-6bbf4d7d9-x2x4q", scope)
    assert "512Mi" in answer.text  # the pages of its workload
    assert world.cluster.scopes == [scope]


async def test_a_name_that_is_a_plain_word_is_found_in_the_tables_too(world: World) -> None:
    world.cluster.names |= {"search"}
    world.cluster.containers = (container(workload="search"),)
    for number in range(12):  # pages that say the word more often
        await world.write_page(f"notes/{number}.md", f"# Note {number}\n\n{'memory limit ' * 9}")
    await world.write_page(
        "config/all.md",
        "# Documented values\n\n| service | memory limit |\n|---|---|\n| `search` | 4Gi |\n",
    )
    answer = await world.ask(task(world), "search")
    assert "| memory limit | 256Mi | 4Gi [2] | ⚠️ differs |" in answer.text


async def test_namesakes_in_two_clusters_are_told_apart(world: World) -> None:
    east = container()
    west = replace(east, workload=replace(east.workload, cluster="west"), limits={"memory": "1Gi"})
    world.cluster.containers = (east, west)
    answer = await world.ask(task(world), "payments")
    assert "**Deployment shop/payments** in cluster demo [1]" in answer.text
    assert "**Deployment shop/payments** in cluster west [2]" in answer.text


async def test_pages_outside_the_scope_are_not_compared(world: World) -> None:
    world.cluster.containers = (container(),)
    answer = await world.ask(task(world), "payments", Scope(sources=frozenset({"cluster"})))
    assert "| memory limit | 256Mi | – |" in answer.text
    answer = await world.ask(task(world), "payments", Scope(namespaces=frozenset({"trading"})))
    assert "512Mi" not in answer.text
