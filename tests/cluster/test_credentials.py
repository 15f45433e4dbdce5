"""The ways into a cluster that kubeconfigs use: each against a server that insists on it."""

from __future__ import annotations

import base64
import json
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import ClientSession, web

from cluster.client import ClusterClient, Timeouts
from core.errors import ClusterError
from tests.cluster.api import FakeApi, serving
from tests.cluster.certificates import Certificates

QUICK = Timeouts(connect_seconds=2, total_seconds=5, login_seconds=5)


def write_config(path: Path, cluster: dict[str, Any], user: dict[str, Any]) -> str:
    path.write_text(
        yaml.safe_dump(
            {
                "current-context": "demo",
                "contexts": [{"name": "demo", "context": {"cluster": "demo", "user": "bot"}}],
                "clusters": [{"name": "demo", "cluster": cluster}],
                "users": [{"name": "bot", "user": user}],
            }
        )
    )
    return str(path)


@asynccontextmanager
async def client_of(path: str, timeouts: Timeouts = QUICK) -> AsyncIterator[ClusterClient]:
    client = await ClusterClient.from_kubeconfig(path, None, "demo", timeouts)
    try:
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def serving_tls(api: FakeApi, context: ssl.SSLContext) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", api.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        yield f"https://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def helper(folder: Path, status: dict[str, str] | str, exit_code: int = 0) -> dict[str, Any]:
    """A login helper that gives what stands in a file beside it, and counts its runs."""
    answer = folder / "credential.json"
    if isinstance(status, dict):
        api_version = "client.authentication.k8s.io/v1"
        status = json.dumps({"apiVersion": api_version, "kind": "ExecCredential", "status": status})
    answer.write_text(status)
    script = folder / "login.py"
    script.write_text(
        "import os, pathlib, sys\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "with (folder / 'runs').open('a') as runs: runs.write(os.environ['OPS_PROFILE'] + '\\n')\n"
        "print((folder / 'credential.json').read_text())\n"
        f"sys.exit({exit_code})\n"
    )
    return {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": sys.executable,
            "args": [str(script), str(folder)],
            "env": [{"name": "OPS_PROFILE", "value": "prod"}],
            "interactiveMode": "Never",
        }
    }


async def test_a_login_helpers_token_is_used_and_fetched_again_when_it_expires(
    tmp_path: Path,
) -> None:
    user = helper(tmp_path, {"token": "first"})
    async with serving(FakeApi()) as api:
        api.valid_token = "first"
        path = write_config(tmp_path / "config", {"server": api.url}, user)
        async with client_of(path) as client:
            assert await client.version() == "v1.34.1"
            helper(tmp_path, {"token": "second"})
            api.valid_token = "second"
            assert await client.version() == "v1.34.1"
    assert (tmp_path / "runs").read_text() == "prod\nprod\n"


@pytest.mark.parametrize(("answer", "exit_code"), [("not json", 0), ("{}", 0), ("", 3)])
async def test_a_login_helper_that_fails_is_told(
    tmp_path: Path, answer: str, exit_code: int
) -> None:
    path = write_config(
        tmp_path / "config", {"server": "http://127.0.0.1:1"}, helper(tmp_path, answer, exit_code)
    )
    with pytest.raises(ClusterError, match="login helper"):
        await ClusterClient.from_kubeconfig(path, None, "demo", QUICK)


async def test_a_client_certificate_opens_the_door(tmp_path: Path) -> None:
    made = Certificates.make(tmp_path / "pki", "bot")
    async with serving_tls(FakeApi(), made.server_context()) as url:
        cluster = {"server": url, "certificate-authority": str(made.folder / "ca.crt")}
        user = {
            "client-certificate": str(made.folder / "bot.crt"),
            "client-key-data": base64.b64encode((made.folder / "bot.key").read_bytes()).decode(),
        }
        async with client_of(write_config(tmp_path / "config", cluster, user)) as client:
            assert await client.version() == "v1.34.1"
        async with client_of(write_config(tmp_path / "none", cluster, {})) as client:
            with pytest.raises(ClusterError):
                await client.version()


async def test_a_new_certificate_of_a_login_helper_is_taken_up(tmp_path: Path) -> None:
    made = Certificates.make(tmp_path / "pki", "old", "new")

    class Picky(FakeApi):
        async def handle(self, request: web.Request) -> web.Response:
            assert request.transport is not None
            names = dict(
                item[0] for item in request.transport.get_extra_info("peercert")["subject"]
            )
            if names["commonName"] != "new":
                return web.json_response({"message": "Unauthorized"}, status=401)
            return await super().handle(request)

    def certificate(name: str) -> dict[str, str]:
        return {
            "clientCertificateData": (made.folder / f"{name}.crt").read_text(),
            "clientKeyData": (made.folder / f"{name}.key").read_text(),
        }

    user = helper(tmp_path, certificate("old"))
    async with serving_tls(Picky(), made.server_context()) as url:
        cluster = {"server": url, "certificate-authority": str(made.folder / "ca.crt")}
        async with client_of(write_config(tmp_path / "config", cluster, user)) as client:
            helper(tmp_path, certificate("new"))
            assert await client.version() == "v1.34.1"


async def test_an_unknown_authority_is_unreachable(tmp_path: Path) -> None:
    made = Certificates.make(tmp_path / "pki", "bot")
    other = Certificates.make(tmp_path / "other")
    async with serving_tls(FakeApi(), made.server_context()) as url:
        cluster = {"server": url, "certificate-authority": str(other.folder / "ca.crt")}
        async with client_of(write_config(tmp_path / "config", cluster, {})) as client:
            with pytest.raises(ClusterError, match="certificate"):
                await client.version()


async def test_a_token_file_that_is_rotated_is_read_again(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("first\n")
    async with serving(FakeApi()) as api:
        api.valid_token = "first"
        path = write_config(tmp_path / "config", {"server": api.url}, {"tokenFile": "token"})
        async with client_of(path) as client:
            assert await client.version() == "v1.34.1"
            token.write_text("second\n")
            api.valid_token = "second"
            assert await client.version() == "v1.34.1"
    assert api.tokens == {"Bearer first", "Bearer second"}


async def test_a_proxy_url_is_the_only_way_out(tmp_path: Path) -> None:
    asked: list[str] = []

    async def forward(request: web.Request) -> web.Response:
        # A proxy is asked for the whole address.
        asked.append(request.raw_path)
        async with (
            ClientSession() as session,
            session.get(
                request.raw_path, headers={"Authorization": request.headers["Authorization"]}
            ) as answer,
        ):
            return web.Response(status=answer.status, body=await answer.read())

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", forward)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with serving(FakeApi()) as api:
            cluster = {"server": api.url, "proxy-url": f"http://127.0.0.1:{runner.addresses[0][1]}"}
            path = write_config(tmp_path / "config", cluster, {"token": "bot-token"})
            async with client_of(path) as client:
                assert await client.version() == "v1.34.1"
            assert asked == [f"{api.url}/version"]
            assert api.tokens == {"Bearer bot-token"}
    finally:
        await runner.cleanup()
