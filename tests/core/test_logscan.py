"""The quick search for errors finds what reading every line finds."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.loglines import is_error, parse_log
from core.logscan import MAX_KINDS, MAX_REQUESTS, LogScan, headline, scan
from core.templates import mask

JAVA = "java.lang.IllegalStateException: settlement\n\tat com.fenwick.Pay.run(Pay.java:10)"
HARMLESS = "2026-03-01 10:00:00,123 INFO [main] com.fenwick.Pay - charge 17 of 3f9a2b71 done"


def _slowly(text: str) -> Counter[str]:
    return Counter(mask(entry.message) for entry in parse_log(text) if is_error(entry))


def _quickly(text: str) -> Counter[str]:
    return Counter({kind.template: kind.count for kind in scan(text)})


def test_one_error_among_a_hundred_thousand_lines_is_found() -> None:
    lines = [HARMLESS.replace("17", str(number)) for number in range(100_002)]
    lines[61_234] = "2026-03-01 10:00:00,123 ERROR [main] com.fenwick.Pay - no connection to 5"
    (found,) = scan("\n".join(lines))
    assert (found.template, found.count, found.first.line_number) == (
        "no connection to <NUM>",
        1,
        61_235,
    )


@pytest.mark.parametrize(
    "text",
    [
        f"{HARMLESS}\n{JAVA}\n{HARMLESS}",
        f"2026-03-01 10:00:00 ERROR failed\n{JAVA}\n{HARMLESS}\n{HARMLESS}\n{JAVA}",
        "Traceback (most recent call last):\n  File \"/app/x.py\", line 1, in f\nKeyError: 'a'\nok",
        "panic: boom\n\ngoroutine 1 [running]:\nmain.main()\n\t/app/main.go:12 +0x1d\nexit status",
        "starting\nthread 'main' panicked at src/main.rs:10:5:\nno value\nnote: run with X\nok",
        "2026-03-01 10:00:00 INFO batch failed:\n\tat com.fenwick.Pay.run(Pay.java:10)\n"
        + HARMLESS,
        "no level\n  indented\nERROR a\nplain goes on\nplain too",
        '{"level":30,"msg":"fine"}\n{"level":50,"msg":"bad"}\n{"level":30,"msg":"fine"}',
        "2026-03-01T10:00:00.1Z stderr P ERROR cut \n2026-03-01T10:00:00.1Z stderr F here\n",
        "<6>one\n<3>two\n<6>three\n<3>four",
        "2026-03-01 10:00:00 http: panic serving 10.0.0.1:1: x\ngoroutine 3 [running]:\nmain.f()",
        "info: A[0]\n      fine\nfail: A[0]\n      bad\ninfo: A[0]\n      fine",
        "exit code 137: ERROR x\nERROR exit code 137\nERROR exit code 139\n",
        "\n\n\n",
        "",
    ],
)
def test_it_counts_what_reading_every_line_counts(text: str) -> None:
    assert _quickly(text) == _slowly(text)


LINES = st.sampled_from(
    [
        HARMLESS,
        HARMLESS.replace("INFO", "ERROR"),
        "ERROR boom 1",
        "ERROR boom 2",
        "WARN slow",
        JAVA,
        "Traceback (most recent call last):",
        '  File "/app/x.py", line 1, in f',
        "KeyError: 'a'",
        "plain words",
        "  indented words",
        "",
        '{"level":"error","msg":"x"}',
        '{"level":30,"msg":"x"}',
        '{"level":50,"msg":"x"}',
        "level=error msg=x",
        "E1122 10:15:02.123456 1 a.go:1] klog",
        "panic: boom",
        "goroutine 1 [running]:",
        "<3>cannot load 1",
        "<6>loaded 1",
        '{"PRIORITY":"3","MESSAGE":"x"}',
        '{"PRIORITY":"6","MESSAGE":"x"}',
        "2026-03-01 10:00:00 http: panic serving 10.0.0.1:1: x",
        "fail: Shop.Orders[0]",
        "      no stock",
        "1:M 01 Mar 2026 10:00:00.123 # Fatal error loading the DB",
        "1:M 01 Mar 2026 10:00:00.123 # Server initialized",
        "E/Tag(12): x",
    ]
)


@settings(max_examples=300)
@given(st.lists(LINES, max_size=30))
def test_it_finds_as_many_errors_as_reading_every_line(lines: list[str]) -> None:
    text = "\n".join(lines)
    assert sum(_quickly(text).values()) == sum(_slowly(text).values())


@settings(max_examples=200)
@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=400), st.integers(1, 50))
def test_any_text_in_any_pieces_gives_the_same(text: str, size: int) -> None:
    pieces = LogScan()
    for start in range(0, len(text), size):
        pieces.feed(text[start : start + size])
    whole = LogScan()
    whole.feed(text)
    assert pieces.finish() == whole.finish()
    assert pieces.lines == whole.lines


def test_requests_are_told_with_the_time_of_their_first_error() -> None:
    lines = [
        "2026-03-01T10:00:00.000Z ERROR TraceID: 4b987e013b6b735a failed",
        "2026-03-01T10:00:01.000Z ERROR TraceID: 4b987e013b6b735a failed",
        '{"level":"error","ts":"2026-03-01T10:00:02Z","msg":"failed","request_id":"0b987e01-3b6b"}',
        "ERROR traceId=9b987e013b6b735a has no time",
    ]
    requests = {key: when for kind in scan("\n".join(lines)) for key, when in kind.requests.items()}
    assert requests == {
        "4b987e013b6b735a": datetime(2026, 3, 1, 10, tzinfo=UTC),
        "0b987e01-3b6b": datetime(2026, 3, 1, 10, 0, 2, tzinfo=UTC),
    }


def test_what_is_kept_is_bounded() -> None:
    kinds = [f"ERROR {'abcdefghij'[n % 10]}x{'klmnopqrst'[n // 10 % 10]}y{'uvwz'[n // 100 % 4]}"
             f"{'abcd'[n // 400]}" for n in range(1600)]  # fmt: skip
    assert len(scan("\n".join(kinds))) == MAX_KINDS
    many = [f"2026-03-01T10:00:00Z ERROR trace_id={n:016x} x" for n in range(MAX_REQUESTS + 9)]
    (found,) = scan("\n".join(many))
    assert (found.count, len(found.requests)) == (MAX_REQUESTS + 9, MAX_REQUESTS)


def test_a_headline_tells_the_exception_of_a_trace() -> None:
    (entry,) = parse_log(f"ERROR batch failed\n{JAVA}")
    assert headline(entry) == ("ERROR batch failed … java.lang.IllegalStateException: settlement")
