"""Everything that may be wrong with a model, on the real program: what the reader sees then."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest
import pytest_asyncio

from knowledge.chain import CUT_NOTE, LATE_NOTE, LOST_NOTE, NO_MODEL_NOTE
from sandbox.ollama import scripts
from sandbox.ollama.pieces import Pause, Script
from sandbox.ollama.server import RunningOllama, run_ollama
from tests.e2e.program import Demo, running_demo

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUESTION = "why does payments keep restarting?"
SECONDS = 6


@dataclass
class Bench:
    """A demo whose Ollama can be changed, and stopped."""

    demo: Demo
    ollama: RunningOllama
    stack: AsyncExitStack


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    folder = tmp_path_factory.mktemp("demo") / "data"
    async with AsyncExitStack() as stack:
        ollama = await stack.enter_async_context(run_ollama())
        settings = {
            "LLM_MODEL": "ollama:llama3.1",
            "OLLAMA_BASE_URL": ollama.url,
            "LLM_TIMEOUT_SECONDS": str(SECONDS),
            # What a digest asks of the model meanwhile must not hold up a question.
            "LLM_PARALLEL": "4",
        }
        async with running_demo(folder, **settings) as demo:
            yield Bench(demo, ollama, stack)


async def _asked(bench: Bench) -> str:
    text: str = (await bench.demo.ask(QUESTION))["text"]
    assert "256Mi" in text, "the facts are there whatever the model does"
    assert "[1]" in text
    for leak in ("Traceback", "httpx", "127.0.0.1", "status_code", "ResponseError"):
        assert leak not in text
    return text


async def test_a_model_that_works_is_named_with_what_it_reads_at_once(bench: Bench) -> None:
    assert "reads 8,192 of its 131,072 tokens at once" in bench.demo.printed
    assert "llama3.1" in await _asked(bench)


@pytest.mark.parametrize(
    ("script", "note"),
    [
        (scripts.busy, LOST_NOTE),
        (scripts.broken, LOST_NOTE),
        (scripts.failing, LOST_NOTE),
        (scripts.garbage, CUT_NOTE),
        (scripts.hostile, CUT_NOTE),
        (scripts.endless, CUT_NOTE),
        (lambda _messages, _options: [Pause(60), "too late"], LATE_NOTE),
    ],
    ids=["busy", "cut off", "dies", "garbage", "hostile", "endless", "silent"],
)
async def test_trouble_leaves_the_facts_and_one_line_that_says_why(
    bench: Bench, script: Script, note: str
) -> None:
    bench.ollama.script = script
    assert note in await _asked(bench)


async def test_it_is_used_again_when_it_is_well(bench: Bench) -> None:
    bench.ollama.script = scripts.answer_from_passages
    text = await _asked(bench)
    assert LOST_NOTE not in text
    assert "llama3.1" in text


async def test_a_model_that_was_removed_is_told(bench: Bench) -> None:
    bench.ollama.models = ("mistral:latest",)
    assert LOST_NOTE in await _asked(bench)
    bench.ollama.models = ("llama3.1:latest",)


async def test_a_server_that_is_gone_is_told(bench: Bench) -> None:
    await bench.stack.aclose()
    text = await _asked(bench)
    assert LOST_NOTE in text or NO_MODEL_NOTE in text
