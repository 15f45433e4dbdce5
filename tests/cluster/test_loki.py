"""Errors from a Loki: counted first, fetched in pages, each line once."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from cluster import loki
from cluster.loki import Loki, LokiLimits
from cluster.webapi import ApiAddress
from core.errors import ClusterError
from core.questions import TimeRange
from tests.cluster.payloads import NOW
from tests.core.error_lines import ERROR_LINES

DAY = TimeRange(NOW - timedelta(days=1), NOW)
START = int(DAY.start.timestamp()) * 1_000_000_000
SECOND = 1_000_000_000
PLACE = {"namespace": "shop", "pod": "payments-1", "container": "app"}


class FakeLoki:
    """Answers as Loki does: results by time, at most `limit` lines, an end that is left out."""

    def __init__(self) -> None:
        self.lines: list[tuple[int, str]] = []
        self.busy = 0
        self.answer: Any = None
        self.queries: list[dict[str, str]] = []
        self.tenants: set[str] = set()
        self.waited: list[float] = []
        self.limits = LokiLimits()

    async def handle(self, request: web.Request) -> web.Response:
        query = dict(request.query)
        self.tenants.add(request.headers.get("X-Scope-OrgID", ""))
        if self.busy:
            self.busy -= 1
            return web.Response(status=429, text="too many outstanding requests")
        self.queries.append(query)
        if self.answer is not None:
            return web.json_response(self.answer)
        if request.path.endswith("/query"):
            counted = {"metric": PLACE, "value": [NOW.timestamp(), str(len(self.lines))]}
            odd = {"metric": {"pod": "x"}, "value": [NOW.timestamp(), "9"]}
            return _answer("vector", [counted, odd] if self.lines else [])
        start, end, limit = (int(query[name]) for name in ("start", "end", "limit"))
        found = [line for line in sorted(self.lines) if start <= line[0] < end][:limit]
        # Two streams of one container, as stdout and stderr are.
        streams = [
            {"stream": PLACE, "values": [[str(time), text] for time, text in part]}
            for part in (found[::2], found[1::2])
        ]
        return _answer("streams", streams)

    async def wait(self, seconds: float) -> None:
        self.waited.append(seconds)


def _answer(kind: str, result: list[Any]) -> web.Response:
    return web.json_response({"status": "success", "data": {"resultType": kind, "result": result}})


@asynccontextmanager
async def asking(fake: FakeLoki) -> AsyncIterator[Loki]:
    app = web.Application()
    app.router.add_get("/{path:.*}", fake.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    source = Loki(
        ApiAddress("Loki", url, tenant="shop-team"),
        '{cluster="$cluster"}',
        fake.limits,
        fake.wait,
    )
    try:
        yield source
    finally:
        await source.close()
        await runner.cleanup()


async def test_errors_are_counted_first_and_fetched_of_those_containers() -> None:
    fake = FakeLoki()
    fake.lines = [(START + n * SECOND, f"ERROR boom {n}") for n in range(3)]
    fake.lines.append((START + 9 * SECOND, "no error at all"))
    async with asking(fake) as source:
        (found,) = await source.errors("prod", DAY)
    assert (found.namespace, found.pod, found.container, found.count) == (*PLACE.values(), 4)
    (kind,) = found.kinds
    assert (kind.template, kind.count) == ("boom <NUM>", 3)
    assert kind.first.timestamp == DAY.start
    assert fake.queries[0]["query"].startswith("topk(50, sum by (namespace, pod, container)")
    assert fake.queries[1]["query"].startswith(
        '{cluster="prod",namespace="shop",pod="payments-1",container="app"} |~ '
    )
    assert fake.tenants == {"shop-team"}


async def test_without_errors_no_line_is_fetched() -> None:
    fake = FakeLoki()
    async with asking(fake) as source:
        assert await source.errors("prod", DAY) == []
    assert len(fake.queries) == 1


async def test_pages_go_on_at_the_last_time_and_no_line_counts_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loki, "PAGE_LINES", 10)
    fake = FakeLoki()
    # Four lines to an instant: pages end in the middle of one.
    fake.lines = [(START + n // 4 * SECOND, f"ERROR boom {n}") for n in range(50)]
    async with asking(fake) as source:
        (found,) = await source.errors("prod", DAY)
    assert found.kinds[0].count == 50
    assert len(fake.queries) > 5


async def test_an_instant_with_more_lines_than_a_page_does_not_hold_it_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loki, "PAGE_LINES", 10)
    fake = FakeLoki()
    fake.lines = [(START, f"ERROR boom {n}") for n in range(25)]
    fake.lines.append((START + SECOND, "ERROR later"))
    async with asking(fake) as source:
        (found,) = await source.errors("prod", DAY)
    assert [(kind.template, kind.count) for kind in found.kinds] == [
        ("boom <NUM>", 10),
        ("later", 1),
    ]


async def test_of_one_container_so_many_lines_are_fetched_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loki, "PAGE_LINES", 10)
    fake = FakeLoki()
    fake.limits = LokiLimits(lines_a_container=30)
    fake.lines = [(START + n * SECOND, f"ERROR boom {n}") for n in range(500)]
    async with asking(fake) as source:
        (found,) = await source.errors("prod", DAY)
    assert found.count == 500
    assert 30 <= found.kinds[0].count < 50


async def test_a_busy_loki_is_asked_again_later_and_in_the_end_given_up() -> None:
    fake = FakeLoki()
    fake.busy = 2
    fake.lines = [(START, "ERROR boom")]
    async with asking(fake) as source:
        assert len(await source.errors("prod", DAY)) == 1
        assert fake.waited == [1.0, 2.0]
        fake.busy = 99
        with pytest.raises(ClusterError, match="asked too often"):
            await source.errors("prod", DAY)
    assert fake.waited == [1.0, 2.0, 1.0, 2.0, 4.0]


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        ({"status": "error"}, "refused"),
        ({"status": "success", "data": {"result": [{"metric": 3}]}}, "none that Loki gives"),
        ({"status": "success"}, "none that Loki gives"),
        ([], "refused"),
    ],
)
async def test_an_odd_answer_is_told(answer: Any, wrong: str) -> None:
    fake = FakeLoki()
    fake.answer = answer
    async with asking(fake) as source:
        with pytest.raises(ClusterError, match=wrong):
            await source.errors("prod", DAY)


@pytest.mark.parametrize(
    "line",
    ["ERROR x", "panic: x", "\tat com.x.Y(Z.java:1)", 'level=error msg="x"', "E1122 10:15:02 x",
     '{"level":50,"msg":"x"}', "Caused by: x", '  File "/app/x.py", line 1', *ERROR_LINES],
)  # fmt: skip
def test_what_may_be_an_error_looks_like_one(line: str) -> None:
    assert re.search(loki.LOOKS_BAD, line)


@pytest.mark.parametrize(
    "line",
    ["<6>loaded", "I/Tag(12): up", "info: Shop.Orders[0]", "2026-03-01 10:00:00 I | etcdserver: up",
     "2026-03-01T10:00:00Z I  NETWORK  [c1] up", '{"s":"I","ctx":"c1","msg":"up"}', "alerted: 0",
     '{"PRIORITY":"6","MESSAGE":"up"}', "03-01 10:00:00.123  12  56 I Tag: up", "x | y",
     "SIGTERM: x"],
)  # fmt: skip
def test_harmless_lines_of_the_same_forms_stay_in_the_store(line: str) -> None:
    assert not re.search(loki.LOOKS_BAD, line)
