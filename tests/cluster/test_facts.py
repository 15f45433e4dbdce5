"""What a question names is looked up and told in whole sentences."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cluster.collect import ClusterCollector
from cluster.facts import ClusterFacts
from cluster.snapshot import Snapshot
from core.answers import Gap, Lookup, Passage, Scope
from core.clock import ManualClock
from core.questions import Intent, Reading
from core.redact import Redactor
from tests.cluster.api import FakeApi, connected, serving
from tests.cluster.payloads import (
    NOW,
    claim,
    condition,
    container_status,
    cron_job,
    daemon_set,
    endpoint_slice,
    event,
    hpa,
    ingress,
    job,
    node,
    pod,
    running,
    service,
    terminated,
    waiting,
    workload,
)

REVISION = "deployment.kubernetes.io/revision"
REDACTOR = Redactor(b"k" * 32)


def world() -> list[dict[str, Any]]:
    deployment = workload("Deployment", "payments", ready=1)
    before = workload(
        "ReplicaSet", "payments-1", owner=deployment, image="p:3.8.2", annotations={REVISION: "1"}
    )
    replica_set = workload(
        "ReplicaSet", "payments-2", owner=deployment, image="p:3.9.0", annotations={REVISION: "2"}
    )
    last = terminated(137, "OOMKilled")
    killed = container_status(waiting("CrashLoopBackOff"), last=last, restarts=14)
    labels = {"app": "payments"}
    bad = pod("payments-2-bad", killed, owner=replica_set, labels=labels, node="worker-3")
    up = container_status(running(), ready=True)
    good = pod("payments-2-good", up, owner=replica_set, labels=labels, ready=True)
    nightly = cron_job("nightly")
    failed = condition("Failed", "True", "BackoffLimitExceeded", "reached its limit")
    run = job("nightly-1", owner=nightly, conditions=[failed], failed=3)
    return [
        deployment,
        before,
        replica_set,
        bad,
        good,
        event(bad, "BackOff", "token=abcdef0123456789abcdef in its arguments", count=42),
        service("payments"),
        endpoint_slice("payments", [True, False]),
        node("worker-1"),
        node("worker-3", condition("Ready", "True"), condition("DiskPressure", "True")),
        nightly,
        run,
        daemon_set(),
        claim("data-1", "Bound"),
        ingress("payments"),
        hpa(condition("ScalingActive", "False", "FailedGetResourceMetric"), target="payments"),
        pod("fine-0", up, namespace="trading", owner=workload("StatefulSet", "fine"), ready=True),
    ]


@pytest.fixture
async def api() -> AsyncIterator[FakeApi]:
    async with serving(FakeApi(world())) as running_api:
        running_api.logs["payments-2-bad", True] = "FATAL OutOfMemoryError: heap"
        running_api.logs["payments-2-good", False] = "INFO all is well"
        running_api.logs["fine-0", False] = "INFO fine"
        yield running_api


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
async def facts(api: FakeApi, clock: ManualClock, tmp_path: Path) -> AsyncIterator[ClusterFacts]:
    async with connected(api, tmp_path) as client:
        collector = ClusterCollector([client], clock, REDACTOR)
        found = ClusterFacts(collector, REDACTOR, clock)
        yield found
        await found.close()
        await collector.close()


def reading(*names: str, intents: tuple[Intent, ...] = (), **more: Any) -> Reading:
    return Reading("?", "?", names=names, intents=frozenset(intents), **more)


async def look(facts: ClusterFacts, question: Reading, scope: Scope | None = None) -> Lookup:
    return await facts.look(question, scope or Scope())


def titled(lookup: Lookup, title: str) -> Passage:
    return next(passage for passage in lookup.passages if passage.title == title)


async def test_a_workload_is_told_with_pods_limits_change_events_and_logs(
    facts: ClusterFacts,
) -> None:
    lookup = await look(facts, reading("payments"))
    passage = titled(lookup, "Deployment shop/payments")
    for words in (
        "2 replicas wanted, 1 ready",
        "Pod payments-2-bad on worker-3: Running, not ready",
        "CrashLoopBackOff",
        "14 restarts, last exit 137 (OOMKilled)",
        "memory limit 256Mi",
        "Last rollout (revision 2)",
        "app: p:3.8.2 → p:3.9.0",
        "Service payments leads to it: 1 of 2 endpoints ready",
        "ScalingActive is False",
        "The log of payments ends with `OutOfMemoryError: heap`",
        "Event BackOff, 42 times",
        "Log line: FATAL OutOfMemoryError: heap",
    ):
        assert words in passage.text
    assert "abcdef0123456789" not in passage.text
    assert passage.text.startswith(
        "payments keeps restarting because its container app is OOMKilled: it hits its memory "
        "limit of 256Mi (14 restarts, last exit 137 at "
    )
    assert passage.is_fact
    assert (passage.source, passage.namespace, passage.kind) == ("cluster", "shop", "Deployment")
    assert passage.location == "Deployment/shop/payments"
    assert passage.updated_at == NOW
    assert lookup.looked_in == ("cluster demo",)
    assert lookup.gaps == ()


async def test_a_scope_without_the_cluster_asks_no_cluster(facts: ClusterFacts) -> None:
    reading = Reading("why?", "why?", names=("payments",))
    for sources in ({"markdown"}, {"csv-logs", "graph"}):
        assert await facts.look(reading, Scope(sources=frozenset(sources))) == Lookup()
    assert (await facts.look(reading, Scope(sources=frozenset({"cluster"})))).passages


async def test_a_service_beside_its_workload_is_told_when_asked_for(facts: ClusterFacts) -> None:
    asked = Reading("endpoints of payments?", "", names=("payments",))
    lookup = await look(facts, asked)
    assert "selector app=payments" in titled(lookup, "Service shop/payments").text
    assert len((await look(facts, reading("payments"))).passages) == 1


async def test_limits_are_told_first_when_asked_for(facts: ClusterFacts) -> None:
    lookup = await look(facts, reading("payments", intents=(Intent.LIMITS,)))
    first = lookup.passages[0]
    assert first.title == "Limits of Deployment shop/payments"
    assert "cpu limit 500m, cpu request none; memory limit 256Mi" in first.text
    assert first.text.startswith("payments has a memory limit of 256Mi (request none) and a CPU")
    assert len(lookup.passages) == 1
    both = await look(facts, reading("payments", intents=(Intent.LIMITS, Intent.WHY)))
    assert len({passage.id for passage in both.passages}) == len(both.passages) == 2


async def test_a_node_names_the_workloads_and_services_hit(facts: ClusterFacts) -> None:
    lookup = await look(facts, reading("worker-3", intents=(Intent.IMPACT,)))
    passage = titled(lookup, "Node worker-3")
    assert "DiskPressure is True" in passage.text
    assert "Deployment shop/payments runs 1 of its 2 pods here: payments-2-bad" in passage.text
    assert "Services that lead to pods on this node: shop/payments" in passage.text
    assert "Allocatable: cpu 16, memory 64Gi" in passage.text
    assert passage.text.startswith("Node worker-3 is Ready, but reports Disk")


async def test_the_workloads_of_a_node_are_named_for_the_service_graph(facts: ClusterFacts) -> None:
    assert "payments" in await facts.workloads_on_node("worker-3")
    assert await facts.workloads_on_node("worker-99") == ()


async def test_a_lost_and_cordoned_node_says_so(api: FakeApi, facts: ClusterFacts) -> None:
    lost = node("worker-9", condition("Ready", "Unknown", "NodeStatusUnknown", "stopped posting"))
    lost["spec"] = {"unschedulable": True}
    del lost["status"]["allocatable"]
    api.objects["nodes"].append(lost)
    text = titled(await look(facts, reading("worker-9")), "Node worker-9").text
    assert "is NotReady since" in text
    assert "stopped posting" in text
    assert "cordoned" in text


async def test_a_pods_name_leads_to_its_owner_and_itself(facts: ClusterFacts) -> None:
    lookup = await look(facts, reading("payments-2-bad"))
    assert [item.title for item in lookup.passages] == [
        "Deployment shop/payments",
        "Pod shop/payments-2-bad",
    ]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nightly", "schedule 0 3 * * *"),
        ("nightly-1", "BackoffLimitExceeded"),
        ("log-forwarder", "5/5 daemon pods ready"),
        ("data-1", "Bound, storage class fast-nvme"),
        ("frontend", "Autoscaler frontend: 2 to 6 replicas"),
        ("shop", "Ingress shop/shop"),
    ],
)
async def test_other_kinds_are_told_as_well(facts: ClusterFacts, name: str, words: str) -> None:
    lookup = await look(facts, reading(name))
    assert words in "\n".join(passage.text for passage in lookup.passages)


async def test_logs_of_healthy_pods_are_read_only_when_asked_for(
    api: FakeApi, facts: ClusterFacts
) -> None:
    api.objects["statefulsets"].append(workload("StatefulSet", "fine", namespace="trading"))
    assert "Log line" not in (await look(facts, reading("fine"))).passages[0].text
    asked = await look(facts, reading("fine", intents=(Intent.LOGS,)))
    assert "Log line: INFO fine" in "\n".join(passage.text for passage in asked.passages)


async def test_without_a_name_the_top_findings_are_told(facts: ClusterFacts) -> None:
    asked = Reading("what is wrong?", "", intents=frozenset({Intent.STATUS}))
    lookup = await look(facts, asked)
    assert lookup.passages[0].title == "Finding on Deployment shop/payments"
    assert "OutOfMemoryError" in lookup.passages[0].text
    assert len(lookup.passages) > 2
    limited = await look(facts, reading(limit=1))
    assert len(limited.passages) == 1
    assert (await look(facts, reading(intents=(Intent.HOW,)))).passages == ()


@pytest.mark.parametrize(
    ("question", "more", "is_found"),
    [
        ("what does OOMKilled mean?", {"codes": ("OOMKilled",)}, True),
        ("why does a StatefulSet pod not move?", {"intents": frozenset({Intent.WHY})}, False),
        ("node reports DiskPressure on worker", {}, True),
        (
            "show log lines with code 503",
            {"codes": ("503",), "intents": frozenset({Intent.LOGS})},
            False,
        ),
        (
            "what does the log of OOMKilled pods say",
            {"codes": ("OOMKilled",), "intents": frozenset({Intent.LOGS})},
            False,
        ),
    ],
)
async def test_findings_are_told_to_questions_that_quote_them(
    facts: ClusterFacts, question: str, more: dict[str, Any], is_found: bool
) -> None:
    lookup = await look(facts, Reading(question, question, **more))
    assert bool(lookup.passages) is is_found


async def test_a_namespace_is_told_by_its_workloads_and_findings(facts: ClusterFacts) -> None:
    asked = reading("shop-something", namespaces=("shop",), intents=(Intent.STATUS,))
    lookup = await look(facts, asked)
    summary = titled(lookup, "Namespace shop")
    assert "Deployments: payments (1/2 ready)" in summary.text
    assert {item.namespace for item in lookup.passages} == {"shop"}
    quiet = await look(facts, reading(namespaces=("trading",)))
    assert "No problem was found" in quiet.passages[0].text


async def test_a_name_may_carry_its_namespace(api: FakeApi, facts: ClusterFacts) -> None:
    api.objects["deployments"].append(workload("Deployment", "payments", namespace="trading"))
    both = await look(facts, reading("payments"))
    assert {"Deployment shop/payments", "Deployment trading/payments"} <= {
        item.title for item in both.passages
    }
    for asked in (reading("trading/payments"), reading("payments", namespaces=("trading",))):
        lookup = await look(facts, asked)
        assert [item.title for item in lookup.passages] == ["Deployment trading/payments"]
    assert (await look(facts, reading("batch/payments"))).passages == ()


async def test_an_unknown_name_finds_nothing_but_says_where_it_looked(facts: ClusterFacts) -> None:
    lookup = await look(facts, reading("nothing-here", intents=(Intent.STATUS,)))
    assert lookup.passages == ()
    assert lookup.looked_in == ("cluster demo",)


async def test_a_scope_hides_other_namespaces(api: FakeApi, facts: ClusterFacts) -> None:
    scope = Scope(namespaces=frozenset({"trading"}))
    assert (await look(facts, reading("payments"), scope)).passages == ()
    assert all("/namespaces/shop/" not in path for _, path, _ in api.requests)


async def test_what_cannot_be_read_is_a_gap(api: FakeApi, facts: ClusterFacts) -> None:
    api.answers["log"] = (403, "{}")
    lookup = await look(facts, reading("payments"))
    assert [gap.what for gap in lookup.gaps] == ["log of shop/payments-2-bad in cluster demo"]
    api.valid_token = "another"
    scope = Scope(namespaces=frozenset({"shop"}))
    lookup = await look(facts, reading("payments"), scope)
    assert [gap.what for gap in lookup.gaps] == ["cluster demo"]
    assert lookup.looked_in == ()


async def test_names_come_from_the_last_snapshot_and_are_refreshed(
    api: FakeApi, facts: ClusterFacts, clock: ManualClock
) -> None:
    names = await facts.known_names()
    assert {"payments", "worker-3", "nightly", "fine", "shop", "payments-2-bad"} <= names
    assert await facts.known_namespaces() == frozenset({"shop", "trading", "batch", "platform"})
    asked = len(api.asked("pods"))
    api.objects["deployments"].append(workload("Deployment", "newcomer"))
    assert "newcomer" not in await facts.known_names()
    assert len(api.asked("pods")) == asked
    clock.advance(timedelta(minutes=2))
    assert "newcomer" not in await facts.known_names()  # old names at once, new ones soon
    assert facts._refreshing is not None
    await facts._refreshing
    assert "newcomer" in await facts.known_names()


async def test_whatever_goes_wrong_names_are_just_missing(clock: ManualClock) -> None:
    class Broken(ClusterCollector):
        async def snapshots(self, scope: Scope) -> tuple[list[Snapshot], list[Gap]]:
            raise RuntimeError(f"cannot read {scope}")

    facts = ClusterFacts(Broken([], clock, REDACTOR), REDACTOR, clock)
    assert await facts.known_names() == frozenset()
    await facts.close()


async def test_a_crowd_of_pods_is_counted(api: FakeApi, facts: ClusterFacts) -> None:
    crowd = workload("Deployment", "crowd", replicas=12, ready=12)
    up = container_status(running(), ready=True)
    api.objects["deployments"].append(crowd)
    api.objects["pods"] += [pod(f"crowd-{n}", up, owner=crowd, ready=True) for n in range(12)]
    text = titled(await look(facts, reading("crowd")), "Deployment shop/crowd").text
    assert "4 more pods, 4 of them ready." in text


async def test_a_cluster_that_cannot_be_read_has_no_names(
    tmp_path: Path, clock: ManualClock
) -> None:
    gone = FakeApi()
    async with serving(gone):
        pass
    async with connected(gone, tmp_path) as client:
        collector = ClusterCollector([client], clock, REDACTOR)
        facts = ClusterFacts(collector, REDACTOR, clock)
        assert await facts.known_names() == frozenset()
        assert await facts.known_namespaces() == frozenset()
        await facts.close()
        await collector.close()


async def test_with_several_clusters_titles_name_theirs(tmp_path: Path, clock: ManualClock) -> None:
    api = FakeApi(world())
    async with (
        serving(api),
        connected(api, tmp_path, "east") as east,
        connected(api, tmp_path, "west") as west,
    ):
        collector = ClusterCollector([east, west], clock, REDACTOR)
        facts = ClusterFacts(collector, REDACTOR, clock)
        lookup = await look(facts, reading("worker-1"))
        assert [item.title for item in lookup.passages] == [
            "Node worker-1 in cluster east",
            "Node worker-1 in cluster west",
        ]
        await facts.close()
        await collector.close()
