"""Generated logs and metrics: counted, dated, repeatable."""

from __future__ import annotations

import csv
import itertools
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sandbox.knowledge import metrics, world
from sandbox.knowledge.__main__ import main
from sandbox.knowledge.generate import (
    LOG_FILES,
    LOG_HEADER,
    METRIC_HEADER,
    prepare,
    source_folder,
    write_logs,
    write_metrics,
)
from sandbox.knowledge.stories import EXPECTED_503, EXPECTED_STOCK_SYNC
from tests.sandbox.knowledge.conftest import NOW

Row = dict[str, str]


def _read(path: Path) -> tuple[list[Row], int]:
    """Well-formed rows of a log file, and how many were not."""
    good, broken = [], 0
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        assert tuple(next(rows)) == LOG_HEADER
        for row in rows:
            if len(row) == len(LOG_HEADER) and re.match(r"\d{4}-", row[0]):
                good.append(dict(zip(LOG_HEADER, row, strict=True)))
            else:
                broken += 1
    return good, broken


@pytest.fixture(scope="module")
def rows(folder: Path) -> list[Row]:
    return [row for name in LOG_FILES for row in _read(folder / "logs" / name)[0]]


def _between(rows: list[Row], start_hours: float, end_hours: float) -> list[Row]:
    start, end = NOW - timedelta(hours=start_hours), NOW - timedelta(hours=end_hours)
    return [row for row in rows if start <= datetime.fromisoformat(row["timestamp"]) < end]


def test_the_files_have_5000_good_rows_and_6_broken_ones(folder: Path) -> None:
    counts = {name: _read(folder / "logs" / name) for name in LOG_FILES}
    assert {name: len(good) for name, (good, _) in counts.items()} == {
        "shop.csv": 2600,
        "trading.csv": 1300,
        "platform.csv": 1100,
    }
    assert sum(broken for _, broken in counts.values()) == 6


def test_lines_lie_within_the_last_24_hours_in_order(folder: Path) -> None:
    for name in LOG_FILES:
        times = [row["timestamp"] for row in _read(folder / "logs" / name)[0]]
        assert times == sorted(times)
        assert NOW - timedelta(hours=24) <= datetime.fromisoformat(times[0])
        assert datetime.fromisoformat(times[-1]) < NOW


@pytest.mark.parametrize(("window", "count"), sorted(EXPECTED_503.items()))
def test_lines_with_code_503_are_as_many_as_documented(
    rows: list[Row], window: str, count: int
) -> None:
    start, end = (float(hours.rstrip("h")) for hours in window.split("-"))
    found = [row for row in _between(rows, start, end) if row["code"] == "503"]
    assert len(found) == count
    assert {row["namespace"] for row in found} == {"shop"}


def test_exactly_12_lines_have_code_503_between_3_and_2_hours_ago(rows: list[Row]) -> None:
    assert len([row for row in _between(rows, 3, 2) if row["code"] == "503"]) == 12


def test_each_503_of_the_last_3_hours_follows_a_kill_of_payments(rows: list[Row]) -> None:
    start = NOW - timedelta(seconds=world.ROLLOUT_AGO_SECONDS)
    kills = [start + timedelta(seconds=kill) for kill in world.payments_kills()]
    for row in _between(rows, 3, 0):
        if row["code"] == "503":
            at = datetime.fromisoformat(row["timestamp"])
            assert any(timedelta(0) <= at - kill < timedelta(seconds=10) for kill in kills)


def test_payments_was_killed_15_times_and_restarted_14_times(rows: list[Row]) -> None:
    lines = [row for row in rows if row["pod"] == world.PAYMENTS_BAD.name]
    assert len([row for row in lines if row["code"] == "ERR_HEAP_SPACE"]) == 15
    assert len([row for row in lines if "restart 14" in row["message"]]) == 1
    assert not [row for row in lines if "restart 15" in row["message"]]
    assert len([row for row in lines if "settlement batch of 48210 rows" in row["message"]]) == 15


def test_stock_sync_errors_are_as_many_as_documented(rows: list[Row]) -> None:
    found = [row for row in rows if row["code"] == "ERR_STOCK_SYNC"]
    assert len(found) == EXPECTED_STOCK_SYNC
    assert Counter(row["container"] for row in found) == {"inventory": 38, "checkout": 19}


@pytest.mark.parametrize(
    "telling",
    [
        "redis: dial tcp 10.0.3.17:6379: connect: connection refused",
        "psycopg.errors.DeadlockDetected: deadlock detected",
        "java.lang.OutOfMemoryError: Java heap space",
        "gc: G1 full collection",
        "upstream timed out",
        "health check waited",
        "received SIGTERM after 3600 s",
        "password=",
        "Authorization: Bearer ",
    ],
)
def test_the_stories_of_the_world_are_told(rows: list[Row], telling: str) -> None:
    assert any(telling in row["message"] for row in rows)


def test_about_one_line_in_twenty_is_an_error(rows: list[Row]) -> None:
    levels = Counter(row["level"] for row in rows)
    assert set(levels) == {"DEBUG", "INFO", "WARNING", "ERROR", "FATAL"}
    assert 0.03 < (levels["ERROR"] + levels["FATAL"]) / len(rows) < 0.07


