"""`opsbot eval questions`, `sample` and `all`: the real bot is asked, and what is right counted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.evals.all import eval_all
from bot.evals.questions import Chosen, eval_questions, eval_sample
from core.errors import OpsbotError
from tests.bot.evals.test_score import SAMPLE


@pytest.fixture(autouse=True)
def _at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPSBOT_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("LLM_MODEL", "extractive")
    monkeypatch.setenv("EMBED_MODEL", "none")  # vectors of all pages take half a minute


async def test_a_bot_on_the_sample_world_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert await eval_sample(SAMPLE, Chosen(id="owner-01", is_verbose=True)) == 0
    printed = capsys.readouterr().out
    assert "owner-01: right, cited" in printed
    assert printed.splitlines()[-1].split()[:4] == ["all", "1", "1", "1"]


async def test_all_numbers_stand_in_one_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = SAMPLE.read_text().splitlines()
    few = [line for line in lines if json.loads(line)["id"] in {"owner-01", "unanswerable-01"}]
    (tmp_path / "questions.jsonl").write_text("\n".join(few))
    texts = (SAMPLE.parent / "classify.jsonl").read_text()
    (tmp_path / "classify.jsonl").write_text(texts)
    assert await eval_all(tmp_path) == 0
    rows = {line[:36].strip(): line[36:].split() for line in capsys.readouterr().out.splitlines()}
    assert rows["sample questions answered right"][:2] == ["1", "1"]
    assert rows["unanswerable questions refused"][1] == "1"
    assert rows["error texts classified right (test)"][1] == "70"


async def test_the_bot_as_configured_is_asked_from_its_own_runbooks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "cart.md").write_text("# Cart\n\nThe cart keeps items for 45 minutes.\n")
    monkeypatch.setenv("KNOWLEDGE_SOURCES", f"markdown:{tmp_path / 'docs'}")
    row = {
        "id": "1",
        "kind": "config",
        "question": "How long does the cart keep items?",
        "gold": ["cart.md"],
        "answers": ["45 minutes"],
        "answerable": True,
    }
    (tmp_path / "mine.jsonl").write_text(json.dumps(row))
    assert await eval_questions(tmp_path / "mine.jsonl", Chosen()) == 0
    assert capsys.readouterr().out.splitlines()[-1].split()[:4] == ["all", "1", "1", "1"]


async def test_questions_that_nobody_can_score_are_told(tmp_path: Path) -> None:
    with pytest.raises(OpsbotError, match="none is of that kind"):
        await eval_sample(SAMPLE, Chosen(kind="nonsense"))
    row = {"id": "1", "kind": "feedback", "question": "?", "gold": [], "answers": []}
    (tmp_path / "open.jsonl").write_text(json.dumps(row | {"answerable": True}))
    with pytest.raises(OpsbotError, match="none has the strings of a right answer"):
        await eval_questions(tmp_path / "open.jsonl", Chosen())
