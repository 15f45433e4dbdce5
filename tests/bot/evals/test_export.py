"""Feedback as eval rows."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.evals.export import eval_export, facts_of, row_of
from bot.evals.score import read_cases, score
from core.answers import Answer, Citation, Passage, Scope
from core.clock import SystemClock
from core.errors import OpsbotError
from core.feedback import JudgedAnswer, Shown, Vote
from state.answers import SqlAnswerStore
from state.database import Database

DAY = datetime(2026, 3, 4, tzinfo=UTC)
PAGE = Shown("p1", "markdown", "Restarts", "runbooks/restarts.md#look", is_cited=True)
POD = Shown("p2", "cluster", "Pod", "Pod/shop/payments-7d9f", is_cited=True)


def judged(*votes: str, passages: tuple[Shown, ...] = (PAGE,), text: str = "") -> JudgedAnswer:
    return JudgedAnswer(
        "ab12", "C1", "Why does payments restart?",
        text or "It is `OOMKilled` [1] with a limit of 256Mi [1].", "extractive", passages, DAY,
        votes=tuple(
            Vote("ab12", f"U{n}", vote == "up", "" if vote == "up" else "wrong pod", DAY)
            for n, vote in enumerate(votes)
        ),
    )  # fmt: skip


def test_a_helpful_answer_is_a_case_that_it_passes_itself(tmp_path: Path) -> None:
    row = row_of(judged("up", passages=(PAGE, POD)))
    assert row["gold"] == ["runbooks/restarts.md", "cluster:shop/Pod/payments-7d9f"]
    assert row["answers"] == ["OOMKilled", "256Mi"]
    (tmp_path / "rows.jsonl").write_text(json.dumps(row))
    (case,) = read_cases(tmp_path / "rows.jsonl")
    answer = Answer(
        case.question, "`OOMKilled` [1]", (Citation(1, "R", "runbooks/restarts.md", "markdown"),)
    )
    assert (score(case, answer).is_right, score(case, answer).is_cited) == (True, True)


def test_what_did_not_help_waits_for_a_person() -> None:
    row = row_of(judged("down", "up", "down"))
    assert (row["answers"], row["gold"], row["answerable"]) == ([], [], True)
    assert row["comments"] == ["wrong pod", "wrong pod"]
    assert row["votes"] == {"helpful": 1, "not_helpful": 2}


def test_a_refusal_that_helped_was_right_to_refuse() -> None:
    assert row_of(judged("up", passages=(), text="Nothing."))["answerable"] is False
    assert row_of(judged("down", passages=(), text="Nothing."))["answerable"] is True


def test_without_spans_and_numbers_the_first_sentence_is_the_fact() -> None:
    assert facts_of("- The batch is too large [1]. Go back.") == ["The batch is too large."]
    assert facts_of("ok") == []
    assert facts_of("```\nkubectl get pods\n```\nUse `a` and `bc`.") == ["bc"]


async def test_the_file_holds_what_the_database_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/state.db"
    monkeypatch.setenv("STATE_URL", url)
    database = await Database.open(url)
    store = SqlAnswerStore(database, SystemClock())
    answer = Answer(
        "Why?", "It is `OOMKilled` [1].", (Citation(1, "R", "r.md", "markdown"),),
        (Passage("p", "markdown", "R", "r.md", "text"),),
    )  # fmt: skip
    await store.put("r1", Scope(channel="C1"), answer)
    await store.vote("r1", "U1", is_helpful=True)
    await database.close()
    assert await eval_export(tmp_path / "out.jsonl") == 0
    (case,) = read_cases(tmp_path / "out.jsonl")
    assert (case.id, case.question, case.answers) == ("feedback-r1", "Why?", ("OOMKilled",))
    assert "1 judged answers" in capsys.readouterr().out


async def test_a_folder_that_is_not_there_is_told_first(tmp_path: Path) -> None:
    with pytest.raises(OpsbotError, match="does not exist"):
        await eval_export(tmp_path / "no" / "out.jsonl")
