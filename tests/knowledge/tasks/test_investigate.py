"""`investigate`: every step as it ends, what fails is told, and the rest goes on."""

from __future__ import annotations

import json
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from core.answers import Confidence, Gap, Inquiry, Passage, Progress
from core.changes import ChangeKind
from core.errors import ClusterError, RequestError
from core.inspections import LogsRead
from knowledge.models import ModelConfig
from knowledge.tasks.checklist import command_for
from knowledge.tasks.investigate import InvestigateTask
from knowledge.tasks.subject import Subjects
from knowledge.wording import ModelWordsmith, WordingLimits
from sandbox.ollama.server import run_ollama
from tests.knowledge.fakes import RUNBOOK as PAGE
from tests.knowledge.fakes import WrittenDown
from tests.knowledge.tasks.conftest import OpenWorld, World
from tests.knowledge.tasks.trails import (
    PAYMENTS,
    RISK,
    SHOP,
    Trail,
    change,
    error,
    finding,
    inspection,
    timeline,
    trouble,
)

UTC = ZoneInfo("UTC")
RUNBOOK = """---
title: payments restarts
service: payments
---
# payments restarts

payments is OOMKilled when its memory limit is too low.

## Fix

1. Compare the limit with the documented one:

   ```bash
   kubectl -n shop get deployment payments
   ```

2. Go back to the version before.
"""


def task(world: World, trail: Trail, step_seconds: float = 5) -> InvestigateTask:
    return InvestigateTask(
        Subjects(world.namer, world.cluster, trail, UTC),
        trail,
        world.library,
        world.library,
        ModelWordsmith(world.models, WordingLimits(total_seconds=5)),
        world.clock,
        UTC,
        step_seconds,
    )


async def test_the_report_has_the_verdict_every_step_the_runbook_and_one_command(
    world: World,
) -> None:
    await world.write_page("payments.md", RUNBOOK)
    trail = Trail()
    trail.inspection = inspection(finding(), elsewhere=(finding("crash-loop", RISK, "crashes"),))
    answer = await world.ask(task(world, trail), "payments")
    head, verdict, *_ = answer.text.split("\n\n")
    assert head == "**payments keeps restarting.** [1]"
    assert verdict.startswith("**Verdict (likely, not proven):** It is killed at its memory limit")
    steps = [text for text in answer.text.splitlines() if text.startswith("- ")]
    assert steps == [
        "- ⚠️ **Status** 2 replicas wanted, 1 ready, 2 updated [1]",
        "- ⚠️ **Events** BackOff, 9 times, last at 11:59 UTC: Back-off restarting",
        "- ⚠️ **Logs** `ERROR java.lang.OutOfMemoryError` (3×, before the restart) [2]",
        "- ⚠️ **Changes** 11:00, 3 min before: payments rolled out revision 2 (by `helm`) [3]",
        "- ⚠️ **Dependencies** risk-engine: crashes [4]",
        "- ✓ **Runbook** payments restarts [5]",
    ]
    assert "1. Compare the limit with the documented one [5]" in answer.text
    assert answer.text.endswith("```\nkubectl -n shop rollout history deployment/payments\n```")
    assert answer.confidence is Confidence.LIKELY
    assert [item.number for item in answer.citations] == [1, 2, 3, 4, 5]
    assert answer.model == "extractive"
    assert answer.gaps == ()


async def test_each_step_is_shown_as_it_ends(world: World) -> None:
    events = [event async for event in task(world, Trail()).stream(Inquiry("payments"))]
    shown = [event.text for event in events if isinstance(event, Progress)]
    assert shown[1] == "⚠️ status (5 to go): 2 replicas wanted, 1 ready, 2 updated"
    assert len(shown) == 7
    assert shown[-1].startswith("⚠️ status ⚠️ events ⚠️ logs ⚠️ changes ✓ dependencies")


@pytest.mark.parametrize("failure", ["raises", "hangs", "breaks"])
async def test_a_step_that_fails_is_told_and_the_rest_goes_on(world: World, failure: str) -> None:
    for broken, steps in (
        ("inspect", ("Status", "Events")),
        ("logs", ("Logs",)),
        ("changes", ("Changes",)),
    ):
        trail = Trail()
        if failure == "hangs":
            trail.hanging = {broken}
        else:
            error_ = ClusterError("read", "the bot may not (403)", "Grant it")
            trail.broken[broken] = error_ if failure == "raises" else KeyError("bug")
        answer = await world.ask(task(world, trail, 0.5), "payments")
        for step in steps:
            assert f"- – **{step}** could not be read" in answer.text, broken
        for step in {"Status", "Logs", "Changes"} - set(steps):
            assert f"- – **{step}**" not in answer.text, broken
        assert len(answer.gaps) == 1
        assert "**Verdict" in answer.text


async def test_logs_that_may_not_be_read_are_told_with_the_reason(world: World) -> None:
    trail = Trail()
    gap = Gap("log of shop/payments", "the bot may not get pods/log (403)", "Grant it")
    trail.logs_read = LogsRead(gaps=(gap,))
    answer = await world.ask(task(world, trail), "payments")
    assert "- – **Logs** none could be read: the bot may not get pods/log (403)" in answer.text
    assert answer.gaps == (gap,)
    assert "Verdict (likely" in answer.text


