"""`opsbot eval answers`: what the chain answers from a corpus alone, without a cluster.

The model is that of LLM_MODEL; `auto` means extractive here, so that a run on one machine says what
it says on another. The index is the one that `opsbot eval retrieval` keeps.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from bot.bars import Show, progress_bars
from bot.evals.files import write_run
from bot.evals.retrieval import EvalQuestion, check_files, open_index
from bot.modelsetting import model_config
from bot.settings import load_settings
from core.answers import Answer, Inquiry
from core.clock import SystemClock
from core.errors import OpsbotError
from knowledge.blocks import blocks
from knowledge.chain import ChainLimits, RagChain
from knowledge.index import IndexProgress
from knowledge.models import EXTRACTIVE, Models

FIELDS = ("question", "query")
# A run's reader does not see where the bot looked, only whether it answers.
REFUSAL = "I could not find an answer to this in the documents."


async def eval_answers(corpus: Path, questions: Path, out: Path, field: str | None) -> int:
    """Answer every question; exit code 0.

    Args:
        corpus: Folder of Markdown pages; citations name them relative to it.
        questions: JSON lines with `id` and `field`.
        out: Where the run goes: JSON lines of `id`, `answer`, `context` (texts of the passages that
            it was made from) and `cited` (paths). A refusal has no context.
        field: The field that holds what to ask; None: `question`, or `query` where there is none.

    Raises:
        OpsbotError: A file or field is missing, or the index cannot be built.
    """
    asked = await asyncio.to_thread(_questions, corpus, questions, out, field)
    settings = load_settings()
    config = model_config(settings)
    if config.model == "auto":
        config = replace(config, model=EXTRACTIVE)
    clock = SystemClock()
    with progress_bars() as show:
        async with open_index(corpus, settings, show) as (library, _, _):
            limits = ChainLimits(answer_timeout_seconds=settings.llm_timeout_seconds)
            chain = RagChain(library, None, Models(config, clock), clock, limits=limits)
            rows = await _answered(chain, asked, show)
    write_run(out, rows)
    refused = sum(not row["context"] for row in rows)
    told = f"{len(rows)} questions asked of {config.model}: {refused} refused."
    Console(stderr=True).print(told, highlight=False)
    return 0


def _questions(corpus: Path, questions: Path, out: Path, field: str | None) -> list[EvalQuestion]:
    if field is not None:
        return check_files(corpus, questions, out, field)
    try:
        return check_files(corpus, questions, out, FIELDS[0])
    except OpsbotError as error:
        if FIELDS[0] not in error.wrong:
            raise
        return check_files(corpus, questions, out, FIELDS[1])


async def _answered(
    chain: RagChain, asked: list[EvalQuestion], show: Show
) -> list[dict[str, object]]:
    rows = []
    for number, question in enumerate(asked, 1):
        answer = await chain.answer(Inquiry(question.text))
        rows.append(row_of(question.id, answer))
        show(IndexProgress("asking", "questions", number, len(asked)))
    return rows


def row_of(key: str | int, answer: Answer) -> dict[str, object]:
    """One row of a run."""
    if not answer.is_grounded:
        return {"id": key, "answer": f"{REFUSAL} {answer.text}", "context": [], "cited": []}
    return {
        "id": key,
        "answer": answer.text,
        "context": [_unwrapped(passage.text) for passage in answer.passages],
        "cited": list(dict.fromkeys(citation.location for citation in answer.citations)),
    }


def _unwrapped(text: str) -> str:
    """A passage with a line for each of its blocks: a wrapped sentence is one sentence."""
    return "\n".join(block.text for block in blocks(text))
