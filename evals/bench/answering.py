"""What an answer costs besides the model: every step of it, over the sample world's questions."""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from bot.app import App, open_app
from bot.blocks.answer import lay_out
from bot.config_file import FileConfig
from bot.datafolder import DataFolder
from bot.settings import Settings, load_settings
from cluster.facts import ClusterFacts
from core.answers import Inquiry, Lookup, Scope
from core.clock import SystemClock
from core.questions import Reading
from core.redact import Redactor
from knowledge.chain import RagChain
from knowledge.library import Library
from sandbox.ollama.scripts import answer_from_passages
from sandbox.ollama.server import run_ollama

QUESTIONS = Path(__file__).parents[1] / "questions.jsonl"
T = TypeVar("T")


class Stopwatch:
    """Milliseconds by step."""

    def __init__(self) -> None:
        self.spent: dict[str, list[float]] = {}

    def note(self, step: str, begin: float) -> None:
        """Add what has passed since `begin`."""
        self.spent.setdefault(step, []).append((time.perf_counter() - begin) * 1_000)

    async def timed(self, step: str, work: Awaitable[T]) -> T:
        """Wait for `work`, and note how long that took."""
        begin = time.perf_counter()
        result = await work
        self.note(step, begin)
        return result


class TimedLibrary:
    """What is written, with its times. A `Retriever`."""

    def __init__(self, library: Library, watch: Stopwatch) -> None:
        self._library = library
        self._watch = watch

    def read(self, question: str, names: frozenset[str], namespaces: frozenset[str]) -> Reading:
        """As the library reads."""
        begin = time.perf_counter()
        reading = self._library.read(question, names, namespaces)
        self._watch.note("reading the question", begin)
        return reading

    async def look(self, reading: Reading, scope: Scope, limit: int = 8) -> Lookup:
        """As the library looks."""
        return await self._watch.timed(
            "looking at what is written", self._library.look(reading, scope, limit)
        )


class TimedFacts:
    """The cluster, with its times. A `LiveFacts`."""

    def __init__(self, facts: ClusterFacts, watch: Stopwatch) -> None:
        self._facts = facts
        self._watch = watch

    async def known_names(self) -> frozenset[str]:
        """As the cluster knows them."""
        return await self._watch.timed("names in the cluster", self._facts.known_names())

    async def known_namespaces(self) -> frozenset[str]:
        """As the cluster knows them."""
        return await self._facts.known_namespaces()

    async def look(self, reading: Reading, scope: Scope) -> Lookup:
        """As the cluster looks."""
        return await self._watch.timed("looking at the cluster", self._facts.look(reading, scope))


@asynccontextmanager
async def _sandbox(folder: Path) -> AsyncIterator[dict[str, str]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox", "--folder", str(folder), "--until-stdin-closes",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield json.loads(await process.stdout.readline())
    finally:
        process.stdin.close()
        await process.wait()


async def run() -> None:
    """Print a row a step: quoted answers first, then worded ones, without the model's own time."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with _sandbox(folder / "sandbox") as ready, run_ollama() as ollama:
            await _measure("quoted", _settings(folder, ready, "extractive", ollama.url))
            # The stand-in answers at once; its part is what a prompt and the check cost.
            assert ollama.script is answer_from_passages
            await _measure("worded", _settings(folder, ready, "ollama:llama3.1", ollama.url))


def _settings(folder: Path, ready: dict[str, str], model: str, ollama: str) -> Settings:
    knowledge = ready["knowledge"]
    return load_settings(
        opsbot_data_dir=folder / "data",
        opsbot_config=None,
        llm_model=model,
        ollama_base_url=ollama,
        kubeconfig=ready["kubeconfig"],
        kube_contexts=("demo",),
        knowledge_sources=(
            f"markdown:{knowledge}",
            f"csv-logs:{knowledge}/logs/*.csv",
            f"csv-metrics:{knowledge}/metrics/*.csv",
            f"graph:{knowledge}/graph.yaml",
        ),
    )


async def _measure(how: str, settings: Settings) -> None:
    clock = SystemClock()
    watch = Stopwatch()
    rows = (await asyncio.to_thread(QUESTIONS.read_text)).splitlines()
    questions = [str(json.loads(row)["question"]) for row in rows]
    data = DataFolder(settings.opsbot_data_dir)
    await data.own()
    try:
        async with open_app(settings, FileConfig(), data, clock) as app:
            await _ask_all(app, questions, watch, Redactor(data.redaction_key()))
    finally:
        data.release()
    for step, spent in watch.spent.items():
        p95 = statistics.quantiles(spent, n=20)[-1]
        shown = f"median {statistics.median(spent):.1f} ms, p95 {p95:.1f} ms"
        sys.stdout.write(f"| {how} answers, {step} ({len(questions)}) | {shown} | | |\n")


async def _ask_all(
    app: App, questions: Sequence[str], watch: Stopwatch, redactor: Redactor
) -> None:
    clock = SystemClock()
    await app.library.index()
    facts = ClusterFacts(app.collector, redactor, clock)
    chain = RagChain(
        TimedLibrary(app.library, watch),
        TimedFacts(facts, watch),
        app.models,
        clock,
        redact=redactor.redact,
    )
    await chain.answer(Inquiry(questions[0]))  # loads the encoder
    watch.spent.clear()
    for question in questions:
        begin = time.perf_counter()
        answer = await chain.answer(Inquiry(question))
        watch.note("the whole answer", begin)
        begin = time.perf_counter()
        lay_out(answer, "ab12cd34", clock.now())
        watch.note("laying it out for Slack", begin)
    await facts.close()
