"""The applications of Fenwick Goods: images, resources, probes and environment.

Memory requests are chosen so that no node has 24Gi left: that is why one `search` pod finds none.
The module is longer than others, because it is one table.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sandbox.cluster.kinds.apps import App, Container, shop_image

_DISK_TOLERATION: dict[str, Any] = {
    "key": "node.kubernetes.io/disk-pressure",
    "operator": "Exists",
    "effect": "NoSchedule",
}


def _web(
    namespace: str,
    name: str,
    team: str,
    tag: str,
    *,
    port: int = 8080,
    cpu: str = "250m",
    memory: str = "256Mi",
    memory_limit: str = "512Mi",
    cpu_limit: str = "1",
    env: tuple[tuple[str, str], ...] = (),
    env_from: tuple[str, ...] = (),
    liveness: str = "http:/livez",
) -> App:
    """An HTTP service with the house's usual probes."""
    container = Container(
        name,
        shop_image(namespace, name, tag),
        port=port,
        cpu_request=cpu,
        memory_request=memory,
        cpu_limit=cpu_limit,
        memory_limit=memory_limit,
        readiness="http:/ready",
        liveness=liveness,
        env=(("LOG_LEVEL", "info"), *env),
        env_from=env_from,
    )
    return App(namespace, name, team, (container,), pull_secret="registry-pull")  # noqa: S106  (a name)


def _pinned(name: str, tag: str, cpu: str, memory: str, port: int, **more: Any) -> App:
    """A trading service with as much guaranteed as it may use."""
    container = Container(
        name,
        shop_image("trading", name, tag),
        port=port,
        cpu_request=cpu,
        memory_request=memory,
        cpu_limit=cpu,
        memory_limit=memory,
        readiness="http:/ready",
        **{"liveness": "http:/livez", **more},
    )
    return App("trading", name, "trading", (container,), pull_secret="registry-pull")  # noqa: S106  (a name)


FRONTEND = _web(
    "shop",
    "frontend",
    "storefront",
    "6.2.1",
    env=(("CATALOG_URL", "http://catalog:80"), ("SESSION_KEY", "secret:frontend-session/key")),
    env_from=("frontend-config",),
)
CATALOG = _web(
    "shop",
    "catalog",
    "storefront",
    "4.11.0",
    env=(("DATABASE_URL", "secret:catalog-db/url"),),
    env_from=("catalog-config",),
)
_SEARCH = _web(
    "shop",
    "search",
    "storefront",
    "1.19.3",
    cpu="2",
    memory="24Gi",
    memory_limit="24Gi",
    cpu_limit="4",
)
# The index can be rebuilt, so search may run where disk is short.
SEARCH = replace(_SEARCH, tolerations=(_DISK_TOLERATION,))
CART = _web("shop", "cart", "orders", "2.8.0", env=(("REDIS_ADDR", "redis.platform:6379"),))
_CHECKOUT = _web(
    "shop",
    "checkout",
    "orders",
    "7.0.4",
    env=(("PAYMENTS_URL", "http://payments:80"), ("PAYMENTS_TOKEN", "secret:checkout/token")),
    env_from=("checkout-config",),
)
CHECKOUT = replace(
    _CHECKOUT,
    init_containers=(
        Container("migrate", shop_image("shop", "checkout", "7.0.4"), command=("/app/migrate",)),
    ),
)
CHECKOUT_CANARY = App(
    "shop",
    "checkout-canary",
    "orders",
    _web(
        "shop",
        "checkout",
        "orders",
        "7.1.0",
        env=(("PAYMENTS_URL", "http://payments:80"),),
        env_from=("checkout-canary-config",),
    ).containers,
    labels=(("track", "canary"),),
    pull_secret="registry-pull",  # noqa: S106  (a name)
)
PAYMENTS = _web(
    "shop",
    "payments",
    "orders",
    "3.9.0",
    memory="128Mi",
    memory_limit="256Mi",
    env=(
        ("JAVA_TOOL_OPTIONS", "-XX:MaxRAMPercentage=75"),
        ("SETTLEMENT_PAGE_ROWS", "0"),
        ("DATABASE_PASSWORD", "secret:payments-db/password"),
        ("KAFKA_BROKERS", "kafka.platform:9092"),
    ),
    env_from=("payments-config",),
)
# Before its last release: it read page by page, with the memory that its page still tells of.
PAYMENTS_BEFORE = replace(
    PAYMENTS,
    containers=(
        replace(
            PAYMENTS.containers[0],
            memory_limit="512Mi",
            env=tuple(
                (name, "5000" if name == "SETTLEMENT_PAGE_ROWS" else value)
                for name, value in PAYMENTS.containers[0].env
            ),
        ),
    ),
)
INVENTORY = _web(
    "shop",
    "inventory",
    "orders",
    "3.3.2",
    env=(("STOCK_SYNC_MAX_AGE_SECONDS", "120"),),
    env_from=("inventory-config",),
)
EMAIL_WORKER = App(
    "shop",
    "email-worker",
    "orders",
    (
        Container(
            "email-worker",
            shop_image("shop", "email-worker", "1.7.5"),
            memory_request="128Mi",
            memory_limit="256Mi",
            cpu_limit="500m",
            env=(("KAFKA_BROKERS", "kafka.platform:9092"), ("TOPIC", "order-mails")),
        ),
    ),
    pull_secret="registry-pull",  # noqa: S106  (a name)
)

