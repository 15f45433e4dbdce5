"""Which logs are searched for errors, within which bounds, and what is learned from them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web

from cluster.log_reading import ErrorLogs, workload_names
from cluster.log_sources import LogSource
from cluster.logs import LogLimits, LogReader, attach_logs
from cluster.loki import StoredErrors
from cluster.snapshot import Snapshot
from cluster.thresholds import Thresholds
from core.baseline import Baseline, SeenTemplate
from core.clock import ManualClock
from core.errors import ClusterError, StateError
from core.findings import Finding, Severity
from core.logscan import scan
from core.questions import TimeRange
from core.redact import Redactor
from tests.cluster.api import FakeApi, connected, serving
from tests.cluster.payloads import (
    NOW,
    container_status,
    found_by,
    pod,
    running,
    service,
    snapshot,
    terminated,
    waiting,
    workload,
)

REDACTOR = Redactor(b"k" * 32)
SOURCE = LogSource("shop", "payments-1", "app")


class LogApi(FakeApi):
    """Logs as the API gives them: from the end, from a size on, one piece after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.breaks_after = 0
        self.trickles = False

    async def handle(self, request: web.Request) -> web.StreamResponse:  # type: ignore[override]
        query = dict(request.query)
        text = self.logs.get((request.path.split("/")[-2], query.get("previous") == "true"))
        if not request.path.endswith("/log") or text is None or "log" in self.answers:
            return await super().handle(request)
        self.requests.append((request.method, request.path, query))
        if "log" in self.hang:
            await self.released.wait()
        lines = text.splitlines(keepends=True)
        body = "".join(lines[-int(query.get("tailLines", len(lines))) :]).encode()
        body = body[: int(query["limitBytes"])]
        response = web.StreamResponse()
        await response.prepare(request)
        if self.breaks_after and "tailLines" not in query:
            await response.write(body[: self.breaks_after])
            assert request.transport is not None
            request.transport.close()
            return response
        if self.trickles and "tailLines" not in query:
            await response.write(body[:7_001])
            await self.released.wait()
            return response
        for start in range(0, len(body), 7_001):
            await response.write(body[start : start + 7_001])
        return response


class Baselines:
    """Keeps lines in memory."""

    def __init__(self) -> None:
        self.lines: dict[tuple[tuple[str, ...], str], SeenTemplate] = {}
        self.fails_to_load = False
        self.fails_to_save = False

    async def load(self, cluster: str) -> Sequence[SeenTemplate]:
        if self.fails_to_load:
            raise StateError("look up normal log errors", "it is gone", "Start it")
        return [line for line in self.lines.values() if line.owner[0] == cluster]

    async def save(
        self, cluster: str, lines: Sequence[SeenTemplate], forget_before: datetime
    ) -> None:
        del cluster, forget_before
        if self.fails_to_save:
            raise StateError("keep normal log errors", "it is gone", "Start it")
        self.lines |= {(line.owner, line.template): line for line in lines}


class Store:
    """Has errors of some containers, or none to give."""

    def __init__(self, *found: StoredErrors, fails: bool = False) -> None:
        self.found = found
        self.fails = fails

    async def errors(self, cluster: str, window: TimeRange) -> Sequence[StoredErrors]:
        assert (cluster, window.end) == ("demo", NOW)
        if self.fails:
            raise ClusterError("count errors in Loki", "it is gone", "Start it")
        return self.found


@asynccontextmanager
async def reading(
    folder: Path, api: FakeApi, limits: LogLimits | None = None
) -> AsyncIterator[LogReader]:
    async with serving(api), connected(api, folder) as client:
        yield LogReader(client, REDACTOR, limits)


def _log(seconds: float, *messages: str) -> str:
    start = NOW - timedelta(hours=1) + timedelta(seconds=seconds)
    times = (start + timedelta(seconds=number) for number in range(len(messages)))
    return "".join(
        f"{time:%Y-%m-%dT%H:%M:%S}.000000001Z {message}\n"
        for time, message in zip(times, messages, strict=True)
    )


def _healthy(name: str, **more: Any) -> dict[str, Any]:
    return pod(name, container_status(running(), ready=True, name="app"), **more)


def _crashing(name: str) -> dict[str, Any]:
    last = terminated(1)
    return pod(
        name, container_status(waiting("CrashLoopBackOff"), last=last, restarts=4, name="app")
    )


