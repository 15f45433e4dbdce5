"""Asks an Ollama server what it has. Everything else about models goes through `models`."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx

PROBE_SECONDS = 1.5
_EMBEDS = re.compile(
    r"embed|minilm|\bbge\b|bge-|\be5\b|gte-|rerank|arctic-embed|paraphrase", re.IGNORECASE
)
_PROBE_FAILURES = (
    TimeoutError, httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError,
)  # fmt: skip
_EMBEDDING_FAMILIES = frozenset({"bert", "nomic-bert", "xlm-roberta"})


def proxies(url: str) -> dict[str, bool]:
    """A proxy for the outside world has no business between the bot and this machine."""
    host = urlsplit(url).hostname or ""
    return {"trust_env": host not in {"127.0.0.1", "localhost", "::1"}}


def shown_url(url: str) -> str:
    """An address without user and password."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


@dataclass(frozen=True, slots=True)
class Shown:
    """What Ollama tells of a model.

    Attributes:
        is_pulled: False: it has no such model.
        context_tokens: What the model was made for; 0 where Ollama does not say.
    """

    is_pulled: bool
    context_tokens: int = 0


async def show_model(url: str, name: str, limit_seconds: float = PROBE_SECONDS) -> Shown | None:
    """What Ollama knows of a model, or None when it does not answer in time or makes no sense."""
    try:
        async with _client(url, limit_seconds) as client:
            reply = await client.post(f"{url.rstrip('/')}/api/show", json={"model": name})
            if reply.status_code == httpx.codes.NOT_FOUND:
                return Shown(is_pulled=False)
            reply.raise_for_status()
            info = reply.json().get("model_info") or {}
            lengths = [info[key] for key in info if key.endswith(".context_length")]
            return Shown(is_pulled=True, context_tokens=int(lengths[0]) if lengths else 0)
    except (*_PROBE_FAILURES, AttributeError):
        return None


async def ollama_models(url: str, limit_seconds: float = PROBE_SECONDS) -> tuple[str, ...] | None:
    """Names of the chat models that Ollama has pulled, or None when it does not answer in time."""
    try:
        async with _client(url, limit_seconds) as client:
            reply = await client.get(f"{url.rstrip('/')}/api/tags")
            reply.raise_for_status()
            listed = reply.json()["models"]
    except _PROBE_FAILURES:
        return None
    if not isinstance(listed, list):
        return None
    return tuple(str(m["name"]) for m in listed if isinstance(m, dict) and _is_chat_model(m))


@asynccontextmanager
async def _client(url: str, limit_seconds: float) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        asyncio.timeout(limit_seconds),
        httpx.AsyncClient(timeout=limit_seconds, trust_env=proxies(url)["trust_env"]) as client,
    ):
        yield client


def _is_chat_model(listed: Mapping[str, Any]) -> bool:
    name = listed.get("name")
    if not isinstance(name, str) or _EMBEDS.search(name):
        return False
    capabilities = listed.get("capabilities")
    if isinstance(capabilities, list) and capabilities:
        return "completion" in capabilities
    details = listed.get("details")
    family = details.get("family") if isinstance(details, dict) else None
    return family not in _EMBEDDING_FAMILIES
