"""Chat models and embedders by LangChain: any provider by name, Ollama's by themselves.

The only module that knows LangChain, hence longer than others. LangChain is imported inside the
functions that build: it takes a second to load, and a bot without a model never pays for it.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from core.answers import GenerationOptions
from core.clock import Clock
from core.errors import KnowledgeError
from knowledge.ollama import ollama_models, proxies, show_model, shown_url
from knowledge.ports import Model, ModelCall, ModelUnavailableError, Prompt
from knowledge.sentences import word_set
from knowledge.waiting import ModelLine

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage

EXTRACTIVE = "extractive"
RECOMMENDED = "llama3.1"
PROBE_AGAIN = timedelta(seconds=60)

_PROVIDERS = word_set(
    """anthropic azure_ai azure_openai bedrock bedrock_converse cohere deepseek fireworks
    google_genai google_vertexai groq huggingface ibm litellm mistralai nvidia ollama openai
    openrouter perplexity together upstage xai"""
)
_KEPT_CLIENTS = 8


OnCall = Callable[[ModelCall], None]


def _nobody(_: ModelCall) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """A chat model and its parameters.

    Attributes:
        model: "auto", "extractive", "provider:name", or the name of a model of Ollama.
        ollama_url: Where Ollama listens; may carry user:password@.
        base_url: Address of an OpenAI-compatible server, or of another provider's.
        stop: Sequences at which generation ends.
        context_tokens: Room for prompt and answer together; sent to Ollama as num_ctx.
        timeout_seconds: For a whole answer.
        first_token_seconds: Until the first word; covers loading the model.
        keep_alive: How long Ollama keeps the model in memory.
        at_once: How many answers the model may work on; a local one is best left alone.
        longest_line: How many questions may wait for it.
    """

    model: str = "auto"
    ollama_url: str = "http://127.0.0.1:11434"
    base_url: str = ""
    api_key: str = ""
    temperature: float = 0.1
    max_tokens: int = 700
    stop: tuple[str, ...] = ()
    context_tokens: int = 8192
    timeout_seconds: float = 90.0
    first_token_seconds: float = 60.0
    keep_alive: str = "10m"
    at_once: int = 1
    longest_line: int = 20

    def __repr__(self) -> str:  # a key must not reach a log by way of a dataclass
        return f"ModelConfig(model={self.model!r}, ollama_url={shown_url(self.ollama_url)!r})"


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """The model to ask, if any.

    Attributes:
        model: None: answers are quoted from what was found.
        name: "ollama:llama3.1", or "extractive".
        note: Which one, why, and what to do for a better one; whole sentences.
        room: The part of the note on how much it reads at once, or ''.
    """

    model: Model | None
    name: str
    note: str
    room: str = ""


class LangChainModel:
    """A chat model of any provider that LangChain knows.

    Args:
        config: `model` must be "provider:name" here.
        on_call: Told of every call that is over.

    Raises:
        ModelUnavailableError: The provider is not known or its package is not installed.
    """

    def __init__(self, config: ModelConfig, on_call: OnCall = _nobody) -> None:
        self._config = config
        self._on_call = on_call
        self._chats: dict[tuple[object, ...], BaseChatModel] = {}
        self._chat(GenerationOptions())

    @property
    def name(self) -> str:
        """As "ollama:llama3.1"."""
        return self._config.model

    @property
    def context_tokens(self) -> int:
        """Room for prompt and answer together."""
        return self._config.context_tokens

    @property
    def max_tokens(self) -> int:
        """The longest answer."""
        return self._config.max_tokens

    async def stream(self, prompt: Prompt, options: GenerationOptions) -> AsyncIterator[str]:
        """Text as it is generated.

        Raises:
            ModelUnavailableError: No first word or no end in time, or the provider failed.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + self._config.timeout_seconds
        first_end = min(end, loop.time() + self._config.first_token_seconds)
        thinking = _WithoutThinking()
        has_begun = False
        async with aclosing(self._chunks(prompt, options)) as chunks:
            while True:
                try:
                    async with asyncio.timeout_at(end if has_begun else first_end):
                        text = await anext(chunks, None)
                except TimeoutError as error:
                    raise self._too_slow(has_begun=has_begun) from error
                if text is None:
                    return
                has_begun = has_begun or bool(text)
                if shown := thinking.feed(text):
                    yield shown

    @contextmanager
    def _told(self) -> Iterator[Counter[str]]:
        """Tell of the call in this block, which counts its tokens, once it is over."""
        used, began, outcome = Counter[str](), time.monotonic(), "failed"
        try:
            yield used
            outcome = "whole"
        except GeneratorExit:
            outcome = "stopped"
            raise
        except asyncio.CancelledError:
            outcome = "cancelled"
            raise
        finally:
            seconds = time.monotonic() - began
            prompt, answer = used["input_tokens"], used["output_tokens"]
            self._on_call(ModelCall(self.name, outcome, seconds, prompt, answer))

    async def _chunks(
        self, prompt: Prompt, options: GenerationOptions
    ) -> AsyncGenerator[str, None]:
        try:
            with self._told() as used:
                stream = self._chat(options).astream(_messages(prompt), **self._call(options))
                async for chunk in stream:
                    _count(used, chunk)
                    yield chunk.text
        except ModelUnavailableError:
            raise
        except Exception as error:  # every provider has errors of its own: this is the border
            raise ModelUnavailableError(self._why(error)) from error

    async def complete(
        self, prompt: Prompt, options: GenerationOptions, schema: Mapping[str, object] | None = None
    ) -> str:
        """The whole text at once; with `schema`, the provider is told to fit JSON to it.

        Raises:
            ModelUnavailableError: No answer in time, or the provider failed.
        """
        call = self._call(options) | self._format(schema)
        try:
            async with asyncio.timeout(self._config.timeout_seconds):
                with self._told() as used:
                    reply = await self._chat(options).ainvoke(_messages(prompt), **call)
                    _count(used, reply)
        except TimeoutError as error:
            raise self._too_slow(has_begun=True) from error
        except ModelUnavailableError:
            raise
        except Exception as error:  # every provider has errors of its own: this is the border
            raise ModelUnavailableError(self._why(error)) from error
        thinking = _WithoutThinking()
        return thinking.feed(reply.text) + thinking.rest

    def _chat(self, options: GenerationOptions) -> BaseChatModel:
        """A client with these parameters; LangChain fixes most of them when it is built."""
        config = self._config
        temperature = config.temperature if options.temperature is None else options.temperature
        max_tokens = options.max_tokens or config.max_tokens
        key = (temperature, max_tokens)
        if key not in self._chats:
            if len(self._chats) >= _KEPT_CLIENTS:
                self._chats.clear()
            self._chats[key] = _build(config, temperature, max_tokens)
        return self._chats[key]

    def _call(self, options: GenerationOptions) -> dict[str, Any]:
        stop = self._config.stop if options.stop is None else options.stop
        return {"stop": list(stop)} if stop else {}

    def _format(self, schema: Mapping[str, object] | None) -> dict[str, Any]:
        if schema is None:
            return {}
        if self.name.startswith("ollama:"):
            return {"format": dict(schema)}
        if self.name.startswith(("openai:", "azure_openai:")):
            wanted = {"name": "reply", "schema": dict(schema), "strict": True}
            return {"response_format": {"type": "json_schema", "json_schema": wanted}}
        return {}

    def _too_slow(self, *, has_begun: bool) -> ModelUnavailableError:
        config = self._config
        what, seconds = "finish", config.timeout_seconds
        if not has_begun:
            what, seconds = "begin to answer", min(seconds, config.first_token_seconds)
        return ModelUnavailableError(f"{self.name} did not {what} within {seconds:g} s")

    def _why(self, error: BaseException) -> str:
        """Words of our own: a provider's message may carry addresses, keys or the prompt."""
        status = getattr(error, "status_code", None)
        bare = self.name.partition(":")[2]
        if self.name.startswith("ollama:") and status == 404:
            return f"Ollama has no model {bare}: run `ollama pull {bare}`"
        if isinstance(error, ConnectionError) or "Connect" in type(error).__name__:
            return f"{self.name} could not be reached"
        if status in {401, 403}:
            return f"{self.name} refused the key (HTTP {status})"
        if isinstance(status, int) and status > 0:
            return f"{self.name} answered with HTTP {status}"
        return f"{self.name} failed ({type(error).__name__})"


