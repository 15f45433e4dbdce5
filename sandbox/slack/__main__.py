"""`python -m sandbox.slack`: a workspace in a process of its own."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path

import yaml

from sandbox.slack.server import run_workspace
from sandbox.slack.workspace import Workspace
from sandbox.slack.world import AppProfile


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox.slack",
        description="Run a local Slack workspace until SIGINT or SIGTERM. "
        "Prints one line of JSON with its address when it is ready.",
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--delivery", choices=("socket", "http"), default="socket")
    parser.add_argument("--request-url", default="", help="for http: where the app listens")
    parser.add_argument("--manifest", type=Path, help="the app's manifest, as Slack installs it")
    return parser.parse_args()


async def _run(arguments: argparse.Namespace, app: AppProfile | None) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with run_workspace(
        arguments.host,
        arguments.port,
        arguments.delivery,
        arguments.request_url,
        workspace=Workspace(app=app),
    ) as running:
        ready = {"ready": True, "url": running.url, "api_url": running.api_url}
        sys.stdout.write(json.dumps(ready | {"delivery": arguments.delivery}) + "\n")
        sys.stdout.flush()
        await stopped.wait()


def main() -> None:
    """Run until stopped."""
    arguments = _arguments()
    manifest: Path | None = arguments.manifest
    app = AppProfile.from_manifest(yaml.safe_load(manifest.read_text())) if manifest else None
    asyncio.run(_run(arguments, app))


if __name__ == "__main__":
    main()
