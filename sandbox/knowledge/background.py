"""What the services say on a normal day: weighted templates with ids, durations and amounts."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from random import Random
from typing import Final, NamedTuple

from sandbox.knowledge import world
from sandbox.knowledge.world import Pod


class Habit(NamedTuple):
    """A kind of line that a pod writes: how often, at what level, with which code."""

    weight: int
    pod: Pod
    level: str
    code: str
    template: str
    until_ago: int = 0
    """Silent in the last so many seconds: the pod has trouble since then."""
    since_ago: int = world.SPAN_SECONDS
    """Silent before so many seconds ago: the pod was not there yet."""


_NEW: Final = world.ROLLOUT_AGO_SECONDS
_STALE: Final = 2100

SHOP: Final[tuple[Habit, ...]] = (
    Habit(12, world.FRONTEND, "INFO", "200", "GET /products/{sku} 200 in {ms} ms trace={trace}"),
    Habit(4, world.FRONTEND, "INFO", "200", "GET /cart 200 in {ms} ms trace={trace}"),
    Habit(2, world.FRONTEND, "INFO", "404", "GET /wp-login.php 404 in {small} ms trace={trace}"),
    Habit(1, world.FRONTEND, "WARNING", "499", "client closed request /search after {slow} ms"),
    Habit(8, world.CATALOG, "INFO", "200", "read product {sku} in {ms} ms (cache hit)"),
    Habit(3, world.CATALOG, "DEBUG", "", "query plan for category {n} cached, {rows} rows"),
    Habit(5, world.SEARCH, "INFO", "200", "query of {n} terms matched {rows} products in {ms} ms"),
    Habit(
        1, world.SEARCH, "WARNING", "", "index segment {n} merged in {slow} ms, one replica only"
    ),
    Habit(6, world.CART, "INFO", "200", "cart {trace} saved, {n} items, redis {small} ms"),
    Habit(
        1, world.CART, "INFO", "409", "cart {trace} was changed elsewhere, client told to reload"
    ),
    Habit(8, world.CHECKOUT, "INFO", "201", "order {order} placed, {amount} EUR, took {ms} ms"),
    Habit(1, world.CHECKOUT, "WARNING", "429", "rate limit for customer {n}: 10 orders a minute"),
    Habit(
        7,
        world.PAYMENTS_GOOD,
        "INFO",
        "200",
        "authorised {amount} EUR for {order} in {ms} ms",
        0,
        _NEW,
    ),
    Habit(
        7, world.PAYMENTS_OLD, "INFO", "200", "authorised {amount} EUR for {order} in {ms} ms", _NEW
    ),
    Habit(1, world.PAYMENTS_OLD, "INFO", "", "settlement batch of 5000 rows took {slow} ms", _NEW),
    Habit(1, world.CHECKOUT, "WARNING", "ERR_PAYMENT_DECLINED", "card declined for {order}"),
    Habit(6, world.INVENTORY, "INFO", "200", "reserved {n} of {sku} for {order}", _STALE),
    Habit(
        2, world.INVENTORY, "DEBUG", "", "stock event offset {offset} applied in {small} ms", _STALE
    ),
    Habit(5, world.EMAIL_WORKER, "INFO", "", "mail order-confirmation sent for {order}"),
    Habit(1, world.EMAIL_WORKER, "WARNING", "", "mail server deferred {order}, retry in {n} s"),
)

TRADING: Final[tuple[Habit, ...]] = (
    Habit(10, world.ORDER_GATEWAY, "INFO", "", "order T{offset} {side} {symbol} acked in {us} us"),
    Habit(1, world.ORDER_GATEWAY, "WARNING", "ERR_ORDER_REJECTED", "order T{offset} over limit"),
    Habit(9, world.MATCHING_ENGINE, "INFO", "", "matched T{offset} {symbol} {n} lots in {us} us"),
    Habit(2, world.MATCHING_ENGINE, "DEBUG", "", "ring buffer fill {n} of 65536, gating seq ok"),
    Habit(7, world.MARKET_DATA, "INFO", "", "tick {symbol} seq {offset} published in {us} us"),
    Habit(1, world.MARKET_DATA, "WARNING", "ERR_FEED_GAP", "gap of {n} messages, {symbol}, filled"),
    Habit(5, world.RISK_ENGINE, "INFO", "", "exposure of account {n} checked in {us} us", 600),
    Habit(5, world.LEDGER, "INFO", "", "appended fill {offset}, fsync {small} ms"),
)

PLATFORM: Final[tuple[Habit, ...]] = (
    Habit(
        9, world.INGRESS, "INFO", "200", "GET shop.fenwick.example/ 200 {ms} ms upstream frontend"
    ),
    Habit(
        2, world.INGRESS, "INFO", "304", "GET shop.fenwick.example/static/{trace}.js 304 {small} ms"
    ),
    Habit(4, world.KAFKA_0, "INFO", "", "rolled segment {offset} of order-events-{n}"),
    Habit(2, world.KAFKA_1, "INFO", "", "replica fetcher caught up at offset {offset}"),
    Habit(4, world.REDIS, "INFO", "", "{rows} changes in 60 seconds, saving; fork took {small} ms"),
    Habit(5, world.ORDERS_DB, "INFO", "", "checkpoint complete: wrote {rows} buffers in {slow} ms"),
    Habit(
        2, world.ORDERS_DB, "WARNING", "", "slow query {slow} ms: select from orders where id in"
    ),
    Habit(4, world.LOG_FORWARDER, "INFO", "", "sent {rows} lines, buffer at {n} %"),
    Habit(3, world.PROMETHEUS, "INFO", "", "compacted block {trace} in {slow} ms"),
)

_SYMBOLS: Final = ("FNW", "OAK", "TIN", "RVR")


def _draw(random: Random) -> Mapping[str, str]:
    """One value for each placeholder a template may name."""
    return {
        "sku": f"SKU-{random.randint(10000, 99999)}",
        "order": f"FG-{random.randint(700000, 799999)}",
        "ms": str(random.randint(8, 180)),
        "small": str(random.randint(1, 9)),
        "slow": str(random.randint(900, 4800)),
        "us": str(random.randint(60, 178)),
        "n": str(random.randint(1, 60)),
        "rows": str(random.randint(120, 9800)),
        "offset": str(random.randint(1_000_000, 9_999_999)),
        "amount": f"{random.uniform(4, 480):.2f}",
        "trace": "".join(random.choices("0123456789" + string.ascii_lowercase[:6], k=12)),
        "side": random.choice(("buy", "sell")),
        "symbol": random.choice(_SYMBOLS),
    }


def ordinary_line(random: Random, habits: Sequence[Habit], ago: float) -> tuple[Habit, str]:
    """A habit of that moment, drawn by its weight, and its message with placeholders filled in."""
    active = [habit for habit in habits if habit.until_ago <= ago < habit.since_ago]
    (habit,) = random.choices(active, weights=[habit.weight for habit in active])
    return habit, habit.template.format_map(_draw(random))