class _WithoutThinking:
    """Drops a leading <think>…</think>, which is the model's note to itself."""

    def __init__(self) -> None:
        self._held: str | None = ""
        self._is_blank_so_far = True

    def feed(self, text: str) -> str:
        text = self._said(text)
        if self._is_blank_so_far:
            text = text.lstrip()
            self._is_blank_so_far = not text
        return text

    def _said(self, text: str) -> str:
        if self._held is None:
            return text
        self._held += text
        start = self._held.lstrip()
        if start.startswith("<think>"):
            _, closed, rest = start.partition("</think>")
            if not closed:
                return ""
            self._held = None
            return rest
        if "<think>".startswith(start[:7]) and len(start) < 7:
            return ""
        shown, self._held = self._held, None
        return shown

    @property
    def rest(self) -> str:
        """What was held back in case it became a thought, and did not."""
        held = self._held or ""
        return "" if held.lstrip().startswith("<think>") else held


def _count(used: Counter[str], message: AIMessage) -> None:
    """Add the tokens that a provider tells of, most with the last piece only."""
    told = message.usage_metadata
    if told:
        used.update(input_tokens=told["input_tokens"], output_tokens=told["output_tokens"])


def _messages(prompt: Prompt) -> list[tuple[str, str]]:
    return [("system", prompt.system), ("human", prompt.user)]


