from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_pydantic import ComposeSpecification

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    return content


def test_the_compose_file_meets_the_compose_specification(compose: dict[str, Any]) -> None:
    specification = ComposeSpecification.model_validate(compose)
    assert specification.services is not None
    assert {"bot", "qdrant", "ollama"} <= set(specification.services)


def test_every_image_is_pinned_to_a_version(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        tag = service["image"].rpartition(":")[2]
        assert tag[0] in "v0123456789", f"{name} uses {service['image']}"


def test_long_running_services_that_others_wait_for_have_health_checks(
    compose: dict[str, Any],
) -> None:
    waited_for = {
        other
        for service in compose["services"].values()
        for other, how in service.get("depends_on", {}).items()
        if how["condition"] == "service_healthy"
    }
    assert waited_for == {"qdrant", "ollama"}
    assert all("healthcheck" in compose["services"][name] for name in waited_for)


def test_every_named_volume_is_declared(compose: dict[str, Any]) -> None:
    used = {
        volume.partition(":")[0]
        for service in compose["services"].values()
        for volume in service.get("volumes", [])
        if not volume.startswith(("$", ".", "/", "~"))
    }
    assert used == set(compose["volumes"])


def test_the_image_runs_as_a_user_without_rights_and_from_pinned_requirements() -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    assert "USER opsbot" in lines
    assert any("--require-hashes -r /src/requirements.txt" in line for line in lines)
    copied = {line.split()[1] for line in lines if line.startswith("COPY ") and "/src/" in line}
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "evals"}
    assert packages <= copied
