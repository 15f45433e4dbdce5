"""Every test talks to a local server through the real LangChain packages."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from core.answers import GenerationOptions
from core.clock import ManualClock
from core.errors import KnowledgeError
from knowledge.models import (
    LangChainModel,
    ModelConfig,
    Models,
    choose_model,
    open_embedder,
)
from knowledge.ollama import ollama_models, show_model, shown_url
from knowledge.ports import ModelCall, ModelUnavailableError, Prompt
from sandbox.ollama.pieces import Drop, Fail, Pause
from sandbox.ollama.server import RunningOllama, run_ollama
from tests.knowledge.fakes import NOW, let_go, until

PROMPT = Prompt("You are brief.", "Question: why?")
PLAIN = GenerationOptions()


def says(*parts: Any) -> Callable[..., list[Any]]:
    return lambda _messages, _options: list(parts)


def config_of(running: RunningOllama, **changes: Any) -> ModelConfig:
    return replace(ModelConfig(model="ollama:llama3.1", ollama_url=running.url), **changes)


async def streamed(model: LangChainModel, options: GenerationOptions = PLAIN) -> str:
    async with aclosing(model.stream(PROMPT, options)) as tokens:  # type: ignore[type-var]
        return "".join([token async for token in tokens])


async def gather_into(seen: list[str], model: LangChainModel) -> None:
    async for token in model.stream(PROMPT, PLAIN):
        seen.append(token)  # noqa: PERF401  (what came before an error counts)


@asynccontextmanager
async def served(*routes: web.RouteDef) -> AsyncIterator[str]:
    app = web.Application()
    app.add_routes(routes)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def closed_port_url() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


async def test_a_stream_gives_the_models_text_and_sends_every_parameter() -> None:
    async with run_ollama(says("It was ", "killed.")) as running:
        config = config_of(
            running, context_tokens=4096, max_tokens=77, stop=("END",), keep_alive="3m"
        )
        assert await streamed(LangChainModel(config)) == "It was killed."
    sent = running.chats()[0]
    assert sent.options["num_ctx"] == 4096
    assert sent.options["num_predict"] == 77
    assert sent.options["stop"] == ["END"]
    assert sent.options["temperature"] == 0.1
    assert sent.body["keep_alive"] == "3m"
    assert [row["role"] for row in sent.messages] == ["system", "user"]


async def test_options_of_one_question_override_the_configured_ones() -> None:
    async with run_ollama(says("yes")) as running:
        model = LangChainModel(config_of(running, stop=("END",)))
        options = GenerationOptions(temperature=0.9, max_tokens=5, stop=("X", "Y"))
        await streamed(model, options)
        await streamed(model)
    first, second = (row.options for row in running.chats())
    assert (first["temperature"], first["num_predict"], first["stop"]) == (0.9, 5, ["X", "Y"])
    assert (second["temperature"], second["num_predict"], second["stop"]) == (0.1, 700, ["END"])
    assert first["num_ctx"] == second["num_ctx"] == 8192


async def test_many_different_options_do_not_pile_up_clients() -> None:
    async with run_ollama(says("yes")) as running:
        model = LangChainModel(config_of(running))
        for tokens in range(1, 20):
            await streamed(model, GenerationOptions(max_tokens=tokens))
    assert len(model._chats) <= 8


async def test_thoughts_are_not_shown() -> None:
    async with run_ollama(
        says("<th", "ink>secret plan</th", "ink>\n", "It was killed.")
    ) as running:
        assert await streamed(LangChainModel(config_of(running))) == "It was killed."


async def test_a_text_that_only_begins_like_a_thought_is_whole() -> None:
    async with run_ollama(says("<", "b> is bold")) as running:
        model = LangChainModel(config_of(running))
        assert await streamed(model) == "<b> is bold"
        running.script = says("<thi")
        assert await model.complete(PROMPT, PLAIN) == "<thi"


async def test_each_call_is_told_once_it_is_over_with_its_tokens() -> None:
    calls: list[ModelCall] = []
    async with run_ollama(says("It was ", "killed.")) as running:
        model = LangChainModel(config_of(running), calls.append)
        await streamed(model)
        await model.complete(PROMPT, PLAIN)
    assert [call.outcome for call in calls] == ["whole", "whole"]
    assert all(call.model == "ollama:llama3.1" and call.seconds > 0 for call in calls)
    assert all(call.prompt_tokens > 0 and call.answer_tokens > 0 for call in calls)


async def test_a_call_tells_how_it_ended() -> None:
    calls: list[ModelCall] = []
    async with run_ollama(says("It was ", Pause(30), "killed.")) as running:
        late = LangChainModel(config_of(running, timeout_seconds=0.3), calls.append)
        with pytest.raises(ModelUnavailableError):
            await late.complete(PROMPT, PLAIN)
        with pytest.raises(ModelUnavailableError):
            await streamed(late)
        async with aclosing(late.stream(PROMPT, PLAIN)) as tokens:  # type: ignore[type-var]
            assert (await anext(tokens)).startswith("It")
        running.script = says(Fail("the runner died"))
        with pytest.raises(ModelUnavailableError):
            await streamed(late)
    assert [call.outcome for call in calls] == ["cancelled", "cancelled", "stopped", "failed"]
    await let_go()


async def test_complete_sends_the_schema() -> None:
    schema = {"type": "object", "properties": {"cause": {"type": "string"}}}
    async with run_ollama(says('{"cause": "memory"}')) as running:
        text = await LangChainModel(config_of(running)).complete(PROMPT, PLAIN, schema)
    assert text == '{"cause": "memory"}'
    assert running.chats()[0].body["format"] == schema


async def test_no_first_word_in_time_is_a_lost_model() -> None:
    async with run_ollama(says(Pause(30), "late")) as running:
        model = LangChainModel(config_of(running, first_token_seconds=0.1))
        with pytest.raises(ModelUnavailableError, match=r"did not begin to answer within 0\.1 s"):
            await streamed(model)


async def test_no_end_in_time_is_a_lost_model_that_spoke() -> None:
    async with run_ollama(says("It was ", Pause(30), "late")) as running:
        model = LangChainModel(config_of(running, timeout_seconds=0.5))
        seen: list[str] = []
        with pytest.raises(ModelUnavailableError, match=r"did not finish within 0\.5 s"):
            await gather_into(seen, model)
        with pytest.raises(ModelUnavailableError, match="did not finish"):
            await model.complete(PROMPT, PLAIN)
    assert "".join(seen).strip() == "It was"


@pytest.mark.parametrize("end", [Drop(), Fail("runner died at http://user:hunter2@host")])
async def test_a_failure_in_the_middle_is_a_lost_model_in_safe_words(end: object) -> None:
    async with run_ollama(says("It was ", end)) as running:
        model = LangChainModel(config_of(running))
        with pytest.raises(ModelUnavailableError) as caught:
            await streamed(model)
        with pytest.raises(ModelUnavailableError):
            await model.complete(PROMPT, PLAIN)
    assert "ollama:llama3.1" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is not None
    await let_go()


async def test_a_model_that_was_not_pulled_says_what_to_run() -> None:
    async with run_ollama(says("hi")) as running:
        model = LangChainModel(config_of(running, model="ollama:mistral"))
        with pytest.raises(ModelUnavailableError, match="run `ollama pull mistral`"):
            await streamed(model)


async def test_an_unreachable_server_is_told_without_its_password() -> None:
    url = closed_port_url().replace("http://", "http://user:hunter2@")
    model = LangChainModel(ModelConfig(model="ollama:llama3.1", ollama_url=url))
    with pytest.raises(ModelUnavailableError) as caught:
        await streamed(model)
    assert str(caught.value) == "ollama:llama3.1 could not be reached"


async def test_a_server_that_speaks_garbage_is_a_lost_model() -> None:
    async def garbage(_: web.Request) -> web.Response:
        return web.Response(text="<html>not ollama</html>\n")

    async with served(web.post("/api/chat", garbage)) as url:
        model = LangChainModel(ModelConfig(model="ollama:llama3.1", ollama_url=url))
        with pytest.raises(ModelUnavailableError, match=r"ollama:llama3\.1 failed"):
            await streamed(model)
    await let_go()


async def test_a_reader_who_leaves_frees_the_model() -> None:
    async with run_ollama(says("one ", "two ", Pause(30), "three")) as running:
        stream = LangChainModel(config_of(running)).stream(PROMPT, PLAIN)
        await anext(stream)
        await stream.aclose()  # type: ignore[attr-defined]
        await until(lambda: running.hung_up > 0)


async def test_any_openai_compatible_server_works_by_its_address() -> None:
    seen: list[dict[str, Any]] = []

    async def complete(request: web.Request) -> web.Response:
        body = await request.json()
        seen.append(body)
        if not body.get("stream"):
            message = {"role": "assistant", "content": "whole"}
            return web.json_response(
                {"id": "1", "object": "chat.completion", "created": 1, "model": "local",
                 "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
            )  # fmt: skip
        chunk = (
            '{"id":"1","object":"chat.completion.chunk","created":1,"model":"local","choices":'
            '[{"index":0,"delta":{"role":"assistant","content":"%s"},"finish_reason":null}]}'
        )
        text = "".join(f"data: {chunk % word}\n\n" for word in ("It ", "was.")) + "data: [DONE]\n\n"
        return web.Response(text=text, content_type="text/event-stream")

    async def refuse(_: web.Request) -> web.Response:
        return web.json_response({"error": {"message": "bad key sk-hunter2"}}, status=401)

    routes = (web.post("/v1/chat/completions", complete), web.post("/no/chat/completions", refuse))
    async with served(*routes) as url:
        choice = await choose_model(ModelConfig(model="openai:local", base_url=f"{url}/v1"))
        assert isinstance(choice.model, LangChainModel)
        assert await streamed(choice.model) == "It was."
        assert await choice.model.complete(PROMPT, PLAIN, {"type": "object"}) == "whole"
        refused = await choose_model(ModelConfig(model="openai:local", base_url=f"{url}/no"))
        assert isinstance(refused.model, LangChainModel)
        with pytest.raises(ModelUnavailableError, match=r"refused the key \(HTTP 401\)$"):
            await streamed(refused.model)
    assert choice.name == "openai:local"
    assert seen[0]["max_tokens"] == 700
    assert seen[1]["response_format"]["type"] == "json_schema"


async def test_auto_prefers_llama_and_says_so() -> None:
    async with run_ollama(models=("mistral:7b", "llama3.1:latest")) as running:
        choice = await choose_model(ModelConfig(ollama_url=running.url))
    assert choice.name == "ollama:llama3.1"
    assert choice.model is not None
    assert "llama3.1 of Ollama" in choice.note


async def test_auto_takes_the_first_model_that_chats_and_recommends_a_better_one() -> None:
    models = ("nomic-embed-text:latest", "qwen2.5:1.5b")
    async with run_ollama(models=models) as running:
        choice = await choose_model(ModelConfig(ollama_url=running.url))
    assert choice.name == "ollama:qwen2.5:1.5b"
    assert "ollama pull llama3.1" in choice.note


async def test_a_model_that_was_not_pulled_is_found_out_before_anyone_asks() -> None:
    async with run_ollama(models=("mistral:latest",)) as running:
        clock = ManualClock(NOW)
        models = Models(ModelConfig(model="ollama:llama3.1", ollama_url=running.url), clock)
        choice = await models.current()
        assert choice.model is None
        assert "run `ollama pull llama3.1`" in choice.note
        running.models = ("llama3.1:latest",)
        clock.advance(timedelta(seconds=61))
        assert (await models.current()).name == "ollama:llama3.1"


@pytest.mark.parametrize(("wanted", "used"), [(8192, 2048), (1024, 1024)])
async def test_a_prompt_is_never_longer_than_what_the_model_was_made_for(
    wanted: int, used: int
) -> None:
    async with run_ollama(context_length=2048) as running:
        config = ModelConfig(ollama_url=running.url, context_tokens=wanted)
        choice = await choose_model(config)
    assert choice.model is not None
    assert choice.model.context_tokens == used
    assert f"reads {used:,} of its 2,048 tokens" in choice.note


@pytest.mark.parametrize("body", ["[]", '{"model_info": {"a.context_length": "x"}}', "nonsense"])
async def test_a_server_that_talks_nonsense_of_a_model_is_not_believed(body: str) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=body, content_type="application/json")

    async with served(web.post("/api/show", answer)) as url:
        assert await show_model(url, "llama3.1") is None
        choice = await choose_model(ModelConfig(model="ollama:llama3.1", ollama_url=url))
    assert choice.model is not None
    assert "does not answer" in choice.note


async def test_auto_without_chat_models_says_what_to_pull() -> None:
    async with run_ollama(models=("nomic-embed-text:latest",)) as running:
        choice = await choose_model(ModelConfig(ollama_url=running.url))
    assert choice.model is None
    assert choice.name == "extractive"
    assert "has no chat model" in choice.note
    assert "ollama pull llama3.1" in choice.note


async def test_auto_without_ollama_quotes_and_hides_the_password() -> None:
    url = closed_port_url().replace("http://", "http://user:hunter2@")
    choice = await choose_model(ModelConfig(ollama_url=url))
    assert choice.model is None
    assert "does not answer" in choice.note
    assert "hunter2" not in choice.note


async def test_a_silent_server_is_given_up_in_time() -> None:
    async def hang(_: web.Request) -> web.Response:
        await asyncio.sleep(3600)
        return web.Response()

    async with served(web.get("/api/tags", hang)) as url:
        assert await ollama_models(url, limit_seconds=0.1) is None


@pytest.mark.parametrize("body", ["[]", "{}", '{"models": 3}', "nonsense", '{"models": [1, {}]}'])
async def test_a_server_that_is_not_ollama_has_no_models(body: str) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=body, content_type="application/json")

    async with served(web.get("/api/tags", answer)) as url:
        assert not await ollama_models(url)


async def test_what_a_model_can_do_is_believed_over_its_name() -> None:
    async def tags(_: web.Request) -> web.Response:
        rows = [
            {"name": "a", "capabilities": ["embedding"]},
            {"name": "b", "details": {"family": "bert"}},
            {"name": "c", "capabilities": ["completion", "tools"]},
        ]
        return web.json_response({"models": rows})

    async with served(web.get("/api/tags", tags)) as url:
        assert await ollama_models(url) == ("c",)


async def test_extractive_asks_nobody() -> None:
    choice = await choose_model(ModelConfig(model="extractive"))
    assert (choice.model, choice.name) == (None, "extractive")


async def test_a_bare_name_is_a_model_of_ollama() -> None:
    choice = await choose_model(ModelConfig(model="llama3.1:8b"))
    assert choice.name == "ollama:llama3.1:8b"


async def test_a_provider_that_is_not_installed_says_what_to_install() -> None:
    choice = await choose_model(ModelConfig(model="anthropic:claude-x"))
    assert choice.model is None
    assert "install langchain-anthropic" in choice.note


async def test_settings_that_a_provider_refuses_leave_the_bot_without_a_model() -> None:
    choice = await choose_model(ModelConfig(model="ollama:llama3.1", temperature="hot"))  # type: ignore[arg-type]
    assert choice.model is None
    assert "cannot be used with these settings" in choice.note


async def test_ollama_that_comes_up_later_is_found_within_a_minute() -> None:
    clock = ManualClock(NOW)
    async with run_ollama(models=()) as running:
        models = Models(ModelConfig(ollama_url=running.url), clock)
        assert (await models.current()).model is None
        running.models = ("llama3.1:latest",)
        clock.advance(timedelta(seconds=30))
        assert (await models.current()).model is None
        clock.advance(timedelta(seconds=31))
        assert (await models.current()).name == "ollama:llama3.1"
        asked = len(running.requests)
        clock.advance(timedelta(hours=1))
        assert (await models.current()).name == "ollama:llama3.1"
        assert len(running.requests) == asked
        running.models = ("mistral:latest",)
        models.lost("ollama:other")
        assert (await models.current()).name == "ollama:llama3.1"
        models.lost()
        assert (await models.current()).name == "ollama:mistral"


async def test_a_model_can_be_named_for_one_question() -> None:
    models = Models(ModelConfig(model="extractive"), ManualClock(NOW))
    assert (await models.current("ollama:mistral")).name == "ollama:mistral"
    assert (await models.current()).name == "extractive"
    for number in range(10):
        await models.current(f"ollama:m{number}")
    assert len(models._chosen) <= 8


async def test_an_embedder_finds_its_size_and_gives_unit_vectors() -> None:
    async with run_ollama(models=("nomic-embed-text:latest",)) as running:
        config = ModelConfig(ollama_url=running.url)
        embedder = await open_embedder("ollama:nomic-embed-text", config)
        vectors = await embedder.embed(["memory limit", "disk"])
        assert await embedder.embed([]) == []
    assert embedder.name == "ollama:nomic-embed-text"
    assert {len(vector) for vector in vectors} == {embedder.size}
    assert all(abs(sum(v * v for v in vector) - 1) < 1e-6 for vector in vectors)


@pytest.mark.parametrize(
    ("reply", "wrong"),
    [
        ({"embeddings": [[0.0, 0.0]]}, "empty vector"),
        ({"embeddings": []}, "0 vectors for 1 texts"),
        ({"error": "boom"}, "failed"),
    ],
)
async def test_an_embedder_that_answers_nonsense_is_an_error_with_a_remedy(
    reply: dict[str, Any], wrong: str
) -> None:
    async def embed(_: web.Request) -> web.Response:
        return web.json_response({"model": "x", **reply}, status=500 if "error" in reply else 200)

    async with served(web.post("/api/embed", embed)) as url:
        with pytest.raises(KnowledgeError, match=wrong) as caught:
            await open_embedder("ollama:nomic-embed-text", ModelConfig(ollama_url=url))
    assert "EMBED_MODEL" in caught.value.remedy


async def test_an_embedder_that_changes_its_size_or_is_late_is_an_error() -> None:
    sizes = iter([3, 2])

    async def embed(_: web.Request) -> web.Response:
        size = next(sizes, None)
        if size is None:
            await asyncio.sleep(3600)
        return web.json_response({"model": "x", "embeddings": [[1.0] * (size or 1)]})

    async with served(web.post("/api/embed", embed)) as url:
        embedder = await open_embedder("ollama:e", ModelConfig(ollama_url=url), timeout_seconds=1)
        with pytest.raises(KnowledgeError, match="another length"):
            await embedder.embed(["a"])
        with pytest.raises(KnowledgeError, match="within 1 s"):
            await embedder.embed(["a"])


async def test_an_embedder_of_another_server_sends_text() -> None:
    seen: list[Any] = []

    async def embed(request: web.Request) -> web.Response:
        body = await request.json()
        seen.append(body["input"])
        rows = [
            {"object": "embedding", "index": n, "embedding": [3.0, 4.0]}
            for n, _ in enumerate(body["input"])
        ]
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        return web.json_response({"object": "list", "data": rows, "model": "e", "usage": usage})

    async with served(web.post("/v1/embeddings", embed)) as url:
        embedder = await open_embedder("openai:e", ModelConfig(base_url=f"{url}/v1"))
        assert await embedder.embed(["one", "two"]) == [[0.6, 0.8], [0.6, 0.8]]
    assert seen[-1] == ["one", "two"]


async def test_an_unknown_embedding_provider_is_an_error() -> None:
    with pytest.raises(KnowledgeError, match="cannot be set up"):
        await open_embedder("nowhere:e", ModelConfig())


def test_a_config_shows_no_key_and_no_password() -> None:
    config = ModelConfig(api_key="sk-hunter2", ollama_url="http://u:hunter2@host:11434")
    assert "hunter2" not in repr(config)
    assert shown_url("http://u:p@host:1/x") == "http://host:1/x"