def _build(config: ModelConfig, temperature: float, max_tokens: int) -> BaseChatModel:
    from langchain.chat_models import init_chat_model  # noqa: PLC0415  (a second to load)

    provider = config.model.partition(":")[0]
    # One connection a call: kept ones would outlive the event loop that opened them.
    headers = {"Connection": "close"}
    params: dict[str, Any] = {"temperature": temperature}
    if provider == "ollama":
        params |= {
            "base_url": config.ollama_url,
            "num_ctx": config.context_tokens,
            "num_predict": max_tokens,
            "keep_alive": config.keep_alive,
            "client_kwargs": {"headers": headers, "timeout": config.timeout_seconds + 5}
            | proxies(config.ollama_url),
        }
    else:
        params |= {"timeout": config.timeout_seconds, "max_retries": 1}
        if config.api_key:
            params["api_key"] = config.api_key
        if config.base_url:
            params["base_url"] = config.base_url
        if provider == "openai":
            params |= {"default_headers": headers}
        if provider == "openai" and config.base_url:
            # Servers that speak OpenAI's protocol know max_tokens, few know its successor, and
            # most want no key, which the client insists on.
            params |= {"extra_body": {"max_tokens": max_tokens}, "use_responses_api": False}
            params.setdefault("api_key", "none")
        else:
            params["max_tokens"] = max_tokens
    try:
        chat: BaseChatModel = init_chat_model(config.model, **params)
    except ImportError as error:
        raise ModelUnavailableError(
            f"{config.model} needs a package that is not installed: "
            f"install langchain-{provider.replace('_', '-')}"
        ) from error
    except Exception as error:  # providers validate their parameters each in its own way
        raise ModelUnavailableError(
            f"{config.model} cannot be used with these settings ({type(error).__name__})"
        ) from error
    return chat


