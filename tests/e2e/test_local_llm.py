"""`make demo LLM=local`: a real model, too small to be right, behind the check."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.e2e.program import Demo, run_command, running_demo

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUESTIONS = (
    "why does payments keep restarting?",
    "What mechanism does StockTraderX use for low-latency order processing?",
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def demo(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Demo]:
    folder = tmp_path_factory.mktemp("demo") / "data"
    # A small room keeps it quick; on a busy machine the answer is quoted in the end.
    room = {"LLM_CONTEXT_TOKENS": "2048", "LLM_MAX_TOKENS": "100", "LLM_TIMEOUT_SECONDS": "30"}
    async with running_demo(folder, "--local-llm", **room) as running:
        yield running


async def _answer(demo: Demo, question: str) -> dict[str, Any]:
    code, out, err = await run_command(
        "ask", question, "--json",
        environment=demo.environment | {"OPSBOT_DATA_DIR": str(demo.folder)},
        folder=demo.folder.parent,
    )  # fmt: skip
    assert code == 0, err
    answer: dict[str, Any] = json.loads(out)
    return answer


async def test_the_start_names_the_model(demo: Demo) -> None:
    assert "smollm2:135m words the answers" in demo.printed


@pytest.mark.parametrize("question", QUESTIONS)
async def test_nothing_it_invents_is_shown(demo: Demo, question: str) -> None:
    answer = await _answer(demo, question)
    known = question + json.dumps(answer["passages"], ensure_ascii=False)
    text = re.sub(r"\[\d+\]", "", answer["text"])  # citations are not numbers
    invented = [n for n in re.findall(r"\d+(?:\.\d+)?", text) if n not in known]
    assert not invented, answer["text"]
    for quoted in re.findall(r"`([^`\n]+)`", text):
        assert quoted in known, f"{quoted!r} stands nowhere: {answer['text']}"
    assert answer["citations"], "what is shown is cited"


async def test_a_thread_gets_one_finished_answer(demo: Demo) -> None:
    text = (await demo.mention("why does payments keep restarting?", seconds=80))["text"]
    assert "OOMKilled" in text or "256Mi" in text
