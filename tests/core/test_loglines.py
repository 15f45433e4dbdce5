from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.loglines import MAX_JOINED_LINES, LogLevel, is_error, parse_log
from tests.core.error_lines import ERROR_LINES

TEN = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "level", "message"),
    [
        ("E1122 10:15:02.123456       1 reflector.go:138] watch failed", "ERROR", "watch failed"),
        ("W1122 10:15:02.123456 1 a/b.go:1] slow", "WARNING", "slow"),
        ('{"level":"error","msg":"boom","error":"x failed"}', "ERROR", "boom: x failed"),
        ('{"severity":"CRITICAL","message":"gone"}', "FATAL", "gone"),
        ('{"level":50,"msg":"pino"}', "ERROR", "pino"),
        ('{"level":20,"msg":"pino"}', "DEBUG", "pino"),
        ('{"log":{"level":"warn"},"message":"ecs"}', "WARNING", "ecs"),
        ('{"lvl":"odd","msg":"x"}', None, "x"),
        ('{"a":1}', None, '{"a":1}'),
        ('{"level":"error","msg":"a","err":{"message":"deep"}}', "ERROR", "a: deep"),
        ('{"level":"error","msg":"a b","error":"b"}', "ERROR", "a b"),
        ("{not json", None, "{not json"),
        ('time="2026-03-01T10:00:00Z" level=error msg="a \\"q\\"" err="b"', "ERROR", 'a "q": b'),
        ("level=info ts=x component=db size=3", "INFO", "component=db size=3"),
        ("2026-03-01 10:00:00,123 ERROR [main] com.fenwick.Pay - failed", "ERROR", "failed"),
        ("2026-03-01 10:00:00.1  ERROR 1 --- [nio-1] c.f.Api : charge", "ERROR", "charge"),
        ("2026-03-01 10:00:00 UTC [1] ERROR:  deadlock detected", "ERROR", "deadlock detected"),
        ("2026/03/01 10:00:00 [error] 29#29: *1 connect() failed", "ERROR", "*1 connect() failed"),
        ("[2026-03-01T10:00:00Z ERROR app::db] db gone", "ERROR", "db gone"),
        ("[10:00:00 ERR] serilog", "ERROR", "serilog"),
        ("[Sun Dec 04 04:47:44 2005] [notice] ok", "INFO", "ok"),
        ("ERROR something broke", "ERROR", "something broke"),
        ("[WARN] careful", "WARNING", "careful"),
        ("FATAL redis: refused", "FATAL", "redis: refused"),
        ("error: could not open", "ERROR", "could not open"),
        ("\x1b[31mERROR\x1b[0m red", "ERROR", "red"),
        ("[1234.567890] Out of memory: Killed process 1 (java)", "ERROR", None),
        ("memory: java invoked oom-killer: gfp_mask", "ERROR", None),
        ("panic: runtime error: index out of range", "FATAL", None),
        ("thread 'main' panicked at src/main.rs:1:1:", "FATAL", None),
        ("KafkaTimeoutError: topic order-mails not present", "ERROR", None),
        ("java.lang.OutOfMemoryError: Java heap space", "ERROR", None),
        ("081109 203518 143 INFO dfs.X: hello", "INFO", "hello"),
        ("request done in 5 ms", None, None),
        ("0 errors found", None, None),
        ("thread 'main' started", None, None),
        ("in module shop: ERROR while sending", "ERROR", None),
        (
            "1:M 01 Mar 2026 10:00:00.1 # Fatal error loading the DB: no file. Exiting.",
            "FATAL",
            "Fatal error loading the DB: no file. Exiting.",
        ),
        ("1:M 01 Mar 2026 10:00:00.1 # WARNING overcommit", "WARNING", "WARNING overcommit"),
        ("<3>could not load it", "ERROR", "could not load it"),
        ("<27>1 2026-03-01T10:00:00Z host app 12 ID47 - link lost", "ERROR", "link lost"),
        ("E/ActivityManager( 1234): ANR in com.example", "ERROR", "ANR in com.example"),
        ("fail: Shop.Orders[13] no stock", "ERROR", "Shop.Orders[13] no stock"),
        ("fail: Shop.Orders[13]", "ERROR", "Shop.Orders[13]"),
        ("2026-03-01 10:00:00.000000 C | etcdmain: no", "FATAL", "etcdmain: no"),
        (
            "2026-03-01T10:00:00.000+0000 E  NETWORK  [conn1] no certificate",
            "ERROR",
            "NETWORK  [conn1] no certificate",
        ),
        (
            '{"t":{"$date":"2026-03-01T10:00:00Z"},"s":"E","c":"NETWORK","ctx":"c1","msg":"no"}',
            "ERROR",
            "no",
        ),
    ],
)
def test_headers_are_stripped_and_levels_read(
    line: str, level: str | None, message: str | None
) -> None:
    (entry,) = parse_log(line)
    assert (entry.level.name if entry.level else None) == level
    if message is not None:
        assert entry.message == message
    assert entry.raw == line
    assert is_error(entry) == (level in {"ERROR", "FATAL"})


