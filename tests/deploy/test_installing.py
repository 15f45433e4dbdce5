"""What docs/installing.md has the chart do is what it does; tests/docs runs its commands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

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


def test_the_role_for_a_plain_install_has_the_name_that_is_bound() -> None:
    role = yaml.safe_load((ROOT / "deploy/helm/opsbot/files/clusterrole.yaml").read_text("utf-8"))
    page = (ROOT / "docs" / "howto" / "cluster.md").read_text(encoding="utf-8")
    assert f"--clusterrole={role['metadata']['name']} " in page
