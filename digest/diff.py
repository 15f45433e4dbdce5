"""The lifecycle of findings: what is new, goes on, gets worse, came back or is over.

Pure. The rules, each as simple as it can be told:

- new: never told by this schedule. ongoing: told before and seen again.
- escalating: its count is above max(3 × median of the last 7 periods, median + 10), its severity
  rose, or it reached the next stage, as a crash loop does with its restarts.
- resolved: not seen in two committed periods in a row. One rule for all findings: status findings
  are checked once a period, so two healthy checks are two periods. One that cools down slowly, as
  a crash loop does, must also have been away for as long as it says.
- regressed: seen again after it was told as resolved.
- flapping: four or more changes between seen and unseen within the last six periods. It is told as
  ongoing, never again as regressed or resolved, until it has calmed down.
- What could not be read is neither seen nor healthy: its history stays as it was. Likewise what is
  told under something else: on a lost node, or beside another problem of the same workload.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from core.answers import Gap
from core.digests import FindingHistory, ItemState, Marks
from core.findings import Collected, Finding

HEALTHY_CHECKS_TO_RESOLVE = 2
REMEMBERED_COUNTS = 12
FORGOTTEN_AFTER = timedelta(days=30)
_MEDIAN_PERIODS = 7
_FLAPPING_PERIODS = 6
_FLAPPING_CHANGES = 4


@dataclass(frozen=True, slots=True)
class Change:
    """A finding and where it stands now.

    Attributes:
        since: When it was first seen, or came back.
        count_change: Against the previous period; 0 for a new one.
        buckets: Twelve counts, oldest first, 0 where nothing is known.
        is_flapping: It comes and goes.
        marks: What people said of it and still holds; see `digest.marks`.
        is_unmuted: Its mute has just ended.
        was_listed: An earlier digest listed it; until then it was counted at most.
    """

    finding: Finding
    state: ItemState
    since: datetime
    count_change: int = 0
    buckets: tuple[int, ...] = ()
    is_flapping: bool = False
    marks: Marks = Marks()  # noqa: RUF009  (frozen)
    is_unmuted: bool = False
    was_listed: bool = False


@dataclass(frozen=True, slots=True)
class Diff:
    """What changed, and the histories to commit once it has been told.

    Attributes:
        recovering: How many look healthy, but not yet for long enough to be over.
        unread: How many could not be looked at again.
        muted: Those of which nobody wants to hear for now; they are not in `active`.
    """

    histories: tuple[FindingHistory, ...]
    active: tuple[Change, ...]
    resolved: tuple[Change, ...]
    recovering: int = 0
    unread: int = 0
    muted: tuple[Change, ...] = ()


def diff(histories: Mapping[str, FindingHistory], collected: Collected, now: datetime) -> Diff:
    """Compare what is found now with what was told.

    Args:
        histories: By identity, as last committed.
        collected: What was found now, and where nobody could look.
        now: The present moment, aware UTC.
    """
    kept: list[FindingHistory] = []
    active: list[Change] = []
    found = _merged(collected.findings)
    for identity, finding in found.items():
        history, change = _seen(histories.get(identity), finding, now)
        kept.append(history)
        active.append(change)
    resolved: list[Change] = []
    recovering = unread = 0
    folded_under = Folded.by(found.values())
    for identity, history in histories.items():
        if identity in found or _is_forgotten(history, now):
            continue
        if is_unread(history.finding, collected):
            kept.append(history)
            unread += history.resolved_at is None
            continue
        if folded_under.hides(history.finding):
            kept.append(history)
            continue
        quiet, over = _unseen(history, now)
        kept.append(quiet)
        if over is not None:
            resolved.append(over)
        elif quiet.resolved_at is None:
            recovering += 1
    return Diff(tuple(kept), tuple(active), tuple(resolved), recovering, unread)


@dataclass(frozen=True, slots=True)
class Folded:
    """Under what a problem may be told, so that its absence does not mean that it is over.

    Attributes:
        owners: Workloads with a problem: each is told by its most telling one.
        nodes: Cluster and name of those that are lost, with all that runs there.
    """

    owners: frozenset[tuple[str, str, str, str]]
    nodes: frozenset[tuple[str, str]]

    @classmethod
    def by(cls, findings: Collection[Finding]) -> Folded:
        """What is found now."""
        return cls(
            frozenset(_owner(each) for each in findings),
            frozenset(
                (each.owner.cluster, each.owner.name)
                for each in findings
                if each.problem == "node-not-ready"
            ),
        )

    def hides(self, finding: Finding) -> bool:
        """Whether it would not be told by itself even if it were still there."""
        return _owner(finding) in self.owners or (finding.owner.cluster, finding.node) in self.nodes


def _owner(finding: Finding) -> tuple[str, str, str, str]:
    owner = finding.owner
    return (owner.cluster, owner.kind, owner.namespace, owner.name)


def _merged(findings: Iterable[Finding]) -> dict[str, Finding]:
    """One finding an identity: two pods of one owner have one problem."""
    merged: dict[str, Finding] = {}
    for finding in findings:
        known = merged.get(finding.identity)
        if known is None:
            merged[finding.identity] = finding
            continue
        worse, other = sorted((known, finding), key=lambda each: each.severity.rank)
        merged[finding.identity] = replace(
            worse,
            count=known.count + finding.count,
            stage=max(known.stage, finding.stage),
            first_seen=min(known.first_seen, finding.first_seen),
            last_seen=max(known.last_seen, finding.last_seen),
            members=tuple(dict.fromkeys((*worse.members, str(other.involved), *other.members))),
        )
    return merged


def _seen(
    history: FindingHistory | None, finding: Finding, now: datetime
) -> tuple[FindingHistory, Change]:
    if history is None:
        new = FindingHistory(
            finding.identity, finding, finding.first_seen, finding.last_seen, (finding.count,)
        )
        return new, Change(finding, ItemState.NEW, finding.first_seen, buckets=_buckets(new.counts))
    counts = (*history.counts, finding.count)[-REMEMBERED_COUNTS:]
    flapping = _is_flapping(counts)
    state, since = ItemState.ONGOING, history.first_seen
    if history.resolved_at is not None:
        # It came back after it was told as over, whatever its object says of its age.
        since = max(finding.first_seen, min(history.resolved_at, now))
        state = ItemState.ONGOING if flapping else ItemState.REGRESSED
    elif _is_escalating(history, finding):
        state = ItemState.ESCALATING
    change = Change(
        finding,
        state,
        since,
        count_change=finding.count - (history.counts[-1] if history.counts else 0),
        buckets=_buckets(counts),
        is_flapping=flapping,
        was_listed=history.was_listed,
    )
    last_seen = max(history.last_seen, finding.last_seen)
    told = FindingHistory(
        finding.identity,
        finding,
        since,
        last_seen,
        counts,
        ended_mute_at=history.ended_mute_at,
        was_listed=history.was_listed,
    )
    return told, change


def _unseen(history: FindingHistory, now: datetime) -> tuple[FindingHistory, Change | None]:
    counts = (*history.counts, 0)[-REMEMBERED_COUNTS:]
    healthy = history.healthy_checks + 1
    quiet = replace(history, counts=counts, healthy_checks=healthy)
    if history.resolved_at is not None or healthy < HEALTHY_CHECKS_TO_RESOLVE:
        return quiet, None
    if _is_flapping(counts) or _is_cooling(history, now):
        return quiet, None
    change = Change(
        history.finding, ItemState.RESOLVED, history.first_seen, buckets=_buckets(counts)
    )
    return replace(quiet, resolved_at=now), change


def _is_cooling(history: FindingHistory, now: datetime) -> bool:
    return now - history.last_seen < timedelta(seconds=history.finding.cooldown_seconds)


def _is_forgotten(history: FindingHistory, now: datetime) -> bool:
    return history.resolved_at is not None and now - history.resolved_at > FORGOTTEN_AFTER


def _is_escalating(history: FindingHistory, finding: Finding) -> bool:
    known = history.finding
    if finding.severity.rank < known.severity.rank or finding.stage > known.stage:
        return True
    # Periods in which it was not there say nothing of how bad it usually is.
    usual = [count for count in history.counts[-_MEDIAN_PERIODS:] if count]
    return is_surge(finding.count, median(usual or [known.count]))


def with_listed(
    histories: Iterable[FindingHistory], listed: Collection[str]
) -> tuple[FindingHistory, ...]:
    """Histories as they are once a digest has listed these identities."""
    return tuple(
        replace(history, was_listed=history.was_listed or history.identity in listed)
        for history in histories
    )


def is_surge(count: int, usual: float) -> bool:
    """Whether a count is far above the usual one."""
    return count > max(3 * usual, usual + 10)


def _is_flapping(counts: tuple[int, ...]) -> bool:
    recent = [count > 0 for count in counts[-_FLAPPING_PERIODS - 1 :]]
    changes = sum(before != after for before, after in pairwise(recent))
    return changes >= _FLAPPING_CHANGES


def _buckets(counts: tuple[int, ...]) -> tuple[int, ...]:
    return (0,) * (REMEMBERED_COUNTS - len(counts)) + counts


def is_unread(finding: Finding, collected: Collected) -> bool:
    """Whether nobody could look at what a finding is about."""
    cluster = finding.owner.cluster
    if cluster not in collected.clusters:
        return True
    return any(_hides(gap, finding, cluster) for gap in collected.gaps)


def _hides(gap: Gap, finding: Finding, cluster: str) -> bool:
    """Whether a gap may hide this finding; when in doubt, it does."""
    named = re.search(rf"\bcluster {re.escape(cluster)}(?![\w.\-])", gap.what)
    if named is None:
        return False
    if gap.what.startswith(("log ", "logs ")):
        return bool(finding.template)
    if match := re.match(r"rule (\S+) on ", gap.what):
        return match[1] == finding.detector
    if match := re.match(r"(\w+) of ", gap.what):
        plural = match[1].lower()
        # Events speak of every kind; another kind hides only what was read from it.
        kinds = {finding.involved.kind, finding.owner.kind}
        return plural == "events" or any(plural in _plurals(kind) for kind in kinds)
    return True


def _plurals(kind: str) -> tuple[str, ...]:
    word = kind.lower()
    return (word + "s", word + "es", word.removesuffix("y") + "ies")
