"""What docs/troubleshooting.md and the model's page let the bot say is what it says."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from tests.docs.commands import ROOT

PAGES = ("docs/troubleshooting.md", "docs/howto/model.md")
PACKAGES = ("bot", "cluster", "core", "digest", "knowledge", "state")
QUOTED = [
    (page, quoted)
    for page in PAGES
    for line in (ROOT / page).read_text(encoding="utf-8").splitlines()
    if line.startswith("| ")
    for quoted in re.findall(r'"([^"]+)"', line)
]


@cache
def said() -> str:
    """Every text in the product's code; those of an f-string in the parts between its values."""
    texts = (
        " ".join(node.value.split())
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    return "\n".join(texts)


@pytest.mark.parametrize(("page", "quoted"), QUOTED)
def test_what_is_quoted_is_what_the_bot_says(page: str, quoted: str) -> None:
    # The names of settings, and what comes behind "Could not", are filled in.
    pieces = re.split(r"…|\b[A-Z_]{4,}\b|(?<=Could not) ", quoted)
    parts = [part.strip(" `.") for part in pieces]
    missing = [part for part in parts if part not in said()]
    assert not missing, f"{page}: {quoted}"


def test_there_is_something_quoted() -> None:
    assert len(QUOTED) > 25
