"""Grouping a million varied log lines by what they say, against drain3 where it is installed.

`python -m evals.bench.logs FILE…` repeats the lines of log files; every number and hexadecimal id
is drawn anew, with a fixed seed. Without files, lines of our own are taken.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import random
import re
import resource
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from core.linegroups import LineGroups
from core.templates import mask
from evals.bench.harness import compare

LINES = 1_020_000
SAMPLE = 100_000
BATCH = 10_000
_NUMBER = re.compile(r"(?<![A-Za-z0-9])(?=[0-9a-fA-F]*\d)[0-9a-fA-F]{7,}(?![A-Za-z0-9])|\d+")
_OWN = (
    "2026-03-01 10:00:00,123 INFO [main] com.fenwick.Pay - charge 17 of 3f9a2b71 done in 35 ms",
    "2026-03-01 10:00:00,123 ERROR [main] com.fenwick.Pay - no connection to 10.1.2.3:5432",
    "I0301 10:00:00.123456       1 reflector.go:138] watch of pods closed after 1200 items",
    '{"level":"info","ts":1772359200.1,"msg":"order 771 shipped","cart":"9bc3f2a1-1b2c4d5e8f90"}',
    'level=warn ts=2026-03-01T10:00:00Z msg="queue is 35 long" partition=7',
    '10.0.0.1 - - [01/Mar/2026:10:00:00 +0000] "GET /cart/771 HTTP/1.1" 200 5120',
)


Work = Callable[[], Awaitable[object]]


def varied(lines: Sequence[str], count: int) -> Iterator[str]:
    """The lines again and again, as many digits in each number, but other ones."""
    draw = random.Random(7)  # noqa: S311  (not for secrets)

    def redraw(match: re.Match[str]) -> str:
        found = match[0]
        if found.isdigit():
            return f"{draw.randrange(10 ** len(found)):0{len(found)}}"
        return "".join(draw.choice("0123456789abcdef") for _ in found)

    for number in range(count):
        yield _NUMBER.sub(redraw, lines[number % len(lines)])


async def run(files: Sequence[str] = ()) -> None:
    """Print rate (of processor time) and memory of the million, then the row of the comparison."""
    lines = await asyncio.to_thread(_read, files) or list(_OWN)
    groups, seconds, batch = LineGroups(), 0.0, list[str]()
    for line in varied(lines, LINES):
        batch.append(line)
        if len(batch) == BATCH:
            seconds += _feed(groups, batch)
            batch.clear()
    begin = time.process_time()
    grouped = groups.finish()
    seconds += time.process_time() - begin
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    sys.stdout.write(
        f"{len(grouped.groups):,} lines in {len(grouped.templates)} groups: "
        f"{len(grouped.groups) / seconds:,.0f} lines/s, {memory} MB\n"
    )
    sample = list(varied(lines, SAMPLE))
    await compare(f"group {SAMPLE:,} log lines", ("keys first", _ours(sample)), _other(sample), 1)


def _read(files: Sequence[str]) -> list[str]:
    texts = (Path(file).read_text(errors="replace") for file in files)
    return [line for text in texts for line in text.splitlines()]


def _feed(groups: LineGroups, lines: Sequence[str]) -> float:
    text = "\n".join(lines) + "\n"
    begin = time.process_time()
    groups.feed(text)
    return time.process_time() - begin


def _ours(lines: Sequence[str]) -> Work:
    text = "\n".join(lines)

    async def work() -> object:
        groups = LineGroups()
        groups.feed(text)
        return groups.finish()

    return work


def _other(lines: Sequence[str]) -> tuple[str, Work]:
    if importlib.util.find_spec("drain3") is None:

        async def masked() -> object:
            return {mask(line) for line in lines}

        return "masking each line", masked

    drain3: Any = importlib.import_module("drain3")

    async def mined() -> object:
        miner = drain3.TemplateMiner()
        for line in lines:
            miner.add_log_message(line)
        return miner

    return "drain3", mined


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1:]))
