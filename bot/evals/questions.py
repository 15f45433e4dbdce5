"""`opsbot eval questions` and `sample`: ask the whole bot what is known, and count what is right.

`questions` asks the bot as it is configured: its own runbooks, cluster and model. `sample` asks one
that is put up for it: the sandbox's recorded cluster, which stands still, and its sample knowledge.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from bot.bars import Show, progress_bars
from bot.config_file import FileConfig
from bot.datafolder import DataFolder
from bot.demo import open_sandbox, sandbox_settings
from bot.engine import Engine
from bot.evals.score import Case, Score, filled, read_cases, score, table_of
from bot.settings import load_settings
from bot.terminal import any_engine
from core.answers import Answer, Done, GenerationOptions
from core.clock import SystemClock
from core.errors import OpsbotError
from knowledge.index import IndexProgress
from knowledge.models import EXTRACTIVE


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which questions of a file are asked, and how much is told of each.

    Attributes:
        kind: Only those of this kind; '' for all.
        id: Only those whose id begins so.
        is_verbose: Whether every answer is printed, or only what went wrong.
    """

    kind: str = ""
    id: str = ""
    is_verbose: bool = False


async def eval_questions(path: Path, chosen: Chosen) -> int:
    """Ask the bot as it is configured, running or not; exit code 0.

    Raises:
        OpsbotError: The file cannot be used, none of its questions is chosen, or the bot cannot be
            asked.
    """
    cases = await asyncio.to_thread(_chosen, path, chosen)
    with progress_bars() as show:
        async with any_engine() as engine:
            scores = await _asked(engine, cases, datetime.now(UTC), show, chosen)
    Console(highlight=False).print(table_of(scores))
    return 0


async def eval_sample(path: Path, chosen: Chosen) -> int:
    """Ask a bot on the sample world; exit code 0. Raises OpsbotError as `eval_questions` does."""
    cases = await asyncio.to_thread(_chosen, path, chosen)
    with progress_bars() as show:
        scores = await sample_scores(cases, show, chosen)
    Console(highlight=False).print(table_of(scores))
    return 0


async def sample_scores(
    cases: Sequence[Case], show: Show, chosen: Chosen = Chosen()
) -> list[Score]:
    """How the answers of a bot on the sample world fare.

    The model is that of LLM_MODEL; `auto` means none here, so that a run on one machine says what
    it says on another.
    """
    async with _sample_engine(show) as (engine, made_at):
        return await _asked(engine, cases, made_at, show, chosen)


def _chosen(path: Path, chosen: Chosen) -> list[Case]:
    cases = read_cases(path)
    found = [
        case for case in cases if chosen.kind in {"", case.kind} and case.id.startswith(chosen.id)
    ]
    if not found:
        kinds = ", ".join(dict.fromkeys(case.kind for case in cases))
        raise OpsbotError(
            f"ask the questions of {path}",
            "none is of that kind and name" if cases else "none has the strings of a right answer",
            f"Kinds: {kinds}." if cases else "Write them into `answers`; see evals/README.md.",
        )
    return found


@asynccontextmanager
async def _sample_engine(show: Show) -> AsyncIterator[tuple[Engine, datetime]]:
    from bot.app import open_app  # noqa: PLC0415  (seconds to load)

    with tempfile.TemporaryDirectory(prefix="opsbot-eval-") as name:
        folder = Path(name)
        asked = load_settings()
        async with open_sandbox(0, folder / "sandbox", asked, ("--still",)) as ready:
            model = EXTRACTIVE if asked.llm_model == "auto" else asked.llm_model
            settings = sandbox_settings(folder / "data", asked.http_port, ready)
            settings = settings.model_copy(update={"llm_model": model})
            with DataFolder(settings.opsbot_data_dir) as data:
                await data.own_or_meet()
                async with open_app(settings, FileConfig(), data, SystemClock()) as app:
                    await app.engine.index(show)
                    yield app.engine, datetime.fromisoformat(ready["made_at"])


async def _asked(
    engine: Engine, cases: Sequence[Case], made_at: datetime, show: Show, chosen: Chosen
) -> list[Score]:
    out = Console(highlight=False, markup=False)
    scores = []
    for number, case in enumerate(cases, 1):
        question = filled(case.question, made_at)
        answer = await _answer(engine, question)
        scores.append(score(case, answer))
        show(IndexProgress("asking", "questions", number, len(cases)))
        if told := _told(scores[-1], question, answer, is_verbose=chosen.is_verbose):
            out.print(told, soft_wrap=True)
    return scores


async def _answer(engine: Engine, question: str) -> Answer:
    async for event in engine.ask(question, GenerationOptions(stream=False)):
        if isinstance(event, Done):
            return event.answer
    raise AssertionError("the stream ends with Done")


def _told(result: Score, question: str, answer: Answer, *, is_verbose: bool) -> str:
    verdict = "right" if result.is_right else "WRONG"
    cited = "cited" if result.is_cited else "NOT CITED"
    head = f"{result.case.id}: {verdict}, {cited}, {result.words} words: {question}"
    if not is_verbose:
        return "" if result.is_right and result.is_cited else head
    sources = "\n".join(f"  [{c.number}] {c.title} ({c.location})" for c in answer.citations)
    return f"{'=' * 8} {head}\n{answer.text}\n{sources}\n"
