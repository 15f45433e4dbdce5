"""`opsbot eval classify`, and the floor that the rules hold on the cases kept apart."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.evals.classify import UNKNOWN, by_rules, eval_classify, read_cases
from core.errors import OpsbotError
from knowledge.problems import PROBLEMS

CASES = Path(__file__).parents[3] / "evals" / "classify.jsonl"


def test_there_are_cases_of_every_class_in_both_halves() -> None:
    cases = read_cases(CASES)
    assert len(cases) >= 60
    for split in ("dev", "test"):
        own = {case.problem for case in cases if case.split == split}
        assert len(own) >= 25
    assert {case.problem for case in cases} == set(PROBLEMS)


async def test_the_rules_reach_the_floor_on_the_half_kept_apart() -> None:
    outcomes = await by_rules(read_cases(CASES, "test"))
    right = sum(outcome.is_right for outcome in outcomes)
    assert right / len(outcomes) >= 0.85
    # What the rules do not know they say; they do not guess.
    wrong = [one for one in outcomes if not one.is_right and one.got != UNKNOWN]
    assert len(wrong) / len(outcomes) <= 0.03


async def test_the_eval_prints_shares_and_what_was_taken_for_what(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    row = '{{"id": "{}", "split": "dev", "text": "{}", "problem": "dns", "severity": "high"}}\n'
    path = tmp_path / "cases.jsonl"
    path.write_text(row.format("a", "no such host") + row.format("b", "x509: bad"))
    assert await eval_classify(path, "") == 0
    printed = capsys.readouterr().out
    assert re.search(r"dev +2 +1 \(50%\) +2 \(100%\) +0", printed)
    assert re.search(r"dns +tls +1 +b", printed)


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        ('{"id": "a", "text": "x"}', "has no split"),
        (
            '{"id": "a", "split": "dev", "text": "x", "problem": "bug", "severity": "high"}',
            "unknown class 'bug'",
        ),
        (
            '{"id": "a", "split": "dev", "text": "x", "problem": "dns", "severity": "high"}',
            "no split 'test'",
        ),
    ],
)
def test_a_row_that_cannot_be_used_is_named(tmp_path: Path, row: str, wrong: str) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_text(row)
    with pytest.raises(OpsbotError, match=wrong):
        read_cases(path, "test")
