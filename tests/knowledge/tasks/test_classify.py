from __future__ import annotations

from dataclasses import replace

import pytest

from core.answers import Confidence
from knowledge.classifier import Classifier
from knowledge.models import ModelConfig
from knowledge.tasks.classify import UNCLASSIFIED, ClassifyTask
from sandbox.ollama import scripts
from sandbox.ollama.server import run_ollama
from tests.knowledge.fakes import POD
from tests.knowledge.tasks.conftest import OpenWorld, World

TIE = "upstream timed out: 502 Bad Gateway"


def task(world: World) -> ClassifyTask:
    redact = world.library._redactor.redact
    return ClassifyTask(world.chain, world.namer, Classifier(world.models), world.clock, redact)


async def test_class_severity_why_and_next_step_are_told(world: World) -> None:
    answer = await world.ask(task(world), "x509: certificate has expired")
    assert answer.text.startswith("**tls**, severity **high** [1]")
    assert (
        "**Why:** `x509` says that a certificate or a TLS handshake is refused [1]." in answer.text
    )
    assert "**Next:** Look at the certificate's dates" in answer.text
    assert [citation.source for citation in answer.citations] == ["rules"]
    assert (answer.model, answer.confidence) == ("extractive", Confidence.LIKELY)


async def test_the_runbook_and_the_live_finding_are_told_with_it(world: World) -> None:
    world.cluster.facts = (
        replace(POD, text="risk-engine keeps restarting.", service="risk-engine"),
    )
    answer = await world.ask(
        task(world), "risk-engine: dial tcp redis: connect: connection refused"
    )
    assert answer.text.startswith("**connection**")
    assert "**Runbook** *Redis refuses connections*" in answer.text
    assert "Compare REDIS_ADDR" in answer.text
    assert "**Now:** risk-engine keeps restarting [3]." in answer.text


async def test_pages_and_findings_on_something_else_are_left_out(world: World) -> None:
    world.cluster.facts = (replace(POD, text="ledger waits for its volume.", service="ledger"),)
    answer = await world.ask(task(world), "REDIS_ADDR of redis: x509: certificate has expired")
    assert answer.text.startswith("**tls**")
    assert "Runbook" not in answer.text
    assert "Now" not in answer.text


async def test_a_benign_line_asks_for_nothing(world: World) -> None:
    world.cluster.facts = (POD,)
    answer = await world.ask(task(world), "INFO connection refused once, retrying")
    assert "**benign**, severity **info**" in answer.text
    assert "Nothing to do." in answer.text
    assert "Runbook" not in answer.text
    assert "Now" not in answer.text


async def test_without_a_model_the_first_of_equal_rules_counts_and_is_told(world: World) -> None:
    answer = await world.ask(task(world), TIE)
    assert answer.text.startswith("**timeout**")
    assert "http-5xx fits as well, the first rule counts" in answer.text


async def test_what_no_rule_knows_is_not_guessed(world: World) -> None:
    answer = await world.ask(task(world), "flux capacitor out of phase")
    assert answer.text == UNCLASSIFIED
    assert not answer.is_grounded


async def with_model(open_world: OpenWorld, text: str, *replies: str) -> tuple[str, str]:
    async with run_ollama(scripts.repeating(list(replies))) as running:
        world = await open_world(config=ModelConfig(ollama_url=running.url))
        answer = await world.ask(task(world), text)
        return answer.text, answer.model


async def test_a_model_breaks_a_tie(open_world: OpenWorld) -> None:
    text, model = await with_model(open_world, TIE, '{"problem": "http-5xx"}')
    assert text.startswith("**http-5xx**")
    assert "timeout fits as well, the model chose" in text
    assert model == "ollama:llama3.1"


async def test_a_model_that_errs_is_asked_again_and_then_the_rules_count(
    open_world: OpenWorld,
) -> None:
    text, _ = await with_model(open_world, TIE, "It is http-5xx!", 'Sure: {"problem": "http-5xx"}')
    assert text.startswith("**http-5xx**")


@pytest.mark.parametrize("reply", ["no idea", '{"problem": "gremlins"}', '{"problem": "dns"}'])
async def test_a_choice_that_was_not_open_is_not_taken(open_world: OpenWorld, reply: str) -> None:
    text, model = await with_model(open_world, TIE, reply)
    assert text.startswith("**timeout**")
    assert model == "extractive"


async def test_a_model_names_what_no_rule_knows_and_that_is_said(open_world: OpenWorld) -> None:
    text, _ = await with_model(
        open_world, "flux capacitor out of phase", '{"problem": "app-error"}'
    )
    assert text.startswith("**app-error**")
    assert "the model's choice; no rule holds" in text


async def test_a_model_is_not_asked_where_a_rule_decides(open_world: OpenWorld) -> None:
    async with run_ollama(scripts.failing) as running:
        world = await open_world(config=ModelConfig(ollama_url=running.url))
        answer = await world.ask(task(world), "OOMKilled")
    assert answer.text.startswith("**oom**")
    assert answer.notes == ()


async def test_a_lost_model_is_told_and_the_rules_count(open_world: OpenWorld) -> None:
    async with run_ollama(scripts.failing) as running:
        world = await open_world(config=ModelConfig(ollama_url=running.url))
        answer = await world.ask(task(world), TIE)
    assert answer.text.startswith("**timeout**")
    assert answer.notes == ("The model did not answer; only the rules decided.",)


async def test_with_cluster_and_store_down_the_class_is_told_with_the_gaps(world: World) -> None:
    world.cluster.go_down()
    world.take_store_down()
    answer = await world.ask(task(world), "connect: connection refused")
    assert answer.text.startswith("**connection**")
    assert [gap.what for gap in answer.gaps] == ["cluster demo", "documentation search"]
