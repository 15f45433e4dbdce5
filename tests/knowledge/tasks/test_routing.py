"""Questions that are tasks go to their task, all others and all failures to the chain."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import UTC

import pytest

from core.answers import (
    Answer,
    AnswerEvent,
    Delta,
    Done,
    Inquiry,
    Progress,
    Turn,
)
from core.errors import RequestError
from core.questions import Intent, Reading
from knowledge.reading import read_question
from knowledge.tasks.routing import RoutedAnswers
from tests.knowledge.fakes import NOW, LiveCluster, WrittenDown


class Says:
    """An answerer that says its name, or finds nothing, or refuses."""

    def __init__(self, name: str, *, is_grounded: bool = True, refuses: bool = False) -> None:
        self.name = name
        self.is_grounded = is_grounded
        self.refuses = refuses
        self.asked: list[str] = []

    async def stream(self, inquiry: Inquiry) -> AsyncGenerator[AnswerEvent, None]:
        self.asked.append(inquiry.question)
        yield Progress(f"{self.name} looks")
        if self.refuses:
            raise RequestError("find it", "no such thing", "Check its spelling.")
        yield Delta(self.name)
        yield Done(Answer(inquiry.question, self.name, is_grounded=self.is_grounded))


class Reads(WrittenDown):
    """Reads questions by the real rules."""

    def read(self, question: str, names: frozenset[str], namespaces: frozenset[str]) -> Reading:
        return read_question(question, names, namespaces, NOW, UTC)


async def answered(
    question: str,
    *history: str,
    changes: Says | None = None,
    investigate: Says | None = None,
) -> list[str]:
    """The texts of all deltas; there is one Done, and it repeats the question as asked."""
    routed = RoutedAnswers(
        Says("chain"),
        Reads(),
        LiveCluster(),
        {
            Intent.CHANGES: changes or Says("changes"),
            Intent.INVESTIGATE: investigate or Says("investigate"),
        },
    )
    turns = [Turn("ines", text) for text in history]
    events = [event async for event in routed.stream(Inquiry(question, turns))]
    done = [event.answer for event in events if isinstance(event, Done)]
    assert [answer.question for answer in done] == [question]
    assert isinstance(events[-1], Done)
    deltas = [event.text for event in events if isinstance(event, Delta)]
    assert deltas == [done[0].text]
    return deltas


@pytest.mark.parametrize(
    ("question", "who"),
    [
        ("what changed in shop since 9:30?", "changes"),
        ("what changed before payments broke?", "changes"),
        ("what's changed with checkout", "changes"),
        ("who restarted payments?", "changes"),
        ("what was deployed in shop yesterday?", "changes"),
        ("any recent changes to payments?", "changes"),
        ("when was checkout last deployed?", "changes"),
        ("did anyone touch kafka today?", "changes"),
        ("investigate checkout", "investigate"),
        ("please diagnose payments", "investigate"),
        ("can you look into kafka?", "investigate"),
        ("triage shop/payments", "investigate"),
        ("how do I investigate an OOM of payments?", "chain"),
        ("who should investigate payments?", "chain"),
        ("why is payments restarting?", "chain"),
        ("what changed in Kubernetes 1.34?", "chain"),
        ("how do I change the limit of payments?", "chain"),
        ("has payments changed like this before?", "chain"),
    ],
)
async def test_the_words_decide_who_answers(question: str, who: str) -> None:
    assert await answered(question) == [who]


async def test_a_follow_up_is_filled_in_before_the_task_reads_it() -> None:
    changes = Says("changes")
    await answered("what changed before it broke?", "why is payments down?", changes=changes)
    assert changes.asked == ["what changed before payments broke?"]


async def test_what_the_task_cannot_answer_goes_to_the_chain() -> None:
    question = "what changed in payments?"
    assert await answered(question, changes=Says("changes", refuses=True)) == ["chain"]
    assert await answered(question, changes=Says("changes", is_grounded=False)) == ["chain"]
