"""Renders the chart by the real helm."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

CHART = Path(__file__).parents[2] / "deploy" / "helm" / "opsbot"

Manifest = dict[str, Any]


class RefusedError(Exception):
    """helm did not render; the text is what it printed."""


def helm(*arguments: str, values: dict[str, Any] | None = None) -> str:
    """What helm prints; without it on the machine the test is skipped by name."""
    program = shutil.which("helm")
    if program is None:
        pytest.skip("helm is not installed on this machine")
    done = subprocess.run(  # noqa: S603  (our own arguments)
        [program, *arguments, "--kube-version", "1.34", "--values", "-"],
        input=yaml.safe_dump(values or {}),
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    if done.returncode:
        raise RefusedError(done.stdout + done.stderr)
    return done.stdout


def render(values: dict[str, Any], release: str = "opsbot") -> list[Manifest]:
    """The manifests that `helm install` would send to namespace `ops`."""
    text = helm("template", release, str(CHART), "--namespace", "ops", values=values)
    return [manifest for manifest in yaml.safe_load_all(text) if manifest]


def one(manifests: list[Manifest], kind: str) -> Manifest:
    """The only manifest of a kind."""
    (found,) = [manifest for manifest in manifests if manifest["kind"] == kind]
    return found


def kinds(manifests: list[Manifest]) -> list[str]:
    """Every manifest's kind, sorted."""
    return sorted(manifest["kind"] for manifest in manifests)
