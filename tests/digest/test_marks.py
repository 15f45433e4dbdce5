from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.digests import Acknowledgement, FindingHistory, ItemState, KnownIssue, Marks, Mute
from core.findings import Collected, Finding, Severity
from digest.diff import Diff, diff
from digest.marks import with_marks
from tests.digest.conftest import NINE, finding

HOUR = timedelta(hours=1)


def _mute(*, hours: float | None, at: datetime = NINE, count: int = 3) -> Mute:
    until = at + hours * HOUR if hours is not None else None
    return Mute("U1", "mira", at, until, Severity.HIGH, count)


class _Channel:
    """One schedule, digest after digest, an hour apart; the first is at nine."""

    def __init__(self) -> None:
        self.histories: dict[str, FindingHistory] = {}
        self.marks: dict[str, Marks] = {}
        self.now = NINE - HOUR

    def tell(self, *found: Finding) -> Diff:
        self.now += HOUR
        collected = Collected(found, (), ("demo",))
        changes = with_marks(diff(self.histories, collected, self.now), self.marks, self.now)
        self.histories = {history.identity: history for history in changes.histories}
        return changes

    def mark(self, marks: Marks, what: Finding | None = None) -> None:
        self.marks[(what or finding()).identity] = marks


def _told(changes: Diff) -> list[ItemState]:
    return [change.state for change in (*changes.active, *changes.resolved)]


def test_a_muted_finding_is_counted_and_nothing_else() -> None:
    channel = _Channel()
    channel.tell(finding())
    channel.mark(Marks(_mute(hours=8)))
    changes = channel.tell(finding())
    assert not changes.active
    assert [change.finding.title for change in changes.muted] == ["payments: oom"]
    assert changes.muted[0].marks.mute == _mute(hours=8)


def test_a_mute_ends_at_its_time_and_its_end_is_told_once() -> None:
    channel = _Channel()
    channel.tell(finding())
    channel.mark(Marks(_mute(hours=2)))
    assert not channel.tell(finding()).active
    ended = channel.tell(finding())
    assert [change.is_unmuted for change in ended.active] == [True]
    assert ended.active[0].marks.mute is None
    assert [change.is_unmuted for change in channel.tell(finding()).active] == [False]


@pytest.mark.parametrize(
    ("worse", "reason"),
    [
        (finding(severity=Severity.CRITICAL), "its severity rose"),
        (finding(count=40), "its count surged"),
    ],
)
def test_a_mute_until_worse_ends_when_it_is_worse(worse: Finding, reason: str) -> None:
    channel = _Channel()
    channel.tell(finding())
    channel.mark(Marks(_mute(hours=None)))
    assert not channel.tell(finding(count=4)).active, "not worse yet"
    assert [change.is_unmuted for change in channel.tell(worse).active] == [True], reason
    # What calmed down again stays told: the mute is spent.
    assert [change.is_unmuted for change in channel.tell(finding()).active] == [False]


def test_a_count_that_creeps_up_ends_it_as_well() -> None:
    channel = _Channel()
    channel.tell(finding(count=10))
    channel.mark(Marks(_mute(hours=None, count=10)))
    for count in (13, 18, 24, 30):
        assert not channel.tell(finding(count=count)).active
    assert channel.tell(finding(count=31)).active[0].is_unmuted


def test_what_came_back_after_it_was_over_is_worse_than_over() -> None:
    channel = _Channel()
    channel.tell(finding())
    channel.mark(Marks(_mute(hours=None)))
    channel.tell()
    assert _told(channel.tell()) == [ItemState.RESOLVED]
    assert _told(channel.tell(finding())) == [ItemState.REGRESSED]


def test_a_mute_until_a_time_outlasts_a_return() -> None:
    channel = _Channel()
    channel.tell(finding())
    channel.mark(Marks(_mute(hours=24)))
    channel.tell()
    channel.tell()
    assert [change.state for change in channel.tell(finding()).muted] == [ItemState.REGRESSED]


def test_what_is_muted_anew_is_muted_again() -> None:
    channel = _Channel()
    channel.tell(finding())
    channel.mark(Marks(_mute(hours=1)))
    assert channel.tell(finding()).active[0].is_unmuted
    channel.mark(Marks(_mute(hours=8, at=channel.now + HOUR / 2)))
    assert channel.tell(finding()).muted


def test_an_acknowledgement_is_of_one_occurrence_and_a_known_issue_stays() -> None:
    channel = _Channel()
    seen, known = Acknowledgement("U1", "mira", NINE), KnownIssue("U1", "mira", NINE, "OPS-1")
    channel.tell(finding())
    channel.mark(Marks(None, known, seen))
    assert channel.tell(finding()).active[0].marks == Marks(None, known, seen)
    channel.tell()
    channel.tell()
    assert channel.tell(finding()).active[0].marks == Marks(None, known, None)


_STEP = st.tuples(
    st.lists(st.sampled_from(["payments", "cart", "search"]), unique=True),
    st.integers(1, 60),
    st.sampled_from(list(Severity)[:3]),
    st.sampled_from(["", "", "1h", "5h", "worse", "unmute"]),
)


@given(st.lists(_STEP, max_size=25))
def test_nothing_is_lost_nothing_told_twice_and_no_mute_ends_twice(
    steps: list[tuple[list[str], int, Severity, str]],
) -> None:
    channel = _Channel()
    lengths = {"1h": 1.0, "5h": 5.0, "worse": None}
    muted_at: datetime | None = None
    ends_told: list[datetime] = []
    for names, count, severity, wish in steps:
        found = [finding(name, count=count, severity=severity) for name in names]
        before = dict(channel.histories)
        changes = channel.tell(*found)
        active = [change.finding.identity for change in changes.active]
        muted = [change.finding.identity for change in changes.muted]
        # Each finding is told or counted as muted, once.
        assert sorted(active + muted) == sorted(each.identity for each in found)
        # Whatever was known is still known, muted or not.
        assert set(channel.histories) >= set(before)
        for change in changes.active:
            if change.is_unmuted:
                assert muted_at is not None, "a mute that nobody made"
                ends_told.append(muted_at)
        for identity, history in channel.histories.items():
            ended = before[identity].ended_mute_at if identity in before else None
            assert ended is None or (
                history.ended_mute_at is not None and history.ended_mute_at >= ended
            ), "time went backwards"
        mark = channel.marks.get(finding().identity, Marks())
        if wish in lengths:
            muted_at = channel.now + HOUR / 2
            channel.mark(Marks(_mute(hours=lengths[wish], at=muted_at, count=count)))
        elif wish == "unmute" and mark.mute is not None:
            channel.mark(Marks(replace(mark.mute, until=channel.now)))
    assert len(ends_told) == len(set(ends_told))
