"""What docs/installing.md shows can be done as it stands there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from bot.cli import app
from tests.deploy.chart import render
from tests.deploy.manifests import problems

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "installing.md").read_text(encoding="utf-8")
VALUES = re.findall(r"```yaml\n# values\.yaml\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.mark.parametrize("text", VALUES)
def test_the_charts_values_render(text: str) -> None:
    manifests = render(yaml.safe_load(text))
    own = [row for row in manifests if row["kind"] != "ServiceMonitor"]
    assert [found for row in own for found in problems(row)] == []


def test_there_are_values_to_try() -> None:
    assert len(VALUES) == 4


def test_the_commands_of_opsbot_exist_with_their_options() -> None:
    commands: dict[str, Any] = get_command(app).commands  # type: ignore[attr-defined]  # a group
    named = re.findall(r"opsbot ([a-z]+)((?: --[a-z-]+(?: [^-`\n]\S*)?)*)", PAGE)
    assert {name for name, _ in named} >= {"setup", "doctor", "run"}
    for name, options in named:
        if name not in commands:
            assert name == "deploy", f"opsbot {name} is no command"  # helm install opsbot deploy/…
            continue
        known = {option for row in commands[name].params for option in row.opts}
        assert set(re.findall(r"--[a-z-]+", options)) <= known


def test_the_files_that_are_named_are_there() -> None:
    blocks = "\n".join(re.findall(r"```\n(.*?)```", PAGE, flags=re.DOTALL))
    for path in re.findall(
        r"(?:deploy/(?:helm|monitoring)/\S+|requirements\.txt|\.env\.example)", blocks
    ):
        assert (ROOT / path).exists(), path


def test_the_role_for_a_plain_install_has_the_name_that_is_bound() -> None:
    role = yaml.safe_load((ROOT / "deploy/helm/opsbot/files/clusterrole.yaml").read_text("utf-8"))
    assert f"--clusterrole={role['metadata']['name']} " in PAGE
