"""Events about objects that are no longer there."""

from __future__ import annotations

import pytest

from core.findings import Severity
from tests.cluster.payloads import (
    event,
    evidence,
    found_by,
    job,
    node,
    pod,
    workload,
)


def test_a_trouble_of_a_workload_that_went_is_one_medium_finding_on_its_deployment() -> None:
    first, second = pod("cart-6d8f9b7c4d-xbcdz"), pod("cart-6d8f9b7c4d-ghjkl")
    (finding,) = found_by(
        "gone_objects",
        event(first, "Failed", 'Failed to pull image "cart:9"', count=2, last=40),
        event(second, "Failed", "Error: ErrImagePull", count=2, last=20),
    )
    assert str(finding.owner) == "Deployment shop/cart"
    assert finding.severity is Severity.MEDIUM
    assert finding.problem == "event-Failed"
    assert finding.count == 4
    assert finding.title == "cart: Failed 4 times before it went, Error: ErrImagePull"
    assert [item.value for item in finding.evidence] == [
        'Failed to pull image "cart:9"',
        "Error: ErrImagePull",
    ]


def test_twice_is_not_enough_but_a_back_off_comes_after_several_failures() -> None:
    gone = pod("init-demo")
    assert found_by("gone_objects", event(gone, "FailedMount", count=2)) == []
    (finding,) = found_by("gone_objects", event(gone, "BackOff", count=1))
    assert str(finding.owner) == "Pod shop/init-demo"


def test_a_job_that_went_tells_its_limit() -> None:
    (finding,) = found_by(
        "gone_objects", event(job("import"), "BackoffLimitExceeded", "limit reached", count=1)
    )
    assert evidence(finding) == {"Event BackoffLimitExceeded": "limit reached"}


@pytest.mark.parametrize("last", [59, 61])
def test_events_count_for_an_hour(last: float) -> None:
    found = found_by("gone_objects", event(pod("a"), "BackOff", last=last, first=90))
    assert bool(found) == (last < 60)


def test_a_time_that_has_not_come_is_a_broken_clock() -> None:
    plain = event(pod("a"), "BackOff", last=80, first=90)
    plain["eventTime"] = "2027-01-01T00:00:00Z"
    assert found_by("gone_objects", plain) == []


@pytest.mark.parametrize(
    ("trouble", "message", "end", "end_message"),
    [
        ("FailedScheduling", "no nodes", "Scheduled", "assigned"),
        ("FailedMount", "no volume", "Started", "started"),
        ("Failed", "no image", "Pulled", "pulled"),
        ("BackOff", "back-off", "Killing", "Stopping container app"),
        ("FailedScheduling", "no nodes", "FailedScheduling", "skip schedule deleting pod: a/b"),
    ],
)
def test_what_was_overcome_or_deleted_is_no_news(
    trouble: str, message: str, end: str, end_message: str
) -> None:
    gone = pod("a")
    bad = event(gone, trouble, message, last=10)
    over = event(gone, end, end_message, last=5, type_="Normal", count=1)
    before = event(gone, end, end_message, last=20, type_="Normal", count=1)
    assert found_by("gone_objects", bad, over) == []
    assert len(found_by("gone_objects", bad, before)) == 1


def test_a_restart_by_the_liveness_probe_is_no_deletion() -> None:
    gone = pod("a")
    killing = event(gone, "Killing", "Container app failed liveness probe", type_="Normal", last=1)
    liveness = event(gone, "Unhealthy", "Liveness probe failed: 500", count=9)
    readiness = event(gone, "Unhealthy", "Readiness probe failed: 500", count=9)
    (finding,) = found_by("gone_objects", killing, liveness, readiness)
    assert finding.count == 9


@pytest.mark.parametrize(
    ("name", "maker"),
    [
        ("cart-6d8f9b7c4d-xbcdz", workload("Deployment", "cart")),
        ("cart-6d8f9b7c4d-xbcdz", workload("ReplicaSet", "cart-6d8f9b7c4d")),
        ("agent-xbcdz", workload("DaemonSet", "agent")),
        ("db-0", workload("StatefulSet", "db")),
        ("db-0", pod("db-0")),
    ],
)
def test_where_a_successor_stands_its_state_tells(name: str, maker: dict[str, object]) -> None:
    old = event(pod(name), "BackOff", uid="an-earlier-one")
    assert found_by("gone_objects", maker, old) == []
    assert len(found_by("gone_objects", old)) == 1


def test_what_is_there_under_its_uid_is_not_gone() -> None:
    there = pod("a", namespace="renamed")
    moved = event(there, "BackOff")
    moved["involvedObject"]["namespace"] = "before"
    assert found_by("gone_objects", there, moved) == []


def test_kinds_that_are_not_read_and_other_reasons_say_nothing() -> None:
    custom = {"kind": "Certificate", "metadata": {"name": "tls", "namespace": "shop", "uid": "u"}}
    assert found_by("gone_objects", event(custom, "BackOff")) == []
    assert found_by("gone_objects", event(node("gone"), "Rebooted")) == []
