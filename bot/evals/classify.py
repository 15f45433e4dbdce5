"""`opsbot eval classify`: how often an error text gets the class that people gave it."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bot.evals.files import read_rows
from bot.modelsetting import model_config
from bot.settings import load_settings
from core.answers import GenerationOptions
from core.clock import SystemClock
from core.errors import OpsbotError
from knowledge.classifier import Classifier
from knowledge.models import EXTRACTIVE, ModelConfig, Models
from knowledge.problems import PROBLEMS

UNKNOWN = "unclassified"
_FIELDS = ("split", "text", "problem", "severity")
_EXAMPLE = (
    '{"id": "c1", "split": "test", "text": "no such host", "problem": "dns", "severity": "high"}'
)


@dataclass(frozen=True, slots=True)
class Case:
    """A text with the class and severity that people gave it."""

    id: str
    split: str
    text: str
    problem: str
    severity: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """A case with what came of it; `got` is `UNKNOWN` where nothing was decided."""

    case: Case
    got: str

    @property
    def is_right(self) -> bool:
        """Whether the class is that of the people."""
        return self.got == self.case.problem

    @property
    def has_right_severity(self) -> bool:
        """Whether the severity is, whatever the class."""
        return self.got != UNKNOWN and PROBLEMS[self.got].severity == self.case.severity


def read_cases(path: Path, split: str = "") -> list[Case]:
    """Cases of a file, of one split where one is named.

    Raises:
        OpsbotError: A row lacks a field or names no class; or the split has no case.
    """
    asked = f"read the cases of {path}"
    cases = []
    for number, row in read_rows(path, "cases", _EXAMPLE):
        if missing := [name for name in _FIELDS if not isinstance(row.get(name), str)]:
            raise OpsbotError(asked, f"line {number} has no {missing[0]}", f"As in {_EXAMPLE}.")
        if row["problem"] not in PROBLEMS:
            wrong = f"line {number} has the unknown class {row['problem']!r}"
            raise OpsbotError(asked, wrong, f"Classes: {', '.join(PROBLEMS)}.")
        cases.append(Case(str(row["id"]), *(row[name] for name in _FIELDS)))
    kept = [case for case in cases if split in {"", case.split}]
    if not kept:
        splits = ", ".join(sorted({case.split for case in cases}))
        raise OpsbotError(asked, f"it has no split {split!r}", f"Splits: {splits}.")
    return kept


async def classify_all(classifier: Classifier, cases: list[Case]) -> list[Outcome]:
    """What a classifier makes of each case."""
    outcomes = []
    for case in cases:
        verdict, _ = await classifier.decide(case.text, GenerationOptions(stream=False))
        outcomes.append(Outcome(case, verdict.problem.name if verdict else UNKNOWN))
    return outcomes


async def by_rules(cases: list[Case]) -> list[Outcome]:
    """What the rules make of each case, without a model."""
    models = Models(ModelConfig(model=EXTRACTIVE), SystemClock())
    return await classify_all(Classifier(models), cases)


async def eval_classify(path: Path, split: str) -> int:
    """Print accuracy by split, and what was taken for what; exit code 0.

    The model is that of LLM_MODEL; `auto` means the rules alone here, so that a run on one machine
    says what it says on another.

    Raises:
        OpsbotError: The file cannot be used.
    """
    cases = await asyncio.to_thread(read_cases, path, split)
    config = model_config(load_settings())
    if config.model == "auto":
        config = replace(config, model=EXTRACTIVE)
    outcomes = await classify_all(Classifier(Models(config, SystemClock())), cases)
    out = Console(highlight=False)
    out.print(_accuracy(outcomes))
    out.print(_confusion(outcomes))
    return 0


def _accuracy(outcomes: list[Outcome]) -> Table:
    table = Table("split", "cases", "class right", "severity right", "unclassified", box=None)
    for split in sorted({outcome.case.split for outcome in outcomes}):
        own = [outcome for outcome in outcomes if outcome.case.split == split]
        right = sum(outcome.is_right for outcome in own)
        severe = sum(outcome.has_right_severity for outcome in own)
        unknown = sum(outcome.got == UNKNOWN for outcome in own)
        count = len(own)
        table.add_row(split, str(count), _share(right, count), _share(severe, count), str(unknown))
    return table


def _confusion(outcomes: list[Outcome]) -> Table:
    """Only what went wrong: thirty classes would make a table that nobody reads."""
    table = Table("is", "was taken for", "times", "cases", box=None)
    wrong = [outcome for outcome in outcomes if not outcome.is_right]
    pairs = Counter((outcome.case.problem, outcome.got) for outcome in wrong)
    for (problem, got), times in pairs.most_common():
        ids = [o.case.id for o in wrong if (o.case.problem, o.got) == (problem, got)]
        table.add_row(problem, got, str(times), ", ".join(ids))
    return table


def _share(part: int, whole: int) -> str:
    return f"{part} ({part / whole:.0%})"
