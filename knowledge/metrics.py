"""CSV metrics: least, most, last and average of a series, when it left its range, and a picture."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Final

from core.answers import Passage, Scope
from core.questions import Intent, Reading, TimeRange
from core.series import Point, Series, Stretch, told, unit_of
from core.sparkline import sparkline
from knowledge.csvtable import MOMENT_SQL, CsvTable, aware, naive

MOST_SERIES = 4
BUCKETS = 24
# Parts of a drawn period; of each its least and its most are drawn, so that no peak is lost.
DRAWN_PARTS = 120

_GUESSES: Final[Mapping[str, Sequence[str]]] = {
    "moment": ("timestamp", "time", "@timestamp", "ts", "date", "datetime"),
    "series": ("series", "metric", "name", "__name__"),
    "value": ("value", "val", "v"),
}
_SELECT = f"""CASE WHEN isfinite(try_cast(raw.value AS DOUBLE))
        THEN {MOMENT_SQL.format("raw.moment")} END AS moment,
    coalesce(raw.series, '') AS series, try_cast(raw.value AS DOUBLE) AS value, raw.file AS file"""
_WORD = re.compile(r"[a-z0-9]+")
# What people call a quantity, and the words that stand in a series' name.
_SYNONYMS: Final[Mapping[str, Sequence[str]]] = {
    "ram": ("memory",), "mem": ("memory",), "rss": ("memory",), "slow": ("latency", "duration"),
    "latency": ("duration", "seconds", "p99"), "response": ("latency",), "storage": ("disk",),
    "space": ("disk",), "filesystem": ("disk",), "restart": ("restarts",), "lag": ("lag",),
    "restarting": ("restarts",), "restarted": ("restarts",), "p95": ("latency",),
    "usage": ("used", "working"), "connection": ("connections",), "behind": ("lag",),
}  # fmt: skip
_EXPLAINED = frozenset({Intent.WHY, Intent.HOW, Intent.CONFIG})
# Words that stand in a name for its unit or its statistics, and tell nothing of its subject.
_UNITS = frozenset({"bytes", "ms", "us", "seconds", "percent", "total", "s", "ratio", "set"})


@dataclass(frozen=True, slots=True)
class Stats:
    """One series over one period; moments aware UTC."""

    series: str
    count: int
    least: float
    most: float
    average: float
    last: float
    most_at: datetime
    start: datetime
    end: datetime
    first: float


class MetricTable:
    """The values of all CSV metrics that match one pattern. All calls block."""

    def __init__(self, pattern: str, columns: Mapping[str, str] | None = None) -> None:
        self.table = CsvTable(
            pattern,
            columns or {},
            guesses=_GUESSES,
            required=("moment", "series", "value"),
            select=_SELECT,
        )

    def count(self) -> int:
        """How many values there are."""
        return int(self.table.query("SELECT count(*) FROM lines")[0][0])

    def series(self) -> tuple[str, ...]:
        """Names of all series."""
        rows = self.table.query("SELECT DISTINCT series FROM lines ORDER BY series")
        return tuple(str(row[0]) for row in rows)

    def facts(
        self,
        reading: Reading,
        scope: Scope,
        zone: tzinfo,
        hidden: frozenset[str] = frozenset(),
    ) -> tuple[Passage, ...]:
        """What the series say that the question names, or ().

        Args:
            reading: Names choose the service, other words the quantity, and the period limits.
            scope: Whether this source may be used at all.
            zone: Times in the text are told in it.
            hidden: Names of services outside the channel's scope; their series are not read.

        Raises:
            KnowledgeError: The table cannot be queried.
        """
        if not scope.allows_source("csv-metrics"):
            return ()
        chosen = choose_series(self.series(), reading, hidden)
        found = []
        for name in chosen:
            stats = self._stats(name, reading.time_range)
            if stats is not None:
                found.append(self._passage(stats, zone))
        return tuple(found)

    def _stats(self, series: str, period: TimeRange | None) -> Stats | None:
        where, values = _where(series, period)
        # Every value is bound; the clause is a constant.
        ((count, least, most, average, last, first, most_at, start, end),) = self.table.query(
            "SELECT count(*), min(value), max(value), avg(value), arg_max(value, moment), "  # noqa: S608
            "arg_min(value, moment), arg_max(moment, value), min(moment), max(moment) "
            f"FROM lines WHERE {where}",
            values,
        )
        if not count:
            return None
        return Stats(
            series, count, least, most, average, last,
            aware(most_at), aware(start), aware(end), first,
        )  # fmt: skip

    def picture(self, series: str, period: TimeRange) -> str:
        """Averages over 24 equal parts of a period as bars; a blank where there is no value."""
        width = max((period.end - period.start).total_seconds() / BUCKETS, 1e-3)
        rows = self.table.query(
            "SELECT CAST(floor(epoch(moment - ?) / ?) AS INTEGER) AS part, avg(value) "
            "FROM lines WHERE series = ? AND moment >= ? AND moment < ? GROUP BY part",
            [naive(period.start), width, series, naive(period.start), naive(period.end)],
        )
        parts = dict(rows)
        return sparkline([parts.get(part) for part in range(BUCKETS)])

    def usual(self, series: str) -> tuple[float, float]:
        """What lies within one and a half times the middle half's width around that half.

        Over all values there are, whatever the period.
        """
        ((low, high),) = self.table.query(
            "SELECT quantile_cont(value, 0.25), quantile_cont(value, 0.75) FROM lines "
            "WHERE series = ?",
            [series],
        )
        slack = 1.5 * (high - low)
        return low - slack, high + slack

    def outside(self, stats: Stats, usual: tuple[float, float]) -> tuple[Stretch, ...]:
        """Stretches of the period that lie outside the usual range."""
        low, high = usual
        rows = self.table.query(
            "SELECT min(moment), max(moment), arg_max(value, abs(value - ?)) FROM ("
            "  SELECT moment, value, out, sum(CASE WHEN out THEN 0 ELSE 1 END) OVER "
            "    (ORDER BY moment) AS stretch FROM ("
            "    SELECT moment, value, value < ? OR value > ? AS out FROM lines "
            "    WHERE series = ? AND moment BETWEEN ? AND ?)"
            ") WHERE out GROUP BY stretch ORDER BY min(moment)",
            [(low + high) / 2, low, high, stats.series, naive(stats.start), naive(stats.end)],
        )
        return tuple(Stretch(aware(start), aware(end), value) for start, end, value in rows)

    def drawn(self, stats: Stats) -> Series:
        """The series over the period of `stats`, thinned to what a picture can show."""
        seconds = max((stats.end - stats.start).total_seconds() / DRAWN_PARTS, 1e-3)
        rows = self.table.query(
            "SELECT CAST(floor(epoch(moment - ?) / ?) AS INTEGER) AS part, "
            "arg_min(moment, value), min(value), arg_max(moment, value), max(value) "
            "FROM lines WHERE series = ? AND moment BETWEEN ? AND ? GROUP BY part",
            [naive(stats.start), seconds, stats.series, naive(stats.start), naive(stats.end)],
        )
        points = {
            Point(aware(moment), value)
            for _, least_at, least, most_at, most in rows
            for moment, value in ((least_at, least), (most_at, most))
        }
        usual = self.usual(stats.series)
        return Series(
            name=stats.series,
            points=tuple(sorted(points, key=lambda point: (point.moment, point.value))),
            unit=unit_of(stats.series),
            usual=usual if usual[0] < usual[1] else None,
            outside=self.outside(stats, usual),
        )

    def _passage(self, stats: Stats, zone: tzinfo) -> Passage:
        name = stats.series
        series = self.drawn(stats)
        shown = f"{_clock(stats.start, zone)} to {_clock(stats.end, zone, with_day=False)}"
        last_at = _clock(stats.end, zone, with_day=False)
        most_at = _clock(stats.most_at, zone, with_day=False)
        text = [
            (
                f"{name} is at {told(stats.last, series.unit)} (last value, {last_at}); "
                f"its highest was {told(stats.most, series.unit)} at {most_at}."
            ),
            (
                f"From {shown}: average {told(stats.average, series.unit)}, "
                f"lowest {told(stats.least, series.unit)}, highest {told(stats.most, series.unit)}."
            ),
        ]
        seconds = (stats.end - stats.start).total_seconds()
        if name.endswith("_total") and seconds > 0:
            risen = stats.last - stats.first
            rate = risen / seconds * 3600
            text.append(f"It rose by {risen:g}, that is {rate:.3g} an hour.")
        if stats.count > 2:
            end = stats.end.timestamp() + 1
            period = TimeRange(stats.start, datetime.fromtimestamp(end, stats.end.tzinfo))
            text.append(f"`{self.picture(name, period)}` (averages over 24 equal parts)")
        if series.outside:
            shown_stretches = ", ".join(
                f"{_stretch(each, zone)} ({told(each.extreme, series.unit)})"
                for each in series.outside[-3:]
            )
            left = len(series.outside) - 3
            more = f", {left} times before" if left > 0 else ""
            text.append(f"Outside its usual range: {shown_stretches}{more}.")
        key = hashlib.sha256(f"{name}\0{stats.start}\0{stats.end}".encode()).hexdigest()[:16]
        place = Path(self.table.pattern)
        return Passage(
            id=f"csv-metrics:{key}",
            source="csv-metrics",
            title=f"Metric {name}",
            location=f"{place.parent.name}/{place.name}".lstrip("/"),
            text="\n".join(text),
            updated_at=self.table.updated_at,
            service=subject_of(name),
            kind="metrics",
            score=1.0,
            is_fact=True,
            series=series,
        )


def subject_of(series: str) -> str:
    """The service or node in front of the slash of "payments/memory_bytes", or ''."""
    return series.partition("/")[0] if "/" in series else ""


def choose_series(
    names: Sequence[str], reading: Reading, hidden: frozenset[str] = frozenset()
) -> list[str]:
    """At most four series that a question names: by subject and by words for the quantity."""
    asked = {word for word in _WORD.findall(reading.question.lower()) if word not in _UNITS}
    for word in tuple(asked):
        asked.update(_SYNONYMS.get(word, ()))
    subjects = {name.lower() for name in reading.names}
    wants_numbers = Intent.METRICS in reading.intents
    if Intent.LOGS in reading.intents and not wants_numbers:
        return []  # lines were asked for
    if Intent.LIMITS in reading.intents and not wants_numbers:
        return []  # "what is the memory limit" asks for a setting, not for a measurement
    if not subjects and reading.intents & _EXPLAINED:
        return []  # "explain the low latency of …" asks for words
    scored = []
    for name in names:
        subject, _, quantity = name.rpartition("/")
        if subject in hidden:
            continue
        overlap = len((set(_WORD.findall(quantity.lower())) - _UNITS) & asked)
        is_named = bool(subject) and subject.lower() in subjects
        # A word of a series' name alone proves nothing: numbers must have been asked for.
        if is_named and (wants_numbers or (overlap and reading.time_range is not None)):
            scored.append((overlap, name))
        elif not subjects and overlap and wants_numbers:
            # Nobody is named, but "the gateway" is a part of a name.
            scored.append((overlap + len(set(_WORD.findall(subject.lower())) & asked), name))
    # Where the quantity was named too, series that fit less only distract.
    best = max((overlap for overlap, _ in scored), default=0)
    least = min(best, 1) if subjects else best
    kept = sorted(item for item in scored if item[0] >= least)
    return [name for _, name in sorted(kept, key=lambda item: -item[0])][:MOST_SERIES]


def _where(series: str, period: TimeRange | None) -> tuple[str, list[object]]:
    if period is None:
        return "series = ?", [series]
    bounds: list[object] = [series, naive(period.start), naive(period.end)]
    return "series = ? AND moment >= ? AND moment < ?", bounds


def _clock(moment: datetime, zone: tzinfo, *, with_day: bool = True) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M %Z" if with_day else "%H:%M %Z").strip()


def _stretch(stretch: Stretch, zone: tzinfo) -> str:
    first = _clock(stretch.start, zone, with_day=False)
    last = _clock(stretch.end, zone, with_day=False)
    return f"at {first}" if first == last else f"{first} to {last}"
