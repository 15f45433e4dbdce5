"""The stand-in, driven by the real langchain-ollama and by plain HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import httpx
import pytest
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from langchain_ollama import ChatOllama, OllamaEmbeddings, OllamaLLM
from ollama import ResponseError

from sandbox.ollama.pieces import Pause
from sandbox.ollama.scripts import broken, busy, endless, failing, json_reply, repeating, slow
from sandbox.ollama.server import CONTEXT_LENGTH, RunningOllama, run_ollama

PROMPT = """<passage-ab12 number=1>
Configuration of payments (page, markdown: config/payments.md)
The memory limit of payments is 512Mi since August. It has two replicas.
</passage-ab12>
<passage-ab12 number=2>
redis (page, markdown: config/redis.md)
One primary and two replicas keep the carts.
</passage-ab12>

Question: What is the memory limit of payments?

Answer in at most 150 words."""


_OPENED: list[ChatOllama | OllamaEmbeddings | OllamaLLM] = []


@pytest.fixture
async def running() -> AsyncIterator[RunningOllama]:
    async with run_ollama() as server:
        yield server
        while _OPENED:  # the library leaves its connections open
            model = _OPENED.pop()
            assert model._client is not None
            assert model._async_client is not None
            model._client._client.close()
            await model._async_client._client.aclose()


async def _until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110  (the server has no event to wait for)
            await asyncio.sleep(0.01)


def _model(running: RunningOllama, **options: Any) -> ChatOllama:
    model = ChatOllama(**{"model": "llama3.1", "base_url": running.url, **options})
    _OPENED.append(model)
    return model


def _messages() -> list[BaseMessage]:
    return [SystemMessage("Answer from the passages."), HumanMessage(PROMPT)]


async def test_a_chat_quotes_the_passage_that_answers(running: RunningOllama) -> None:
    reply = await _model(running).ainvoke(_messages())
    assert "The memory limit of payments is 512Mi since August [1]." in reply.text


async def test_a_streamed_chat_arrives_in_pieces_and_ends_with_its_counts(
    running: RunningOllama,
) -> None:
    chunks = [chunk async for chunk in _model(running).astream(_messages())]
    assert len(chunks) > 5
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    assert "512Mi since August [1]." in whole.text
    assert whole.response_metadata["done_reason"] == "stop"
    assert whole.usage_metadata is not None
    assert whole.usage_metadata["input_tokens"] > 50


async def test_parameters_are_recorded_as_they_were_sent(running: RunningOllama) -> None:
    model = _model(running, temperature=0.3, num_ctx=4096, num_predict=64, stop=["END"])
    await model.ainvoke(_messages())
    (asked,) = running.chats()
    assert asked.model == "llama3.1"
    assert asked.options["temperature"] == 0.3
    assert asked.options["num_ctx"] == 4096
    assert asked.options["num_predict"] == 64
    assert asked.options["stop"] == ["END"]
    assert [row["role"] for row in asked.messages] == ["system", "user"]


async def test_generation_stops_before_a_stop_sequence(running: RunningOllama) -> None:
    running.script = repeating(["one two three STOP four"])
    reply = await _model(running, stop=["STOP"]).ainvoke("Question: count")
    assert reply.text == "one two three "


async def test_generation_ends_at_num_predict_and_says_so(running: RunningOllama) -> None:
    running.script = repeating(["one two three four five"])
    reply = await _model(running, num_predict=2).ainvoke("Question: count")
    assert reply.text == "one two"
    assert reply.response_metadata["done_reason"] == "length"


async def test_a_format_is_answered_with_json(running: RunningOllama) -> None:
    schema = {"type": "object", "properties": {"cause": {"type": "string"}}}
    reply = await _model(running, format=schema).ainvoke(_messages())
    assert reply.text == '{"cause": "The memory limit of payments is 512Mi since August."}'


async def test_the_json_script_needs_no_schema(running: RunningOllama) -> None:
    running.script = json_reply
    reply = await _model(running).ainvoke(_messages())
    assert reply.text.startswith('{"answer": ')


async def test_a_broken_server_drops_the_connection_in_the_middle(running: RunningOllama) -> None:
    running.script = broken
    received = ""

    async def receive() -> None:
        nonlocal received
        async for chunk in _model(running).astream(_messages()):
            received += chunk.text

    with pytest.raises(httpx.RemoteProtocolError):
        await receive()
    assert 0 < len(received) < len("The memory limit of payments is 512Mi since August [1].")


async def test_a_broken_server_gives_no_half_answer_without_streaming(
    running: RunningOllama,
) -> None:
    running.script = broken
    async with aiohttp.ClientSession(running.url) as session:
        with pytest.raises(aiohttp.ClientError):
            await session.post("/api/chat", json=_body(stream=False))


async def test_an_error_in_the_middle_reaches_the_client(running: RunningOllama) -> None:
    running.script = failing
    with pytest.raises(ResponseError, match="runner process has terminated"):
        await _model(running).ainvoke(_messages())
    async with aiohttp.ClientSession(running.url) as session:
        reply = await session.post("/api/chat", json=_body(stream=False))
        assert reply.status == 500


async def test_a_client_that_hangs_up_is_counted(running: RunningOllama) -> None:
    running.script = slow(0.01, repeating(["word " * 500]))
    async for _ in _model(running).astream(_messages()):
        break
    await _until(lambda: running.hung_up)


async def test_a_pause_is_honoured_without_streaming(running: RunningOllama) -> None:
    running.script = lambda _, __: [Pause(0.001), "late"]
    async with aiohttp.ClientSession(running.url) as session:
        reply = await session.post("/api/chat", json=_body(stream=False))
        assert (await reply.json())["message"]["content"] == "late"


async def test_generate_gives_text_for_a_prompt(running: RunningOllama) -> None:
    running.script = repeating(["fine"])
    model = OllamaLLM(model="llama3.1", base_url=running.url)
    _OPENED.append(model)
    assert await model.ainvoke("Question: how are you?") == "fine"
    assert running.chats()[0].messages[-1]["content"] == "Question: how are you?"


async def test_an_empty_chat_only_loads_the_model(running: RunningOllama) -> None:
    async with aiohttp.ClientSession(running.url) as session:
        reply = await (await session.post("/api/chat", json={"model": "llama3.1"})).json()
    assert reply["done_reason"] == "load"
    assert reply["message"]["content"] == ""


async def test_embeddings_are_unit_vectors_in_the_order_of_the_texts(
    running: RunningOllama,
) -> None:
    model = OllamaEmbeddings(model="llama3.1", base_url=running.url)
    _OPENED.append(model)
    texts = ["payments was OOMKilled", "why was payments OOMKilled", "kafka topics"]
    first, near, far = await model.aembed_documents(texts)
    assert len(first) == 384
    assert sum(value * value for value in first) == pytest.approx(1.0)
    assert _cosine(first, near) > 0.7 > _cosine(first, far)
    assert await model.aembed_query(texts[0]) == first


async def test_the_size_of_embeddings_can_be_asked_for(running: RunningOllama) -> None:
    body = {"model": "llama3.1", "input": "a text", "dimensions": 64}
    async with aiohttp.ClientSession(running.url) as session:
        reply = await (await session.post("/api/embed", json=body)).json()
    assert len(reply["embeddings"][0]) == 64


async def test_an_unknown_model_is_refused_by_name(running: RunningOllama) -> None:
    model = _model(running, model="mistral")
    with pytest.raises(ResponseError, match='"mistral" not found') as caught:
        await model.ainvoke("hello")
    assert caught.value.status_code == 404


async def test_models_and_version_and_context_length_are_told() -> None:
    async with (
        run_ollama(models=("llama3.1:latest", "qwen:0.5b")) as running,
        aiohttp.ClientSession(running.url) as session,
    ):
        tags = await (await session.get("/api/tags")).json()
        assert [row["model"] for row in tags["models"]] == ["llama3.1:latest", "qwen:0.5b"]
        assert "version" in await (await session.get("/api/version")).json()
        show = await (await session.post("/api/show", json={"model": "qwen:0.5b"})).json()
        assert show["model_info"]["script.context_length"] == CONTEXT_LENGTH
        assert await (await session.get("/")).text() == "Ollama is running"
    assert [row.path for row in running.requests] == ["/api/tags", "/api/version", "/api/show"]


async def test_wrong_requests_are_told_what_is_wrong(running: RunningOllama) -> None:
    async with aiohttp.ClientSession(running.url) as session:
        no_json = await session.post("/api/chat", data=b"{")
        no_model = await session.post("/api/chat", json={"messages": []})
        assert (no_json.status, no_model.status) == (400, 400)
        assert (await no_model.json())["error"] == "model is required"
    assert running.requests == []


async def test_a_taken_port_is_an_error_that_leaves_nothing_behind(running: RunningOllama) -> None:
    port = int(running.url.rsplit(":", 1)[1])
    with pytest.raises(OSError, match="address already in use"):
        async with run_ollama(port=port):
            pass


async def test_closing_does_not_wait_for_a_slow_reply() -> None:
    async with asyncio.timeout(10):
        async with run_ollama(slow(60)) as running, aiohttp.ClientSession(running.url) as session:
            waiting = asyncio.ensure_future(session.post("/api/chat", json=_body(stream=False)))
            await _until(lambda: running.requests)
            waiting.cancel()


def _body(*, stream: bool) -> dict[str, object]:
    messages = [{"role": "user", "content": PROMPT}]
    return {"model": "llama3.1", "messages": messages, "stream": stream}


def _cosine(left: list[float], right: list[float]) -> float:
    return sum(a * b for a, b in zip(left, right, strict=True))


async def test_a_busy_server_says_so_with_its_status(running: RunningOllama) -> None:
    running.script = busy
    with pytest.raises(ResponseError, match="server busy") as caught:
        await _model(running).ainvoke("hello")
    assert caught.value.status_code == 503


async def test_an_endless_answer_ends_at_the_limit_of_the_request(running: RunningOllama) -> None:
    running.script = endless
    reply = await _model(running, num_predict=12).ainvoke("hello")
    assert reply.response_metadata["done_reason"] == "length"