async def choose_model(config: ModelConfig, on_call: OnCall = _nobody) -> ModelChoice:
    """Decide which model words the answers. Never raises: without one, answers are quoted."""
    if config.model == EXTRACTIVE:
        return ModelChoice(None, EXTRACTIVE, "No model is configured; answers are quoted.")
    if config.model == "auto":
        return await _choose_from_ollama(config, on_call)
    provider = config.model.partition(":")[0]
    full = config.model if provider in _PROVIDERS else f"ollama:{config.model}"
    config = replace(config, model=full)
    room = ""
    if full.startswith("ollama:"):
        shown = await show_model(config.ollama_url, bare := full.removeprefix("ollama:"))
        where = shown_url(config.ollama_url)
        if shown is None:
            room = f" Ollama does not answer at {where} now."
        elif not shown.is_pulled:
            note = f"Ollama at {where} has no model {bare}: run `ollama pull {bare}`."
            return ModelChoice(None, EXTRACTIVE, f"{note} Answers are quoted until then.")
        elif shown.context_tokens:
            most = shown.context_tokens
            config = replace(config, context_tokens=min(config.context_tokens, most))
            room = f" It reads {config.context_tokens:,} of its {most:,} tokens at once."
    try:
        # LangChain and its providers load from disk: not on the event loop.
        model = await asyncio.to_thread(LangChainModel, config, on_call)
    except ModelUnavailableError as error:
        return ModelChoice(None, EXTRACTIVE, f"{error}. Answers are quoted until then.")
    return ModelChoice(model, full, f"{full} words the answers, as configured.{room}", room)


async def _choose_from_ollama(config: ModelConfig, on_call: OnCall) -> ModelChoice:
    where = shown_url(config.ollama_url)
    pull = f"`ollama pull {RECOMMENDED}`"
    names = await ollama_models(config.ollama_url)
    if names is None:
        note = (
            f"Ollama does not answer at {where}, so answers are quoted from what is found. "
            f"Start it and run {pull}; it is tried again every minute."
        )
        return ModelChoice(None, EXTRACTIVE, note)
    if not names:
        note = f"Ollama at {where} has no chat model: run {pull}. Answers are quoted until then."
        return ModelChoice(None, EXTRACTIVE, note)
    best = next((name for name in names if name.partition(":")[0] == RECOMMENDED), "")
    name = (best or names[0]).removesuffix(":latest")
    choice = await choose_model(replace(config, model=f"ollama:{name}"), on_call)
    if choice.model is None:
        return choice
    note = f"{name} of Ollama at {where} words the answers."
    if not best:
        note = (
            f"Ollama at {where} has no {RECOMMENDED}, so {name} words the answers. "
            f"Run {pull} for better ones."
        )
    return ModelChoice(choice.model, choice.name, note + choice.room)


class Models:
    """The model of the moment.

    With "auto", a bot that began without Ollama finds it when it comes up: while there is no
    model, it is looked for again every minute, when someone asks.
    """

    def __init__(self, config: ModelConfig, clock: Clock, on_call: OnCall = _nobody) -> None:
        self._config = config
        self._clock = clock
        self._on_call = on_call
        self._chosen: dict[str, tuple[ModelChoice, datetime]] = {}
        self._lock = asyncio.Lock()
        self._line = ModelLine(config.at_once, config.longest_line)

    @property
    def line(self) -> ModelLine:
        """Where whoever wants the model's words waits first."""
        return self._line

    @property
    def config(self) -> ModelConfig:
        """The configured parameters."""
        return self._config

    async def current(self, name: str | None = None) -> ModelChoice:
        """The configured model, or the one of this name. Never raises."""
        wanted = name or self._config.model
        async with self._lock:
            held = self._chosen.get(wanted)
            if held is not None and not self._is_stale(wanted, *held):
                return held[0]
            choice = await choose_model(replace(self._config, model=wanted), self._on_call)
            if len(self._chosen) >= _KEPT_CLIENTS:
                self._chosen.clear()
            self._chosen[wanted] = (choice, self._clock.now())
            return choice

    def lost(self, name: str | None = None) -> None:
        """The model failed: with "auto", look again at the next question whether it is there."""
        if (name or self._config.model) == "auto":
            self._chosen.pop("auto", None)

    def _is_stale(self, wanted: str, choice: ModelChoice, since: datetime) -> bool:
        is_without = choice.model is None and wanted != EXTRACTIVE
        return is_without and self._clock.now() - since >= PROBE_AGAIN


