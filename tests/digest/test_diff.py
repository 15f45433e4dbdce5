from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.answers import Gap
from core.digests import FindingHistory, ItemState
from core.findings import Collected, Finding, Severity
from digest.diff import REMEMBERED_COUNTS, Diff, diff
from tests.digest.conftest import NINE, finding

HOUR = timedelta(hours=1)


def _collected(*findings: Finding, gaps: tuple[Gap, ...] = ()) -> Collected:
    return Collected(findings, gaps, ("demo",))


def _by_identity(result: Diff) -> dict[str, FindingHistory]:
    return {history.identity: history for history in result.histories}


def _run(counts: list[int | None], cooldown: timedelta = timedelta()) -> list[ItemState | None]:
    """States told each hour of one finding with these counts, None where it was not seen."""
    histories: dict[str, FindingHistory] = {}
    told: list[ItemState | None] = []
    for hour, count in enumerate(counts):
        now = NINE + hour * HOUR
        seen = replace(
            finding(count=count or 1), last_seen=now, cooldown_seconds=cooldown.total_seconds()
        )
        result = diff(histories, _collected(*([] if count is None else [seen])), now)
        histories = _by_identity(result)
        states = [change.state for change in (*result.active, *result.resolved)]
        told.append(states[0] if states else None)
    return told


NEW, ONGOING, ESCALATING = ItemState.NEW, ItemState.ONGOING, ItemState.ESCALATING
REGRESSED, RESOLVED = ItemState.REGRESSED, ItemState.RESOLVED


@pytest.mark.parametrize(
    ("counts", "states"),
    [
        ([1], [NEW]),
        ([1, 1, 1], [NEW, ONGOING, ONGOING]),
        ([1, None, 1], [NEW, None, ONGOING]),
        ([1, None, None], [NEW, None, RESOLVED]),
        ([1, None, None, None, None], [NEW, None, RESOLVED, None, None]),
        ([1, None, None, 1, 1], [NEW, None, RESOLVED, REGRESSED, ONGOING]),
        ([2, 12, 13], [NEW, ONGOING, ONGOING]),
        ([2, 13, 13], [NEW, ESCALATING, ONGOING]),
        ([100, 300, 301], [NEW, ONGOING, ONGOING]),
        ([100, 301], [NEW, ESCALATING]),
        ([100, 100, 100, 301], [NEW, ONGOING, ONGOING, ESCALATING]),
    ],
)
def test_states_follow_from_what_was_seen(
    counts: list[int | None], states: list[ItemState | None]
) -> None:
    assert _run(counts) == states


@pytest.mark.parametrize(
    ("counts", "states"),
    [
        # Gone for two periods, it is back within its cooldown: neither over nor news.
        ([20, None, None, 20], [NEW, None, None, ONGOING]),
        ([20, None, None, 61], [NEW, None, None, ESCALATING]),
        # It is over as soon as the cooldown is, counted from when it was last seen.
        ([20, None, None, None, None, None], [NEW, None, None, None, RESOLVED, None]),
        ([20, 20, None, None, None, None], [NEW, ONGOING, None, None, None, RESOLVED]),
        ([20, None, None, None, None, 20], [NEW, None, None, None, RESOLVED, REGRESSED]),
    ],
)
def test_what_cools_down_slowly_is_neither_over_nor_back_in_that_time(
    counts: list[int | None], states: list[ItemState | None]
) -> None:
    assert _run(counts, cooldown=4 * HOUR) == states


def test_a_cooldown_shorter_than_two_periods_changes_nothing() -> None:
    assert _run([1, None, None, 1], cooldown=HOUR) == [NEW, None, RESOLVED, REGRESSED]


def test_a_flapping_finding_is_not_announced_again() -> None:
    told = _run([1, None, 1, None, 1, None, None, 1])
    # Four changes within six periods: neither resolved nor regressed any more.
    assert told == [NEW, None, ONGOING, None, ONGOING, None, None, ONGOING]


def test_a_flapping_finding_is_resolved_once_it_is_calm() -> None:
    told = _run([1, None, 1, None, 1, None, None, None, None, None])
    assert told.count(RESOLVED) == 1


def test_a_worse_severity_escalates() -> None:
    first = diff({}, _collected(finding()), NINE)
    worse = finding(severity=Severity.CRITICAL)
    second = diff(_by_identity(first), _collected(worse), NINE + HOUR)
    assert [change.state for change in second.active] == [ESCALATING]
    better = diff(_by_identity(second), _collected(finding()), NINE + 2 * HOUR)
    assert [change.state for change in better.active] == [ONGOING]


def test_reaching_the_next_stage_escalates() -> None:
    told, histories = list[ItemState](), dict[str, FindingHistory]()
    for hour, stage in enumerate((1, 2, 2, 1, 2)):
        found = _collected(replace(finding(count=40), stage=stage))
        result = diff(histories, found, NINE + hour * HOUR)
        histories = _by_identity(result)
        told.append(result.active[0].state)
    assert told == [NEW, ESCALATING, ONGOING, ONGOING, ESCALATING]


def test_a_change_tells_its_count_its_past_and_since_when() -> None:
    first = diff({}, _collected(finding(count=3)), NINE)
    assert first.active[0].since == NINE - HOUR
    assert first.active[0].count_change == 0
    second = diff(_by_identity(first), _collected(finding(count=5)), NINE + HOUR)
    assert second.active[0].count_change == 2
    assert second.active[0].buckets == (0,) * 10 + (3, 5)


