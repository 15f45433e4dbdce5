"""The lines that tell what went wrong, each at a fixed moment before now.

Every 503 of the logs is written here and nowhere else, two, four or five at each kill of payments;
that is why their number in each hour can be stated (`EXPECTED_503`) and asserted.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Final, NamedTuple

from sandbox.knowledge import world
from sandbox.knowledge.world import Pod

EXPECTED_503: Final = {"24h-3h": 5, "3h-2h": 12, "2h-1h": 16, "1h-0h": 25}
"""Lines with code 503, all in logs/shop.csv, by how long before now: start included, end not."""

EXPECTED_STOCK_SYNC: Final = 57
"""Lines with code ERR_STOCK_SYNC, all in the last 33 minutes: 38 of inventory, 19 of checkout."""


class Line(NamedTuple):
    """One log line; `ago_seconds` before now."""

    ago_seconds: float
    level: str
    pod: Pod
    code: str
    message: str


def _order(random: Random) -> str:
    return f"FG-{random.randint(700000, 799999)}"


def _payments(random: Random) -> Iterator[Line]:
    pod = world.PAYMENTS_BAD
    for number, start in enumerate(world.payments_starts()):
        ago = world.ROLLOUT_AGO_SECONDS - start
        yield Line(ago, "INFO", pod, "", f"starting payments 3.9.0, heap 192M, restart {number}")
        yield Line(ago - 9, "INFO", pod, "", "listening on :8080, connected to orders-db and kafka")
    for kill in world.payments_kills():
        ago = world.ROLLOUT_AGO_SECONDS - kill
        for before, heap in ((95, 164), (52, 179), (17, 188)):
            pause = random.randint(420, 980)
            text = f"gc: G1 full collection took {pause} ms, heap {heap + 3}M->{heap}M(192M)"
            yield Line(ago + before, "WARNING", pod, "", text)
        yield Line(ago + 21, "INFO", pod, "", "settlement job started, page size 0 (no paging)")
        yield Line(ago + 4, "INFO", pod, "", "settlement batch of 48210 rows")
        text = "java.lang.OutOfMemoryError: Java heap space at SettlementBatch.load"
        yield Line(ago + 1, "FATAL", pod, "ERR_HEAP_SPACE", text)
        hours_ago = ago // 3600
        for index in range({2: 2, 1: 4, 0: 5}[hours_ago]):
            text = f"POST payments/authorize 503 after {random.randint(3, 40)} ms, {_order(random)}"
            yield Line(ago - 1.5 * index, "ERROR", world.CHECKOUT, "503", text)
        text = f"payments did not answer within 2000 ms, {_order(random)} left open"
        yield Line(ago - 9, "ERROR", world.CHECKOUT, "ERR_PAYMENT_TIMEOUT", text)


def _earlier_503(random: Random) -> Iterator[Line]:
    """A deployment in the morning cut a few connections; nothing to do with payments' memory."""
    for index in range(EXPECTED_503["24h-3h"]):
        text = f"POST payments/authorize 503 connection reset, {_order(random)}, retried"
        yield Line(11 * 3600 + 20 - index, "ERROR", world.CHECKOUT, "503", text)


def _shop(random: Random) -> Iterator[Line]:
    for step in range(38):
        age = 122 + 50 * step
        text = f"ERR_STOCK_SYNC snapshot is {age} s old, limit 120 s; readiness answers 503"
        yield Line(1975 - 50 * step, "ERROR", world.INVENTORY, "ERR_STOCK_SYNC", text)
    for step in range(19):
        text = f"no ready inventory endpoint, {_order(random)} taken as back-order"
        yield Line(1960 - 100 * step, "WARNING", world.CHECKOUT, "ERR_STOCK_SYNC", text)
    for step in range(9):
        text = f"GET /search 504 upstream search timed out after 3000 ms, request {step + 1}"
        yield Line(2400 - 260 * step, "ERROR", world.FRONTEND, "504", text)
    text = "page render without cached prices: catalog-t8jrfx2br-7lwcl was evicted from worker-2"
    yield Line(2810, "WARNING", world.FRONTEND, "", text)
    # What must never reach a chat: values that look like secrets, for the redaction to find.
    text = (
        "db pool opened: host=orders-db user=payments password=fenwick-Sample-9f3 sslmode=require"
    )
    yield Line(10795, "DEBUG", world.PAYMENTS_BAD, "", text)
    text = "upstream call with Authorization: Bearer eyJzYW1wbGUiOiJmZW53aWNrIn0.c2FtcGxl.c2lnbmVk"
    yield Line(4210, "DEBUG", world.CHECKOUT, "", text)