async def _find(
    folder: Path,
    api: FakeApi,
    world: Snapshot,
    *,
    baselines: Baselines | None = None,
    findings: Sequence[Finding] = (),
    limits: LogLimits | None = None,
    learns_first: bool = False,
    store: Store | None = None,
) -> tuple[list[Finding], list[str]]:
    logs = ErrorLogs(
        baselines or Baselines(),
        ManualClock(NOW),
        REDACTOR,
        store=store,
        learns_first=learns_first,
    )
    async with reading(folder, api, limits) as reader:
        found, gaps = await logs.find(world, findings, reader)
    return found, [gap.what for gap in gaps]


async def test_the_one_error_in_a_hundred_thousand_lines_is_found(tmp_path: Path) -> None:
    api = LogApi()
    lines = [f"INFO request {number} of 3f9a2b{number:04x} done" for number in range(100_002)]
    lines[41_234] = "ERROR disk full, password=hunter2-and-more"
    api.logs["payments-1", False] = _log(0, *lines)
    (found,), gaps = await _find(tmp_path, api, snapshot(_healthy("payments-1")))
    assert (found.severity, found.count) == (Severity.HIGH, 1)
    assert found.log_lines[0].startswith("ERROR disk full, password=<REDACTED")
    assert "hunter2" not in str(found)
    assert gaps == []


async def test_both_instances_of_a_crashed_container_are_searched(tmp_path: Path) -> None:
    api = LogApi()
    api.logs["payments-1", True] = _log(0, "ERROR no connection to database")
    api.logs["payments-1", False] = _log(60, "ERROR no connection to cache")
    (found,), _ = await _find(tmp_path, api, snapshot(_crashing("payments-1")))
    assert found.log_lines == ("ERROR no connection to database", "ERROR no connection to cache")


async def test_what_healthy_workloads_say_at_the_first_look_is_no_news(tmp_path: Path) -> None:
    baselines = Baselines()
    world = snapshot(_healthy("payments-1"), _healthy("orders-1"))
    api = LogApi()
    api.logs["payments-1", False] = _log(0, "ERROR cache miss 1")
    first, _ = await _find(tmp_path, api, world, baselines=baselines, learns_first=True)
    assert [item.severity for item in first] == [Severity.INFO]
    api = LogApi()
    api.logs["payments-1", False] = _log(0, "ERROR cache miss 2")
    api.logs["orders-1", False] = _log(0, "ERROR deadlock")
    second, _ = await _find(tmp_path, api, world, baselines=baselines, learns_first=True)
    assert [(item.owner.name, item.severity) for item in second] == [
        ("orders-1", Severity.HIGH),
        ("payments-1", Severity.INFO),
    ]
    third, _ = await _find(tmp_path, api, world, baselines=baselines, learns_first=True)
    assert [item.severity for item in third] == [Severity.HIGH, Severity.INFO]


async def test_how_long_a_crash_is_recent_is_a_threshold(tmp_path: Path) -> None:
    api = LogApi()
    last = terminated(1, minutes=60)
    world = snapshot(pod("payments-1", container_status(running(), last=last, ready=True)))
    api.logs["payments-1", True] = _log(0, "ERROR no connection")
    long = Thresholds(recent_crash_seconds=7200)
    for thresholds, read in ((Thresholds(), False), (long, True)):
        api.requests.clear()
        logs = ErrorLogs(Baselines(), ManualClock(NOW), REDACTOR, thresholds)
        async with reading(tmp_path, api) as reader:
            await logs.find(world, [], reader)
        assert any(query["previous"] == "true" for _, _, query in api.requests) is read


async def test_when_an_error_that_lasts_is_normal_is_a_threshold(tmp_path: Path) -> None:
    api, baselines, clock = LogApi(), Baselines(), ManualClock(NOW)
    api.logs["web-1", False] = _log(0, "ERROR now and then")
    healthy = snapshot(_healthy("web-1"))
    severities = []
    thresholds = Thresholds(log_error_normal_days=1)
    for _ in range(2):
        logs = ErrorLogs(baselines, clock, REDACTOR, thresholds, learns_first=False)
        async with reading(tmp_path, api) as reader:
            (found,), _ = await logs.find(healthy, [], reader)
        severities.append(found.severity)
        clock.advance(timedelta(days=1))
    assert severities == [Severity.HIGH, Severity.INFO]


