"""A measured quantity over a period, whoever measured it: in words, and ready to be drawn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.sparkline import sparkline

# What a name ends with, and the unit that says.
_UNITS = {
    "_bytes": "B",
    "_percent": "%",
    "_ms": "ms",
    "_us": "µs",
    "_seconds": "s",
}
_BYTE_UNITS = (("GiB", 2.0**30), ("MiB", 2.0**20), ("KiB", 2.0**10))


@dataclass(frozen=True, slots=True)
class Point:
    """One value at one moment, aware UTC."""

    moment: datetime
    value: float


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time that a series spent outside its usual range, and how far out it went."""

    start: datetime
    end: datetime
    extreme: float


@dataclass(frozen=True, slots=True)
class Series:
    """The values of one metric, thinned so that all of them can be drawn.

    Attributes:
        name: As the source calls it: "payments/memory_bytes".
        points: In order of time; thinning keeps peaks.
        unit: "B", "%", "ms", "s", or '' for a plain number.
        usual: Lower and upper end of the usual range, or None where there is none.
        outside: When it left that range, in order of time.
    """

    name: str
    points: tuple[Point, ...]
    unit: str = ""
    usual: tuple[float, float] | None = None
    outside: tuple[Stretch, ...] = ()


@dataclass(frozen=True, slots=True)
class Measured:
    """What a monitoring system answered: series, and what it warns of."""

    series: tuple[Series, ...] = ()
    warnings: tuple[str, ...] = ()


def bars(series: Series, parts: int = 24) -> str:
    """Averages over equal parts of its time as a row of bars, blank where there is no value."""
    if not series.points:
        return ""
    start, end = series.points[0].moment, series.points[-1].moment
    width = max((end - start).total_seconds() / parts, 1e-3)
    sums: dict[int, list[float]] = {}
    for point in series.points:
        part = min(int((point.moment - start).total_seconds() / width), parts - 1)
        sums.setdefault(part, []).append(point.value)
    return sparkline(
        [sum(sums[part]) / len(sums[part]) if part in sums else None for part in range(parts)]
    )


def unit_of(name: str) -> str:
    """The unit that a metric's name ends with, or ''."""
    return next((unit for ending, unit in _UNITS.items() if name.endswith(ending)), "")


def scale_of(unit: str, most: float) -> tuple[str, float]:
    """The unit to show values up to `most` in, and what they are divided by."""
    if unit == "B":
        fits = (each for each in _BYTE_UNITS if abs(most) >= each[1])
        return next(fits, ("B", 1.0))
    return unit, 1.0


def told(value: float, unit: str) -> str:
    """A value in words: "212.4 MiB", "37 ms", "0.25"."""
    shown_unit, divisor = scale_of(unit, value)
    if unit == "B":
        return f"{value / divisor:.{0 if divisor == 1 else 1}f} {shown_unit}"
    shown = f"{value:.1f}".rstrip("0").rstrip(".") if abs(value) >= 1 else f"{value:.3g}"
    return f"{shown} {unit}".rstrip()
