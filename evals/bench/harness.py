"""Times two ways of doing one thing in turn, and prints medians and the ratio."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Comparison:
    """Seconds per run of both ways, in the order they were taken."""

    name: str
    ours_name: str
    other_name: str
    ours_seconds: tuple[float, ...]
    other_seconds: tuple[float, ...]

    @property
    def ratios(self) -> list[float]:
        """Other ÷ ours, run by run: above 1 we are faster."""
        return [
            other / ours for ours, other in zip(self.ours_seconds, self.other_seconds, strict=True)
        ]

    def row(self) -> str:
        """A row of the Markdown table that `docs/benchmarks.md` holds."""
        low, high = min(self.ratios), max(self.ratios)
        return (
            f"| {self.name} | {self.ours_name} {_milliseconds(self.ours_seconds)} | "
            f"{self.other_name} {_milliseconds(self.other_seconds)} | "
            f"{statistics.median(self.ratios):.1f}x ({low:.1f}-{high:.1f}) |"
        )


def _milliseconds(seconds: tuple[float, ...]) -> str:
    return f"{statistics.median(seconds) * 1000:.2f} ms"


async def compare(
    name: str,
    ours: tuple[str, Callable[[], Awaitable[object]]],
    other: tuple[str, Callable[[], Awaitable[object]]],
    runs: int = 7,
) -> Comparison:
    """Run both `runs` times in turn after one warm-up each, and print the row."""
    taken: tuple[list[float], list[float]] = ([], [])
    for run in range(runs + 1):
        for (_, work), seconds in zip((ours, other), taken, strict=True):
            begin = time.perf_counter()
            await work()
            if run:
                seconds.append(time.perf_counter() - begin)
    result = Comparison(name, ours[0], other[0], tuple(taken[0]), tuple(taken[1]))
    sys.stdout.write(result.row() + "\n")
    sys.stdout.flush()
    return result
