"""Numbers from a Prometheus. Implements `knowledge.ports.Measurements`."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec

from cluster.webapi import ApiAddress, WebApi
from core.errors import ClusterError
from core.questions import TimeRange
from core.series import Measured, Point, Series, unit_of

# Prometheus refuses more points a series than this.
MAX_POINTS = 11_000
MAX_SERIES = 20
MAX_WARNING_CHARS = 300


class _Row(msgspec.Struct):
    """One series: its labels, and [seconds, "number"] pairs; an instant query has one pair."""

    metric: dict[str, str] = {}
    values: list[tuple[float, str]] = []
    value: tuple[float, str] | None = None


class _Data(msgspec.Struct, rename="camel"):
    result_type: str
    result: list[Any]


class _Answer(msgspec.Struct):
    status: str
    data: _Data | None = None
    error: str = ""
    warnings: list[str] = []


class Prometheus:
    """Asks the HTTP API; only for reading."""

    def __init__(self, address: ApiAddress) -> None:
        self._api = WebApi(address)

    async def over(self, query: str, window: TimeRange, points: int = 240) -> Measured:
        """A PromQL query over a window, in about so many points a series.

        Raises:
            ClusterError: Not reached, or the query was refused; the reason stands in it.
        """
        seconds = math.ceil((window.end - window.start).total_seconds())
        step = max(1, math.ceil(seconds / max(1, min(points, MAX_POINTS) - 1)))
        # Whole steps back from the end: its value is the one that people call the last.
        end = window.end.timestamp()
        form = {
            "query": query,
            "start": f"{end - seconds // step * step:.3f}",
            "end": f"{end:.3f}",
            "step": str(step),
        }
        return await self._ask("/api/v1/query_range", form)

    async def at(self, query: str, moment: datetime) -> Measured:
        """A PromQL query at one moment: one point a series.

        Raises:
            ClusterError: As for `over`.
        """
        return await self._ask(
            "/api/v1/query", {"query": query, "time": f"{moment.timestamp():.3f}"}
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._api.close()

    async def _ask(self, path: str, form: dict[str, str]) -> Measured:
        asked = "ask Prometheus for numbers"
        status, plain = await self._api.ask(path, asked, form=form)
        try:
            answer = msgspec.convert(plain, _Answer)
            rows = _rows(answer.data) if answer.data else []
        except msgspec.ValidationError as error:
            raise ClusterError(
                asked,
                f"the answer ({status}) is not what Prometheus sends",
                "Check that the address is Prometheus' root, with its path prefix",
            ) from error
        if answer.data is None:
            raise ClusterError(
                asked, f"Prometheus refuses the query: {answer.error[:200]}", "Correct the query"
            )
        warnings = [text[:MAX_WARNING_CHARS] for text in answer.warnings]
        if len(rows) > MAX_SERIES:
            warnings.append(f"only {MAX_SERIES} of {len(rows)} series are shown")
        return Measured(tuple(map(_series, rows[:MAX_SERIES])), tuple(warnings))


def _rows(data: _Data) -> list[_Row]:
    if data.result_type == "scalar":
        return [_Row(value=msgspec.convert(data.result, tuple[float, str]))]
    return msgspec.convert(data.result, list[_Row])


def _series(row: _Row) -> Series:
    name = row.metric.get("__name__", "")
    labels = ",".join(
        f'{key}="{value}"' for key, value in sorted(row.metric.items()) if key != "__name__"
    )
    pairs = row.values or ([row.value] if row.value else [])
    return Series(f"{name}{{{labels}}}" if labels else name, tuple(_points(pairs)), unit_of(name))


def _points(pairs: Iterable[tuple[float, str]]) -> Iterable[Point]:
    for seconds, text in pairs:
        # "NaN", "+Inf" and "-Inf" are words, and nothing that could be drawn or averaged.
        value = float(text)
        if math.isfinite(value):
            yield Point(datetime.fromtimestamp(seconds, UTC), value)