ORDER_GATEWAY = _pinned("order-gateway", "8.4.2", "4", "4Gi", 9000)
MATCHING_ENGINE = _pinned("matching-engine", "8.4.2", "8", "16Gi", 9100)
MARKET_DATA = _pinned(
    "market-data", "5.2.0", "2", "3Gi", 8090, liveness="exec:/bin/feedcheck --limit 1s"
)
RISK_ENGINE = _pinned(
    "risk-engine",
    "2.5.0",
    "2",
    "2Gi",
    9300,
    # An address instead of the Service's name: what redis-0 moved away from ten minutes ago.
    env=(("REDIS_ADDR", "10.0.3.17:6379"), ("REDIS_PASSWORD", "secret:risk-redis/password")),
)
LEDGER = _pinned("ledger", "3.1.4", "2", "8Gi", 9400, mounts=(("data", "/var/lib/ledger"),))


def _platform(name: str, image: str, port: int, memory: str, cpu: str = "1", **more: Any) -> App:
    container = Container(
        name,
        image,
        port=port,
        cpu_request=cpu,
        memory_request=memory,
        memory_limit=memory,
        **more,
    )
    return App("platform", name, "platform", (container,))


_DATA = (("data", "/var/lib/data"),)
INGRESS_NGINX = _platform(
    "ingress-nginx",
    "registry.example.com/mirror/ingress-nginx-controller:v1.13.2",
    443,
    "256Mi",
    readiness="http:/healthz",
    liveness="http:/healthz",
)
KAFKA = _platform(
    "kafka",
    "registry.example.com/mirror/kafka:4.1.0",
    9092,
    "24Gi",
    "2",
    mounts=_DATA,
    readiness="exec:/bin/kafka-ready",
)
REDIS = _platform(
    "redis",
    "registry.example.com/mirror/redis:8.2.1",
    6379,
    "8Gi",
    mounts=_DATA,
    readiness="exec:redis-cli ping",
)
ORDERS_DB = _platform(
    "orders-db",
    "registry.example.com/mirror/postgres:17.6",
    5432,
    "16Gi",
    "4",
    mounts=_DATA,
    readiness="exec:pg_isready -U orders",
    env=(("POSTGRES_PASSWORD", "secret:orders-db/password"),),
)
LOG_FORWARDER = App(
    "platform",
    "log-forwarder",
    "platform",
    (
        Container(
            "log-forwarder",
            "registry.example.com/mirror/fluent-bit:4.0.8",
            memory_request="64Mi",
            memory_limit="128Mi",
            mounts=(("journal", "/var/log/journal"), ("pods", "/var/log/pods")),
        ),
    ),
    volumes=(
        {"name": "journal", "hostPath": {"path": "/var/log/journal", "type": "Directory"}},
        {"name": "pods", "hostPath": {"path": "/var/log/pods", "type": ""}},
    ),
    tolerations=({"operator": "Exists"},),
)
PROMETHEUS = App(
    "platform",
    "prometheus",
    "platform",
    (
        Container(
            "prometheus",
            "registry.example.com/mirror/prometheus:v3.6.0",
            port=9090,
            cpu_request="2",
            memory_request="24Gi",
            memory_limit="24Gi",
            readiness="http:/-/ready",
            liveness="http:/-/healthy",
            mounts=_DATA,
        ),
        Container(
            "config-reloader",
            "registry.example.com/mirror/config-reloader:v0.86.0",
            memory_request="32Mi",
            memory_limit="64Mi",
        ),
    ),
    volumes=({"name": "data", "emptyDir": {}},),
)


def _batch(name: str, tag: str, env: tuple[tuple[str, str], ...] = ()) -> App:
    container = Container(
        name,
        shop_image("batch", name, tag),
        cpu_request="500m",
        memory_request="512Mi",
        memory_limit="1Gi",
        env=env,
    )
    return App("batch", name, "data", (container,), restart_policy="Never")


NIGHTLY_RECONCILIATION = _batch(
    "nightly-reconciliation", "2.2.0", (("DATABASE_URL", "secret:reconciliation-db/url"),)
)
REPORT_EXPORT = _batch(
    "report-export", "1.4.1", (("AWS_ACCESS_KEY_ID", "secret:report-bucket/id"),)
)
CATALOG_IMPORT = _batch("catalog-import", "3.0.2", (("CATALOG_URL", "http://catalog.shop:80"),))

APPS: tuple[App, ...] = (
    *(FRONTEND, CATALOG, SEARCH, CART, CHECKOUT, CHECKOUT_CANARY, PAYMENTS, INVENTORY),
    EMAIL_WORKER,
    *(ORDER_GATEWAY, MATCHING_ENGINE, MARKET_DATA, RISK_ENGINE, LEDGER),
    *(INGRESS_NGINX, KAFKA, REDIS, ORDERS_DB, LOG_FORWARDER, PROMETHEUS),
    *(NIGHTLY_RECONCILIATION, REPORT_EXPORT, CATALOG_IMPORT),
)
