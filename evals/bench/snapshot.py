"""Reading a whole cluster over HTTP, against downloading and skipping its bytes.

`python -m evals.bench.snapshot` reads a tenth of 5,000 nodes and 150,000 pods, with `--full` all
of them, from a server in a process of its own; with `--slow` that takes 30 ms for each page, as API
servers do, and not the least that is possible. It also tells how much memory that took and for how
long the event loop was held at most. The alternative does what it must to know the next page.
"""

from __future__ import annotations

import asyncio
import gc
import json
import math
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import msgspec

from cluster.client import ClusterClient
from cluster.objects import Pod
from cluster.snapshot import let_go, take_snapshot
from core.clock import SystemClock
from evals.bench.harness import compare

FULL = (5_000, 150_000)


class _Skipped(msgspec.Struct):
    """A page of which only the metadata is read."""

    metadata: dict[str, str]


class _Watchman:
    """Measures for how long the event loop could not run anything else.

    Attributes:
        worst_seconds: At most, by the clock: other programs on the machine are in it.
        worst_computing_seconds: At most, of what this process computed.
        computing_seconds: What the process computed in the quickest run.
    """

    def __init__(self) -> None:
        self.worst_seconds = 0.0
        self.worst_computing_seconds = 0.0
        self.computing_seconds = math.inf

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Measures for as long as the block lasts."""
        begin = time.process_time()
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            self.computing_seconds = min(self.computing_seconds, time.process_time() - begin)

    async def _run(self) -> None:
        while True:
            begin, computing = time.perf_counter(), time.process_time()
            await asyncio.sleep(0.001)
            took, computed = time.perf_counter() - begin - 0.001, time.process_time() - computing
            self.worst_seconds = max(self.worst_seconds, took)
            self.worst_computing_seconds = max(self.worst_computing_seconds, computed)

    def told(self) -> str:
        """The three numbers in words."""
        return (
            f"computed {self.computing_seconds:.2f} s, held the event loop for "
            f"{self.worst_seconds * 1000:.0f} ms at most, "
            f"{self.worst_computing_seconds * 1000:.0f} ms computing"
        )


@asynccontextmanager
async def big_cluster(nodes: int, pods: int, page_seconds: float = 0) -> AsyncIterator[str]:
    """A server process with that many objects, which waits before each page; its address."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "evals.bench.bigcluster",
        str(nodes),
        str(pods),
        str(page_seconds),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(await process.stdout.readline())}"
    finally:
        process.stdin.close()
        await process.wait()


async def measure(nodes: int, pods: int, page_seconds: float, runs: int) -> None:
    """Print the row, then memory and the longest pause."""
    gc.freeze()  # as the bot does when it is ready
    clock = SystemClock()
    watchman, other_watchman = _Watchman(), _Watchman()
    decoder = msgspec.json.Decoder(_Skipped)
    with tempfile.TemporaryDirectory() as folder:
        async with (
            big_cluster(nodes, pods, page_seconds) as url,
            aiohttp.ClientSession(url) as session,
        ):
            client = await ClusterClient.from_kubeconfig(
                kubeconfig(Path(folder) / "config", url), None, "big"
            )

            async def ours() -> None:
                async with watchman.watching():
                    taken = [await take_snapshot(client, clock)]
                    if len(taken[0].of(Pod)) != pods or taken[0].gaps:
                        raise AssertionError(taken[0].gaps)
                    await let_go(taken)

            async def other() -> None:
                async with other_watchman.watching():
                    await skip_all()

            async def skip_all() -> None:
                for plural in ("nodes", "pods"):
                    position = "0"
                    while position:
                        query = {"limit": "500", "continue": position}
                        async with session.get(f"/api/v1/{plural}", params=query) as response:
                            position = decoder.decode(await response.read()).metadata["continue"]

            before = _peak_megabytes()
            await compare(
                f"snapshot of {nodes:,} nodes and {pods:,} pods over HTTP",
                ("all kinds, decoded", ours),
                ("download and skip", other),
                runs=runs,
            )
            await client.close()
    sys.stderr.write(
        f"memory at most {_peak_megabytes():.0f} MB ({before:.0f} MB before reading)\n"
        f"ours {watchman.told()}\nthe alternative {other_watchman.told()}\n"
    )


def _peak_megabytes() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def kubeconfig(path: Path, url: str) -> str:
    """Write one that points at an address; gives its path."""
    path.write_text(
        json.dumps(
            {
                "current-context": "big",
                "contexts": [{"name": "big", "context": {"cluster": "big", "user": "bench"}}],
                "clusters": [{"name": "big", "cluster": {"server": url}}],
                "users": [{"name": "bench", "user": {}}],
            }
        )
    )
    return str(path)


async def run() -> None:
    """A tenth of the size, in a process of its own: its memory is its own, too."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "evals.bench.snapshot")
    await process.wait()


if __name__ == "__main__":
    nodes, pods = FULL if "--full" in sys.argv else (FULL[0] // 10, FULL[1] // 10)
    asyncio.run(measure(nodes, pods, 0.03 if "--slow" in sys.argv else 0, runs=3))
