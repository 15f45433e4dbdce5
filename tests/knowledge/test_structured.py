"""Structured replies through the real LangChain client, and the parser by itself."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.answers import GenerationOptions
from knowledge.models import LangChainModel, ModelConfig
from knowledge.ports import ModelUnavailableError, Prompt
from knowledge.structured import BadReplyError, complete_json, json_schema, parse
from sandbox.ollama import scripts
from sandbox.ollama.server import RunningOllama, run_ollama
from tests.knowledge.fakes import let_go

PROMPT = Prompt("You sort errors.", "The disk is full.")


class Level(StrEnum):
    LOW = "low"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Sign:
    word: str


@dataclass(frozen=True, slots=True)
class Verdict:
    level: Level
    signs: tuple[Sign, ...] = ()

    def __post_init__(self) -> None:
        if self.level is Level.HIGH and not self.signs:
            raise ValueError("a high level needs a sign")


GOOD = json.dumps({"level": "high", "signs": [{"word": "full"}]})


@asynccontextmanager
async def model(
    replies: Sequence[str], context_tokens: int = 4096
) -> AsyncIterator[tuple[LangChainModel, RunningOllama]]:
    async with run_ollama(scripts.repeating(list(replies))) as running:
        config = ModelConfig("ollama:llama3.1", running.url, context_tokens=context_tokens)
        yield LangChainModel(config), running


async def test_a_reply_becomes_an_object_and_the_provider_is_told_its_schema() -> None:
    async with model([GOOD]) as (it, running):
        assert await complete_json(it, PROMPT, Verdict) == Verdict(Level.HIGH, (Sign("full"),))
    assert running.chats()[0].body["format"] == json_schema(Verdict)


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        ("It is bad.", "no JSON object"),
        ('{"level": "high", ', "no JSON object"),
        ("{]}", "malformed"),
        ('{"level": "dire"}', "Invalid enum value 'dire' - at `$.level`"),
        ('{"level": "high"}', "a high level needs a sign"),
        ("{}", "missing required field `level`"),
    ],
)
async def test_what_is_wrong_is_sent_back_once(reply: str, problem: str) -> None:
    async with model([reply, GOOD]) as (it, running):
        assert (await complete_json(it, PROMPT, Verdict)).level is Level.HIGH
    first, again = (chat.messages[-1]["content"] for chat in running.chats())
    assert again.startswith(first)
    assert problem in again
    assert reply in again
    assert '"level", "signs"' in again


async def test_a_second_bad_reply_is_the_last_one() -> None:
    async with model(["no", '{"level": 3}', GOOD]) as (it, running):
        with pytest.raises(BadReplyError, match="Expected `str`, got `int`"):
            await complete_json(it, PROMPT, Verdict)
    assert len(running.chats()) == 2


async def test_no_repair_is_asked_where_it_would_not_fit() -> None:
    options = GenerationOptions(max_tokens=300, stream=False)
    async with model(["no", GOOD], context_tokens=380) as (it, running):
        with pytest.raises(BadReplyError):
            await complete_json(it, PROMPT, Verdict, options)
    assert len(running.chats()) == 1


async def test_a_lost_model_is_no_bad_reply() -> None:
    async with run_ollama(scripts.failing) as running:
        it = LangChainModel(ModelConfig("ollama:llama3.1", running.url))
        with pytest.raises(ModelUnavailableError):
            await complete_json(it, PROMPT, Verdict)
    await let_go()


def test_the_schema_is_in_one_piece_and_strict() -> None:
    assert json_schema(Verdict) == {
        "title": "Verdict",
        "type": "object",
        "properties": {
            "level": {"title": "Level", "enum": ["high", "low"], "type": "string"},
            "signs": {
                "type": "array",
                "items": {
                    "title": "Sign",
                    "type": "object",
                    "properties": {"word": {"type": "string"}},
                    "required": ["word"],
                    "additionalProperties": False,
                },
            },
        },
        "required": ["level", "signs"],
        "additionalProperties": False,
    }


def test_json_is_found_among_other_words() -> None:
    assert parse(f"Here you are:\n```json\n{GOOD}\n```\nBye.", Verdict).level is Level.HIGH


@given(st.text())
def test_no_reply_breaks_the_parser(reply: str) -> None:
    for text in (reply, "{" + reply + "}", '{"level": "' + reply + '"}'):
        with suppress(BadReplyError):
            assert isinstance(parse(text, Verdict), Verdict)


def test_a_reply_nested_without_end_is_a_bad_one() -> None:
    with pytest.raises(BadReplyError, match="recursion"):
        parse('{"level": "low", "x": ' + '{"a": ' * 100_000 + "}", Verdict)