@pytest.mark.parametrize(
    "line",
    [
        "no errors found",
        "error_rate=0",
        "errors: 0",
        "ERROR: 0",
        "ERROR COUNT: 0",
        "error handling enabled",
        "Error handling enabled",
        "fatal errors: 0",
        "critical section entered",
        "ALERT rule loaded",
        "log level set to ERROR",
        "Log level: ERROR",
        "logLevel=ERROR",
        "2026-03-01 10:00:00 Log level ERROR",
        "2026-03-01 10:00:00 INFO ERROR count is 0",
        "no ERROR in log",
        'level=info msg="no error" error=null',
        'ts=2026-03-01T10:00:00Z caller=a.go:1 msg="done" err=<nil>',
        "flags: --log.level=error --web=1",
        "Mean Absolute Error: 0.25",
        "Error Budget left: 12 %",
        "args: level=error format=json",
        '{"level":"info","msg":"ERROR in the text","error":null}',
        'I1122 10:15:02.123456 1 a.go:1] "no error" err="ignored"',
        '10.0.0.1 - - [01/Mar/2026:10:00:00 +0000] "GET /errors/500.html HTTP/1.1" 200 12',
        "2026-03-01 10:00:00 UTC [1] LOG:  checkpoint complete: wrote 0 buffers, 0 errors",
        "Fatal error count: 0",
        "Fatal error handling enabled",
        "fatal error pages are served from /srv",
        "1:M 01 Mar 2026 10:00:00.123 # Server initialized",
        "1:M 01 Mar 2026 10:00:00.123 * Ready to accept connections",
        "1:C 01 Mar 2026 10:00:00.123 # oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo",
        "1:M 01 Mar 2026 10:00:00.123 . fatal errors: 0",
        "<6>module loaded",
        "<3> items in the cart",
        "<3>bold</3>",
        "<200>OK",
        "<html><body>",
        "<11>Oct 11 22:14:15 web app[1]: INFO started",
        "I/ActivityManager( 1234): started",
        "E/T ratio is 3",
        "E(x) = 3",
        "A/B (test): 5",
        "F/S(12): done",
        "E/Tag",
        "03-01 10:00:00.123  1234  5678 I AndroidRuntime: ERROR none",
        "goroutine profile: total 10",
        "INFO dump of all\ngoroutine 1 [running]:\nmain.main()\n\t/app/main.go:5",
        "SIGTERM: shutting down",
        "info: Microsoft.Hosting.Lifetime[0]\n      Error pages are on",
        "fail: false",
        "fail: 0",
        "crit: values[3] are over",
        "2026-03-01 10:00:00.000000 I | etcdserver: ERROR is a word",
        "2026-03-01 10:00:00.000000 E | F = 3",
        "2026-03-01T10:00:00.000+0000 I  NETWORK  [conn1] end connection",
        "2026-03-01T10:00:00.000Z\tinfo\tcontroller\terror is a word",
        "2026-03-01 10:00:00 [info     ] event failed key=error",
        '{"s":"F","name":"ann"}',
        '{"PRIORITY":"6","MESSAGE":"boom"}',
        '{"PRIORITY":"high","message":"x"}',
        '{"level":3,"msg":"not of GELF"}',
        "nginx: [notice] signal process started",
    ],
)
def test_words_about_errors_are_no_errors(line: str) -> None:
    assert not any(is_error(entry) for entry in parse_log(line))


@pytest.mark.parametrize("line", ERROR_LINES)
def test_errors_are_known_in_many_dresses(line: str) -> None:
    (entry,) = parse_log(line)
    assert is_error(entry)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("Jun 14 15:16:01 combo sshd(pam_unix)[19939]: check pass", "check pass"),
        ("nova.log.1 2026-03-01 10:00:00.508 25746 INFO nova.wsgi [req-1 - - -] ok", "ok"),
        (
            "2015-07-29 19:31:02,243 - WARN  [Quorum[myid=1]/0:0:0:2181:Cnx@368] - Cannot open",
            "Cannot open",
        ),
        (
            "2026-03-01 10:00:00 ERROR com.x.Y [instance: 7] lost it",
            "[instance: 7] lost it",
        ),
    ],
)
def test_headers_of_hosts_programs_and_threads_are_stripped(line: str, message: str) -> None:
    assert parse_log(line)[0].message == message


