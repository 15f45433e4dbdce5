"""Verdicts by rules: what is confirmed, what is likely, what nobody knows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from core.answers import Confidence
from core.changes import ChangeKind
from core.inspections import LogsRead
from knowledge.tasks.verdict import Case, Upstream, decide
from tests.knowledge.tasks.trails import (
    BROKE_AT,
    PAYMENTS,
    RISK,
    change,
    error,
    finding,
    inspection,
    timeline,
    trouble,
)

SUSPECT = change()
NODE = replace(PAYMENTS, kind="Node", namespace="", name="worker-4")
QUIET = LogsRead(read=2)
REDIS = replace(RISK, name="redis")


def case(problem: str = "crash-loop", *, is_suspected: bool = False, **more: object) -> Case:
    """One trouble of payments, with or without a change just before."""
    found = finding(problem)
    suspect = SUSPECT if is_suspected else None
    made = Case(
        inspection=inspection(found),
        logs=QUIET,
        timeline=timeline(SUSPECT, troubles=(trouble(suspect, of=found),)),
    )
    return replace(made, **more)  # type: ignore[arg-type]  # fields by name


@pytest.mark.parametrize("problem", ["image-pull", "config-error", "pvc", "unschedulable"])
def test_what_the_cluster_states_is_confirmed_and_what_brought_it_likely(problem: str) -> None:
    verdict = decide(case(problem, is_suspected=True))
    assert verdict.confidence is Confidence.CONFIRMED
    assert "Likely behind it, 3 min before: payments rolled out revision 2" in verdict.why
    assert verdict.steps == ("status", "changes")
    assert "Likely" not in decide(case(problem)).why


def test_a_limit_that_was_lowered_just_before_an_oom_is_likely() -> None:
    verdict = decide(case("oom", is_suspected=True))
    assert verdict.confidence is Confidence.LIKELY
    assert "that limit was changed just before" in verdict.why
    assert "memory limit 512Mi → 256Mi" in verdict.why


def test_an_oom_after_another_change_blames_no_limit() -> None:
    other = replace(SUSPECT, what="rolled out revision 2: image a:1 → a:2")
    found = finding("oom")
    verdict = decide(case("oom", timeline=timeline(troubles=(trouble(other, of=found),))))
    assert verdict.confidence is Confidence.LIKELY
    assert "limit was changed" not in verdict.why


def test_an_oom_out_of_the_blue_is_confirmed_without_a_culprit() -> None:
    verdict = decide(case("oom"))
    assert verdict.confidence is Confidence.CONFIRMED
    assert "no change stands just before" in verdict.why


def test_a_log_that_names_a_broken_dependency_points_there() -> None:
    redis = Upstream("redis", ("payments", "redis"), finding("crash-loop", REDIS, "crashes"))
    logs = LogsRead((error("FATAL redis: connection refused"),), 1)
    verdict = decide(case(logs=logs, upstream=(redis,), is_suspected=True))
    assert verdict.confidence is Confidence.LIKELY
    assert "redis, which it needs and which is in trouble: redis: crashes" in verdict.why
    assert verdict.steps == ("logs", "dependencies")


def test_a_log_that_names_a_dependency_that_changed_points_there() -> None:
    moved = change(58, ChangeKind.SCALE, "made pod redis-0", REDIS)
    redis = Upstream("redis", ("payments", "redis"), change=moved)
    logs = LogsRead((error("FATAL redis: connection refused"),), 1)
    verdict = decide(case(logs=logs, upstream=(redis,)))
    assert "1 min before the trouble redis changed: made pod redis-0" in verdict.why


def test_a_dependency_that_the_log_does_not_name_is_not_blamed() -> None:
    redis = Upstream("redis", ("payments", "redis"), finding("crash-loop", REDIS, "crashes"))
    logs = LogsRead((error("FATAL rediscovery failed"),), 1)
    assert "redis:" not in decide(case(logs=logs, upstream=(redis,))).why


def test_an_error_that_is_new_since_the_change_is_named() -> None:
    at = BROKE_AT - timedelta(minutes=2)
    logs = LogsRead((error("ERROR broken", first_at=at, began_before=True),), 1)
    verdict = decide(case(is_suspected=True, logs=logs))
    assert verdict.confidence is Confidence.LIKELY
    assert "The error `ERROR broken` is in its log only since then." in verdict.why
    assert verdict.steps == ("changes", "logs")


def test_an_error_of_a_log_that_begins_after_the_change_proves_nothing() -> None:
    logs = LogsRead((error("ERROR broken", first_at=BROKE_AT),), 1)
    verdict = decide(case(is_suspected=True, logs=logs))
    assert "only since then" not in verdict.why
    assert verdict.steps == ("changes",)


def test_a_log_alone_makes_it_likely_and_nothing_at_all_unknown() -> None:
    assert decide(case(logs=LogsRead((error(),), 1))).confidence is Confidence.LIKELY
    unknown = decide(case())
    assert unknown.confidence is Confidence.UNKNOWN
    assert "Nothing that I can read says why" in unknown.why


def test_what_is_not_there_or_unread_has_no_verdict() -> None:
    assert decide(Case()).confidence is Confidence.UNKNOWN
    gone = replace(inspection(), lines=())
    assert decide(Case(inspection=gone)).confidence is Confidence.UNKNOWN


def test_a_lost_node_explains_pods_that_are_not_ready_but_no_missing_image() -> None:
    lost = finding("node-not-ready", NODE, "NotReady")
    seen = inspection(finding("not-ready"), elsewhere=(lost,))
    assert "Node worker-4" in decide(Case(inspection=seen)).why
    pulled = inspection(finding("image-pull"), elsewhere=(lost,))
    assert "worker-4" not in decide(Case(inspection=pulled)).why
    elsewhere = inspection(elsewhere=(replace(lost, owner=replace(NODE, name="worker-9")),))
    assert "worker-9" not in decide(Case(inspection=elsewhere)).why


def test_a_healthy_object_is_confirmed_healthy_unless_its_log_or_its_needs_say_else() -> None:
    well = Case(inspection=inspection(), logs=QUIET)
    assert decide(well).confidence is Confidence.CONFIRMED
    noisy = replace(well, logs=LogsRead((error(),), 1))
    assert decide(noisy).confidence is Confidence.UNKNOWN
    broken = Upstream("risk-engine", ("payments", "risk-engine"), finding("oom", RISK))
    verdict = decide(replace(well, upstream=(broken,)))
    assert verdict.confidence is Confidence.LIKELY
    assert "what it needs does not: risk-engine" in verdict.why
