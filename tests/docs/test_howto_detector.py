"""The detector that docs/howto/detector.md writes is one."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.cluster.payloads import NOW, Json, ago, snapshot, workload
from tests.docs.commands import ROOT, fences


@pytest.fixture
def module(tmp_path: Path) -> Any:
    """The page's module, imported from a file."""
    (code,) = [text for kind, text in fences(ROOT / "docs/howto/detector.md") if kind == "python"]
    path = tmp_path / "paused.py"
    path.write_text(code, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("paused", path)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def deployment(*, minutes: float, is_paused: bool) -> Json:
    made = workload("Deployment")
    made["metadata"]["creationTimestamp"] = ago(minutes)
    made["spec"]["paused"] = is_paused
    return made


@pytest.mark.parametrize(
    ("minutes", "is_paused", "found"), [(90, True, 1), (10, True, 0), (90, False, 0)]
)
def test_it_finds_what_the_page_says(
    module: Any, minutes: float, is_paused: bool, found: int
) -> None:
    seen = snapshot(deployment(minutes=minutes, is_paused=is_paused))
    findings = list(module.detect(seen, NOW, SimpleNamespace(paused_hold_seconds=3600)))
    assert [finding.title for finding in findings] == ["payments: its rollout is paused"] * found