def _trading(random: Random) -> Iterator[Line]:
    pod = world.RISK_ENGINE
    refused = "redis: dial tcp 10.0.3.17:6379: connect: connection refused"
    for ago in (590, 573, 546, 499, 412, 300, 130):
        yield Line(ago + 3, "INFO", pod, "", "starting risk-engine, loading exposure from redis")
        yield Line(ago + 2, "ERROR", pod, "ERR_RISK_CACHE", f"{refused}, attempt 3 of 3")
        yield Line(ago, "FATAL", pod, "ERR_RISK_CACHE", f"FATAL {refused}")
    for step in range(24):
        text = f"order T{random.randint(1_000_000, 9_999_999)} refused: no risk answer in 5 ms"
        yield Line(588 - 24 * step, "ERROR", world.ORDER_GATEWAY, "ERR_RISK_UNAVAILABLE", text)
    for step in range(14):
        text = f"health check waited {1010 + 37 * step} ms for the replay lock, replay window 6 h"
        yield Line(1310 - 90 * step, "WARNING", world.MARKET_DATA_NEW, "ERR_PROBE_SLOW", text)
        text = "received SIGTERM during replay, 0 of 4 feeds caught up"
        yield Line(1300 - 90 * step, "ERROR", world.MARKET_DATA_NEW, "ERR_REPLAY_ABORTED", text)
    for step in range(12):
        text = "replica ledger-1 has not joined, fills acknowledged by one copy"
        yield Line(3100 - 250 * step, "WARNING", world.LEDGER, "ERR_LEDGER_REPLICA", text)


def _platform(random: Random) -> Iterator[Line]:
    for step in range(3):
        ago = 2940 - 315 * step
        pid = 4711 + 9 * step
        text = f"deadlock detected: process {pid} waits for ShareLock, blocked by process {pid + 3}"
        yield Line(ago + 1, "ERROR", world.ORDERS_DB, "ERR_DEADLOCK", text)
        text = f"psycopg.errors.DeadlockDetected: deadlock detected, attempt {step + 1} of 3"
        yield Line(ago, "ERROR", world.RECONCILIATION, "ERR_DEADLOCK", text)
    text = "giving up after 3 attempts, 1204 of 9310 accounts compared"
    yield Line(2308, "FATAL", world.RECONCILIATION, "ERR_DEADLOCK", text)
    for step in range(12):
        text = f"wrote {11800 + 4100 * step} of 96400 rows, fetching at 13 rows/s"
        yield Line(4500 - 298 * step, "INFO", world.REPORT_EXPORT, "", text)
    text = "received SIGTERM after 3600 s, 56900 of 96400 rows written"
    yield Line(960, "ERROR", world.REPORT_EXPORT, "ERR_EXPORT_DEADLINE", text)
    yield Line(
        1330, "INFO", world.CATALOG_IMPORT, "", "import complete: 18233 products, 0 rejected"
    )
    for step in range(9):
        text = f"upstream timed out, GET shop.fenwick.example/search 504 after {3001 + 2 * step} ms"
        yield Line(2399 - 260 * step, "ERROR", world.INGRESS, "504", text)
    for ago in (4100, 3800, 3500, 3200, 2900):
        text = f"alert NodeDiskAlmostFull firing: worker-2 at {95 - (ago - 2900) // 200} % used"
        yield Line(ago, "WARNING", world.PROMETHEUS, "ERR_DISK_PRESSURE", text)
    for step in range(10):
        text = "metrics-server returned no cpu samples for pods of shop/frontend"
        yield Line(5690 - 560 * step, "ERROR", world.PROMETHEUS, "ERR_METRICS_API", text)
    for step in range(8):
        text = f"consumer group inventory lags {200 + 60 * step} messages on stock-updates"
        yield Line(1900 - 230 * step, "WARNING", world.KAFKA_0, "", text)
    text = f"aclfile loaded, requirepass=sample-{random.randint(100, 999)}-not-real"
    yield Line(30000, "DEBUG", world.REDIS, "", text)


def shop(random: Random) -> list[Line]:
    """The stories of logs/shop.csv."""
    return [*_payments(random), *_earlier_503(random), *_shop(random)]


def trading(random: Random) -> list[Line]:
    """The stories of logs/trading.csv."""
    return list(_trading(random))


def platform(random: Random) -> list[Line]:
    """The stories of logs/platform.csv, the batch jobs among them."""
    return list(_platform(random))