async def test_a_workload_with_another_finding_teaches_nothing(tmp_path: Path) -> None:
    baselines = Baselines()
    api = LogApi()
    api.logs["payments-1", True] = _log(0, "ERROR no connection")
    broken = _crashing("payments-1")
    (found,), _ = await _find(
        tmp_path,
        api,
        snapshot(broken),
        baselines=baselines,
        findings=found_by("crash_loop", broken),
        learns_first=True,
    )
    assert found.severity is Severity.HIGH
    assert not [
        line for line in Baseline(baselines.lines.values()) if line.is_normal and line.template
    ]


async def test_without_its_baseline_a_log_tells_nothing_and_that_is_told(tmp_path: Path) -> None:
    baselines = Baselines()
    baselines.fails_to_load = True
    api = LogApi()
    api.logs["payments-1", False] = _log(0, "ERROR boom")
    world = snapshot(_healthy("payments-1"))
    assert await _find(tmp_path, api, world, baselines=baselines) == (
        [],
        ["log baseline of cluster demo"],
    )
    baselines.fails_to_load, baselines.fails_to_save = False, True
    api = LogApi()
    api.logs["payments-1", False] = _log(0, "ERROR boom")
    found, gaps = await _find(tmp_path, api, world, baselines=baselines)
    assert (len(found), gaps) == (1, ["log baseline of cluster demo"])


async def test_unhealthy_logs_come_first_then_a_pod_of_each_workload(tmp_path: Path) -> None:
    api = LogApi()
    owner = workload("Deployment", "web")
    world = snapshot(
        owner,
        _healthy("web-1", owner=owner),
        _healthy("web-2", owner=owner),
        _healthy("orders-1"),
        _crashing("payments-1"),
        pod("gone-1", container_status(running(), ready=True), deleted=True),
    )
    _, gaps = await _find(tmp_path, api, world, limits=LogLimits(logs_a_cluster=4))
    asked = {path.split("/")[-2] for _, path, _ in api.requests}
    assert asked == {"payments-1", "web-1", "orders-1"}
    assert gaps == ["logs of 1 containers in cluster demo"]


async def test_logs_that_take_too_long_are_given_up_and_told(tmp_path: Path) -> None:
    api = LogApi()
    api.logs["payments-1", False] = _log(0, "ERROR boom")
    api.hang.add("log")
    found, gaps = await _find(
        tmp_path,
        api,
        snapshot(_healthy("payments-1")),
        limits=LogLimits(seconds_a_cluster=0.2),
    )
    assert (found, gaps) == ([], ["logs of 1 containers in cluster demo"])


async def test_a_cluster_without_pods_has_no_logs(tmp_path: Path) -> None:
    assert await _find(tmp_path, LogApi(), snapshot()) == ([], [])


async def test_of_a_log_that_is_too_long_the_beginning_and_the_end_are_read(tmp_path: Path) -> None:
    api = LogApi()
    words = [f"INFO request {number} done" for number in range(2_000)]
    words[3], words[900], words[1_990] = "ERROR at first", "ERROR between", "ERROR at last"
    api.logs["payments-1", False] = _log(0, *words)
    limits = LogLimits(bytes_a_log=20_000, last_lines=50)
    async with reading(tmp_path, api, limits) as reader:
        log, gaps = await reader.read(SOURCE)
    assert [kind.template for kind in log.kinds] == ["at first", "at last"]
    assert [kind.count for kind in log.kinds] == [1, 1]
    assert log.last[-1].message == "request 1999 done"
    assert gaps[0].what == "log of shop/payments-1 in cluster demo"
    assert "last 50 lines" in gaps[0].why


async def test_where_beginning_and_end_overlap_no_line_counts_twice(tmp_path: Path) -> None:
    api = LogApi()
    api.logs["payments-1", False] = _log(0, *(f"ERROR boom {number}" for number in range(100)))
    limits = LogLimits(bytes_a_log=3_000, last_lines=95)
    async with reading(tmp_path, api, limits) as reader:
        log, _ = await reader.read(SOURCE)
    (kind,) = log.kinds
    assert 61 <= kind.count < 100
    assert len({kind.first.raw, kind.last.raw}) == 2


