"""Numbers as a line of bars, for a table cell or a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

_BARS = "▁▂▃▄▅▆▇█"
_FEWEST = 3


def sparkline(values: Sequence[float | None]) -> str:
    """One bar a value, scaled from the lowest to the highest; a gap where it is not known."""
    known = [value for value in values if value is not None]
    if not known:
        return ""
    low, width = min(known), max(known) - min(known)
    bars = []
    for value in values:
        if value is None:
            bars.append(" ")
        else:
            bars.append(_BARS[int((value - low) / width * 7.999)] if width else _BARS[3])
    return "".join(bars)


def course(counts: Sequence[int]) -> str:
    """Counts as bars above zero, since the first that was seen: "▃▁▃█".

    '' where there is no course to show: fewer than three counts, or all the same.
    """
    first = next((place for place, count in enumerate(counts) if count > 0), len(counts))
    known = counts[first:]
    if len(known) < _FEWEST or len(set(known)) == 1:
        return ""
    top = max(known)
    # Rounded up: once is not never.
    return "".join(_BARS[ceil(max(0, count) / top * (len(_BARS) - 1))] for count in known)