def test_line_numbers_are_those_of_the_raw_lines() -> None:
    text = "INFO a\r\nINFO \x0b\x85 b\n2026-03-01T10:00:00Z stderr P ERROR cut \n"
    text += "2026-03-01T10:00:00Z stderr F here\nINFO c\n2026-03-01T10:00:00Z stderr P INFO end"
    assert [(entry.line_number, entry.message) for entry in parse_log(text)] == [
        (1, "a"),
        (2, "\x0b\x85 b"),
        (3, "cut here"),
        (5, "c"),
        (6, "end"),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "2026-03-01T10:00:00Z ERROR x",
        "2026-03-01 12:00:00 +0200 ERROR x",
        "2026-03-01T10:00:00.000000000Z stdout F ERROR x",
        '{"level":"error","ts":1772359200.0,"msg":"x"}',
        '{"level":"error","time":1772359200000,"msg":"x"}',
        '{"level":"error","@timestamp":"2026-03-01T10:00:00.000Z","msg":"x"}',
        "level=error ts=2026-03-01T10:00:00Z msg=x",
        '{"log":"ERROR x\\n","stream":"stderr","time":"2026-03-01T10:00:00.000000000Z"}',
    ],
)
def test_times_are_read_as_utc(line: str) -> None:
    (entry,) = parse_log(line)
    assert (entry.timestamp, entry.message, entry.level) == (TEN, "x", LogLevel.ERROR)


@pytest.mark.parametrize(
    "line",
    [
        "2026-13-45 10:00:00 ERROR x",
        '{"level":"error","ts":true,"msg":"x"}',
        '{"level":"error","ts":5,"msg":"x"}',
        '{"level":"error","ts":"soon","msg":"x"}',
        "Mar  1 10:00:00 ERROR x",
    ],
)
def test_a_time_that_cannot_be_read_is_none(line: str) -> None:
    (entry,) = parse_log(line)
    assert (entry.timestamp, entry.level) == (None, LogLevel.ERROR)


JAVA = """java.lang.IllegalStateException: settlement
\tat com.fenwick.Pay.run(Pay.java:10)
\t... 10 more
Caused by: java.lang.OutOfMemoryError: Java heap space
\tat java.base/java.util.X.y(X.java:1)"""
PYTHON = """Traceback (most recent call last):
  File "/app/x.py", line 10, in <module>
    foo()
KeyError: 'a'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/app/x.py", line 12, in <module>
    bar()
psycopg.errors.DeadlockDetected: deadlock detected"""
GO = """panic: runtime error: index out of range [5] with length 3

goroutine 1 [running]:
main.main()
\t/app/main.go:12 +0x1d
exit status 2"""
NODE = """TypeError: x is undefined
    at fn (/app/src/x.js:10:5)
    at node:internal/main:1:2"""
RUST = """thread 'main' panicked at src/main.rs:10:5:
called `Option::unwrap()` on a `None` value
note: run with `RUST_BACKTRACE=1` environment variable"""


@pytest.mark.parametrize("trace", [JAVA, PYTHON, GO, NODE])
def test_a_trace_is_one_entry(trace: str) -> None:
    entries = parse_log(f"starting\n{trace}\nINFO going on")
    assert [entry.message for entry in entries] == ["starting", trace, "going on"]
    assert is_error(entries[1])
    assert entries[1].raw == trace
    assert [entry.line_number for entry in entries][:2] == [1, 2]


@pytest.mark.parametrize("trace", [JAVA, PYTHON, NODE])
def test_a_trace_belongs_to_the_error_above_it(trace: str) -> None:
    entries = parse_log(
        f"2026-03-01 10:00:00 INFO fine\n2026-03-01 10:00:00 ERROR failed\n{trace}\n"
        "2026-03-01 10:00:01 INFO fine"
    )
    assert [entry.message for entry in entries] == ["fine", f"failed\n{trace}", "fine"]


def test_an_exception_after_a_harmless_line_is_an_entry_of_its_own() -> None:
    entries = parse_log("2026-03-01 10:00:00 INFO settlement batch of 48210 rows\n" + JAVA)
    assert [is_error(entry) for entry in entries] == [False, True]


