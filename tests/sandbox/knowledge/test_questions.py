"""The question cases of evals/ stand on what is really written down."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

QUESTIONS = Path(__file__).parents[3] / "evals" / "questions.jsonl"
KINDS = set("explain config limits impact owner logs metrics similar unanswerable".split())  # noqa: SIM905  (reads better)
FIELDS = {"id", "kind", "question", "gold", "answers", "answerable"}


def _cases() -> list[dict[str, Any]]:
    return [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[`*]", "", text).split()).lower()


def test_there_are_at_least_sixty_questions_of_every_kind() -> None:
    cases = _cases()
    assert len(cases) >= 60
    assert {case["kind"] for case in cases} == KINDS
    assert len({case["id"] for case in cases}) == len(cases)
    assert len({case["question"] for case in cases}) == len(cases)


@pytest.mark.parametrize("case", _cases(), ids=lambda case: str(case["id"]))
def test_a_case_has_its_fields_and_its_gold_exists(case: dict[str, Any], folder: Path) -> None:
    assert set(case) - {"all"} == FIELDS
    assert bool(case["gold"]) == bool(case["answers"]) == case["answerable"]
    assert case["answerable"] == (case["kind"] != "unanswerable")
    for gold in case["gold"]:
        assert gold.startswith("cluster:") or (folder / gold).is_file(), gold


@pytest.mark.parametrize(
    "case",
    [case for case in _cases() if case["kind"] not in {"logs", "metrics", "unanswerable"}],
    ids=lambda case: str(case["id"]),
)
def test_expected_words_stand_in_every_gold_page(case: dict[str, Any], folder: Path) -> None:
    pages = [folder / gold for gold in case["gold"] if not gold.startswith("cluster:")]
    texts = [_plain(page.read_text(encoding="utf-8")) for page in pages]
    for page, text in zip(pages, texts, strict=True):
        assert any(_plain(answer) in text for answer in case["answers"]), page.name
    live = len(pages) < len(case["gold"])
    for word in case.get("all", ()):
        assert live or any(_plain(word) in text for text in texts), word
