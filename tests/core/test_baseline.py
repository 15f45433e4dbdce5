"""What counts as normal noise of a workload."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from core.baseline import (
    CHRONIC_AFTER,
    FORGOTTEN_AFTER,
    MAX_TEMPLATES_AN_OWNER,
    Baseline,
    Observation,
    SeenTemplate,
    owner_key,
)
from core.findings import ObjectRef

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
PAYMENTS = ObjectRef("eu", "Deployment", "shop", "payments", "uid-1")


def _look(*templates: str, healthy: bool = True, owner: ObjectRef = PAYMENTS) -> Observation:
    return Observation(owner, frozenset(templates), healthy)


def _normal(baseline: Baseline) -> set[str]:
    return {line.template for line in baseline if line.is_normal and line.template}


def _first(*looks: Observation) -> Baseline:
    return Baseline().learn(looks, NOW, is_first_look=True)


def test_at_a_first_look_all_that_a_healthy_workload_says_is_normal() -> None:
    assert _normal(_first(_look("a", "b"))) == {"a", "b"}
    assert _first(_look())
    assert not Baseline()


def test_what_comes_later_is_news_also_where_the_first_look_found_no_error() -> None:
    later = _first(_look()).learn([_look("broken")], NOW + HOUR)
    assert _normal(later) == set()
    assert later.first_seen(PAYMENTS, "broken") == NOW + HOUR
    again = later.learn([_look("broken", "more")], NOW + HOUR, is_first_look=True)
    assert _normal(again) == set()


def test_what_a_sick_workload_says_is_not_learned() -> None:
    assert _normal(_first(_look("db gone", healthy=False))) == set()


def test_what_a_new_workload_says_is_news() -> None:
    new = replace(PAYMENTS, name="orders")
    assert _normal(_first(_look("a")).learn([_look("b", owner=new)], NOW)) == {"a"}


def test_an_error_of_a_week_without_other_harm_becomes_normal() -> None:
    known = _first(_look()).learn([_look("slow")], NOW)
    sick = known.learn([_look("slow", healthy=False)], NOW + CHRONIC_AFTER)
    assert _normal(sick) == set()
    almost = known.learn([_look("slow")], NOW + CHRONIC_AFTER - HOUR)
    assert _normal(almost) == set()
    assert _normal(almost.learn([_look("slow")], NOW + CHRONIC_AFTER)) == {"slow"}
    soon = known.learn([_look("slow")], NOW + HOUR, normal_after=HOUR)
    assert _normal(soon) == {"slow"}


def test_what_is_not_seen_for_two_weeks_is_forgotten() -> None:
    known = _first(_look("a"))
    assert _normal(known.learn([], NOW + FORGOTTEN_AFTER)) == {"a"}
    assert list(known.learn([], NOW + FORGOTTEN_AFTER + HOUR)) == []


def test_a_workload_made_anew_is_the_same_and_its_namesakes_are_not() -> None:
    known = _first(_look("a"))
    assert known.first_seen(replace(PAYMENTS, uid="uid-2"), "a") == NOW
    assert known.first_seen(replace(PAYMENTS, namespace="test"), "a") is None
    assert known.first_seen(replace(PAYMENTS, cluster="us"), "a") is None


def test_a_workload_keeps_its_latest_templates_alone() -> None:
    old = _first(_look("old"))
    many = {f"error {number:03}" for number in range(MAX_TEMPLATES_AN_OWNER)}
    new = old.learn([_look(*many)], NOW + HOUR)
    assert {line.template for line in new} == many | {""}


def test_of_two_lines_on_one_template_the_last_counts() -> None:
    line = SeenTemplate(owner_key(PAYMENTS), "a", NOW, NOW, is_normal=False)
    assert _normal(Baseline([line, replace(line, is_normal=True)])) == {"a"}
