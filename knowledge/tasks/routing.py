"""Hands a question that is really a task to that task: "what changed before payments broke?".

Mentions, `ask` and the terminal go through here, so that all of them mean the same by the same
words. Where the task finds nothing the chain answers: no question is lost to a wrong guess.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import replace

from core.answers import AnswerEvent, Delta, Done, Inquiry
from core.errors import RequestError
from core.questions import Intent
from knowledge.followup import resolve
from knowledge.ports import Answerer, LiveFacts, Retriever

# Who also wants to know one of these wants an answer in words, not a timeline.
_OTHERWISE = frozenset({Intent.HOW, Intent.OWNER, Intent.IMPACT, Intent.SIMILAR})


class RoutedAnswers:
    """Implements `knowledge.ports.Answerer`.

    Args:
        chain: Answers all that is no task.
        retriever: Reads questions.
        live: Knows what questions may name.
        tasks: By the intent that asks for them; the first that fits wins.
    """

    def __init__(
        self,
        chain: Answerer,
        retriever: Retriever,
        live: LiveFacts,
        tasks: Mapping[Intent, Answerer],
    ) -> None:
        self._chain = chain
        self._retriever = retriever
        self._live = live
        self._tasks = tasks

    async def stream(self, inquiry: Inquiry) -> AsyncGenerator[AnswerEvent, None]:
        """The task's events if it is one and finds its object, else the chain's."""
        task, whole = await self._task(inquiry)
        if task is not None:
            try:
                async with aclosing(task.stream(replace(inquiry, question=whole))) as events:
                    async for event in events:
                        if isinstance(event, Done) and event.answer.is_grounded:
                            yield Delta(event.answer.text)
                            yield Done(replace(event.answer, question=inquiry.question))
                            return
                        if not isinstance(event, Delta | Done):
                            yield event
            except RequestError:
                pass  # it names nothing that the task knows
        async with aclosing(self._chain.stream(inquiry)) as events:
            async for event in events:
                yield event

    async def _task(self, inquiry: Inquiry) -> tuple[Answerer | None, str]:
        """The task that a question asks for, and the question with what it left out filled in."""
        names, spaces = await self._live.known_names(), await self._live.known_namespaces()
        whole = resolve(inquiry.question, inquiry.history, names, spaces)
        reading = self._retriever.read(whole, names, spaces)
        if reading.intents & _OTHERWISE or not (reading.names or reading.namespaces):
            return None, inquiry.question
        tasks = [task for intent, task in self._tasks.items() if intent in reading.intents]
        return next(iter(tasks), None), whole
