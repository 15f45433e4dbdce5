"""`python -m sandbox`: the local workspace and the recorded cluster in one process.

Prints one JSON line when both answer: {"slack": URL, "cluster": URL, "kubeconfig": PATH,
"knowledge": DIR, "made_at": the moment its logs end at}, and with --local-llm "ollama": URL. Ends
on SIGINT, SIGTERM, or when its standard input is closed, so that it never outlives the demo that
started it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import yaml

from sandbox.cluster.server import run_cluster
from sandbox.knowledge.generate import prepare
from sandbox.ollama import local
from sandbox.ollama.server import run_ollama
from sandbox.slack.server import run_workspace
from sandbox.slack.workspace import Workspace
from sandbox.slack.world import AppProfile


async def serve(arguments: argparse.Namespace) -> None:
    """Run until told to stop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if arguments.until_stdin_closes:
        # A daemon thread: a blocked read must not keep the process from ending on a signal.
        Thread(target=_wait_for_end_of_input, args=(loop, stop), daemon=True).start()
    folder: Path = arguments.folder
    made_at = datetime.now(UTC)
    knowledge = await asyncio.to_thread(prepare, folder / "knowledge", made_at)
    profile = await asyncio.to_thread(_profile, arguments.manifest)
    async with AsyncExitStack() as stack:
        workspace = await stack.enter_async_context(
            run_workspace(
                port=arguments.port,
                workspace=Workspace(app=profile) if profile else None,
                delivery=arguments.delivery,
                request_url=arguments.request_url or None,
            )
        )
        cluster = await stack.enter_async_context(run_cluster(speed=0 if arguments.still else 1))
        ready = {
            "slack": workspace.url,
            "cluster": cluster.url,
            "kubeconfig": str(cluster.kubeconfig(folder / "kubeconfig")),
            "knowledge": str(knowledge),
            "made_at": made_at.isoformat(),
        }
        if arguments.local_llm:
            model = await asyncio.to_thread(local.LocalModel)
            ollama = await stack.enter_async_context(
                run_ollama(model, (local.MODEL,), context_length=local.CONTEXT_LENGTH)
            )
            ready["ollama"] = ollama.url
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()
        await stop.wait()


def _profile(manifest: Path | None) -> AppProfile | None:
    """The app's commands, scopes and subscriptions, as a real workspace would grant them."""
    if manifest is None:
        return None
    return AppProfile.from_manifest(yaml.safe_load(manifest.read_text(encoding="utf-8")))


def _wait_for_end_of_input(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    sys.stdin.buffer.read()
    loop.call_soon_threadsafe(stop.set)


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port of the workspace; 0: any")
    parser.add_argument(
        "--folder", type=Path, default=Path(".sandbox"), help="where to write its files"
    )
    parser.add_argument("--delivery", choices=("socket", "http"), default="socket")
    parser.add_argument("--request-url", default="", help="the bot's address, for --delivery http")
    parser.add_argument("--manifest", type=Path, help="the app's manifest; default: all is granted")
    parser.add_argument("--local-llm", action="store_true", help="a small real model as Ollama")
    parser.add_argument("--still", action="store_true", help="time stands still in the cluster")
    parser.add_argument("--until-stdin-closes", action="store_true")
    try:
        asyncio.run(serve(parser.parse_args()))
    except local.MissingModelError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