def test_a_regression_is_told_since_it_came_back() -> None:
    histories = _by_identity(diff({}, _collected(finding()), NINE))
    for hour in (1, 2):
        histories = _by_identity(diff(histories, _collected(), NINE + hour * HOUR))
    back = NINE + timedelta(hours=2, minutes=30)
    result = diff(histories, _collected(finding(first_seen=back)), NINE + 3 * HOUR)
    assert (result.active[0].state, result.active[0].since) == (REGRESSED, back)
    old = diff(histories, _collected(finding()), NINE + 3 * HOUR)
    assert old.active[0].since == NINE + 2 * HOUR


def test_what_was_resolved_is_forgotten_after_a_month() -> None:
    histories = _by_identity(diff({}, _collected(finding()), NINE))
    for hour in (1, 2):
        histories = _by_identity(diff(histories, _collected(), NINE + hour * HOUR))
    assert diff(histories, _collected(), NINE + timedelta(days=30)).histories
    assert diff(histories, _collected(), NINE + timedelta(days=31)).histories == ()


@pytest.mark.parametrize(
    ("gap", "is_hidden"),
    [
        ("cluster demo", True),
        ("pods of cluster demo", True),
        ("deployments of cluster demo", True),
        ("events of cluster demo", True),
        ("rule oom on cluster demo", True),
        ("whatever in cluster demo", True),
        ("cluster other", False),
        ("cluster demo-2", False),
        ("ingresses of cluster demo", False),
        ("policies of cluster demo", False),
        ("rule image_pull on cluster demo", False),
        ("log of shop/payments in cluster demo", False),
        ("documentation search", False),
    ],
)
def test_what_a_gap_may_hide_is_not_taken_for_healthy(gap: str, is_hidden: bool) -> None:
    histories = _by_identity(diff({}, _collected(finding()), NINE))
    gaps = (Gap(gap, "forbidden"),)
    for hour in (1, 2, 3):
        result = diff(histories, _collected(gaps=gaps), NINE + hour * HOUR)
        if is_hidden:
            assert (_by_identity(result), result.unread) == (histories, 1)
        histories = _by_identity(result)
    resolved = next(iter(histories.values())).resolved_at is not None
    assert resolved is not is_hidden


def test_an_unread_log_hides_what_came_from_logs() -> None:
    histories = _by_identity(diff({}, _collected(finding(template="ERROR <NUM>")), NINE))
    gaps = (Gap("log of shop/payments in cluster demo", "timeout"),)
    for hour in (1, 2, 3):
        histories = _by_identity(diff(histories, _collected(gaps=gaps), NINE + hour * HOUR))
    assert next(iter(histories.values())).resolved_at is None


def test_a_cluster_that_was_not_read_at_all_resolves_nothing() -> None:
    histories = _by_identity(diff({}, _collected(finding(cluster="prod")), NINE))
    for hour in (1, 2, 3):
        histories = _by_identity(diff(histories, _collected(), NINE + hour * HOUR))
    assert next(iter(histories.values())).healthy_checks == 0


def test_two_findings_of_one_identity_are_one() -> None:
    critical = finding(count=2, severity=Severity.CRITICAL)
    result = diff({}, _collected(finding(count=3), critical), NINE)
    (change,) = result.active
    assert (change.finding.count, change.finding.severity) == (5, Severity.CRITICAL)
    assert change.finding.members == ("Pod shop/payments-7d9f8b6c5d-x2x7z",)


_PERIODS = st.lists(
    st.lists(st.sampled_from([("a", 1), ("a", 50), ("b", 2), ("c", 3)]), max_size=3), max_size=25
)


@given(_PERIODS)
def test_every_life_is_told_in_order(periods: list[list[tuple[str, int]]]) -> None:
    """Nothing is lost, resolved unseen, or told as new or regressed out of turn."""
    histories: dict[str, FindingHistory] = {}
    told: dict[str, list[ItemState]] = {}
    for hour, period in enumerate(periods):
        found = [finding(name, count=count) for name, count in period]
        result = diff(histories, _collected(*found), NINE + hour * HOUR)
        histories = _by_identity(result)
        assert len(histories) == len(result.histories)
        active = {change.finding.identity for change in result.active}
        assert active == {each.identity for each in found}
        assert not active & {change.finding.identity for change in result.resolved}
        for change in (*result.active, *result.resolved):
            told.setdefault(change.finding.identity, []).append(change.state)
            assert len(change.buckets) == REMEMBERED_COUNTS
    for states in told.values():
        assert states[0] is NEW
        assert NEW not in states[1:]
        for before, after in pairwise(states):
            assert (after is REGRESSED) <= (before is RESOLVED)
            assert (before is RESOLVED) <= (after in {REGRESSED, ONGOING})


@given(_PERIODS)
def test_comparing_twice_changes_nothing(periods: list[list[tuple[str, int]]]) -> None:
    histories: dict[str, FindingHistory] = {}
    for hour, period in enumerate(periods):
        found = _collected(*(finding(name, count=count) for name, count in period))
        now = NINE + hour * HOUR
        assert diff(histories, found, now) == diff(dict(histories), found, now)
        histories = _by_identity(diff(histories, found, now))
