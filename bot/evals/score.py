"""Questions whose answers are known, and how an answer fares against one; evals/README.md."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.table import Table

from bot.evals.files import read_rows
from core.answers import Answer
from core.errors import OpsbotError

_AGO = re.compile(r"\{-(\d+)([hm])\}")
_MARK = re.compile(r"\[\d+(?:, ?\d+)*\]")
_FENCE = re.compile(r"```.*?```", re.DOTALL)
_EXAMPLE = (
    '{"id": "1", "kind": "owner", "question": "Who owns cart?", "gold": ["graph.yaml"], '
    '"answers": ["team blue"], "answerable": true}'
)


@dataclass(frozen=True, slots=True)
class Case:
    """One question; the fields are those of evals/README.md, `wanted` is its `all`."""

    id: str
    kind: str
    question: str
    gold: tuple[str, ...]
    answers: tuple[str, ...]
    wanted: tuple[str, ...] = ()
    answerable: bool = True


@dataclass(frozen=True, slots=True)
class Score:
    """How one answer fared; for an unanswerable question both are the refusal.

    Attributes:
        is_right: One of the case's strings and all of its `wanted` ones stand in the answer.
        is_cited: A place that holds the answer is cited.
        words: Length of the answer, code and tables left out.
    """

    case: Case
    is_right: bool
    is_cited: bool
    words: int


def read_cases(path: Path) -> list[Case]:
    """The cases of a file; rows that nobody gave the strings of a right answer are left out.

    Raises:
        OpsbotError: The file cannot be read, or a row is no case; its line is told.
    """
    cases = [_case(path, number, row) for number, row in read_rows(path, "questions", _EXAMPLE)]
    return [case for case in cases if case.answers or not case.answerable]


def _case(path: Path, number: int, row: dict[str, Any]) -> Case:
    try:
        return Case(
            id=str(row["id"]),
            kind=str(row["kind"]),
            question=str(row["question"]),
            gold=tuple(row["gold"]),
            answers=tuple(row["answers"]),
            wanted=tuple(row.get("all", ())),
            answerable=bool(row["answerable"]),
        )
    except (KeyError, TypeError) as error:
        raise OpsbotError(
            f"read the questions of {path}",
            f"line {number} has no usable {error}",
            f"Write rows such as {_EXAMPLE}.",
        ) from error


def filled(question: str, made_at: datetime) -> str:
    """A question with `{-3h}` replaced by the time of day 3 hours before `made_at`, in UTC."""

    def put(match: re.Match[str]) -> str:
        unit = "hours" if match[2] == "h" else "minutes"
        moment = made_at - timedelta(**{unit: int(match[1])})
        return f"{moment.astimezone(UTC):%H:%M}"

    return _AGO.sub(put, question)


def score(case: Case, answer: Answer) -> Score:
    """Hold an answer against its case."""
    words = _prose_words(answer.text)
    if not case.answerable:
        refused = not answer.is_grounded
        return Score(case, refused, refused and not answer.citations, words)
    said = _flat(_MARK.sub("", answer.text))
    is_right = any(_flat(text) in said for text in case.answers)
    is_right = is_right and all(_flat(text) in said for text in case.wanted)
    cited = {citation.location for citation in answer.citations}
    return Score(case, is_right, any(_is_place(gold, cited) for gold in case.gold), words)


def table_of(scores: Sequence[Score]) -> Table:
    """Right and cited answers a kind, and how long they are."""
    table = Table("kind", "questions", "right", "right place cited", "words (median)", box=None)
    kinds = list(dict.fromkeys(score.case.kind for score in scores))
    for kind in [*kinds, ""]:
        own = [score for score in scores if kind in {score.case.kind, ""}]
        lengths = sorted(score.words for score in own)
        right, cited = sum(s.is_right for s in own), sum(s.is_cited for s in own)
        middle = lengths[len(lengths) // 2] if lengths else 0
        table.add_row(kind or "all", str(len(own)), str(right), str(cited), str(middle))
    return table


def _is_place(gold: str, cited: Iterable[str]) -> bool:
    """Whether a gold place is among the cited ones; CSV files are cited by their pattern."""
    if gold.startswith("cluster:"):
        namespace, kind, name = gold.removeprefix("cluster:").split("/")
        return f"{kind}/{namespace}/{name}" in cited
    folder = gold.rpartition("/")[0]
    for place in cited:
        page = place.partition("#")[0]
        if page == gold or (folder and page == f"{folder}/*.csv"):
            return True
    return False


def _flat(text: str) -> str:
    return " ".join(re.sub(r"[`*]", "", text).split()).lower()


def _prose_words(text: str) -> int:
    bare = _FENCE.sub("", text)
    return sum(len(line.split()) for line in bare.splitlines() if not line.lstrip().startswith("|"))
