"""docs/slack.md tells of every line of the behaviour in Slack, and names tests that exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS = [
    line
    for line in (ROOT / "docs" / "slack.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and not line.startswith("| |") and "shown by" not in line
]
GROUPS = {"C": 9, "S": 8, "M": 8, "D": 5, "F": 9, "W": 4}


@cache
def names_in(path: Path) -> frozenset[str]:
    if not path.is_file():
        return frozenset()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds))


def test_every_line_has_its_row() -> None:
    told = [row.split("|")[1].strip() for row in ROWS]
    wanted = [f"{group}{number}" for group, most in GROUPS.items() for number in range(1, most + 1)]
    assert [name for name in told if re.fullmatch(r"[A-Z]\d", name)] == wanted


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip()[:24])
def test_its_tests_exist(row: str) -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row)
    assert named
    missing = [f"{path}::{name}" for path, name in named if name not in names_in(ROOT / path)]
    assert missing == []
