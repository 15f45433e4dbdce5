"""What people said of findings, held against what the findings do now.

Pure. A mute ends at its time or, where it has none, once the finding is worse than it was: its
severity rose, its count surged, or it came back after it was told as over. The end is told once;
then the mute is spent for ever, for the history remembers which one it was. An acknowledgement
is of one occurrence; a known issue stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from core.digests import FindingHistory, ItemState, Marks, Mute
from digest.diff import Change, Diff, is_surge

_WORSE = frozenset({ItemState.ESCALATING, ItemState.REGRESSED})


def with_marks(changes: Diff, marks: Mapping[str, Marks], now: datetime) -> Diff:
    """Put the muted ones aside, and give the others their marks.

    Nothing is lost: each active change is afterwards either active or muted.

    Args:
        changes: As compared.
        marks: By identity, as people made them.
        now: The present moment, aware UTC.
    """
    histories = {history.identity: history for history in changes.histories}
    active: list[Change] = []
    muted: list[Change] = []
    for change in changes.active:
        identity = change.finding.identity
        history, mark = histories[identity], marks.get(identity, Marks())
        mute = _unspent(mark.mute, history)
        is_muted = mute is not None and not has_ended(mute, change, now)
        if mute is not None and not is_muted:
            histories[identity] = replace(history, ended_mute_at=mute.at)
        marked = replace(
            change,
            marks=_holding(mark, change, mute if is_muted else None),
            is_unmuted=mute is not None and not is_muted,
        )
        (muted if is_muted else active).append(marked)
    return replace(
        changes, histories=tuple(histories.values()), active=tuple(active), muted=tuple(muted)
    )


def has_ended(mute: Mute, change: Change, now: datetime) -> bool:
    """Whether a mute holds no longer, by its time or because its finding got worse."""
    if mute.until is not None:
        return now >= mute.until
    finding = change.finding
    return (
        finding.severity.rank < mute.severity.rank
        or change.state in _WORSE
        or is_surge(finding.count, mute.count)
    )


def _unspent(mute: Mute | None, history: FindingHistory) -> Mute | None:
    """The mute, unless its end was told before."""
    if mute is None:
        return None
    ended = history.ended_mute_at
    return mute if ended is None or mute.at > ended else None


def _holding(marks: Marks, change: Change, mute: Mute | None) -> Marks:
    seen = marks.acknowledgement
    is_of_now = seen is not None and seen.at >= change.since
    return replace(marks, mute=mute, acknowledgement=seen if is_of_now else None)
