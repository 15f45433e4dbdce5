"""`alert`: what is told of one, on a real library, a graph and a cluster of our own."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from core.answers import (
    Answer,
    AnswerEvent,
    Citation,
    Done,
    Gap,
    Inquiry,
    Scope,
)
from core.clock import ManualClock
from core.errors import RequestError
from knowledge.models import ModelConfig
from knowledge.tasks.alert import AlertPart, AlertTask, alert_parts, together
from sandbox.ollama import scripts
from sandbox.ollama.server import run_ollama
from tests.knowledge.conftest import NOW
from tests.knowledge.tasks.conftest import OpenWorld, World

ALERT = "KubePodCrashLooping shop payments\nPod shop/payments-6c9d8b7f5b-x2k4q is OOMKilled."


def task(world: World) -> AlertTask:
    parts = alert_parts(world.chain, world.namer, world.library, world.library)
    return AlertTask(parts, ManualClock(NOW), lambda text: text.replace("hunter2", "****"))


@dataclass
class Told:
    """A part that says this of everything but what it refuses."""

    answer: Answer
    refused: str = ""
    asked: list[str] = field(default_factory=list)

    async def stream(self, inquiry: Inquiry) -> AsyncGenerator[AnswerEvent, None]:
        question = inquiry.question
        self.asked.append(question)
        if question == self.refused:
            raise RequestError("find it", "it has no name", "Name it.")
        yield Done(self.answer)


async def ask(*parts: AlertPart, text: str = ALERT) -> Answer:
    alert = AlertTask(parts, ManualClock(NOW), lambda text: text.replace("hunter2", "****"))
    *_, done = [event async for event in alert.stream(Inquiry(text))]
    assert isinstance(done, Done)
    return done.answer


async def test_it_tells_owner_who_is_hit_and_when_it_was(world: World) -> None:
    answer = await world.ask(task(world), ALERT)
    assert "payments is owned by team orders (on call: Tomás Brandt" in answer.text
    assert "**Who is hit**" in answer.text
    assert "checkout" in answer.text
    assert "INC-7: payments OOMKilled at month-end" in answer.text
    sources = {citation.source for citation in answer.citations}
    assert {"graph", "markdown"} <= sources
    assert [citation.number for citation in answer.citations] == list(
        range(1, len(answer.citations) + 1)
    )
    for citation in answer.citations:
        assert f"[{citation.number}]" in answer.text


async def test_its_runbook_is_cited(world: World) -> None:
    text = "RedisDown trading risk-engine\nconnect: connection refused"
    answer = await world.ask(task(world), text)
    assert "runbooks/redis.md" in {citation.location for citation in answer.citations}


async def test_no_model_is_asked(open_world: OpenWorld) -> None:
    async with run_ollama(scripts.hostile) as running:
        world = await open_world(config=ModelConfig(ollama_url=running.url))
        answer = await world.ask(task(world), ALERT)
    assert answer.model == "extractive"
    assert answer.notes == ()


async def test_another_channels_services_are_not_told(world: World) -> None:
    answer = await world.ask(task(world), ALERT, Scope(namespaces=frozenset({"trading"})))
    assert "orders" not in answer.text


async def test_secrets_of_an_alert_go_no_further() -> None:
    part = Told(Answer("", "Look [1].", (Citation(1, "Page", "p.md", "markdown"),)))
    answer = await ask(AlertPart("", part), text="X\npassword hunter2")
    assert part.asked == ["X\npassword ****"]
    assert "hunter2" not in str(answer)


async def test_what_names_a_service_is_looked_for_in_the_title_first() -> None:
    by_title = Told(Answer("", "Owned."))
    await ask(AlertPart("Owner", by_title, by_title=True))
    assert by_title.asked == ["KubePodCrashLooping shop payments"]
    in_text = Told(Answer("", "Owned."), refused="KubePodCrashLooping shop payments")
    await ask(AlertPart("Owner", in_text, by_title=True))
    assert in_text.asked[-1] == ALERT
    nowhere = Told(Answer("", "Owned."), refused="Title")
    answer = await ask(AlertPart("Owner", nowhere, by_title=True), text="Title")
    assert not answer.is_grounded
    assert "no runbook, owner or earlier incident" in answer.text


def test_shared_sources_are_cited_once_and_nothing_is_told_twice() -> None:
    page, graph = Citation(1, "Page", "p.md", "markdown"), Citation(1, "Graph", "g", "graph")
    second = Citation(2, "Page", "p.md", "markdown")
    owned = "orders owns it [1]."
    answer = together(
        [
            ("", Answer("", "It is down [1].\n\n```\nkubectl get\n\nkubectl top\n```", (page,))),
            ("Owner", Answer("", "orders owns it [1].", (graph,))),
            (
                "Who is hit",
                Answer("", f"- cart [1]\n- {owned}\n\n**Now:** It is down [2].", (graph, second)),
            ),
            ("Seen", Answer("", "**What I see**\n- orders owns it [1] [7].", (graph,))),
            ("Again", Answer("", "orders owns it [1].", (graph,))),
            ("Empty", Answer("", "Nothing.", is_grounded=False, gaps=(Gap("a", "b"),))),
        ]
    )  # fmt: skip
    assert answer.text == (
        "It is down [1].\n\n```\nkubectl get\n\nkubectl top\n```"
        "\n\n**Owner**\n\norders owns it [2]."
        "\n\n**Who is hit**\n\n- cart [2]"
        "\n\n**Seen**\n\n**What I see**\n- orders owns it [2] [7]."
    )
    assert [(each.number, each.location) for each in answer.citations] == [(1, "p.md"), (2, "g")]
    assert answer.gaps == (Gap("a", "b"),)
