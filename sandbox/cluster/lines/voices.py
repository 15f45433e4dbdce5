"""What each application says when nothing is wrong, and what the ailing ones say besides."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sandbox.cluster.lines.styles import STYLES, Entry
from sandbox.cluster.recorded import LogLine

WARN_SHARE = 0.04


@dataclass(frozen=True, slots=True)
class Voice:
    """The words of one application.

    In the words, {n} is a number, {ms} a duration, {sku} an item, {ip} an address, {order} an order
    and {user} a shopper, each another in every line. An error may have several lines, as a stack
    trace does: only the first gets the style's header.
    """

    style: str
    info: tuple[str, ...]
    warn: tuple[str, ...] = ()
    error: tuple[str, ...] = ()
    error_share: float = 0.0


_GO_PANIC = (
    "http: panic serving {ip}:{n}: runtime error: invalid memory address or "
    "nil pointer dereference\n"
    "goroutine {n} [running]:\n"
    "net/http.(*conn).serve.func1()\n"
    "\t/usr/local/go/src/net/http/server.go:1947 +0xbe\n"
    "panic({{0x8f1c40?, 0xe8b2d0?}})\n"
    "\t/usr/local/go/src/runtime/panic.go:787 +0x132\n"
    "fenwick.example/inventory/internal/stock.(*Ledger).Reserve(0x0, {{0xc0001a4000, 0x9}})\n"
    "\t/src/internal/stock/ledger.go:118 +0x4c\n"
    "fenwick.example/inventory/internal/api.(*Server).reserve(0xc0000f2000)\n"
    "\t/src/internal/api/reserve.go:57 +0x1a8"
)

VOICES: Mapping[str, Voice] = {
    "frontend": Voice(
        "json",
        ("GET / 200 in {ms}", "GET /product/{sku} 200 in {ms}", "session {user} restored"),
        ("slow upstream catalog: {ms}", "image cache miss ratio above 20%"),
    ),
    "catalog": Voice(
        "logfmt",
        ("listed {n} products in {ms}", "product {sku} served from cache", "price list refreshed"),
        ("query took {ms}, plan has a sequential scan",),
    ),
    "search": Voice(
        "python",
        ("query from {user} gave {n} hits in {ms}", "index segment {n} merged in {ms}"),
        ("query from {user} fell back to fuzzy matching",),
    ),
    "cart": Voice(
        "logfmt",
        ("item {sku} added for {user}", "cart of {user} saved in {ms}", "expired {n} idle carts"),
        ("redis round trip took {ms}",),
    ),
    "checkout": Voice(
        "json",
        ("order {order} placed in {ms}", "shipping quote for {order} in {ms}"),
        ("retrying payments for {order}: connection reset by peer",),
    ),
    "payments": Voice(
        "spring",
        ("charged order {order} in {ms}", "settlement row {n} written", "heap after GC: {n} KiB"),
        ("GC pause of {ms}", "risk-engine did not answer in {ms}, using cached verdict"),
    ),
    "inventory": Voice(
        "logfmt",
        ("stock of {sku} is {n}", "consumed {n} messages from topic stock-moves"),
        ("reservation for {order} waits for stock sync",),
        (
            "ERR_STOCK_SYNC warehouse feed is {n} s behind, refusing reservations",
            "ERR_STOCK_SYNC cannot reserve {sku} for {order}: stock snapshot is stale",
            "GET /ready 503 ERR_STOCK_SYNC last snapshot {n} s ago",
            _GO_PANIC,
        ),
        0.35,
    ),
    "email-worker": Voice(
        "python",
        ("sent order mail for {order} in {ms}", "committed offset {n} of topic order-mails"),
        ("mail server greylisted us, retrying in {ms}",),
    ),
    "order-gateway": Voice(
        "klog",
        (
            "accepted order {order} in {n}us",
            "session {user} heartbeat ok",
            "ring buffer at {n} slots",
        ),
        ("client {ip} exceeds 400 orders a second, throttled",),
    ),
    "matching-engine": Voice(
        "klog",
        ("matched {n} orders of book {sku}", "book {sku} snapshot written in {ms}"),
        ("cpu {n} saw an involuntary context switch",),
    ),
    "market-data": Voice(
        "spring",
        ("published {n} ticks for {sku}", "replayed {n} messages from topic ticks"),
        ("feed handler queue at {n}",),
    ),
    "ledger": Voice(
        "spring",
        ("posted {n} entries of batch {n}", "checkpoint {n} written in {ms}"),
        ("checkpoint took {ms}",),
    ),
    "risk-engine": Voice("logfmt", ("limits of {n} accounts loaded", "connecting to redis")),
    "ingress-nginx": Voice(
        "nginx",
        ("GET /product/{sku}", "POST /cart/items", "GET /search?q={sku}", "POST /v1/orders"),
        ("upstream response is buffered to a temporary file while reading upstream",),
    ),
    "kafka": Voice(
        "log4j",
        (
            "[GroupCoordinator 1]: Stabilized group stock-moves generation {n}",
            "[Log partition=ticks-{n}] Rolled new log segment in {ms}",
        ),
        ("[ReplicaManager broker=1] Fetcher lag is {n}",),
    ),
    "redis": Voice(
        "redis",
        (
            "{n} changes in 60 seconds. Saving...",
            "DB saved on disk",
            "Background saving terminated",
        ),
        ("Client {ip} closed for overcoming of output buffer limits",),
    ),
    "orders-db": Voice(
        "postgres",
        ("checkpoint complete: wrote {n} buffers", "automatic vacuum of table orders.public.lines"),
        ("there is already a transaction in progress",),
    ),
    "log-forwarder": Voice(
        "fluentbit",
        ("[output:forward] chunk {n} sent in {ms}", "[input:tail] inode={n} rotated"),
        ("[engine] chunk {n} cannot be retried, task waits",),
    ),
    "prometheus": Voice(
        "logfmt",
        (
            "Head GC completed in {ms}",
            "compacted block {n}",
            "scrape pool kubernetes-pods reloaded",
        ),
        ("Error on ingesting out-of-order samples, num_dropped={n}",),
    ),
    "nightly-reconciliation": Voice("python", ("reconciled {n} rows", "opened batch {n}")),
    "catalog-import": Voice("python", ("imported {n} products", "read feed part {n}")),
}

REFRESHER = Voice("json", ("config reloaded in {ms}", "watching for changes"))


def noise(
    voice: Voice, service: str, begin: datetime, end: datetime, *, count: int, seed: int
) -> list[LogLine]:
    """`count` entries between two times, always the same for one seed."""
    chance = random.Random(seed)
    span = max(0.0, (end - begin).total_seconds())
    moments = sorted(chance.random() * span for _ in range(count))
    lines: list[LogLine] = []
    for moment in moments:
        lines += say(voice, service, begin + timedelta(seconds=moment), chance)
    return lines


def say(voice: Voice, service: str, at: datetime, chance: random.Random) -> list[LogLine]:
    """One entry: mostly INFO, now and then a WARN, and an ERROR where something is wrong."""
    roll = chance.random()
    level, words = "INFO", voice.info
    if voice.error and roll < voice.error_share:
        level, words = "ERROR", voice.error
    elif voice.warn and roll > 1 - WARN_SHARE:
        level, words = "WARN", voice.warn
    text = _fill(chance.choice(words), chance)
    return entry_lines(voice.style, Entry(at, level, service, text, chance.getrandbits(32)))


def entry_lines(style: str, entry: Entry) -> list[LogLine]:
    """An entry as lines; only the first carries the style's header."""
    first, *rest = entry.text.split("\n")
    head = STYLES[style](replace(entry, text=first))
    return [LogLine(entry.at, head), *(LogLine(entry.at, line) for line in rest)]


def _fill(words: str, chance: random.Random) -> str:
    return words.format(
        n=chance.randrange(3, 9_000),
        ms=f"{chance.randrange(1, 900)} ms",
        sku=f"FG-{chance.randrange(10_000, 99_999)}",
        ip=f"10.0.{chance.randrange(1, 6)}.{chance.randrange(20, 250)}",
        order=f"ord-{chance.getrandbits(32):08x}",
        user=f"u{chance.randrange(1_000, 9_999)}",
    )
