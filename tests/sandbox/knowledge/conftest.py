"""A generated knowledge folder and the pages of it, read once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.knowledge.generate import MARKDOWN_FOLDERS, prepare, source_folder

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Page:
    """A Markdown file: its path in the knowledge folder, front matter and body."""

    path: str
    meta: dict[str, Any]
    body: str


def _page(path: Path) -> Page:
    start, meta, body = path.read_text(encoding="utf-8").split("---\n", 2)
    assert not start, f"{path.name} does not begin with front matter"
    return Page(f"{path.parent.name}/{path.name}", yaml.safe_load(meta), body)


@pytest.fixture(scope="session")
def pages() -> list[Page]:
    root = source_folder()
    return [
        _page(path) for folder in MARKDOWN_FOLDERS for path in sorted((root / folder).glob("*.md"))
    ]


@pytest.fixture(scope="session")
def graph() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((source_folder() / "graph.yaml").read_text("utf-8"))
    return loaded


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare(tmp_path_factory.mktemp("knowledge"), NOW)


@pytest.fixture(scope="session")
def world() -> str:
    return (source_folder().parent / "README.md").read_text(encoding="utf-8")
