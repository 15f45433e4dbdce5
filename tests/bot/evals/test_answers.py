"""`opsbot eval answers` on a small corpus of our own: real chain, real index, no model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from bot.cli import app
from bot.evals.answers import REFUSAL, row_of
from core.answers import Answer, Citation, Passage

PAGES = {
    "docs/nodeport.md": "# NodePort\n\nThe control plane allocates a port from a range that the "
    "flag gives (default: 30000-32767).\n",
    "docs/volumes.md": "# Volumes\n\nHow a pod keeps files on a volume.\n",
}


def measure(corpus: Path, rows: list[dict[str, Any]], *more: str) -> tuple[int, str, Path]:
    questions, out = Path("q.jsonl"), Path("run.jsonl")
    questions.write_text("".join(json.dumps(row) + "\n" for row in rows))
    arguments = ["eval", "answers", "--corpus", str(corpus), "--questions", str(questions)]
    done = CliRunner().invoke(app, [*arguments, "--out", str(out), *more])
    return done.exit_code, " ".join(done.output.split()), out


def test_answers_carry_their_context_and_pages_and_a_refusal_none(
    corpus: Path, folder: Path
) -> None:
    rows = [
        {"id": "1", "question": "From which port range does a NodePort get its port?"},
        {"id": "2", "question": "How do I bake sourdough bread?"},
    ]
    code, output, out = measure(corpus, rows)
    assert code == 0, output
    assert "2 questions asked of extractive: 1 refused." in output
    found, refused = map(json.loads, out.read_text().splitlines())
    assert found["id"] == "1"
    assert "30000-32767" in found["answer"]
    assert found["cited"] == ["docs/nodeport.md"]
    assert any("30000-32767" in text for text in found["context"])
    assert refused["answer"].startswith(REFUSAL)
    assert (refused["context"], refused["cited"]) == ([], [])
    assert (folder / "data" / "eval").is_dir()


def test_query_is_asked_where_there_is_no_question(corpus: Path, folder: Path) -> None:
    rows = [{"id": 7, "query": "files of a pod on a volume"}]
    code, output, out = measure(corpus, rows)
    assert code == 0, output
    assert json.loads(out.read_text())["id"] == 7
    code, output, _ = measure(corpus, [{"id": 7, "text": "files on a volume"}], "--field", "text")
    assert code == 0, output
    assert folder.is_dir()


def test_what_is_wrong_is_told_before_anything_is_indexed(corpus: Path, folder: Path) -> None:
    code, output, _ = measure(corpus, [{"id": 7, "text": "x"}])
    assert code == 1
    assert "line 1 has no text in its field 'query'" in output
    code, output, _ = measure(folder / "nowhere", [{"id": 7, "question": "x"}])
    assert code == 1
    assert "it is no folder" in output


def test_a_page_that_is_cited_twice_is_named_once() -> None:
    passage = Passage("p", "markdown", "A", "a.md", "text")
    citations = (Citation(1, "A", "a.md", "markdown"), Citation(2, "A", "a.md", "markdown"))
    answer = Answer("q", "text [1] [2]", citations, (passage,))
    assert row_of("x", answer) == {
        "id": "x", "answer": "text [1] [2]", "context": ["text"], "cited": ["a.md"],
    }  # fmt: skip