class LangChainEmbedder:
    """Dense vectors from a provider that LangChain knows, such as "ollama:nomic-embed-text".

    Build it with `open_embedder`, which finds the size.
    """

    def __init__(
        self, name: str, size: int, embeddings: Embeddings, timeout_seconds: float
    ) -> None:
        self._name = name
        self._size = size
        self._embeddings = embeddings
        self._timeout_seconds = timeout_seconds

    @property
    def name(self) -> str:
        """As configured; another name means another collection."""
        return self._name

    @property
    def size(self) -> int:
        """Length of each vector."""
        return self._size

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One unit-length vector a text, in order.

        Raises:
            KnowledgeError: The provider failed, took too long or answered something else.
        """
        if not texts:
            return []
        vectors = await _embed(self._embeddings, self._name, texts, self._timeout_seconds)
        if any(len(vector) != self._size for vector in vectors):
            raise _embedding_failed(self._name, "it answered with vectors of another length")
        return vectors


async def open_embedder(
    name: str, config: ModelConfig, timeout_seconds: float = 60.0
) -> LangChainEmbedder:
    """Connect to an embedding model and find its size by one probe.

    Raises:
        KnowledgeError: It cannot be reached or is not installed.
    """
    embeddings = await asyncio.to_thread(_build_embeddings, name, config)
    probe = await _embed(embeddings, name, ["size"], timeout_seconds)
    return LangChainEmbedder(name, len(probe[0]), embeddings, timeout_seconds)


def _build_embeddings(name: str, config: ModelConfig) -> Embeddings:
    from langchain.embeddings import init_embeddings  # noqa: PLC0415  (a second to load)

    provider = name.partition(":")[0]
    params: dict[str, Any] = {}
    headers = {"Connection": "close"}
    if provider == "ollama":
        params["base_url"] = config.ollama_url
        params["client_kwargs"] = {"headers": headers} | proxies(config.ollama_url)
    elif provider == "openai":
        params |= {"default_headers": headers, "api_key": config.api_key or "none"}
        if config.base_url:
            # Other servers take text, not the tokens of OpenAI's own tokenizer.
            params |= {"base_url": config.base_url, "check_embedding_ctx_length": False}
    try:
        embeddings: Embeddings = init_embeddings(name, **params)
    except Exception as error:  # providers validate their parameters each in its own way
        wrong = f"it cannot be set up ({type(error).__name__})"
        raise _embedding_failed(name, wrong) from error
    return embeddings


async def _embed(
    embeddings: Embeddings, name: str, texts: Sequence[str], timeout_seconds: float
) -> list[list[float]]:
    try:
        async with asyncio.timeout(timeout_seconds):
            raw = await embeddings.aembed_documents(list(texts))
    except TimeoutError as error:
        wrong = f"it did not answer within {timeout_seconds:g} s"
        raise _embedding_failed(name, wrong) from error
    except Exception as error:  # every provider has errors of its own: this is the border
        raise _embedding_failed(name, f"it failed ({type(error).__name__})") from error
    if len(raw) != len(texts):
        raise _embedding_failed(name, f"it gave {len(raw)} vectors for {len(texts)} texts")
    return [_unit_length(name, vector) for vector in raw]


def _unit_length(name: str, vector: Sequence[float]) -> list[float]:
    length = math.sqrt(sum(value * value for value in vector))
    if not length or not math.isfinite(length):
        raise _embedding_failed(name, "it gave an empty vector")
    return [value / length for value in vector]


def _embedding_failed(name: str, wrong: str) -> KnowledgeError:
    remedy = "Check EMBED_MODEL and its server; for Ollama run `ollama pull` with the model's name."
    return KnowledgeError(f"embed texts with {name}", wrong, remedy)
