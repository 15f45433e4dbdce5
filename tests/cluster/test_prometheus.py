"""Numbers come from a real Prometheus, and what it refuses is told."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web

from cluster.prometheus import MAX_POINTS, Prometheus
from cluster.webapi import ApiAddress
from core.errors import ClusterError
from core.questions import TimeRange
from tests.monitoring import prometheus

METRICS = """# TYPE container_memory_working_set_bytes gauge
container_memory_working_set_bytes{namespace="shop",pod="payments-1",container="app"} 1000
container_memory_working_set_bytes{namespace="shop",pod="payments-2",container="app"} 500
odd_ratio NaN
endless +Inf
"""


@asynccontextmanager
async def asking(url: str) -> AsyncIterator[Prometheus]:
    source = Prometheus(ApiAddress("Prometheus", url, timeout_seconds=5))
    try:
        yield source
    finally:
        await source.close()


Handler = Callable[[web.Request], Awaitable[web.Response]]


@asynccontextmanager
async def serving(path: str, answer: Handler | str) -> AsyncIterator[str]:
    """Serves one path with a text or by a function; gives host and port."""

    async def text(_request: web.Request) -> web.Response:
        return web.Response(text=str(answer))

    app = web.Application()
    app.router.add_route("*", path, text if isinstance(answer, str) else answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_a_range_an_instant_and_what_cannot_be_told(tmp_path: Path) -> None:
    async with (
        serving("/metrics", METRICS) as target,
        prometheus(tmp_path, target) as url,
        asking(url) as source,
    ):
        query = 'sum(container_memory_working_set_bytes{pod=~"payments-.+"})'
        async with asyncio.timeout(15):
            while not (await source.at(query, datetime.now(UTC))).series:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        now = datetime.now(UTC)
        (found,) = (await source.over(query, TimeRange(now - timedelta(minutes=5), now))).series
        assert {point.value for point in found.points} == {1500}
        assert abs(found.points[-1].moment - now) < timedelta(milliseconds=2)

        by_pod = await source.at("container_memory_working_set_bytes", now)
        assert sorted(one.points[0].value for one in by_pod.series) == [500, 1000]
        assert by_pod.series[0].name.startswith("container_memory_working_set_bytes{")

        for word in ("odd_ratio", "endless"):
            (series,) = (await source.at(word, now)).series
            assert series.points == ()
        (scalar,) = (await source.at("42", now)).series
        assert scalar.points[0].value == 42

        year = TimeRange(now - timedelta(days=365), now)
        assert (await source.over("vector(1)", year, points=10**9)).series
        with pytest.raises(ClusterError, match=r"refuses the query: .*parse error"):
            await source.at("sum(", now)


async def test_never_more_points_than_allowed_are_asked_for() -> None:
    numbers: list[int] = []

    async def answer(request: web.Request) -> web.Response:
        form = await request.post()
        span = float(str(form["end"])) - float(str(form["start"]))
        numbers.append(math.floor(span / float(str(form["step"]))) + 1)
        rows = [{"metric": {"n": str(n)}, "values": [[1.5, "2"]]} for n in range(30)]
        data = {"resultType": "matrix", "result": rows}
        return web.json_response({"status": "success", "data": data, "warnings": ["slow " * 200]})

    now = datetime.now(UTC)
    path = "/api/v1/query_range"
    async with serving(path, answer) as place, asking(f"http://{place}") as source:
        for window in (timedelta(minutes=1), timedelta(days=30)):
            found = await source.over("up", TimeRange(now - window, now), points=10**6)
            assert len(found.series) == 20
            assert len(found.warnings[0]) == 300
            assert found.warnings[1] == "only 20 of 30 series are shown"
    assert max(numbers) <= MAX_POINTS


@pytest.mark.parametrize("text", ["[]", '{"status": 3}', '{"status":"success","data":{}}'])
async def test_another_answer_is_told(text: str) -> None:
    async with serving("/{path:.*}", text) as place, asking(f"http://{place}") as source:
        with pytest.raises(ClusterError, match="not what Prometheus sends"):
            await source.at("up", datetime.now(UTC))
