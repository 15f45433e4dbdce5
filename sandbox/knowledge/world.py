"""Names and times of the sample world that logs and metrics share. See sandbox/README.md."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SPAN_SECONDS: Final = 24 * 3600
"""How far back the logs reach."""

ROLLOUT_AGO_SECONDS: Final = 3 * 3600
"""payments 3.9.0 was rolled out this long ago."""

PAYMENTS_RUN_SECONDS: Final = 500
"""How long the bad payments pod lives before the kernel kills it."""

PAYMENTS_RESTARTS: Final = 14
MEBIBYTE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Pod:
    """Where a log line comes from."""

    namespace: str
    name: str
    container: str


def _pod(namespace: str, name: str, container: str) -> Pod:
    return Pod(namespace, name, container)


FRONTEND = _pod("shop", "frontend-66c9f7d5b8-q8r2t", "frontend")
CATALOG = _pod("shop", "catalog-7c5d6f9b84-h4n7x", "catalog")
SEARCH = _pod("shop", "search-5f8b9d6c77-j2k9m", "search")
CART = _pod("shop", "cart-6d4c8b7f95-w5z8p", "cart")
CHECKOUT = _pod("shop", "checkout-79b6d5c8f4-t7v3n", "checkout")
PAYMENTS_BAD = _pod("shop", "payments-6c9d8b7f5b-x2k4q", "payments")
PAYMENTS_GOOD = _pod("shop", "payments-6c9d8b7f5b-m7v9t", "payments")
PAYMENTS_OLD = _pod("shop", "payments-58d7c6b9f4-c5q8j", "payments")
INVENTORY = _pod("shop", "inventory-85d7c9f6b4-k9s2d", "inventory")
EMAIL_WORKER = _pod("shop", "email-worker-5c7f8d9b66-r4t6w", "email-worker")
ORDER_GATEWAY = _pod("trading", "order-gateway-7f9c6b5d84-n3x8c", "order-gateway")
MATCHING_ENGINE = _pod("trading", "matching-engine-0", "matching-engine")
MARKET_DATA = _pod("trading", "market-data-6b8d7c9f55-v2p7k", "market-data")
MARKET_DATA_NEW = _pod("trading", "market-data-58f6d9c7b4-z6m4h", "market-data")
RISK_ENGINE = _pod("trading", "risk-engine-74d5f8c9b6-g8w2s", "risk-engine")
LEDGER = _pod("trading", "ledger-0", "ledger")
INGRESS = _pod("platform", "ingress-nginx-5d9f7b8c64-p6k3v", "controller")
KAFKA_0 = _pod("platform", "kafka-0", "kafka")
KAFKA_1 = _pod("platform", "kafka-1", "kafka")
REDIS = _pod("platform", "redis-0", "redis")
ORDERS_DB = _pod("platform", "orders-db-0", "postgres")
LOG_FORWARDER = _pod("platform", "log-forwarder-c8x5n", "log-forwarder")
PROMETHEUS = _pod("platform", "prometheus-6f7d8c5b99-d4s7j", "prometheus")
RECONCILIATION = _pod("batch", "nightly-reconciliation-29384715-8kx2p", "reconcile")
REPORT_EXPORT = _pod("batch", "report-export-29384820-m5n7d", "export")
CATALOG_IMPORT = _pod("batch", "catalog-import-29384790-c3v9z", "import")


def payments_kills() -> tuple[int, ...]:
    """Seconds after the rollout at which the bad pod is killed: one more kill than restarts.

    It lives 500 s, then waits for the kubelet's back-off, which doubles from 10 s to its cap of
    300 s; so the last kill is 290 s ago and the pod now waits in CrashLoopBackOff.
    """
    kills, moment, backoff = [], 0, 10
    for _ in range(PAYMENTS_RESTARTS + 1):
        moment += PAYMENTS_RUN_SECONDS
        kills.append(moment)
        moment += backoff
        backoff = min(backoff * 2, 300)
    return tuple(kills)


def payments_starts() -> tuple[int, ...]:
    """Seconds after the rollout at which the bad pod starts; the first one at 0."""
    return tuple(kill - PAYMENTS_RUN_SECONDS for kill in payments_kills())