def test_two_traces_are_two_entries() -> None:
    assert len(parse_log(f"{JAVA}\n{PYTHON}\n{GO}\n{NODE}")) == 4


def test_a_rust_panic_keeps_its_message() -> None:
    (entry,) = parse_log("2026-03-01T10:00:00Z stderr F " + RUST.replace(
        "\n", "\n2026-03-01T10:00:00Z stderr F "
    ))  # fmt: skip
    assert entry.message == RUST
    assert entry.timestamp == TEN


def test_the_time_of_a_syslog_line_is_its_own() -> None:
    assert parse_log("<27>1 2026-03-01T10:00:00Z host app 1 - - gone")[0].timestamp == TEN


def test_a_message_below_its_header_is_the_message() -> None:
    text = (
        "fail: Shop.Orders[0]\n"
        "      no stock for order 7\n"
        "      System.InvalidOperationException: boom\n"
        "         at Shop.Orders.Take() in /src/Orders.cs:line 12\n"
        "info: Shop.Orders[0]\n"
        "      order 8 is taken"
    )
    told = [(entry.level, entry.message) for entry in parse_log(text)]
    assert told == [
        (
            LogLevel.ERROR,
            (
                "no stock for order 7\nSystem.InvalidOperationException: boom\n"
                "   at Shop.Orders.Take() in /src/Orders.cs:line 12"
            ),
        ),
        (LogLevel.INFO, "order 8 is taken"),
    ]


STACK = "goroutine 34 [running]:\nmain.serve(0x1)\n\t/app/main.go:5 +0x1d"


@pytest.mark.parametrize(
    ("head", "level"),
    [
        ("panic: boom\n", "FATAL"),
        ("fatal error: all goroutines are asleep - deadlock!\n", "FATAL"),
        ("fatal error: stack overflow\n\nruntime stack:\nruntime.throw({0x4, 0x0})\n", "FATAL"),
        ("SIGSEGV: segmentation violation\nPC=0x47b2a1 m=0 sigcode=1 addr=0x0\n", "FATAL"),
        ("2026/03/01 10:00:00 http: panic serving 10.0.0.1:1: boom", "ERROR"),
        ("2026/03/01 10:00:00 INFO recovered from a panic", "ERROR"),
    ],
)
def test_what_go_says_above_its_stack_is_one_error_with_it(head: str, level: str) -> None:
    text = f"INFO serving\n{head}\n{STACK}\nINFO last"
    first, error, last = parse_log(text)
    assert (first.level, last.level) == (LogLevel.INFO, LogLevel.INFO)
    assert error.level is not None
    assert error.level.name == level
    assert error.raw == f"{head}\n{STACK}"


WORDS = st.text("abcdefghijklmnopqrstuvwxyz -_.,", min_size=1, max_size=40)


@given(st.integers(0, 191), WORDS.filter(lambda words: not words[0].isspace()))
def test_syslogs_number_is_the_level_of_a_line_without_one(number: int, words: str) -> None:
    (plain,) = parse_log(words) or (None,)
    (entry,) = parse_log(f"<{number}>{words}") or (None,)
    if entry is not None and (plain is None or plain.level is None):
        assert is_error(entry) == (number % 8 <= 3)


@given(st.sampled_from("VDIWEF"), WORDS)
def test_a_letter_alone_says_nothing(letter: str, words: str) -> None:
    """Only with its tag and number, its bar or its context does a letter tell a level."""
    for text in (f"{letter} {words}", f"{letter}: {words}", f"{letter}/{words}"):
        assert not any(is_error(entry) for entry in parse_log(f"2026-03-01 10:00:00 {text}"))


def test_an_errors_colon_announces_the_next_line() -> None:
    text = "Java Network Exception:\nprod-db:3333 refused\nprod-db:3333 refused\nERROR other:"
    assert [entry.message for entry in parse_log(text)] == [
        "Java Network Exception:\nprod-db:3333 refused",
        "prod-db:3333 refused",
        "other:",
    ]


def test_lines_without_a_time_go_on_with_one_that_has_it() -> None:
    entries = parse_log("2026-03-01 10:00:00 INFO config:\nkey: value\n\n  deep\nERROR other")
    assert [entry.message for entry in entries] == ["config:\nkey: value\n\n  deep", "other"]


def test_lines_of_a_structured_log_stand_alone() -> None:
    entries = parse_log('{"level":"info","msg":"a"}\nplain\nlevel=info msg=b\nplain too')
    assert [entry.message for entry in entries] == ["a", "plain", "b", "plain too"]


