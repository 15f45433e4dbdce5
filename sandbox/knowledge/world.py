"""Names and times of the sample world that logs and metrics share. See sandbox/README.md."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SPAN_SECONDS: Final = 24 * 3600
"""How far back the logs reach."""

ROLLOUT_AGO_SECONDS: Final = 3 * 3600
"""payments 3.9.0 was rolled out this long ago."""

PAYMENTS_RUN_SECONDS: Final = 513
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


FRONTEND = _pod("shop", "frontend-mmhqchsl9-rq8kq", "frontend")
CATALOG = _pod("shop", "catalog-t8jrfx2br-kggf5", "catalog")
SEARCH = _pod("shop", "search-98n8vhr9n-nmlvh", "search")
CART = _pod("shop", "cart-lpqjfljxx-mgrnj", "cart")
CHECKOUT = _pod("shop", "checkout-nc7t6jpkk-bdlzq", "checkout")
PAYMENTS_BAD = _pod("shop", "payments-8j2nfb27d-vjpvd", "payments")
PAYMENTS_GOOD = _pod("shop", "payments-8j2nfb27d-z58ws", "payments")
PAYMENTS_OLD = _pod("shop", "payments-58d7c6b9f4-c5q8j", "payments")
INVENTORY = _pod("shop", "inventory-gwjgv88pd-zzng8", "inventory")
EMAIL_WORKER = _pod("shop", "email-worker-wlqlpt9g2-wdtp9", "email-worker")
ORDER_GATEWAY = _pod("trading", "order-gateway-snln2jcdn-5g57w", "order-gateway")
MATCHING_ENGINE = _pod("trading", "matching-engine-0", "matching-engine")
MARKET_DATA = _pod("trading", "market-data-bb98ql2q6-8s5lb", "market-data")
MARKET_DATA_NEW = _pod("trading", "market-data-vdx55bw7m-79x5h", "market-data")
RISK_ENGINE = _pod("trading", "risk-engine-dshrfdst7-rxdpj", "risk-engine")
LEDGER = _pod("trading", "ledger-0", "ledger")
INGRESS = _pod("platform", "ingress-nginx-2cjst9pcr-jdd42", "ingress-nginx")
KAFKA_0 = _pod("platform", "kafka-0", "kafka")
KAFKA_1 = _pod("platform", "kafka-1", "kafka")
REDIS = _pod("platform", "redis-0", "redis")
ORDERS_DB = _pod("platform", "orders-db-0", "orders-db")
LOG_FORWARDER = _pod("platform", "log-forwarder-dtqnq", "log-forwarder")
PROMETHEUS = _pod("platform", "prometheus-z57z5t9r7-z6qwb", "prometheus")
RECONCILIATION = _pod("batch", "nightly-reconciliation-29922428-l4dtj", "nightly-reconciliation")
REPORT_EXPORT = _pod("batch", "report-export-29922404-x7k2p", "report-export")
CATALOG_IMPORT = _pod("batch", "catalog-import-29922454-wfnm4", "catalog-import")


def payments_kills() -> tuple[int, ...]:
    """Seconds after the rollout at which the bad pod is killed: one more kill than restarts.

    It lives 513 s, then waits for the kubelet's back-off, which doubles from 10 s to its cap of
    300 s; so the last kill is 95 s ago and the pod now waits in CrashLoopBackOff.
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
