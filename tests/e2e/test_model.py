"""The same program with a model: Ollama's API, spoken by the real client, a script behind it."""

from __future__ import annotations

from pathlib import Path

from sandbox.ollama.scripts import broken, hostile
from sandbox.ollama.server import run_ollama
from tests.e2e.program import running_demo


async def test_a_model_that_is_there_words_the_answer_and_is_named(tmp_path: Path) -> None:
    async with (
        run_ollama() as ollama,
        running_demo(tmp_path / "data", LLM_MODEL="auto", OLLAMA_BASE_URL=ollama.url) as demo,
    ):
        assert "llama3.1 of Ollama" in demo.printed
        answer = await demo.mention("why does payments keep restarting?")
        # A streamed answer has its footer in its blocks alone.
        assert "llama3.1" in str(answer["blocks"])
        assert "[1]" in answer["text"]
        # The digest is worded at the same time.
        asked = next(chat for chat in ollama.chats() if "keep restarting" in str(chat.messages))
        assert asked.model.startswith("llama3.1")
        assert asked.options["num_ctx"] == 8192
        assert "256Mi" in str(asked.messages), "the live facts are in the prompt"


async def test_the_worst_model_is_harmless(tmp_path: Path) -> None:
    async with (
        run_ollama(script=hostile) as ollama,
        running_demo(tmp_path / "data", LLM_MODEL="auto", OLLAMA_BASE_URL=ollama.url) as demo,
    ):
        text = (await demo.ask("why does payments keep restarting?"))["text"]
        assert "OOMKilled" in text
        assert "<!channel>" not in text
        assert "delete ns" not in text
        assert "delete namespace" not in text


async def test_a_model_that_breaks_off_leaves_a_quoted_answer_that_says_so(tmp_path: Path) -> None:
    async with (
        run_ollama(script=broken) as ollama,
        running_demo(tmp_path / "data", LLM_MODEL="auto", OLLAMA_BASE_URL=ollama.url) as demo,
    ):
        text = (await demo.ask("why does payments keep restarting?"))["text"]
        assert "The model did not answer" in text
        assert "256Mi" in text
