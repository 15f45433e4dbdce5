"""Where an eval runs, and the pages that it asks."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def corpus(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A folder with the pages that the test's module names PAGES."""
    folder = tmp_path / "corpus"
    for name, text in request.module.PAGES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the command runs; its data folder stands there."""
    place = tmp_path / "run"
    place.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.setenv("OPSBOT_DATA_DIR", str(place / "data"))
    monkeypatch.setenv("EMBED_MODEL", "none")
    monkeypatch.setenv("LLM_MODEL", "auto")
    return place
