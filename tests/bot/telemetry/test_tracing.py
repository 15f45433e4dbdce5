from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from bot.settings import load_settings
from bot.telemetry.metrics import Meter
from bot.telemetry.tracing import NoTracer, tracing
from bot.telemetry.watch import Watch, WatchedFacts, WatchedRetriever
from core.answers import Lookup, Scope
from core.questions import Reading
from knowledge.ports import ModelCall
from tests.bot.telemetry.otlp import attributes, collecting
from tests.bot.telemetry.scraped import value

READING = Reading("why does payments restart?", "payments restart")
CALL = ModelCall("ollama:llama3.1", "whole", 1.5, 900, 120)


class Found:
    """Retriever and live facts that find nothing, after a moment."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def read(self, question: str, names: frozenset[str], namespaces: frozenset[str]) -> Reading:
        return READING

    async def known_names(self) -> frozenset[str]:
        return frozenset({"payments"})

    async def known_namespaces(self) -> frozenset[str]:
        return frozenset({"shop"})

    async def look(self, reading: Reading, scope: Scope, limit: int = 8) -> Lookup:
        await asyncio.sleep(0.01)
        if self.error:
            raise self.error
        return Lookup()


async def answer(watch: Watch, error: Exception | None = None) -> None:
    """As an answer goes: look in both places at once, ask the model, post."""
    retriever, facts = WatchedRetriever(Found(error), watch), WatchedFacts(Found(), watch)
    with watch.answer("1a2b3c4d", "ask", "why does payments restart?"):
        assert retriever.read("?", frozenset(), frozenset()) is READING
        assert await facts.known_names() == {"payments"}
        assert await facts.known_namespaces() == {"shop"}
        await asyncio.gather(retriever.look(READING, Scope()), facts.look(READING, Scope()))
        watch.model_called(CALL)
        with watch.step("post"):
            pass


async def test_an_answer_is_a_span_with_its_parts_as_children() -> None:
    async with collecting() as collector:
        settings = load_settings(otel_exporter_otlp_endpoint=f"{collector.url}/")
        async with tracing(settings) as tracer:
            await answer(Watch(Meter(), tracer))
    (root,) = collector.named("answer")
    assert attributes(root) == {"opsbot.reference": "1a2b3c4d", "opsbot.task": "ask"}
    children = {span.name: span for span in collector.spans if span is not root}
    assert set(children) == {"retrieve", "facts", "model", "post"}
    assert all(span.parent_span_id == root.span_id for span in children.values())
    assert all(span.trace_id == root.trace_id for span in children.values())
    model = children["model"]
    assert attributes(model) == {
        "opsbot.model": "ollama:llama3.1",
        "opsbot.outcome": "whole",
        "opsbot.prompt_tokens": 900,
        "opsbot.answer_tokens": 120,
    }
    assert (model.end_time_unix_nano - model.start_time_unix_nano) / 1e9 == pytest.approx(1.5)
    assert collector.services == {"opsbot"}
    assert "payments" not in str(collector.spans)


async def test_the_question_is_told_where_that_is_wanted() -> None:
    async with collecting() as collector:
        settings = load_settings(otel_exporter_otlp_endpoint=collector.url)
        async with tracing(settings) as tracer:
            await answer(Watch(Meter(), tracer, tells_questions=True))
    (root,) = collector.named("answer")
    assert attributes(root)["opsbot.question"] == "why does payments restart?"


async def test_of_an_error_only_its_kind_is_told() -> None:
    async with collecting() as collector:
        settings = load_settings(otel_exporter_otlp_endpoint=collector.url)
        async with tracing(settings) as tracer:
            with pytest.raises(ValueError, match="payments"):
                await answer(Watch(Meter(), tracer), ValueError("no payments here"))
    (broken,) = collector.named("retrieve")
    assert broken.status.code == Status.STATUS_CODE_ERROR
    assert broken.status.message == "ValueError"
    assert "payments" not in str(collector.spans)


async def test_a_collector_that_is_away_holds_nothing_up() -> None:
    settings = load_settings(otel_exporter_otlp_endpoint="http://127.0.0.1:9")
    meter = Meter()
    async with asyncio.timeout(20), tracing(settings) as tracer:
        await answer(Watch(meter, tracer))
    assert value(meter, "step_duration_seconds_count", step="post") == 1


async def test_without_an_address_nothing_is_traced_nor_loaded() -> None:
    async with tracing(load_settings()) as tracer:
        assert isinstance(tracer, NoTracer)
        await answer(Watch(Meter(), tracer))
    loaded = subprocess.run(  # noqa: ASYNC221  (a second)
        [sys.executable, "-c", "import bot.run, sys; print('opentelemetry' in sys.modules)"],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert loaded.stdout.strip() == "False"
