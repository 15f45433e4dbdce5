"""A real model of 135 million parameters behind the stand-in, spoken to by the real client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from sandbox.ollama.local import CONTEXT_LENGTH, MODEL, LocalModel
from sandbox.ollama.pieces import Fail
from sandbox.ollama.server import RunningOllama, run_ollama

QUESTION = [{"role": "user", "content": "What is a pod in Kubernetes? One sentence."}]


@pytest.fixture(scope="module")
def model() -> LocalModel:
    return LocalModel()


@pytest.fixture
async def running(model: LocalModel) -> AsyncIterator[RunningOllama]:
    async with run_ollama(model, (MODEL,), context_length=CONTEXT_LENGTH) as server:
        yield server


async def _chat(running: RunningOllama, **body: object) -> list[dict[str, object]]:
    async with httpx.AsyncClient(base_url=running.url, timeout=60) as client:
        asked = {"model": MODEL, "messages": QUESTION, **body}
        reply = await client.post("/api/chat", json=asked)
    return [json.loads(line) for line in reply.text.splitlines()]


async def test_it_answers_in_words_within_its_limit(running: RunningOllama) -> None:
    rows = await _chat(running, options={"num_predict": 20, "temperature": 0})
    said = "".join(str(row["message"]["content"]) for row in rows if "message" in row)  # type: ignore[index]
    assert "pod" in said.lower()
    assert len(rows) > 5, "it streams"
    assert rows[-1]["done"] is True
    assert len(said.split()) <= 20


async def test_the_same_question_gets_the_same_answer(model: LocalModel) -> None:
    options = {"num_predict": 16, "temperature": 0}
    first, second = (list(model(QUESTION, options)) for _ in range(2))
    assert first == second


async def test_a_schema_is_kept(model: LocalModel) -> None:
    schema = {
        "type": "object",
        "properties": {"severity": {"enum": ["high", "low"]}},
        "required": ["severity"],
        "additionalProperties": False,
    }
    pieces = model(QUESTION, {"format": schema, "num_predict": 64})
    told = json.loads("".join(piece for piece in pieces if isinstance(piece, str)))
    assert told["severity"] in {"high", "low"}


async def test_a_prompt_over_the_context_is_an_error_and_not_a_crash(model: LocalModel) -> None:
    long = [{"role": "user", "content": "word " * (CONTEXT_LENGTH + 500)}]
    pieces = list(model(long, {"num_predict": 8}))
    assert len(pieces) == 1
    assert isinstance(pieces[0], Fail)
    assert "context" in pieces[0].message
    assert list(model(QUESTION, {"num_predict": 4})), "the next request is served"


async def test_a_client_that_leaves_stops_the_model(running: RunningOllama) -> None:
    async with httpx.AsyncClient(base_url=running.url, timeout=60) as client:
        asked = {"model": MODEL, "messages": QUESTION, "options": {"num_predict": 500}}
        async with client.stream("POST", "/api/chat", json=asked) as reply:
            await anext(reply.aiter_lines())
    async with asyncio.timeout(10):
        while not running.hung_up:  # noqa: ASYNC110  (the server has no event to wait for)
            await asyncio.sleep(0.02)
    rows = await _chat(running, options={"num_predict": 4})
    assert rows[-1]["done"] is True, "the model is free for the next one"
