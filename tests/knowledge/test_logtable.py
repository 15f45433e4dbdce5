"""Exact answers over CSV logs."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from core.answers import Passage, Scope
from core.errors import KnowledgeError
from core.loglines import LogEntry
from core.questions import Intent, Reading, TimeRange
from core.templates import group
from knowledge.logtable import MOST_LINES, LogTable

HEADER = "timestamp,level,namespace,pod,container,code,message\n"
POD = "inventory-85d7c9f6b4-k9s2d"
ROWS = [
    "2026-03-04T09:59:59Z,INFO,shop,checkout-79b6d5c8f4-t7v3n,checkout,200,fine",
    f"2026-03-04T10:00:00Z,ERROR,shop,{POD},inventory,503,stock 1 refused for order 17",
    f"2026-03-04T10:30:00.500Z,ERROR,shop,{POD},inventory,503,stock 2 refused for order 18",
    "2026-03-04T10:59:59Z,ERROR,shop,checkout-79b6d5c8f4-t7v3n,checkout,503,upstream gave 503",
    "2026-03-04T11:00:00Z,ERROR,shop,checkout-79b6d5c8f4-t7v3n,checkout,503,upstream gave 503",
    '2026-03-04T11:10:00Z,FATAL,trading,risk-engine-74d5f8c9b6-g8w2s,risk-engine,ERR_CACHE,"a, b"',
    "2026-03-04 11:20:00,WARN,platform,kafka-0,kafka,,slow disk",
    "1772622000,debug,platform,redis-0,redis,,epoch seconds",
]
LOGS = frozenset({Intent.LOGS})


@pytest.fixture
def table(tmp_path: Path) -> LogTable:
    (tmp_path / "all.csv").write_text(HEADER + "\n".join(ROWS) + "\n")
    return loaded(tmp_path)


def loaded(folder: Path) -> LogTable:
    table = LogTable(f"{folder}/*.csv")
    table.table.refresh()
    return table


def ask(table: LogTable, reading: Reading, scope: Scope | None = None) -> Passage | None:
    found = table.facts(reading, scope or Scope(), UTC)
    assert len(found) < 2 or "critical" in reading.question
    return found[0] if found else None


def text_of(table: LogTable, reading: Reading, scope: Scope | None = None) -> str:
    passage = ask(table, reading, scope)
    return passage.text if passage else ""


def hour(start: int, end: int) -> TimeRange:
    day = datetime(2026, 3, 4, tzinfo=UTC)
    return TimeRange(day.replace(hour=start), day.replace(hour=end))


def test_a_code_and_a_period_are_exact_with_the_end_left_out(table: LogTable) -> None:
    passage = ask(
        table,
        Reading("which lines have code 503", "", codes=("503",), time_range=hour(10, 11)),
    )
    assert passage is not None
    assert passage.is_fact
    assert passage.source == "csv-logs"
    assert passage.text.startswith(
        "3 lines with code 503 between 2026-03-04 10:00 UTC and 2026-03-04 11:00 UTC; "
        "first 2026-03-04 10:00 UTC, last 2026-03-04 10:59:59 UTC."
    )
    assert "By service: inventory 2, checkout 1." in passage.text
    assert f"- 2026-03-04 10:00:00 ERROR shop/{POD} 503 stock 1 refused" in passage.text


def test_times_are_told_in_the_askers_zone(table: LogTable) -> None:
    reading = Reading("log lines with 503", "", codes=("503",), intents=LOGS)
    (passage,) = table.facts(reading, Scope(), ZoneInfo("Europe/Berlin"))
    assert "first 2026-03-04 11:00 CET" in passage.text


def test_the_last_critical_errors_newest_first_and_limited(table: LogTable) -> None:
    text = text_of(table, Reading("last 10 critical errors", "", intents=LOGS, limit=10))
    assert text.startswith("5 lines of level ERROR or above")
    assert "- 2026-03-04 11:10:00 FATAL trading/risk-engine" in text
    errors = text_of(table, Reading("last 2 errors", "", intents=LOGS, limit=2))
    assert "The last 2:" in errors
    lines = [line for line in errors.splitlines() if line.startswith("- ")]
    assert [line[2:21] for line in lines] == ["2026-03-04 11:10:00", "2026-03-04 11:00:00"]


def test_a_summary_tells_each_kind_of_error_the_worst_and_newest_first(table: LogTable) -> None:
    reading = Reading("summarize the last 10 critical errors", "", intents=LOGS, limit=10)
    _, *kinds = table.facts(reading, Scope(), UTC)
    assert [kind.text for kind in kinds] == [
        "risk-engine wrote `a, b` 1 time at 11:10 UTC.",
        "checkout wrote `upstream gave 503` 2 times between 10:59 UTC and 11:00 UTC.",
        "inventory wrote `stock 2 refused for order 18` 2 times between 10:00 UTC and 10:30 UTC.",
    ]
    assert next((kind.service, kind.namespace) for kind in kinds) == ("risk-engine", "trading")
    assert len({kind.id for kind in kinds}) == 3
    fatal = Reading("show fatal lines", "", intents=LOGS)
    assert text_of(table, fatal).startswith("1 line of level FATAL or above")


def test_a_word_that_lines_say_chooses_them_when_a_period_is_asked_about(table: LogTable) -> None:
    asked = Reading("any refused stocks between 10 and 11?", "", time_range=hour(10, 11))
    text = text_of(table, asked)
    assert text.startswith("2 lines between")
    assert "that say refused that say stock" in text
    quiet = Reading("any pizzas between 10 and 11?", "", time_range=hour(10, 11))
    assert ask(table, quiet) is None


def test_lines_are_told_by_kind_as_well(table: LogTable) -> None:
    text = text_of(table, Reading("lines with 503", "", codes=("503",), intents=LOGS))
    assert "Kind: 2 × `stock <NUM> refused for order <NUM>`." in text


def test_without_critical_lines_the_errors_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("time,severity,msg\n2026-03-04T10:00:00Z,error,oops\n")
    text = text_of(loaded(tmp_path), Reading("critical errors?", "", intents=LOGS))
    assert text.startswith("1 line of level ERROR or above")


def test_names_match_service_pod_and_container_and_unknown_ones_do_not_limit(
    table: LogTable,
) -> None:
    by_service = text_of(table, Reading("logs", "", names=("inventory",), intents=LOGS))
    assert by_service.startswith("2 lines of inventory")
    by_pod = text_of(table, Reading("logs", "", names=(POD,), intents=LOGS))
    assert by_pod.startswith(f"2 lines of {POD}")
    both = text_of(table, Reading("logs", "", names=("kafka", "worker-1"), intents=LOGS))
    assert both.startswith("1 line of kafka")


def test_a_why_question_on_a_service_gets_its_errors(table: LogTable) -> None:
    why = frozenset({Intent.WHY})
    text = text_of(table, Reading("why does it fail", "", names=("checkout",), intents=why))
    assert text.startswith("2 lines of level ERROR or above of checkout")
    assert ask(table, Reading("why does kafka fail", "", names=("kafka",), intents=why)) is None
    assert ask(table, Reading("how do I deploy", "", intents=frozenset({Intent.HOW}))) is None


def test_an_error_token_is_found_in_code_and_message(table: LogTable) -> None:
    assert text_of(table, Reading("ERR_CACHE?", "", codes=("ERR_CACHE",))).startswith("1 line")
    assert text_of(table, Reading("", "", codes=("stock 2",))).startswith("1 line")
    assert ask(table, Reading("OOMKilled?", "", codes=("OOMKilled",))) is None


def test_a_class_of_codes_matches_its_hundred(table: LogTable) -> None:
    assert text_of(table, Reading("5xx lines", "", codes=("5xx",))).startswith("4 lines")


def test_a_number_that_is_no_code_is_looked_up_in_messages_only_for_lines(
    table: LogTable,
) -> None:
    assert text_of(table, Reading("lines with 17", "", codes=("17",))).startswith("1 line")
    assert ask(table, Reading("what does exit code 17 mean", "", codes=("17",))) is None


def test_nothing_found_is_told_with_what_the_log_holds(table: LogTable) -> None:
    text = text_of(
        table, Reading("lines with 503", "", codes=("503",), time_range=hour(1, 2), intents=LOGS)
    )
    assert text.startswith("No line with code 503 between 2026-03-04 01:00 UTC")
    assert "The log holds 8 lines, from 2026-03-04 09:59:59 UTC to 2026-03-04 11:20 UTC." in text
    nothing = Reading("warning logs of risk-engine", "", names=("risk-engine",), intents=LOGS)
    assert text_of(table, nothing).startswith("1 line of level WARNING or above")


def test_a_question_that_names_no_line_gets_none(table: LogTable) -> None:
    assert ask(table, Reading("what are the log retention rules", "", intents=LOGS)) is None
    assert text_of(table, Reading("last 2 log lines", "", intents=LOGS, limit=2)).startswith("8")


def test_the_scope_limits_every_query(table: LogTable) -> None:
    shop = Scope(namespaces=frozenset({"shop"}))
    assert ask(table, Reading("last critical errors", "", intents=LOGS), shop) is not None
    text = text_of(table, Reading("last errors", "", intents=LOGS), shop)
    assert "risk-engine" not in text
    other = Scope(sources=frozenset({"markdown"}))
    assert ask(table, Reading("last errors", "", intents=LOGS), other) is None
    named = Reading("logs", "", namespaces=("platform",), intents=LOGS)
    assert text_of(table, named).startswith("2 lines in platform")


def test_hostile_words_are_values_and_nothing_reaches_the_disk(table: LogTable) -> None:
    hostile = "x'; DROP TABLE lines; --"
    reading = Reading("lines", "", names=(hostile,), codes=(hostile,), intents=LOGS)
    assert text_of(table, reading).startswith("No line")
    assert table.count() == len(ROWS)
    with pytest.raises(KnowledgeError, match=r"[Pp]ermission|disabled"):
        table.table.query("SELECT * FROM read_csv('/etc/passwd')")
    with pytest.raises(KnowledgeError):
        table.table.query("SET enable_external_access=true")


def test_malformed_rows_are_counted_and_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        HEADER + "\n".join(ROWS) + "\n2026-03-04T10:00:00Z,INFO,shop\n"
        "2026-03-04T10:00:00Z,INFO,shop,a,b,c,d,e,f\nnot-a-time,INFO,shop,a,b,c,hello\n"
    )
    table = loaded(tmp_path)
    assert table.count() == len(ROWS)
    assert table.table.malformed == 3
    text = text_of(table, Reading("error lines", "", intents=LOGS))
    assert "3 malformed lines of the files were left out." in text


def test_columns_are_guessed_or_given(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("When,What,MSG\n2026-03-04T10:00:00Z,error,hello there\n")
    table = LogTable(f"{tmp_path}/*.csv", {"moment": "When", "level": "what"})
    table.table.refresh()
    assert table.table.problems == ()
    text = text_of(table, Reading("error logs", "", intents=LOGS))
    assert "ERROR hello there" in text


def test_a_changed_file_is_loaded_again(tmp_path: Path, table: LogTable) -> None:
    before = table.count()
    with (tmp_path / "all.csv").open("a") as file:
        file.write(ROWS[0] + "\n")
    os.utime(tmp_path / "all.csv", (1, 1))
    table.table.refresh()
    assert table.count() == before + 1


def test_the_number_of_lines_shown_is_bounded(tmp_path: Path) -> None:
    rows = "\n".join(f"2026-03-04T10:{n % 60:02}:00Z,ERROR,s,p,c,,{'x' * 900}" for n in range(90))
    (tmp_path / "a.csv").write_text(HEADER + rows)
    text = text_of(loaded(tmp_path), Reading("last 80 errors", "", intents=LOGS, limit=80))
    assert text.count("\n- ") == MOST_LINES
    assert max(len(line) for line in text.splitlines()) < 400


def test_kinds_of_error_lines_become_documents_that_do_not_change_as_the_log_grows(
    table: LogTable, tmp_path: Path
) -> None:
    path = str(tmp_path / "all.csv")
    documents = list(table.documents(path, None))
    stock = next(item for item in documents if item.text.startswith("stock"))
    assert stock.title == "Errors in the log of shop/inventory"
    assert (stock.namespace, stock.service, stock.is_whole) == ("shop", "inventory", True)
    assert sum("stock" in document.text for document in documents) == 1
    with (tmp_path / "all.csv").open("a") as file:
        file.write(
            f"2026-03-04T12:00:00Z,ERROR,shop,{POD},inventory,503,stock 9 refused for order 3\n"
        )
    table.table.refresh()
    assert list(table.documents(path, None)) == documents


def test_kinds_are_told_apart_by_the_digits_that_a_template_keeps(tmp_path: Path) -> None:
    messages = [
        *(f"order {number} refused: status=503" for number in range(10_000_000, 10_000_030)),
        *(f"order {number} refused: status=500" for number in range(20)),
        *(f"took {number} ms" for number in range(25)),
        *(["the job failed: KB300001"] * 5 + ["the job failed: KB300002"] * 4),
    ]
    rows = "".join(
        f"2026-03-04T10:00:{number % 60:02}Z,ERROR,shop,{POD},inventory,,{message}\n"
        for number, message in enumerate(messages)
    )
    (tmp_path / "a.csv").write_text(HEADER + rows)
    table = loaded(tmp_path)
    templates = [
        item.text.partition("\n")[0] for item in table.documents(f"{tmp_path}/a.csv", None)
    ]
    entries = [LogEntry(None, None, message, message, 1) for message in messages]
    assert templates == [found.template for found in group(entries)]
    assert len(templates) == 5


def test_files_of_one_name_in_two_folders_are_kept_apart(tmp_path: Path) -> None:
    for folder, message in (("a", "one broke"), ("b", "two broke")):
        (tmp_path / folder).mkdir()
        row = f"2026-03-04T10:00:00Z,ERROR,shop,{POD},inventory,503,{message}\n"
        (tmp_path / folder / "x.csv").write_text(HEADER + row)
    table = LogTable(f"{tmp_path}/*/x.csv")
    table.table.refresh()
    (document,) = table.documents(f"{tmp_path}/b/x.csv", None)
    assert document.text.startswith("two broke")
    assert document.path.startswith("b/x.csv#")


def test_an_empty_log_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(HEADER)
    reading = Reading("lines with 503", "", codes=("503",), intents=LOGS)
    assert "The log is empty." in text_of(loaded(tmp_path), reading)


def test_a_closed_table_says_that_it_is_not_loaded(table: LogTable) -> None:
    table.table.close()
    table.table.close()
    with pytest.raises(KnowledgeError, match="not loaded"):
        table.count()
