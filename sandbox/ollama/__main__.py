"""`python -m sandbox.ollama`: serve the stand-in until told to stop."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Sequence

from sandbox.ollama import local
from sandbox.ollama.scripts import SCRIPTS
from sandbox.ollama.server import CONTEXT_LENGTH, run_ollama


async def serve(host: str, port: int, script: str, models: tuple[str, ...]) -> None:
    """Serve until SIGINT or SIGTERM; prints one JSON line when ready."""
    context_length = local.CONTEXT_LENGTH if script == "local" else CONTEXT_LENGTH
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with run_ollama(SCRIPTS[script](), models, port, host, context_length) as running:
        ready = {"ready": True, "url": running.url, "script": script, "models": list(models)}
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()
        await stopped.wait()


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and serve; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.ollama", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at")
    parser.add_argument("--port", type=int, default=11434, help="port to listen at, 0 for any")
    parser.add_argument("--script", choices=sorted(SCRIPTS), default="answer_from_passages")
    parser.add_argument(
        "--model",
        action="append",
        help="a model to offer, may be repeated (llama3.1:latest, or the local model's own name)",
    )
    given = parser.parse_args(arguments)
    usual = local.MODEL if given.script == "local" else "llama3.1:latest"
    models = tuple(given.model or (usual,))
    try:
        asyncio.run(serve(given.host, given.port, given.script, models))
    except local.MissingModelError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(
            f"Could not serve the stand-in for Ollama at {given.host}:{given.port}: {error}. "
            "Choose another --port, 0 for any.\n"
        )
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