def test_parts_of_a_long_line_are_put_together() -> None:
    text = (
        "2026-03-01T10:00:00Z stdout P ERROR one \n"
        "2026-03-01T10:00:00Z stdout P two \n"
        "2026-03-01T10:00:00Z stdout F three"
    )
    (entry,) = parse_log(text)
    assert (entry.message, entry.level) == ("one two three", LogLevel.ERROR)
    (cut,) = parse_log("2026-03-01T10:00:00Z stdout P ERROR one")
    assert cut.message == "one"


def test_stamps_that_the_kubelet_adds_are_taken_off() -> None:
    entries = parse_log(
        "2026-03-01T10:00:00.5Z plain\n2026-03-01T10:00:01Z E0301 10:00:01.0 1 a.go:1] x"
    )
    assert [(entry.message, entry.level) for entry in entries] == [
        ("plain", None),
        ("x", LogLevel.ERROR),
    ]


def test_a_json_stack_stands_below_its_message() -> None:
    (entry,) = parse_log('{"level":"error","msg":"a","stack":"Error: a\\n    at f (/x.js:1:1)"}')
    assert entry.message == "a\nError: a\n    at f (/x.js:1:1)"


def test_an_endless_trace_is_cut() -> None:
    deep = "\n".join(f"\tat com.fenwick.A.f{n}(A.java:{n})" for n in range(2000))
    entries = parse_log(f"java.lang.StackOverflowError\n{deep}\nERROR next")
    assert len(entries) == 2
    assert entries[0].message.count("\n") == MAX_JOINED_LINES - 1
    wide = "\n".join("\tat " + "x" * 30_000 for _ in range(5))
    (entry,) = parse_log(f"java.lang.StackOverflowError\n{wide}")
    assert len(entry.message) < 64_000


def test_empty_logs_have_no_entries() -> None:
    assert parse_log("") == parse_log("\n \n\n") == []


_LINES = st.sampled_from(
    [*JAVA.split("\n"), *PYTHON.split("\n"), *GO.split("\n"), *NODE.split("\n"), "", " ", "plain",
     "ERROR x", "2026-03-01 10:00:00 INFO y", '{"level":"error","msg":"z"}', "level=warn msg=q",
     "2026-03-01T10:00:00Z stdout P part", "2026-03-01T10:00:00Z stdout F "]
)  # fmt: skip


@given(st.lists(_LINES | st.text(max_size=60), max_size=40))
def test_any_lines_are_read_in_order(lines: list[str]) -> None:
    entries = parse_log("\n".join(lines))
    numbers = [entry.line_number for entry in entries]
    assert numbers == sorted(numbers)


@given(st.lists(_LINES, min_size=1, max_size=30))
def test_an_error_line_is_never_swallowed(lines: list[str]) -> None:
    text = "\n".join([*lines, "", "ERROR the needle broke"])
    assert any(is_error(entry) and "needle" in entry.message for entry in parse_log(text))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("ERROR java.lang.OutOfMemoryError: heap", "java.lang.OutOfMemoryError: heap"),
        (
            "2026-01-01 10:00:00 ERROR psycopg.errors.DeadlockDetected: deadlock detected",
            "psycopg.errors.DeadlockDetected: deadlock detected",
        ),
        ("2026-01-01 10:00:00 ERROR com.shop.Payments: declined", "declined"),
    ],
)
def test_an_exceptions_class_is_no_logger(line: str, message: str) -> None:
    assert parse_log(line)[0].message == message


PIECES = st.sampled_from(
    ["-", "[", "]", "[a]", "(", "a.", "a=", '"', "<", "0", "f", "0-", " ", "\t", "\x1b[", "{",
     "a.b.Error", "ERROR ", "2026-03-01 10:00:00 ", "Jun 14 15:16:01 ", "h p[1]: ", "level=",
     ": ", "| ", "panic: ", "<3>", "fail: a[1]", "E/Tag(1): ", "Fatal error ",
     "goroutine 1 [running]", "1:M 01 Mar 2026 10:00:00.1 # ", "03-01 10:00:00.123 ",
     "\tat a.b(", "E1122 10:15:02.1 1 a.go:1] ",
     "2026-03-01T10:00:00Z stderr P "]
)  # fmt: skip


@settings(max_examples=300, deadline=2000)
@given(st.lists(st.tuples(PIECES, st.integers(1, 2000)), max_size=6))
def test_no_line_takes_for_ever(parts: list[tuple[str, int]]) -> None:
    """Hypothesis fails an example that takes longer than two seconds."""
    text = "".join(piece * times for piece, times in parts)
    assert parse_log(f"{text}\nINFO last")
