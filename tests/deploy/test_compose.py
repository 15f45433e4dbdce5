from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from compose_pydantic import ComposeSpecification

from bot.settings import Settings

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    return content


def test_the_compose_file_meets_the_compose_specification(compose: dict[str, Any]) -> None:
    standard = {key: value for key, value in compose.items() if not key.startswith("x-")}
    specification = ComposeSpecification.model_validate(standard)
    assert specification.services is not None
    assert {"bot", "qdrant", "ollama"} <= set(specification.services)


def test_every_image_is_pinned_to_a_version(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        tag = service["image"].rpartition(":")[2]
        assert tag[0] in "v0123456789", f"{name} uses {service['image']}"


def test_services_that_others_wait_for_have_health_checks(compose: dict[str, Any]) -> None:
    waited_for = {
        other
        for service in compose["services"].values()
        for other, how in service.get("depends_on", {}).items()
        if how["condition"] == "service_healthy"
    }
    assert waited_for == {"qdrant", "ollama"}
    assert all("healthcheck" in compose["services"][name] for name in waited_for)


def test_the_other_databases_start_only_when_asked_for(compose: dict[str, Any]) -> None:
    profiles = {
        name: row["profiles"] for name, row in compose["services"].items() if "profiles" in row
    }
    assert profiles == {"postgres": ["postgres"], "neo4j": ["neo4j"]}


def test_every_named_volume_is_declared(compose: dict[str, Any]) -> None:
    used = {
        volume.partition(":")[0]
        for service in compose["services"].values()
        for volume in service.get("volumes", [])
        if isinstance(volume, str)
    }
    assert used == set(compose["volumes"])


def test_a_folder_that_is_missing_is_told_and_not_made_up(compose: dict[str, Any]) -> None:
    bound = [row for row in compose["services"]["bot"]["volumes"] if isinstance(row, dict)]
    assert {row["target"] for row in bound} == {"/knowledge", "/kube/config"}
    assert all(row["read_only"] and not row["bind"]["create_host_path"] for row in bound)


def test_no_service_may_gain_rights_and_the_bot_has_none(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert all(row["security_opt"] == ["no-new-privileges:true"] for row in services.values())
    assert services["bot"]["read_only"] is True
    assert services["bot"]["cap_drop"] == ["ALL"]
    assert services["bot"]["tmpfs"] == ["/tmp"]
    published = [port for row in services.values() for port in row.get("ports", [])]
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_every_setting_that_is_set_exists(compose: dict[str, Any]) -> None:
    known = {name.upper() for name in Settings.model_fields}
    assert compose["services"]["bot"]["environment"].keys() <= known
    assert image_environment().keys() - {"PATH", "PYTHONUNBUFFERED", "HOME"} <= known


def test_ports_agree(compose: dict[str, Any]) -> None:
    bot = compose["services"]["bot"]
    opened = {bot["environment"]["HTTP_PORT"], bot["environment"]["METRICS_PORT"]}
    assert {port.rpartition(":")[2] for port in bot["ports"]} == opened
    (exposed,) = [line.split()[1:] for line in dockerfile() if line.startswith("EXPOSE")]
    assert set(exposed) == opened
    assert image_environment()["METRICS_PORT"] == bot["environment"]["METRICS_PORT"]


async def test_the_images_health_check_follows_readyz() -> None:
    (command,) = [line for line in dockerfile() if line.lstrip().startswith('CMD ["python"')]
    program, *arguments = json.loads(command.split("CMD ", 1)[1])
    assert program == "python"
    statuses = [200, 503]

    async def readyz(_: web.Request) -> web.Response:
        return web.Response(status=statuses.pop(0))

    app = web.Application()
    app.router.add_get("/readyz", readyz)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    script = arguments[1].replace(image_environment()["METRICS_PORT"], str(port))
    codes = []
    while statuses:
        process = await asyncio.create_subprocess_exec(
            sys.executable, arguments[0], script, stderr=asyncio.subprocess.DEVNULL
        )
        codes.append(await process.wait())
    await runner.cleanup()
    assert codes == [0, 1]


def test_the_image_runs_as_a_user_without_rights_and_from_pinned_requirements() -> None:
    lines = dockerfile()
    (user,) = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert int(user) > 0
    chart = (ROOT / "deploy/helm/opsbot/templates/deployment.yaml").read_text(encoding="utf-8")
    assert f"runAsUser: {user}" in chart
    assert any("--require-hashes -r /src/requirements.txt" in line for line in lines)
    copied = {line.split()[1] for line in lines if line.startswith("COPY ") and "/src/" in line}
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "evals"}
    assert packages <= copied
    let_in = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert all(f"!{name}" in let_in for name in copied)


def dockerfile() -> list[str]:
    return (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()


def image_environment() -> dict[str, str]:
    """The variables that the image's last stage sets."""
    text = "\n".join(dockerfile()).rpartition("FROM ")[2].replace("\\\n", " ")
    (line,) = [row for row in text.splitlines() if row.startswith("ENV ")]
    return dict(pair.split("=", 1) for pair in line.removeprefix("ENV ").split())
