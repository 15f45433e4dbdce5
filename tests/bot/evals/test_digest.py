"""`opsbot eval digest` on small states of our own, read through the recorded cluster."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.evals.digest import CaseResult
from bot.evals.findings import Case
from core.digests import ItemState
from core.findings import Collected, Severity
from tests.bot.evals.test_findings import CRASHING, LOST_NODE, case, pod
from tests.bot.samples import NOW, digest, finding, item


def test_three_digests_tell_everything_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    pods = [pod(f"job-{n}-1", CRASHING, owner=f"job-{n}") for n in range(12)]
    Path("cases.jsonl").write_text(
        "\n".join(json.dumps(one) for one in (case("many", *pods), case("lost", LOST_NODE)))
    )
    arguments = ["eval", "digest", "--cases", "cases.jsonl", "--out", "run.jsonl"]
    done = CliRunner().invoke(app, arguments, env={"COLUMNS": "120"})
    assert done.exit_code == 0, done.output
    numbers = {
        cells[0]: [int(number) for number in cells[1:]]
        for line in done.output.splitlines()
        if len(cells := line.strip("│ ").replace("│", " ").split()) == 7
    }
    assert numbers == {
        "many": [12, 10, 2, 0, 0, 0],
        "lost": [1, 1, 0, 0, 0, 0],
        "all": [13, 11, 2, 0, 0, 0],
    }
    rows = [json.loads(line) for line in Path("run.jsonl").read_text().splitlines()]
    assert [(row["id"], len(row["items"])) for row in rows] == [("many", 12), ("lost", 1)]


def test_what_is_left_out_doubled_or_told_as_new_again_is_counted() -> None:
    lost = finding("lost", severity=Severity.HIGH)
    note = finding("note", severity=Severity.INFO)
    state = Case("a", (), {}, (), {}, NOW)
    again = item(state=ItemState.ONGOING)
    result = CaseResult(
        state,
        Collected((finding(), lost, note), (), ("demo",)),
        (digest(item(), item()), digest(again, rest=(item("cart"),)), digest(again)),
    )
    assert (result.untold, result.doubled, result.repeated) == (1, 1, 1)
    healed = replace(result, digests=(digest(item(), rest=(item(finding=lost),)),))
    assert (healed.untold, healed.doubled, healed.repeated) == (0, 0, 0)
