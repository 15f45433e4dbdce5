from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.loglines import LogEntry, parse_log
from core.templates import MAX_TEMPLATE_CHARS, group, mask


@pytest.mark.parametrize(
    ("message", "template"),
    [
        ("dial tcp 10.0.3.17:6379: connection refused", "dial tcp <IP>: connection refused"),
        ("dial tcp [fd00::1]:80: refused", "dial tcp <IP>: refused"),
        ("pod payments-7d9f8b6c5d-x2x7z restarted", "pod payments-<NAME> restarted"),
        ("log-forwarder-x2x7z, ledger-1 is gone", "log-forwarder-<NAME>, ledger-<NUM> is gone"),
        ("took 12.5ms for 256Mi of /var/lib/x.db", "took <DURATION> for <SIZE> of <PATH>"),
        ("waited 3 seconds for 2.5 GB", "waited <DURATION> for <SIZE>"),
        ("request 3f2504e0-4f89-11d3-9a0c-0305e82c3301 failed", "request <UUID> failed"),
        ('storageclass "fast-nvme" not found', "storageclass <QUOTED> not found"),
        ("it's 'quoted' or `too` \"\"", 'it\'s <QUOTED> or <QUOTED> ""'),
        ("commit deadbeef12 at 0xc000123", "commit <HEX> at <HEX>"),
        ("GET https://a.example.com/b?c=d&e=1 failed", "GET <URL> failed"),
        ("user=alice reason=OOMKilled id=abc", "user=<VALUE> reason=OOMKilled id=<VALUE>"),
        ("exit code 137", "exit code 137"),
        ("statuscode: 503 for bob@example.com", "statuscode: 503 for <EMAIL>"),
        ("at 2026-03-01T10:00:00.123Z and 10:00:01", "at <TIME> and <TIME>"),
        ("image x@sha256:9f86d081884c7d65", "image x@<DIGEST>"),
        ("delete blk_1 blk_22 blk_-333", "delete blk_<NUM>"),
        ("values 1, 2, 3 and -4.5%", "values <NUM> and <NUM>"),
        ("bad password <REDACTED:password:01ab>", "bad password <REDACTED:password:01ab>"),
        ("(combined from similar events): Back-off 5", "Back-off <NUM>"),
        ("ERR_STOCK_SYNC ORA-00942 utf8", "ERR_STOCK_SYNC ORA-<NUM> utf8"),
        ("\n\n  words   only \n", "words only"),
        ("", ""),
    ],
)  # fmt: skip
def test_variables_become_typed_placeholders(message: str, template: str) -> None:
    assert mask(message) == template


JAVA = """failed
java.lang.IllegalStateException: batch 5
\tat java.base/java.util.X.y(X.java:1)
\tat org.springframework.A.b(A.java:1)
\tat com.fenwick.Pay$1.run(Pay.java:10)
\tat com.fenwick.Main.main(Main.java:2)
Caused by: java.lang.OutOfMemoryError: Java heap space
\t... 3 more"""
PYTHON = """Traceback (most recent call last):
  File "/srv/app/jobs/run.py", line 3, in main
    go()
  File "/usr/lib/python3.11/site-packages/psycopg/a.py", line 9, in execute
    raise
psycopg.errors.DeadlockDetected: deadlock detected"""
GO = """panic: index out of range [5]

goroutine 1 [running]:
runtime.gopanic(0x1)
\t/go/x.go:1
github.com/fenwick/risk.(*Engine).Run(0xc000)
\t/app/main.go:12 +0x1d"""
NODE = """TypeError: x is undefined
    at Object.f (/app/node_modules/q/x.js:1:1)
    at async pay (/app/src/pay.js:10:5)"""
DOTNET = """System.NullReferenceException: Object
   at System.X.Y(String a)
   at Fenwick.Shop.Cart.Add(Item item) in /src/Cart.cs:line 5"""
RUST = """thread 'main' panicked at src/main.rs:10:5:
index 5 too large"""


@pytest.mark.parametrize(
    ("trace", "template"),
    [
        (JAVA, "java.lang.OutOfMemoryError at com.fenwick.Pay.run"),
        ("java.lang.Error: x\n\tat java.util.X.y(X.java:1)", "java.lang.Error at java.util.X.y"),
        (PYTHON, "psycopg.errors.DeadlockDetected at jobs/run.py:main"),
        (
            GO,
            "panic: index out of range [<NUM>] at github.com/fenwick/risk.(*Engine).Run",
        ),
        ("panic: x\n\ngoroutine 1 [running]:\nruntime.main()", "panic: x"),
        (NODE, "TypeError at src/pay.js:pay"),
        (DOTNET, "System.NullReferenceException at Fenwick.Shop.Cart.Add"),
        (RUST, "panic: index <NUM> too large at src/main.rs"),
        ("two lines\nwithout a trace 5", "two lines"),
    ],
)
def test_a_trace_is_its_class_and_first_own_frame(trace: str, template: str) -> None:
    assert mask(trace) == template


def test_groups_are_counted_most_frequent_first() -> None:
    log = "\n".join(
        [f"ERROR dial tcp 10.0.0.{n}:6379: refused" for n in range(20)]
        + ["ERROR disk full"]
        + [f"ERROR batch {n} failed after {n}ms" for n in range(100, 105)]
    )
    groups = group(parse_log(log))
    assert [(found.template, found.count) for found in groups] == [
        ("dial tcp <IP>: refused", 20),
        ("batch <NUM> failed after <DURATION>", 5),
        ("disk full", 1),
    ]
    assert groups[0].example == "dial tcp 10.0.0.0:6379: refused"
    assert (groups[0].first.line_number, groups[0].last.line_number) == (1, 20)


def test_no_entries_give_no_groups() -> None:
    assert group([]) == []


@given(st.text(max_size=300))
def test_any_text_has_a_short_template_of_one_line(text: str) -> None:
    template = mask(text)
    assert "\n" not in template
    assert len(template) <= MAX_TEMPLATE_CHARS


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_numbers_alone_never_split_a_group(one: int, other: int) -> None:
    entries = [
        LogEntry(None, None, f"job-{n}: wrote {n} rows to shard {n} in {n}ms", "", 1)
        for n in (one, other)
    ]
    assert [found.count for found in group(entries)] == [2]


@given(st.lists(st.text(alphabet="ab 0123456789.:-/=", max_size=20), max_size=20))
def test_groups_hold_every_entry_once(messages: list[str]) -> None:
    entries = [LogEntry(None, None, message, "", n) for n, message in enumerate(messages)]
    assert sum(found.count for found in group(entries)) == len(entries)


@pytest.mark.timeout(30)
@pytest.mark.parametrize("start", ["", "2026-03-01 10:00:00 ", "ERROR ", "\tat ", "{"])
@pytest.mark.parametrize(
    "trap", ["-", "A-", "x_", "[a]", "(a)", "a=b", "a b ", "/a", "1.", "a:", " "]
)
def test_no_line_takes_for_ever(start: str, trap: str) -> None:
    line = start + trap * (20_000 // len(trap))
    assert all(found.template is not None for found in group(parse_log(f"{line}\n\tat x")))
