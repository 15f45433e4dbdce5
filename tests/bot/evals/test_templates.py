"""`opsbot eval templates` on files."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from bot.evals.templates import eval_templates
from core.errors import OpsbotError


async def test_every_raw_line_has_its_template(tmp_path: Path) -> None:
    log, out = tmp_path / "a.log", tmp_path / "a.csv"
    log.write_bytes(b"ERROR disk 1 full\r\n\nERROR disk 22 full\n\xff\x0b odd\nINFO fine")
    assert await eval_templates(log, out) == 0
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["line", "template_id", "template"]
    assert [row["line"] for row in rows] == ["1", "2", "3", "4", "5"]
    assert rows[0]["template"] == rows[2]["template"] == "disk <*> full"
    assert rows[0]["template_id"] == rows[2]["template_id"]
    assert len({row["template_id"] for row in rows}) == 4


async def test_a_log_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(OpsbotError, match=r"no\.log.*cannot be read"):
        await eval_templates(tmp_path / "no.log", tmp_path / "out.csv")


async def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("x\n")
    with pytest.raises(OpsbotError, match="cannot be written"):
        await eval_templates(log, tmp_path / "nowhere" / "out.csv")
