"""Looks on while answers are made: times their parts, for metrics and traces."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic

from bot.telemetry.errand import errand, running
from bot.telemetry.metrics import Meter
from bot.telemetry.tracing import NoTracer, Tracer
from core.answers import Lookup, Scope
from core.questions import Reading
from knowledge.ports import LiveFacts, ModelCall, Retriever


@dataclass(frozen=True, slots=True)
class Watch:
    """A meter and a tracer, told of the same things.

    Attributes:
        tells_questions: Whether traces hold what was asked. It is typed by people, and may hold
            anything.
    """

    meter: Meter = field(default_factory=Meter)
    tracer: Tracer = field(default_factory=NoTracer)
    tells_questions: bool = False

    @contextmanager
    def answer(self, reference: str, task: str, question: str) -> Iterator[None]:
        """All in the block is one answer."""
        asked = {"question": question} if self.tells_questions else {}
        with (
            running(reference, task),
            self.tracer.span("answer", reference=reference, task=task, **asked),
        ):
            yield

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """The block is a part of an answer: "retrieve", "facts", "post"."""
        began = monotonic()
        with self.tracer.span(name):
            try:
                yield
            finally:
                self.meter.stepped(name, monotonic() - began)

    def model_called(self, call: ModelCall) -> None:
        """A model's call is over."""
        self.meter.called(call, errand().task)
        self.tracer.past(
            "model",
            call.seconds,
            model=call.model,
            outcome=call.outcome,
            prompt_tokens=call.prompt_tokens,
            answer_tokens=call.answer_tokens,
        )


@dataclass(frozen=True, slots=True)
class WatchedRetriever:
    """A retriever whose lookups are timed. Fits `knowledge.ports.Retriever`."""

    retriever: Retriever
    watch: Watch

    def read(self, question: str, names: frozenset[str], namespaces: frozenset[str]) -> Reading:
        """As the retriever reads."""
        return self.retriever.read(question, names, namespaces)

    async def look(self, reading: Reading, scope: Scope, limit: int = 8) -> Lookup:
        """As the retriever finds."""
        with self.watch.step("retrieve"):
            return await self.retriever.look(reading, scope, limit)


@dataclass(frozen=True, slots=True)
class WatchedFacts:
    """A live cluster whose lookups are timed. Fits `knowledge.ports.LiveFacts`."""

    facts: LiveFacts
    watch: Watch

    async def known_names(self) -> frozenset[str]:
        """As the facts know."""
        return await self.facts.known_names()

    async def known_namespaces(self) -> frozenset[str]:
        """As the facts know."""
        return await self.facts.known_namespaces()

    async def look(self, reading: Reading, scope: Scope) -> Lookup:
        """As the facts find."""
        with self.watch.step("facts"):
            return await self.facts.look(reading, scope)