async def test_a_log_that_breaks_off_tells_what_was_read_so_far(tmp_path: Path) -> None:
    api = LogApi()
    api.breaks_after = 3_000
    api.logs["payments-1", False] = _log(0, "ERROR boom", *(f"INFO {n}" for n in range(1_000)))
    async with reading(tmp_path, api) as reader:
        log, gaps = await reader.read(SOURCE)
    assert [kind.template for kind in log.kinds] == ["boom"]
    assert [gap.what for gap in gaps] == ["log of shop/payments-1 in cluster demo"]


async def test_of_a_log_that_comes_too_slowly_the_end_is_read_as_well(tmp_path: Path) -> None:
    api = LogApi()
    api.trickles = True
    words = [f"INFO request {number} done" for number in range(2_000)]
    words[3], words[1_990] = "ERROR at first", "ERROR at last"
    api.logs["payments-1", False] = _log(0, *words)
    limits = LogLimits(seconds_a_log=0.3, last_lines=50)
    async with reading(tmp_path, api, limits) as reader:
        log, gaps = await reader.read(SOURCE)
    assert [kind.template for kind in log.kinds] == ["at first", "at last"]
    assert log.last[-1].message == "request 1999 done"
    assert [gap.why for gap in gaps] == ["no answer within 0.3 s"]


def test_who_waits_for_an_answer_waits_four_seconds_for_a_log() -> None:
    assert LogLimits().while_somebody_waits() == LogLimits(seconds_a_log=4)
    assert LogLimits(seconds_a_log=1).while_somebody_waits() == LogLimits(seconds_a_log=1)


async def test_of_a_silent_container_the_last_words_are_read(tmp_path: Path) -> None:
    api = LogApi()
    api.logs["payments-1", False] = ""
    async with reading(tmp_path, api) as reader:
        lines, gaps = await reader.lines([SOURCE])
    assert (lines, gaps) == ([], [])
    assert [sorted(query) for _, _, query in api.requests][-1].count("tailLines") == 1
    assert "sinceSeconds" in api.requests[0][2]


async def test_a_log_is_read_once_for_findings_and_errors(tmp_path: Path) -> None:
    api = LogApi()
    api.logs["payments-1", True] = _log(0, "ERROR no connection")
    broken = _crashing("payments-1")
    world, findings = snapshot(broken), found_by("crash_loop", broken)
    async with serving(api), connected(api, tmp_path) as client:
        reader = LogReader(client, REDACTOR)
        logs = ErrorLogs(Baselines(), ManualClock(NOW), REDACTOR)
        await logs.find(world, findings, reader)
        before = len(api.requests)
        (told,), _ = await attach_logs(world, findings, reader)
    assert told.log_lines == ("ERROR no connection",)
    assert len(api.requests) == before


def test_a_workload_is_called_by_its_owner_its_service_and_its_label() -> None:
    owner = workload("Deployment", "web")
    world = snapshot(
        owner,
        _healthy("web-6d8f9-x2x4z", owner=owner, labels={"app": "front"}),
        service("payments"),
    )
    assert workload_names(world) == {"web", "front", "payments"}


def _stored(pod: str, message: str) -> StoredErrors:
    return StoredErrors("shop", pod, "app", 1, tuple(scan(f"ERROR {message}")))


async def test_a_store_is_asked_for_healthy_containers_and_those_that_have_gone(
    tmp_path: Path,
) -> None:
    api = LogApi()
    api.logs["payments-1", True] = _log(0, "ERROR no connection")
    owner = workload("Deployment", "web")
    world = snapshot(owner, _healthy("web-1", owner=owner), _crashing("payments-1"))
    store = Store(
        _stored("web-1", "deadlock"), _stored("gone-1", "boom"), _stored("payments-1", "known")
    )
    found, gaps = await _find(tmp_path, api, world, store=store)
    assert {(item.owner.kind, item.owner.name, item.template) for item in found} == {
        ("Deployment", "web", "deadlock"),
        ("Pod", "gone-1", "boom"),
        ("Pod", "payments-1", "no connection"),
    }
    assert gaps == []
    assert {path.split("/")[-2] for _, path, _ in api.requests} == {"payments-1"}


async def test_a_store_that_cannot_be_asked_is_told(tmp_path: Path) -> None:
    world = snapshot(_healthy("web-1"))
    assert await _find(tmp_path, LogApi(), world, store=Store(fails=True)) == (
        [],
        ["logs of healthy containers in cluster demo"],
    )