def test_services_with_trouble_do_not_report_success_meanwhile(rows: list[Row]) -> None:
    for row in _between(rows, 0.5, 0):
        if row["container"] == "inventory":
            assert row["code"] == "ERR_STOCK_SYNC"


def test_every_code_stands_in_the_catalogue(rows: list[Row]) -> None:
    page = (source_folder() / "config" / "error-codes.md").read_text(encoding="utf-8")
    first_cells = " ".join(line.split("|")[1] for line in page.splitlines() if line[:1] == "|")
    for code in {row["code"] for row in rows} - {""}:
        assert re.search(rf"\b{code}\b", first_cells), code


def test_the_same_moment_gives_the_same_bytes(tmp_path: Path, folder: Path) -> None:
    again = prepare(tmp_path / "again", NOW)
    for path in sorted(folder.rglob("*.*")):
        assert (again / path.relative_to(folder)).read_bytes() == path.read_bytes()


def test_another_moment_moves_the_same_stories(tmp_path: Path, rows: list[Row]) -> None:
    later = NOW + timedelta(days=3, hours=5)
    moved = [row for path in write_logs(tmp_path, later) for row in _read(path)[0]]
    assert [row["message"] for row in moved] == [row["message"] for row in rows]
    shift = {
        datetime.fromisoformat(new["timestamp"]) - datetime.fromisoformat(old["timestamp"])
        for new, old in zip(moved, rows, strict=True)
    }
    assert shift == {timedelta(days=3, hours=5)}


def _series(folder: Path, name: str) -> list[tuple[datetime, float]]:
    with (folder / "metrics" / "metrics.csv").open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        assert tuple(rows.fieldnames or ()) == METRIC_HEADER
        return [
            (datetime.fromisoformat(row["timestamp"]), float(row["value"]))
            for row in rows
            if row["series"] == name
        ]


@pytest.mark.parametrize("name", sorted(metrics.SERIES))
def test_each_series_has_a_value_a_minute_over_six_hours(folder: Path, name: str) -> None:
    points = _series(folder, name)
    assert len(points) == 361
    assert (points[0][0], points[-1][0]) == (NOW - timedelta(hours=6), NOW)
    assert all(value >= 0 for _, value in points)


def test_memory_of_payments_climbs_to_the_limit_and_never_above(folder: Path) -> None:
    values = [value for _, value in _series(folder, "payments/memory_working_set_bytes")]
    limit = 256 * world.MEBIBYTE
    assert 0.9 * limit < max(values) <= limit
    falls = [1 for before, after in itertools.pairwise(values) if after < before / 2]
    assert len(falls) >= 14


def test_restarts_of_payments_count_from_0_to_14(folder: Path) -> None:
    values = [value for _, value in _series(folder, "payments/restarts_total")]
    assert (values[0], values[-1]) == (0, 14)
    assert values == sorted(values)


def test_the_other_series_tell_their_trouble(folder: Path) -> None:
    last = {name: _series(folder, name)[-1][1] for name in metrics.SERIES}
    assert last["worker-2/disk_used_percent"] > 90
    assert last["market-data/probe_latency_ms"] > 1000
    assert last["inventory/stock_snapshot_age_seconds"] > 120
    assert last["kafka/consumer_lag_stock_updates"] > 200
    assert max(value for _, value in _series(folder, "checkout/latency_p99_ms")) > 1800
    assert max(value for _, value in _series(folder, "order-gateway/ack_latency_p99_us")) < 180


def test_a_prepared_folder_has_all_five_kinds(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == {
        "runbooks",
        "incidents",
        "config",
        "graph.yaml",
        "logs",
        "metrics",
    }


def test_preparing_again_replaces_what_was_there(tmp_path: Path) -> None:
    prepare(tmp_path, NOW)
    (tmp_path / "notes.md").write_text("mine", encoding="utf-8")
    prepare(tmp_path, NOW + timedelta(hours=1))
    rows, _ = _read(tmp_path / "logs" / "shop.csv")
    assert datetime.fromisoformat(rows[-1]["timestamp"]) > NOW
    assert (tmp_path / "notes.md").read_text(encoding="utf-8") == "mine"


def test_a_time_without_zone_is_refused_with_the_remedy(tmp_path: Path) -> None:
    naive = NOW.replace(tzinfo=None)
    for call in (prepare, write_logs, write_metrics):
        with pytest.raises(ValueError, match="tzinfo=UTC"):
            call(tmp_path / "none", naive)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("given", ["2026-11-22T12:00:00", "2026-11-22T13:00:00+01:00"])
def test_the_program_writes_the_folder_for_the_moment_it_is_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], folder: Path, given: str
) -> None:
    assert main(["--out", str(tmp_path), "--now", given]) == 0
    assert capsys.readouterr().out == f"{tmp_path}\n"
    name = "logs/trading.csv"
    assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


def test_the_program_takes_the_present_when_no_moment_is_given(tmp_path: Path) -> None:
    before = datetime.now(UTC)
    assert main(["--out", str(tmp_path)]) == 0
    rows, _ = _read(tmp_path / "logs" / "trading.csv")
    last = datetime.fromisoformat(rows[-1]["timestamp"])
    assert abs(before - last) < timedelta(minutes=5)
