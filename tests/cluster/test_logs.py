"""Of a long log, the few lines that tell why."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cluster.log_lines import read_text, telling_lines
from cluster.log_sources import unhealthy_containers
from cluster.objects import Pod
from tests.cluster.payloads import (
    container_status,
    pod,
    running,
    snapshot,
    terminated,
    waiting,
)


def test_each_kind_of_error_is_told_once_with_the_last_lines() -> None:
    errors = "\n".join(f"ERROR stock feed {number} s behind" for number in range(50))
    text = f"INFO start\n{errors}\nINFO settlement batch of 48210 rows\nFATAL out of memory"
    lines = telling_lines(read_text(text))
    assert lines[-2:] == ["INFO settlement batch of 48210 rows", "FATAL out of memory"]
    assert len(lines) <= 5
    assert "ERROR stock feed 49 s behind" in lines


def test_of_a_stack_trace_the_exception_is_told() -> None:
    text = (
        "ERROR batch 17 failed\n"
        "Traceback (most recent call last):\n"
        '  File "run.py", line 9, in main\n'
        "    reconcile()\n"
        "psycopg.errors.DeadlockDetected: deadlock detected\n"
    )
    assert telling_lines(read_text(text)) == [
        "ERROR batch 17 failed … psycopg.errors.DeadlockDetected: deadlock detected"
    ]


def test_a_container_that_runs_on_tells_its_errors_alone() -> None:
    text = "ERROR ERR_STOCK_SYNC stale\nINFO consumed 3 messages\nINFO consumed 4 messages"
    assert telling_lines(read_text(text), has_ended=False) == ["ERROR ERR_STOCK_SYNC stale"]
    assert telling_lines(read_text("INFO a\nINFO b"), has_ended=False) == ["INFO a", "INFO b"]


def test_long_lines_are_cut_and_an_empty_log_tells_nothing() -> None:
    assert len(telling_lines(read_text("ERROR " + "x" * 5_000))[0]) == 300
    assert telling_lines(read_text("\n\n")) == []


@pytest.mark.parametrize(
    ("status", "previous"),
    [
        (container_status(waiting("CrashLoopBackOff"), last=terminated(1), restarts=3), True),
        (container_status(running(), last=terminated(1), restarts=1, ready=True), True),
        (container_status(terminated(1)), False),
        (container_status(running()), False),
    ],
    ids=["in back-off", "restarted", "ended", "not ready"],
)
def test_the_instance_that_failed_is_read(status: dict[str, Any], *, previous: bool) -> None:
    broken = snapshot(pod("p", status)).of(Pod)[0]
    (source,) = unhealthy_containers(broken)
    assert source.previous is previous


@pytest.mark.parametrize(
    "status",
    [
        container_status(running(), ready=True),
        container_status(terminated(0, "Completed")),
        container_status(waiting("ImagePullBackOff")),
    ],
    ids=["healthy", "completed", "never ran"],
)
def test_other_containers_have_nothing_to_tell(status: dict[str, Any]) -> None:
    well = snapshot(pod("p", status)).of(Pod)[0]
    assert unhealthy_containers(well) == []


@pytest.mark.parametrize(
    ("minutes", "ready", "is_told"),
    [(5, True, True), (14, True, True), (16, True, False), (400, False, True), (None, True, True)],
)
def test_a_crash_is_history_once_the_container_has_run_well_for_a_while(
    minutes: float | None, *, ready: bool, is_told: bool
) -> None:
    status = container_status(running(), last=terminated(1, minutes=minutes), ready=ready)
    taken = snapshot(pod("p", status))
    since = taken.taken_at - timedelta(minutes=15)
    assert bool(unhealthy_containers(taken.of(Pod)[0], since)) is is_told
    assert unhealthy_containers(taken.of(Pod)[0])


def test_a_pod_that_is_being_deleted_is_left_alone() -> None:
    leaving = snapshot(pod("p", container_status(terminated(1)), deleted=True)).of(Pod)[0]
    assert unhealthy_containers(leaving) == []
