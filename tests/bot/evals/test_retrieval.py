"""`opsbot eval retrieval` on a small corpus of our own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.evals.retrieval import index_folder, read_questions
from core.errors import OpsbotError

PAGES = {
    "runbooks/KubePodCrashLooping.md": "# KubePodCrashLooping\n\nA container restarts again.\n",
    "runbooks/DiskFull.md": "# DiskFull\n\nThe volume of a database has no space left.\n",
    "docs/storage/volumes.md": "# Volumes\n\nHow a pod keeps files on a volume.\n",
    "docs/empty.md": "\n",
}


def measure(corpus: Path, questions: Path, out: Path, *more: str) -> tuple[int, str]:
    arguments = ["eval", "retrieval", "--corpus", str(corpus), "--questions", str(questions)]
    done = CliRunner().invoke(app, [*arguments, "--out", str(out), *more])
    return done.exit_code, " ".join(done.output.split())


def write_rows(path: Path, *rows: object) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in rows) + "\n\n")
    return path


def read_run(path: Path) -> dict[object, list[str]]:
    return {row["id"]: row["pages"] for row in map(json.loads, path.read_text().splitlines())}


def test_every_question_gets_its_pages_best_first_and_each_once(corpus: Path, folder: Path) -> None:
    questions = write_rows(
        folder / "q.jsonl",
        {"id": "disk", "query": "no space left on the database volume"},
        {"id": 7, "query": "KubePodCrashLooping: container restarts"},
        {"id": "none", "query": "zzz"},
    )
    code, printed = measure(corpus, questions, folder / "run.jsonl")
    assert code == 0, printed
    run = read_run(folder / "run.jsonl")
    assert list(run) == ["disk", 7, "none"]
    assert run["disk"] == ["runbooks/DiskFull.md", "docs/storage/volumes.md"]
    assert run[7][0] == "runbooks/KubePodCrashLooping.md"
    assert run["none"] == []
    assert "ranking questions: 3 of 3" in printed
    assert "3 questions ranked" in printed


def test_another_field_can_be_measured(corpus: Path, folder: Path) -> None:
    row = {"id": "a", "query": "volume", "query_with_name": "KubePodCrashLooping"}
    questions = write_rows(folder / "q.jsonl", row)
    code, _ = measure(corpus, questions, folder / "run.jsonl", "--field", "query_with_name")
    assert code == 0
    assert read_run(folder / "run.jsonl")["a"][0] == "runbooks/KubePodCrashLooping.md"


def test_the_index_is_kept_apart_reused_and_follows_the_corpus(corpus: Path, folder: Path) -> None:
    questions = write_rows(folder / "q.jsonl", {"id": "a", "query": "certificates expire"})
    measure(corpus, questions, folder / "run.jsonl")
    assert read_run(folder / "run.jsonl")["a"] == []
    assert [path.name for path in (folder / "data").iterdir()] == ["eval"]
    kept = index_folder(folder / "data", corpus)
    assert [path.name for path in (folder / "data/eval").iterdir()] == [kept.name]
    stale = kept.with_name(kept.name.partition("-")[0] + "-0")
    stale.mkdir()
    (corpus / "docs/tls.md").write_text("# TLS\n\nWhat to do when certificates expire.\n")
    measure(corpus, questions, folder / "run.jsonl")
    assert read_run(folder / "run.jsonl")["a"] == ["docs/tls.md"]
    assert not stale.exists()


def test_a_page_that_cannot_be_read_is_told_and_the_rest_is_ranked(
    corpus: Path, folder: Path
) -> None:
    (corpus / "broken.md").write_text("---\na: [\n---\n# Volume\n")
    questions = write_rows(folder / "q.jsonl", {"id": "a", "query": "volume"})
    code, printed = measure(corpus, questions, folder / "run.jsonl")
    assert code == 0
    assert "broken.md" in printed
    assert read_run(folder / "run.jsonl")["a"]


@pytest.mark.parametrize(
    ("lines", "wrong"),
    [
        ("", "no question"),
        ('{"id": "a", "query": "x"}\n{"id": "b"', "line 2 is no JSON"),
        ("[1]", "line 1 is no JSON object"),
        ('\n{"query": "x"}', "line 2 has no id"),
        ('{"id": "a", "query": "x"}\n{"id": "a", "query": "y"}', "line 2 has the id 'a' again"),
        ('{"id": "a", "question": "x"}', "no text in its field 'query'"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_by_its_line(
    tmp_path: Path, lines: str, wrong: str
) -> None:
    path = tmp_path / "q.jsonl"
    path.write_text(lines)
    with pytest.raises(OpsbotError, match=wrong):
        read_questions(path, "query")


def test_files_that_cannot_be_read_or_written_are_named(
    corpus: Path, folder: Path, tmp_path: Path
) -> None:
    questions = write_rows(folder / "q.jsonl", {"id": "a", "query": "volume"})
    out = folder / "run.jsonl"
    assert "no such file" in measure(corpus, folder / "none.jsonl", out)[1]
    latin = folder / "latin.jsonl"
    latin.write_bytes(b"\xe9")
    assert "it is not UTF-8" in measure(corpus, latin, out)[1]
    code, printed = measure(tmp_path / "nowhere", questions, out)
    assert code == 1
    assert "it is no folder" in printed
    assert "its folder does not exist" in measure(corpus, questions, folder / "no/run.jsonl")[1]
    assert not (folder / "data").exists()
    code, printed = measure(corpus, questions, folder)
    assert code == 1
    assert "--out" in printed


def test_a_model_behind_a_server_is_refused(
    corpus: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMBED_MODEL", "ollama:nomic-embed-text")
    questions = write_rows(folder / "q.jsonl", {"id": "a", "query": "volume"})
    code, printed = measure(corpus, questions, folder / "run.jsonl")
    assert code == 1
    assert "EMBED_MODEL" in printed


def test_by_default_words_and_meaning_are_measured(
    corpus: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EMBED_MODEL")
    questions = write_rows(folder / "q.jsonl", {"id": "a", "query": "storage is exhausted"})
    code, printed = measure(corpus, questions, folder / "run.jsonl")
    assert code == 0, printed
    assert read_run(folder / "run.jsonl")["a"][0] == "runbooks/DiskFull.md"
