"""Numbers of a monitoring system, beside those of CSV files, when a question wants numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta, tzinfo
from statistics import fmean

from core.answers import Gap, Lookup, Passage, Scope
from core.clock import Clock
from core.errors import OpsbotError
from core.questions import Intent, Reading, TimeRange
from core.series import Point, Series, bars, told, unit_of
from knowledge.metrics import choose_series
from knowledge.ports import Measurements, Retriever

SOURCE = "prometheus"
USUAL_SPAN = timedelta(hours=1)
BARS = 24
_PODS = 'namespace=~"$namespace",pod=~"$service-.+",container!=""'
# Quantity → PromQL, for what kubelets and kube-state-metrics tell everywhere.
DEFAULT_QUERIES: Mapping[str, str] = {
    "memory_bytes": f"sum(container_memory_working_set_bytes{{{_PODS}}})",
    "cpu_cores": f"sum(rate(container_cpu_usage_seconds_total{{{_PODS}}}[5m]))",
    "restarts": f"sum(kube_pod_container_status_restarts_total{{{_PODS}}})",
}
# What goes into a query unquoted; names of Kubernetes objects are no more than this.
_NAME = re.compile(r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$")


class WithMeasurements:
    """A retriever that also asks a monitoring system. Fits `knowledge.ports.Retriever`.

    Args:
        retriever: Everything written down.
        measurements: Answers PromQL.
        queries: By the name of the quantity; `$service` and `$namespace` are filled in, the latter
            with a regular expression. A query without `$namespace` is not for channels that are
            limited to namespaces.
        zone: Times in the text are told in it.
    """

    def __init__(
        self,
        retriever: Retriever,
        measurements: Measurements,
        clock: Clock,
        zone: tzinfo,
        queries: Mapping[str, str] = DEFAULT_QUERIES,
    ) -> None:
        self._retriever = retriever
        self._measurements = measurements
        self._clock = clock
        self._zone = zone
        self._queries = queries

    def read(self, question: str, names: frozenset[str], namespaces: frozenset[str]) -> Reading:
        """As the retriever reads."""
        return self._retriever.read(question, names, namespaces)

    async def look(self, reading: Reading, scope: Scope, limit: int = 8) -> Lookup:
        """As the retriever finds, with the numbers first that the question asks for."""
        found = await self._retriever.look(reading, scope, limit)
        if Intent.METRICS not in reading.intents or not scope.allows_source(SOURCE):
            return found
        passages: list[Passage] = []
        gaps: list[Gap] = []
        for name in self._wanted(reading, scope):
            try:
                passages += await self._measure(name, reading, scope)
            except OpsbotError as error:
                # Whatever it is, it will be the same for the others.
                gaps.append(Gap("metrics of Prometheus", error.wrong, error.remedy))
                break
        return replace(
            found,
            passages=(*passages, *found.passages),
            gaps=(*found.gaps, *gaps),
            looked_in=(*found.looked_in, "Prometheus"),
        )

    def _wanted(self, reading: Reading, scope: Scope) -> list[str]:
        services = dict.fromkeys(name.rpartition("/")[2].lower() for name in reading.names)
        names = [
            f"{service}/{quantity}"
            for service in services
            for quantity, query in self._queries.items()
            if _NAME.match(service) and (not scope.namespaces or "$namespace" in query)
        ]
        return choose_series(names, replace(reading, names=tuple(services)))

    async def _measure(self, name: str, reading: Reading, scope: Scope) -> list[Passage]:
        service, _, quantity = name.partition("/")
        query = self._queries[quantity].replace(
            "$service", re.escape(service).replace("\\", "\\\\")
        )
        query = query.replace("$namespace", "|".join(sorted(scope.namespaces)) or ".*")
        now = self._clock.now()
        window = reading.time_range or TimeRange(now - USUAL_SPAN, now)
        measured = await self._measurements.over(query, window)
        return [
            self._passage(replace(one, name=name, unit=unit_of(name)), query, measured.warnings)
            for one in measured.series[:1]
            if one.points
        ]

    def _passage(self, series: Series, query: str, warnings: Sequence[str]) -> Passage:
        points = series.points
        least = min(points, key=lambda point: point.value)
        most = max(points, key=lambda point: point.value)
        average = fmean(point.value for point in points)
        last, unit = points[-1], series.unit
        span = f"From {self._time(points[0])} to {self._time(last)}"
        text = [
            (
                f"{series.name} is at {told(last.value, unit)} (last value, {self._time(last)}); "
                f"its highest was {told(most.value, unit)} at {self._time(most)}."
            ),
            (
                f"{span}: average {told(average, unit)}, "
                f"lowest {told(least.value, unit)}, highest {told(most.value, unit)}."
            ),
        ]
        if len(points) > 2:
            text.append(f"`{bars(series, BARS)}` (averages over {BARS} equal parts)")
        text += [f"Prometheus warns: {warning}" for warning in warnings]
        return Passage(
            id=f"{SOURCE}:{series.name}",
            source=SOURCE,
            title=f"Metric {series.name}",
            location=query,
            text="\n".join(text),
            score=1.0,
            updated_at=last.moment,
            service=series.name.partition("/")[0],
            kind="metrics",
            is_fact=True,
            series=series,
        )

    def _time(self, point: Point) -> str:
        return point.moment.astimezone(self._zone).strftime("%Y-%m-%d %H:%M %Z").strip()
