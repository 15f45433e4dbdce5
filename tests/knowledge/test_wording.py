from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from core.answers import Lookup
from core.clock import ManualClock
from core.findings import Evidence, Finding, ObjectRef, Severity
from knowledge.models import ModelConfig, Models
from knowledge.structured import json_schema
from knowledge.wording import ModelWordsmith, Reply, WordingLimits, as_passage
from sandbox.ollama import scripts
from sandbox.ollama.pieces import Pause
from sandbox.ollama.server import RunningOllama, run_ollama
from tests.knowledge.fakes import NOW, RUNBOOK, let_go


def finding(name: str = "payments") -> Finding:
    pod = ObjectRef("demo", "Pod", "shop", f"{name}-7d9f8c6b5-x2x4q")
    return Finding(
        detector="crash_loop",
        problem="oom",
        reason="OOMKilled",
        severity=Severity.CRITICAL,
        title=f"{name}: CrashLoopBackOff, 14 restarts",
        involved=pod,
        owner=ObjectRef("demo", "Deployment", "shop", name),
        first_seen=NOW,
        last_seen=NOW,
        evidence=(Evidence("memory limit", "256Mi"), Evidence("exit code", "137")),
        log_lines=("java.lang.OutOfMemoryError: Java heap space",),
    )


ITEM = (finding(), Lookup((RUNBOOK,)))
OTHER = (finding("cart"), Lookup())
GOOD = {
    "cause": "The container of payments reached its memory limit of 256Mi [1].",
    "suggestion": "Go back to the version before [2].",
}


@asynccontextmanager
async def smith(
    script: Any, limits: WordingLimits | None = None, **config: Any
) -> AsyncIterator[tuple[ModelWordsmith, RunningOllama]]:
    said = (lambda _messages, _options: script) if isinstance(script, (str, list)) else script
    async with run_ollama(said) as running:
        models = Models(ModelConfig(ollama_url=running.url, **config), ManualClock(NOW))
        yield ModelWordsmith(models, limits or WordingLimits(), nonce=lambda: "n0"), running


async def test_a_cause_and_a_suggestion_are_worded_and_checked() -> None:
    async with smith(json.dumps(GOOD)) as (it, running):
        assert it.model == "extractive"
        worded, note = await it.word([ITEM])
        assert it.model == "ollama:llama3.1"
    wording = worded[ITEM[0].identity]
    assert wording.cause == "The container of payments reached its memory limit of 256Mi."
    assert wording.suggestion == "Go back to the version before."
    assert note == ""
    sent = running.chats()[0]
    assert sent.body["format"] == dict(json_schema(Reply))
    assert "<passage-n0 number=2>" in str(sent.messages)


async def test_a_reply_that_is_not_json_gets_one_more_chance() -> None:
    replies = scripts.repeating(["Sure! The cause is memory.", json.dumps(GOOD)])
    async with smith(replies) as (it, running):
        worded, note = await it.word([ITEM])
    assert worded
    assert note == ""
    assert len(running.chats()) == 2
    assert "no JSON object" in str(running.chats()[1].messages)


async def test_a_model_that_never_speaks_json_leaves_items_without_words() -> None:
    async with smith("no json at all") as (it, running):
        worded, note = await it.word([ITEM])
        assert it.model == "extractive"
    assert worded == {}
    assert len(running.chats()) == 2
    assert "1 of 1 items" in note
    assert "bears out" in note


async def test_inventions_are_cut_and_what_is_left_stands() -> None:
    reply = {
        "cause": f"{GOOD['cause']} Node worker-99 lost 912Mi. <!channel>",
        "suggestion": "Run `kubectl delete ns shop` [2].",
    }
    async with smith(json.dumps(reply)) as (it, _):
        worded, _ = await it.word([ITEM])
    wording = worded[ITEM[0].identity]
    assert wording.cause == "The container of payments reached its memory limit of 256Mi."
    assert wording.suggestion == ""


async def test_nothing_but_inventions_is_nothing() -> None:
    reply = {"cause": "worker-99 exploded.", "suggestion": "rm -rf /"}
    async with smith(json.dumps(reply)) as (it, _):
        worded, note = await it.word([ITEM, OTHER])
    assert worded == {}
    assert "2 of 2 items" in note


async def test_when_time_runs_out_what_is_done_is_kept() -> None:
    calls = iter([[json.dumps(GOOD)], [Pause(30)]])
    script = lambda _messages, _options: next(calls)  # noqa: E731  (a script in one line)
    async with smith(script, WordingLimits(total_seconds=2.0)) as (it, _):
        worded, note = await it.word([ITEM, OTHER])
        assert it.model == "ollama:llama3.1"
    assert set(worded) == {ITEM[0].identity}
    assert note == "The model ran out of time; 1 of 2 items stand without its words."


async def test_a_lost_model_is_told() -> None:
    async with smith(scripts.failing) as (it, _):
        worded, note = await it.word([ITEM])
        assert it.model == "extractive"
    assert worded == {}
    assert note == "The model did not answer; 1 of 1 items stand without its words."
    await let_go()


async def test_going_without_a_model_is_no_shortcoming_to_tell() -> None:
    async with smith("x", model="extractive") as (it, running):
        assert await it.word([ITEM]) == ({}, "")
        assert running.requests == []


async def test_a_model_that_was_named_and_is_missing_is_told() -> None:
    async with smith("x", model="nvidia:nowhere") as (it, running):
        worded, note = await it.word([ITEM])
        assert worded == {}
        assert "not installed" in note
        assert await it.word([]) == ({}, "")
        assert running.requests == []


async def test_no_repair_is_asked_where_it_would_not_fit() -> None:
    long = replace(ITEM[0], log_lines=("heap " * 900,))
    async with smith("no json", context_tokens=1200) as (it, running):
        await it.word([(long, Lookup())])
    assert len(running.chats()) == 1


async def test_a_context_too_small_for_the_finding_asks_nothing() -> None:
    async with smith(json.dumps(GOOD), context_tokens=300) as (it, running):
        assert (await it.word([ITEM]))[0] == {}
        assert running.chats() == []


async def test_a_reply_without_words_gets_one_more_chance() -> None:
    replies = scripts.repeating(['{"cause": "", "suggestion": " "}', json.dumps(GOOD)])
    async with smith(replies) as (it, running):
        assert (await it.word([ITEM]))[0]
    assert "both fields are empty" in str(running.chats()[1].messages)


def test_a_finding_is_its_own_first_evidence() -> None:
    passage = as_passage(finding())
    assert passage.is_fact
    assert passage.location == "Pod/shop/payments-7d9f8c6b5-x2x4q"
    assert "memory limit: 256Mi" in passage.text
    assert "OutOfMemoryError" in passage.text
