"""`opsbot setup` as a person meets it: on a terminal, against the local workspace."""

from __future__ import annotations

import asyncio
import os
import pty
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml
from dotenv import dotenv_values

from sandbox.cluster.server import run_cluster
from sandbox.slack import world
from sandbox.slack.server import RunningWorkspace, run_workspace
from sandbox.slack.workspace import Workspace
from tests.e2e.program import ROOT, clean_environment, run_command

TOKENS = (world.BOT_TOKEN, world.APP_TOKEN, world.SIGNING_SECRET)


class Screen:
    """A terminal: what is on it, and a keyboard."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._seen = 0
        self.text = ""
        os.set_blocking(descriptor, False)
        asyncio.get_running_loop().add_reader(descriptor, self._read)

    def _read(self) -> None:
        try:
            self.text += os.read(self._descriptor, 65536).decode()
        except OSError:  # the program has let go of the terminal
            asyncio.get_running_loop().remove_reader(self._descriptor)

    async def answer(self, question: str, typed: str) -> None:
        """Wait for a question that has not been answered yet, and type."""
        await self.shows(question)
        os.write(self._descriptor, f"{typed}\n".encode())

    async def shows(self, words: str) -> None:
        """Wait until words are there, after those that were waited for last."""
        async with asyncio.timeout(60):
            while (at := self.text.find(words, self._seen)) < 0:  # noqa: ASYNC110  (another process)
                await asyncio.sleep(0.02)
        self._seen = at + len(words)

    def end_input(self) -> None:
        """Press Ctrl-D, which ends the input."""
        os.write(self._descriptor, b"\x04")

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._descriptor)
        os.close(self._descriptor)


@asynccontextmanager
async def terminal(
    folder: Path, environment: dict[str, str]
) -> AsyncIterator[tuple[Screen, asyncio.subprocess.Process]]:
    """`opsbot setup` on a terminal of its own."""
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "setup",
        cwd=folder, env=environment | {"TERM": "dumb"}, start_new_session=True,
        stdin=theirs, stdout=theirs, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    screen = Screen(ours)
    try:
        yield screen, process
        async with asyncio.timeout(30):
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        screen.close()


@pytest.fixture
async def workspace() -> AsyncIterator[RunningWorkspace]:
    """A workspace in which the app is installed as its manifest says."""
    manifest = yaml.safe_load((ROOT / "manifest.yaml").read_text(encoding="utf-8"))
    app = world.AppProfile.from_manifest(manifest)
    async with run_workspace(workspace=Workspace(app=app)) as running:
        yield running


def environment_of(workspace: RunningWorkspace, folder: Path, **more: str) -> dict[str, str]:
    environment = clean_environment(SLACK_API_URL=workspace.api_url, HOME=str(folder), **more)
    del environment["LLM_MODEL"]
    return environment


async def test_it_asks_tries_and_writes_and_shows_no_secret(
    workspace: RunningWorkspace, tmp_path: Path
) -> None:
    env = tmp_path / ".env"
    env.write_text("# Mine\nDIGEST_CRON='0 7 * * *'\n# LLM_MODEL=auto\n")
    async with run_cluster() as cluster:
        kubeconfig = str(cluster.kubeconfig(tmp_path / "kubeconfig"))
        environment = environment_of(workspace, tmp_path, KUBECONFIG=kubeconfig)
        async with terminal(tmp_path, environment) as (screen, process):
            await screen.answer("How Slack reaches the bot", "pigeon")
            await screen.shows("there is no such way")
            await screen.answer("How Slack reaches the bot", "")
            await screen.answer("Bot token", "xoxb-wrong-token")
            await screen.shows("Slack does not accept the token")
            await screen.answer("Bot token", world.BOT_TOKEN)
            await screen.shows("Signed in to")
            await screen.answer("App-level token", world.APP_TOKEN)
            await screen.shows("Slack gives it a socket")
            await screen.answer("Channel for the digest", "#nowhere")
            await screen.shows("no channel that the bot can see has that name")
            await screen.answer("Channel for the digest", "#ops")
            await screen.answer("Model", "extractive")
            await screen.shows("answers are quoted")
            await screen.answer("Clusters to read, of demo", "demo")
            await screen.shows("Kubernetes v1.34")
            await screen.shows("opsbot doctor")
        assert process.returncode == 0, screen.text
        text = env.read_text()
        assert text.startswith("# Mine\nDIGEST_CRON='0 7 * * *'\n# LLM_MODEL=auto\nLLM_MODEL=")
        assert dotenv_values(env) == {
            "DIGEST_CRON": "0 7 * * *",
            "LLM_MODEL": "extractive",
            "SLACK_BOT_TOKEN": world.BOT_TOKEN,
            "SLACK_APP_TOKEN": world.APP_TOKEN,
            "DIGEST_CHANNEL": "#ops",
            "KUBE_CONTEXTS": "demo",
        }
        assert env.stat().st_mode & 0o777 == 0o600
        assert not [token for token in (*TOKENS, "xoxb-wrong") if token in screen.text]

        async with terminal(tmp_path, environment) as (screen, process):
            for question in ("How Slack", "Bot token", "App-level", "Channel", "Model", "Clusters"):
                await screen.answer(question, "")
        assert process.returncode == 0, screen.text
        assert env.read_text() == text, "a second run with Enter alone changes nothing"
        assert not [token for token in TOKENS if token in screen.text]


async def test_leaving_in_the_middle_writes_nothing(
    workspace: RunningWorkspace, tmp_path: Path
) -> None:
    async with terminal(tmp_path, environment_of(workspace, tmp_path)) as (screen, process):
        await screen.answer("How Slack reaches the bot", "http")
        await screen.shows("Bot token")
        screen.end_input()
    assert process.returncode == 1
    assert not (tmp_path / ".env").exists()


async def test_unattended_it_takes_what_is_set_and_keeps_it(
    workspace: RunningWorkspace, tmp_path: Path
) -> None:
    environment = environment_of(
        workspace, tmp_path, SLACK_BOT_TOKEN=world.BOT_TOKEN, SLACK_SIGNING_SECRET="s3cret-sign"
    )
    code, out, err = await run_command(
        "setup", "--no-input", "--mode", "http", "--channel", "COPS", "--model", "extractive",
        environment=environment, folder=tmp_path,
    )  # fmt: skip
    assert code == 0, err
    assert dotenv_values(tmp_path / ".env") == {
        "SLACK_MODE": "http",
        "SLACK_BOT_TOKEN": world.BOT_TOKEN,
        "SLACK_SIGNING_SECRET": "s3cret-sign",
        "DIGEST_CHANNEL": "COPS",
        "LLM_MODEL": "extractive",
    }
    assert not [token for token in (world.BOT_TOKEN, "s3cret-sign") if token in out + err]
