"""Answers that people kept: found for like questions, in their channel alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from core.answers import Answer, Citation, Passage, Scope
from core.errors import StateError
from core.feedback import JudgedAnswer, Shown
from core.questions import Reading
from knowledge.kept import alike_kept, is_worth_keeping, passage_of_kept
from knowledge.past import PastDigests, WithPast
from tests.knowledge.fakes import RUNBOOK, WrittenDown
from tests.knowledge.test_past import Holder, Memory

DAY = datetime(2026, 3, 4, tzinfo=UTC)
KEPT = JudgedAnswer(
    reference="ab12",
    channel="COPS",
    question="Why does payments keep restarting?",
    text="The settlement batch is too large [1]. Go back to the version before [1].",
    model="ollama:llama3.1",
    passages=(
        Shown("p1", "markdown", "Restarts", "runbooks/restarts.md", "https://d/1", is_cited=True),
        Shown("p2", "cluster", "Pod", "Pod/shop/payments"),
    ),
    judged_at=DAY,
    kept_by="U1",
    kept_at=DAY,
)
OPS = Scope(channel="COPS")


class Channels:
    """Kept answers by channel."""

    def __init__(self, *kept: JudgedAnswer, error: StateError | None = None) -> None:
        self.kept = kept
        self.error = error

    async def kept_for(self, scope: Scope) -> Sequence[JudgedAnswer]:
        if self.error:
            raise self.error
        return [each for each in self.kept if each.channel == scope.channel]


def reading(question: str) -> Reading:
    return Reading(question, question)


async def test_a_like_question_finds_it_marked_and_with_its_sources() -> None:
    (found,) = await alike_kept(Channels(KEPT), reading("why is payments restarting"), OPS)
    assert found.source == "past"
    assert "machine-made" in found.title
    assert "rested on runbooks/restarts.md" in found.text
    assert "[1]" not in found.text
    assert found.url == "https://d/1"
    assert not found.is_fact


@pytest.mark.parametrize(
    ("question", "scope"),
    [
        ("why is payments restarting", Scope(channel="COTHER")),
        ("why is payments restarting", Scope()),
        ("why is payments restarting", Scope(channel="COPS", sources=frozenset({"markdown"}))),
        ("who owns payments?", OPS),
        ("payments", OPS),
        ("why does checkout answer slowly when stock is low?", OPS),
    ],
)
async def test_other_questions_and_other_channels_do_not(question: str, scope: Scope) -> None:
    assert await alike_kept(Channels(KEPT), reading(question), scope) == ()


async def test_the_question_most_alike_is_found() -> None:
    other = JudgedAnswer(
        "cd34", "COPS", "why is payments restarting after a rollout?", "Other.", "m", (), DAY
    )
    (found,) = await alike_kept(
        Channels(other, KEPT), reading("why does payments keep restarting?"), OPS
    )
    assert found.location == "kept/ab12"


async def test_it_stands_behind_what_people_wrote() -> None:
    past = PastDigests(Memory(), Holder(), Channels(KEPT))
    found = await WithPast(WrittenDown([RUNBOOK]), past).look(
        Reading("why is payments restarting", "", names=("payments",)), OPS, 8
    )
    assert [passage.source for passage in found.passages] == ["markdown", "past"]
    alone = await WithPast(WrittenDown([]), past).look(reading("why is payments restarting"), OPS)
    assert [passage.source for passage in alone.passages] == ["past"]


async def test_a_memory_that_fails_is_a_gap() -> None:
    error = StateError("look", "the database is down", "Start it.")
    past = PastDigests(Memory(), Holder(), Channels(error=error))
    found = await WithPast(WrittenDown([RUNBOOK]), past).look(reading("why?"), OPS)
    assert found.gaps[-1].why == "the database is down"
    assert found.passages == (RUNBOOK,)


def test_without_a_day_of_keeping_the_day_of_the_vote_is_told() -> None:
    judged = JudgedAnswer("r", "C", "q", "Text.", "m", (), DAY)
    assert "2026-03-04" in passage_of_kept(judged).title


@pytest.mark.parametrize(
    ("source", "is_grounded", "task", "worth"),
    [
        ("markdown", True, "", True),
        ("cluster", True, "", False),
        ("csv-metrics", True, "", False),
        ("thread", True, "summarise", False),
        ("markdown", False, "", False),
    ],
)
def test_only_what_lasts_is_worth_keeping(
    source: str, is_grounded: bool, task: str, worth: bool
) -> None:
    answer = Answer(
        "?", "Text [1].", (Citation(1, "T", "t.md", source),),
        (Passage("p", source, "T", "t.md", "x"),), is_grounded=is_grounded, task=task,
    )  # fmt: skip
    assert is_worth_keeping(answer) is worth
