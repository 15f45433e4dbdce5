"""`python -m sandbox.cluster`: serve the recorded cluster until told to stop.

With `--recordings` it serves others instead: JSON lines from standard input, each until the next
one comes or the input ends.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from sandbox.cluster.recordings import lines_of, serve_recordings
from sandbox.cluster.server import run_cluster


async def serve(host: str, port: int, kubeconfig: Path | None, speed: float) -> None:
    """Serve until SIGINT or SIGTERM; prints one JSON line when ready."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with run_cluster(host=host, port=port, speed=speed) as running:
        ready: dict[str, object] = {
            "ready": True,
            "url": running.url,
            "context": "demo",
            "token": running.token,
        }
        if kubeconfig is not None:
            ready["kubeconfig"] = str(running.kubeconfig(kubeconfig))
        _say(ready)
        await stopped.wait()


def _say(told: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and serve; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.cluster", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at")
    parser.add_argument("--port", type=int, default=6550, help="port to listen at, 0 for any")
    parser.add_argument("--kubeconfig", type=Path, help="write a kubeconfig for it here")
    parser.add_argument(
        "--speed", type=float, default=1.0, help="cluster seconds a real second; 0 stands still"
    )
    parser.add_argument(
        "--recordings", action="store_true", help="serve recordings from standard input in turn"
    )
    given = parser.parse_args(arguments)
    if given.recordings and given.kubeconfig is None:
        parser.error("--recordings needs --kubeconfig, which tells where each one is served")
    try:
        if given.recordings:
            asyncio.run(serve_recordings(lines_of(sys.stdin), given.kubeconfig, _say))
        else:
            asyncio.run(serve(given.host, given.port, given.kubeconfig, given.speed))
    except (OSError, ValueError) as error:
        sys.stderr.write(
            f"Could not serve the recorded cluster at {given.host}:{given.port}: {error}. "
            "Choose another --port (0 for any), --kubeconfig or --speed.\n"
        )
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
