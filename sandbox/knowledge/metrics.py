"""The metric series of the sample world: one value a minute over six hours."""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable, Mapping
from random import Random
from typing import Final

from sandbox.knowledge import world

SPAN_MINUTES: Final = 6 * 60
_LIMIT_BYTES: Final = 256 * world.MEBIBYTE
_ROLLOUT_MINUTES: Final = world.ROLLOUT_AGO_SECONDS // 60

Series = Callable[[float, Random], float]
"""A value, given how many minutes ago it was taken and a source of noise."""


def _payments_memory(ago_minutes: float, random: Random) -> float:
    """A sawtooth: from 88 MiB up to the limit in 513 s, nothing while the kubelet waits."""
    since = world.ROLLOUT_AGO_SECONDS - ago_minutes * 60
    if since < 0:
        return round((171 + 6 * random.random()) * world.MEBIBYTE)
    start = world.payments_starts()[bisect.bisect_right(world.payments_starts(), since) - 1]
    running = since - start
    if running > world.PAYMENTS_RUN_SECONDS:
        return 0
    grown = 88 * world.MEBIBYTE + (_LIMIT_BYTES - 88 * world.MEBIBYTE) * (
        running / world.PAYMENTS_RUN_SECONDS
    )
    return round(min(grown, _LIMIT_BYTES))


def _payments_restarts(ago_minutes: float, _: Random) -> float:
    since = world.ROLLOUT_AGO_SECONDS - ago_minutes * 60
    return max(0, bisect.bisect_right(world.payments_starts(), since) - 1)


def _checkout_p99(ago_minutes: float, random: Random) -> float:
    since = world.ROLLOUT_AGO_SECONDS - ago_minutes * 60
    near_kill = any(0 <= since - kill < 60 for kill in world.payments_kills())
    return round((1900 if near_kill else 240) + 60 * random.random())


def _worker_2_disk(ago_minutes: float, random: Random) -> float:
    """Climbs to 95 %; pods are evicted 48 minutes ago, then it stays above 90 %."""
    if ago_minutes > 48:
        return round(61 + 34 * (SPAN_MINUTES - ago_minutes) / (SPAN_MINUTES - 48), 1)
    return round(91.5 + random.random(), 1)


def _market_data_probe(ago_minutes: float, random: Random) -> float:
    """Milliseconds; the new release, rolled out 22 minutes ago, answers later than 1 s."""
    return round((1050 if ago_minutes <= 22 else 40) + 90 * random.random())


def _stock_age(ago_minutes: float, _: Random) -> float:
    """Seconds; the snapshot has not moved since 35 minutes ago. Ready means up to 120 s."""
    return round((35 - ago_minutes) * 60) if ago_minutes <= 35 else 30


def _stock_lag(ago_minutes: float, random: Random) -> float:
    return round(max(0, 35 - ago_minutes) * 20 + 40 * random.random())


def _gateway_p99(ago_minutes: float, random: Random) -> float:
    """Microseconds, gateway to acknowledgement; the target is 180."""
    return round(164 + 10 * math.sin(ago_minutes / 25) + 5 * random.random(), 1)


def _db_connections(ago_minutes: float, random: Random) -> float:
    return round(118 + 14 * math.sin(ago_minutes / 40) + 6 * random.random())


SERIES: Final[Mapping[str, Series]] = {
    "payments/memory_working_set_bytes": _payments_memory,
    "payments/restarts_total": _payments_restarts,
    "checkout/latency_p99_ms": _checkout_p99,
    "worker-2/disk_used_percent": _worker_2_disk,
    "market-data/probe_latency_ms": _market_data_probe,
    "inventory/stock_snapshot_age_seconds": _stock_age,
    "kafka/consumer_lag_stock_updates": _stock_lag,
    "order-gateway/ack_latency_p99_us": _gateway_p99,
    "orders-db/connections": _db_connections,
}
"""Series by name: service or node, a slash, what is measured with its unit."""
