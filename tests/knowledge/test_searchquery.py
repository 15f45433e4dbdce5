"""What is typed behind `search`: one table of what is read, one of what is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.searchquery import FILTERS, Mistake, SearchQuery, marks, parse_search

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def q(words: str = "", **filters: object) -> SearchQuery:
    return SearchQuery(words, **filters)  # type: ignore[arg-type]  # keywords of one dataclass


def at(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


READ = [
    ("redis timeout", q("redis timeout")),
    ("  redis   timeout ", q("redis timeout")),
    ("redis ns:shop", q("redis", namespaces=("shop",))),
    ("ns:shop redis", q("redis", namespaces=("shop",))),
    ("redis NS:Shop", q("redis", namespaces=("shop",))),
    ("redis namespace:shop", q("redis", namespaces=("shop",))),
    ("redis ns:shop,trading", q("redis", namespaces=("shop", "trading"))),
    ("redis ns:shop ns:trading ns:shop", q("redis", namespaces=("shop", "trading"))),
    ("redis source:markdown", q("redis", sources=("markdown",))),
    ("redis source:CSV-logs,past", q("redis", sources=("csv-logs", "past"))),
    ("redis team:orders", q("redis", teams=("orders",))),
    ("code:503", q(codes=("503",))),
    ("code:503,5xx pods", q("pods", codes=("503", "5xx"))),
    ("code:ORA-00942", q(codes=("ORA-00942",))),
    ("x after:2026-01-31", q("x", since=at(2026, 1, 31))),
    ("x after:7d", q("x", since=at(2026, 2, 25, 12))),
    ("x since:90m", q("x", since=at(2026, 3, 4, 10, 30))),
    ("x after:1h30m", q("x", since=at(2026, 3, 4, 10, 30))),
    ("x after:today", q("x", since=at(2026, 3, 4))),
    ("x after:yesterday", q("x", since=at(2026, 3, 3))),
    ("x after:2026-03-01T10:00", q("x", since=at(2026, 3, 1, 10))),
    ("x after:2026-03-01T10:00+02:00", q("x", since=at(2026, 3, 1, 8))),
    ("x after:7d after:1d", q("x", since=at(2026, 3, 3, 12))),
    ('"ns:shop" redis', q("ns:shop redis")),
    ('"connection refused"', q("connection refused")),
    ("“image:latest” pull", q("image:latest pull")),
    # pasted text is full of colons
    ("dial tcp redis:6379: connection refused", q("dial tcp redis:6379: connection refused")),
    ("https://grafana.example/d/1", q("https://grafana.example/d/1")),
    ("panic: runtime error", q("panic: runtime error")),
    ("std::bad_alloc", q("std::bad_alloc")),
    ("10:00 outage", q("10:00 outage")),
    ("java.lang.OutOfMemoryError: heap", q("java.lang.OutOfMemoryError: heap")),
    ("<!channel> & co", q("<!channel> & co")),
]
REFUSED = [
    ("", "Nothing to look for", "code:503"),
    ('""', "Nothing to look for", "code:503"),
    ("ns:shop", "only filters", "code:503"),
    ("redis ns:", "ns: has no value", "ns:shop"),
    ("redis ns:,", "ns: has no value", "ns:shop"),
    ("redis foo:bar", "foo: is no filter", "source:, ns:, team:, after:, code:"),
    ("redis foo:bar", "foo: is no filter", '"foo:bar" in quotes'),
    ("redis sorce:markdown", "did you mean source:", "source:"),
    ("redis tema:orders", "did you mean team:", "team:"),
    ("redis source:wiki", "source:wiki is not one", "markdown, csv-logs, csv-metrics, graph, past"),
    ("redis ns:sh_op!", "ns:sh_op! cannot be a ns", "ns:shop"),
    ("redis team:<!here>", "cannot be a team", "team:orders"),
    ("code:5*3", "cannot be a code", "code:503"),
    ("x after:soon", "after:soon is no day", "after:7d"),
    ("x after:2026-02-31", "is no day", "after:2026-01-31"),
    ("x after:0d", "is no day", "after:7d"),
    ("x after:2027-01-01", "lies in the future", "after:7d"),
    ("x after:0001-01-01T00:00+10:00", "is no day", "after:7d"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "wanted"), READ, ids=[text for text, _ in READ])
def test_a_search_is_read(text: str, wanted: SearchQuery) -> None:
    assert parse_search(text, NOW, UTC) == wanted


@pytest.mark.parametrize(("text", "wrong", "remedy"), REFUSED)
def test_a_mistake_says_what_is_wrong_and_what_is_allowed(
    text: str, wrong: str, remedy: str
) -> None:
    found = parse_search(text, NOW, UTC)
    assert isinstance(found, Mistake)
    assert wrong in found.wrong
    assert remedy in found.remedy


def test_a_day_begins_in_the_askers_zone() -> None:
    found = parse_search("x after:2026-01-31", NOW, ZoneInfo("Europe/Berlin"))
    assert isinstance(found, SearchQuery)
    assert found.since == at(2026, 1, 30, 23)


def test_every_filters_own_example_can_be_read() -> None:
    for name, example in FILTERS.items():
        found = parse_search(f"redis {example.split()[0]}", NOW, UTC)
        assert isinstance(found, SearchQuery), name


@pytest.mark.parametrize(
    ("words", "text", "marked"),
    [
        ("pods restarting", "The pod restarts; restarted Pods", ["pod", "restarts", "restarted",
                                                                 "Pods"]),
        ("policy", "policies and police", ["policies"]),
        ("redis", "redis-0 in prediction", ["redis"]),
        ("why is the node down", "the node is down", ["node", "down"]),
        ("503", "1503 and 503 and 5031", ["503"]),
        ("ORA-00942", "saw ora-00942.", ["ora-00942"]),
        ("payment", "ERR_PAYMENT_TIMEOUT of a payment", ["payment"]),
    ],
)  # fmt: skip
def test_words_are_marked_in_all_their_endings_and_never_inside_others(
    words: str, text: str, marked: list[str]
) -> None:
    pattern = marks(words)
    assert pattern is not None
    assert pattern.findall(text) == marked


def test_small_words_alone_mark_nothing() -> None:
    assert marks("why is the") is None
    assert q("how", codes=("503",)).marks is not None


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_with_words(text: str) -> None:
    found = parse_search(text, NOW, UTC)
    if isinstance(found, Mistake):
        assert found.wrong
        assert found.remedy
    else:
        assert found.words or found.codes
        marks(text)
