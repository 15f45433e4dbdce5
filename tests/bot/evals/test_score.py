"""The scorer of answers, on answers made by hand."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from bot.evals.score import Case, filled, read_cases, score, table_of
from core.answers import Answer, Citation
from core.errors import OpsbotError

SAMPLE = Path(__file__).parents[3] / "evals" / "questions.jsonl"
CASE = Case("x-1", "logs", "?", ("logs/shop.csv", "a.md"), ("503", "5xx"), ("payments",))


def answer(text: str, *cited: str, is_grounded: bool = True) -> Answer:
    citations = tuple(
        Citation(n, place, place, "markdown") for n, place in enumerate(cited, start=1)
    )
    return Answer("?", text, citations=citations, is_grounded=is_grounded)


@pytest.mark.parametrize(
    ("text", "cited", "expected"),
    [
        ("**payments** gave `503` [1].", ("logs/*.csv",), (True, True)),
        ("Payments gave\n5XX.", ("a.md",), (True, True)),
        ("It gave 503.", ("a.md",), (False, True)),
        ("payments gave [503].", ("b.md", "logs.md"), (False, False)),
        ("payments 503", ("logs/shop.csv#abc",), (True, True)),
    ],
)
def test_an_answer_is_right_by_its_strings_and_cited_by_its_pages(
    text: str, cited: tuple[str, ...], expected: tuple[bool, bool]
) -> None:
    result = score(CASE, answer(text, *cited))
    assert (result.is_right, result.is_cited) == expected


def test_a_live_object_is_cited_by_its_kind_and_place() -> None:
    case = Case("x", "limits", "?", ("cluster:shop/Deployment/payments",), ("1",))
    assert score(case, answer("1", "Deployment/shop/payments")).is_cited
    assert not score(case, answer("1", "Pod/shop/payments")).is_cited


def test_a_refusal_is_right_where_nothing_answers_and_code_is_no_prose() -> None:
    case = Case("x", "unanswerable", "?", (), (), answerable=False)
    refusal = score(case, answer("I found nothing.\n```\na b c\n```\n| d |", is_grounded=False))
    assert (refusal.is_right, refusal.is_cited, refusal.words) == (True, True, 3)
    assert not score(case, answer("It is 42 [1].", "a.md")).is_right
    with (console := Console(width=100)).capture() as shown:
        console.print(table_of([refusal]))
    assert shown.get().split("\n")[1].split() == ["unanswerable", "1", "1", "1", "3"]


def test_times_in_a_question_are_filled_in() -> None:
    made_at = datetime(2026, 3, 4, 1, 30, tzinfo=UTC)
    assert filled("between {-3h} and {-30m}", made_at) == "between 22:30 and 01:00"


def test_a_row_that_is_no_case_is_named_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    path.write_text('\n{"id": "a", "kind": "owner"}\n')
    with pytest.raises(OpsbotError, match=r"line 2 has no usable 'question'"):
        read_cases(path)


def test_rows_without_the_strings_of_a_right_answer_wait_for_a_person(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    row = {"kind": "feedback", "question": "?", "gold": [], "answers": []}
    path.write_text(
        json.dumps({**row, "id": "open", "answerable": True})
        + "\n"
        + json.dumps({**row, "id": "none", "answerable": False})
    )
    assert [case.id for case in read_cases(path)] == ["none"]


def test_the_sample_questions_are_many() -> None:
    assert len(read_cases(SAMPLE)) >= 60