async def test_with_the_cluster_out_of_reach_what_is_written_is_still_found(world: World) -> None:
    await world.write_page("payments.md", RUNBOOK)
    world.cluster.go_down()
    trail, gap = Trail(), Gap("cluster demo", "connection refused", "Check its address")
    trail.objects, trail.gaps = (), (gap,)
    trail.inspection = replace(inspection(), state="It could not be read.", lines=())
    trail.logs_read = LogsRead(gaps=(gap,))
    trail.by_name = {"payments": replace(timeline(), gaps=(gap,))}
    answer = await world.ask(task(world, trail), "payments")
    for step in ("Status", "Events", "Logs", "Changes"):
        assert f"- – **{step}**" in answer.text, step
    assert "Verdict (cause unknown)" in answer.text
    assert "payments restarts" in answer.text
    assert answer.gaps == (gap,)


async def test_a_trouble_of_memory_is_shown_with_its_metric(world: World) -> None:
    memory = Passage(
        id="memory",
        source="csv-metrics",
        title="Metric payments/memory_working_set_bytes",
        location="memory.csv",
        text="payments/memory_working_set_bytes: its highest was 255.7 MiB at 11:24 UTC.",
        is_fact=True,
    )
    trail = Trail()
    live = task(world, trail)
    live._retriever = WrittenDown((memory, PAGE))
    answer = await world.ask(live, "payments")
    assert "**Metrics** payments/memory_working_set_bytes: its highest was 255.7" in answer.text
    assert answer.citations[-1].title == memory.title
    trail.inspection = inspection(finding("crash-loop"))
    assert "**Metrics**" not in (await world.ask(live, "payments")).text


async def test_a_lost_store_costs_the_runbook_alone(world: World) -> None:
    world.take_store_down()
    answer = await world.ask(task(world, Trail()), "payments")
    assert "- – **Runbook** the documents could not be searched" in answer.text
    assert "Verdict (likely" in answer.text
    assert any(gap.what == "documentation search" for gap in answer.gaps)


async def test_what_it_needs_is_looked_at_for_changes_just_before(world: World) -> None:
    trail = Trail()
    trail.timeline = timeline(troubles=(trouble(),))
    moved = change(58, ChangeKind.SCALE, "made pod risk-engine-0", RISK)
    trail.by_name = {"risk-engine": timeline(moved, about=RISK)}
    trail.logs_read = LogsRead((error("ERROR risk-engine does not answer"),), 1)
    trail.inspection = inspection(finding("crash-loop"))
    answer = await world.ask(task(world, trail), "payments")
    assert "1 min before the trouble risk-engine changed: made pod risk-engine-0" in answer.text


async def test_without_a_graph_and_pages_it_still_has_a_verdict(open_world: OpenWorld) -> None:
    world = await open_world(has_pages=False, has_graph=False)
    answer = await world.ask(task(world, Trail()), "payments")
    assert "- – **Dependencies** the service graph knows nothing that it needs" in answer.text
    assert "- – **Runbook** no page is about this" in answer.text
    assert "Verdict (likely" in answer.text


async def test_a_healthy_workload_gets_no_cure(world: World) -> None:
    await world.write_page("payments.md", RUNBOOK)
    trail = Trail()
    trail.inspection, trail.logs_read = inspection(), LogsRead(read=2)
    trail.timeline = timeline(change(30))
    answer = await world.ask(task(world, trail), "payments")
    assert "**Verdict (confirmed):** Nothing is wrong" in answer.text
    assert "- ✓ **Logs** no errors in 2 logs" in answer.text
    assert "The runbook says" not in answer.text
    assert "kubectl -n shop logs payments-7d9f8c6b5-x2x4q --previous --tail=50" in answer.text


async def test_a_namespace_is_refused_with_what_to_do(world: World) -> None:
    trail = Trail()
    trail.timeline = timeline(about=SHOP)
    with pytest.raises(RequestError, match="namespace") as caught:
        await world.ask(task(world, trail), "shop")
    assert "changes shop" in caught.value.remedy


async def test_a_model_may_word_the_cause_but_not_the_verdict(open_world: OpenWorld) -> None:
    says = json.dumps({"cause": "payments reached its memory limit of 256Mi.", "suggestion": ""})
    async with run_ollama(lambda *_: says) as running:
        world = await open_world(config=ModelConfig(ollama_url=running.url))
        answer = await world.ask(task(world, Trail()), "payments")
    assert "**In short:** payments reached its memory limit of 256Mi." in answer.text
    assert "Verdict (likely, not proven)" in answer.text
    assert answer.model.startswith("ollama:")


async def test_a_model_that_lies_is_not_heard(open_world: OpenWorld) -> None:
    says = json.dumps({"cause": "The database orders-9 ran out of 77Ti disk.", "suggestion": ""})
    async with run_ollama(lambda *_: says) as running:
        world = await open_world(config=ModelConfig(ollama_url=running.url))
        answer = await world.ask(task(world, Trail()), "payments")
    assert "orders-9" not in answer.text
    assert answer.model == "extractive"


def test_the_command_looks_at_what_is_suspected() -> None:
    config = replace(PAYMENTS, kind="ConfigMap", name="payments-config")
    node = replace(PAYMENTS, kind="Node", namespace="", name="worker-4")
    for kind, owner, command in (
        (ChangeKind.ROLLOUT, PAYMENTS, "kubectl -n shop rollout history deployment/payments"),
        (ChangeKind.CONFIG, config, "kubectl -n shop get configmap payments-config -o yaml"),
        (ChangeKind.NODE, node, "kubectl describe node worker-4"),
    ):
        assert command in command_for(change(kind=kind, owner=owner))
    assert command_for(None) == ""
