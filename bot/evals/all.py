"""`opsbot eval all`: the quality numbers that a clone can measure by itself, in one table."""

from __future__ import annotations

import asyncio
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bot.bars import progress_bars
from bot.evals.classify import UNKNOWN, by_rules
from bot.evals.classify import read_cases as read_texts
from bot.evals.questions import sample_scores
from bot.evals.score import read_cases


async def eval_all(folder: Path) -> int:
    """Print one row a number; exit code 0.

    Args:
        folder: Holds `questions.jsonl` and `classify.jsonl`.

    Raises:
        OpsbotError: A file is missing, or the sample world did not come up.
    """
    cases = await asyncio.to_thread(read_cases, folder / "questions.jsonl")
    texts = await asyncio.to_thread(read_texts, folder / "classify.jsonl")
    with progress_bars() as show:
        scores = await sample_scores(cases, show)
    table = Table("what", "good", "of", "share", box=None)

    def add(what: str, good: int, total: int) -> None:
        table.add_row(what, str(good), str(total), f"{good / total:.3f}" if total else "–")

    known = [score for score in scores if score.case.answerable]
    unknown = [score for score in scores if not score.case.answerable]
    add("sample questions answered right", sum(score.is_right for score in known), len(known))
    add("… with the right place cited", sum(score.is_cited for score in known), len(known))
    add("unanswerable questions refused", sum(score.is_right for score in unknown), len(unknown))
    outcomes = await by_rules(texts)
    for split in sorted({text.split for text in texts}):
        own = [outcome for outcome in outcomes if outcome.case.split == split]
        right = sum(outcome.is_right for outcome in own)
        add(f"error texts classified right ({split})", right, len(own))
        unsaid = sum(outcome.got == UNKNOWN for outcome in own)
        add(f"… or left unclassified, not guessed ({split})", right + unsaid, len(own))
    Console(highlight=False).print(table)
    return 0
