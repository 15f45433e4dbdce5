"""`opsbot demo`: the real bot, wired to the sandbox by nothing but its settings."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from bot.child import child
from bot.datafolder import DataFolder
from bot.run import Ready, run_bot
from bot.settings import Settings, load_settings
from core.errors import OpsbotError

_START_SECONDS = 60
# Trouble arrives within minutes in the recorded cluster, and so do its digests.
_DIGEST_CRON = "*/2 * * * *"


async def run_demo(port: int, data_dir: Path, *, has_local_llm: bool = False) -> int:
    """Start the sandbox, run the bot against it, and stop both on Ctrl-C or SIGTERM.

    With `has_local_llm` the sandbox brings a small real model, which stands in for Ollama.

    Raises:
        OpsbotError: The port is taken, or the sandbox did not start.
    """
    folder = DataFolder(data_dir).path
    http_port = _free_port()
    asked = load_settings(opsbot_data_dir=folder, http_port=http_port)
    more = ("--local-llm",) if has_local_llm else ()
    async with open_sandbox(port, folder / "sandbox", asked, more) as ready:
        say(f"Slack workspace  {ready['slack']}  (starting the bot…)")
        return await run_bot(
            sandbox_settings(folder, http_port, ready),
            on_ready=lambda state: _tell(ready["slack"], folder, state),
        )


def sandbox_settings(folder: Path, http_port: int, ready: dict[str, str]) -> Settings:
    """The sandbox's addresses; what is not named here (the model, say) is the user's to set."""
    knowledge = ready["knowledge"]
    model = {"llm_model": "auto", "ollama_base_url": ready["ollama"]} if "ollama" in ready else {}
    return load_settings(
        **model,
        opsbot_data_dir=folder,
        opsbot_config=None,
        slack_bot_token="xoxb-sandbox-opsbot",  # noqa: S106  (the sandbox's own)
        slack_app_token="xapp-sandbox-opsbot",  # noqa: S106
        slack_signing_secret="sandbox-signing-secret",  # noqa: S106
        slack_api_url=f"{ready['slack']}/api/",
        slack_command="/k8s",
        http_port=http_port,
        knowledge_sources=(
            f"markdown:{knowledge}",
            f"csv-logs:{knowledge}/logs/*.csv",
            f"csv-metrics:{knowledge}/metrics/*.csv",
            f"graph:{knowledge}/graph.yaml",
        ),
        kubeconfig=ready["kubeconfig"],
        kube_contexts=("demo",),
        qdrant_url="",
        qdrant_path=None,
        state_url=None,
        digest_channel="COPS",
        digest_cron=_DIGEST_CRON,
    )


@asynccontextmanager
async def open_sandbox(
    port: int, folder: Path, settings: Settings, more: Sequence[str] = ()
) -> AsyncIterator[dict[str, str]]:
    """The sandbox in a process beside this one; gives what it printed when it was ready.

    Raises:
        OpsbotError: It did not come up.
    """
    arguments = ["--port", str(port), "--folder", str(folder), "--until-stdin-closes", *more]
    manifest = Path(__file__).parents[1] / "manifest.yaml"
    if await asyncio.to_thread(manifest.exists):  # in a checkout; the wheel goes without
        arguments += ["--manifest", str(manifest)]
    if settings.slack_mode == "http":
        url = f"http://{settings.http_host}:{settings.http_port}/slack/events"
        arguments += ["--delivery", "http", "--request-url", url]
    async with child("sandbox", *arguments) as process:
        yield await _ready_line(process, port)


async def _ready_line(process: Process, port: int) -> dict[str, str]:
    if process.stdout is None:
        raise RuntimeError("the sandbox was started without a pipe")
    try:
        line = await asyncio.wait_for(process.stdout.readline(), timeout=_START_SECONDS)
    except TimeoutError:
        line = b""
    if not line:
        raise OpsbotError(
            f"start the local Slack workspace on port {port}",
            "it did not come up (is there a reason above? is the port taken?)",
            f"Try another one: make demo PORT={port + 1}",
        )
    return dict(json.loads(line))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _tell(address: str, folder: Path, state: Ready) -> None:
    data_dir = os.path.relpath(folder)
    say(
        f"""
  Open      {address}
  Model     {state.model}
  Knows     {state.knowledge}
  Cluster   {state.clusters}

  Try in #general:   /k8s ask why does payments keep restarting?
  Mention it:        @opsbot which services does worker-3 going down hit?
  Watch #ops:        the first digest is on its way; new trouble arrives within two minutes.
  In a terminal:     OPSBOT_DATA_DIR={data_dir} {_command()} ask "who owns checkout?"

  Stop with Ctrl-C.
"""
    )


def _command() -> str:
    command = Path(sys.argv[0])
    return os.path.relpath(command) if command.name == "opsbot" else "python -m bot"


def say(text: str) -> None:
    """Print at once, also into a pipe."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
