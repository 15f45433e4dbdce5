"""What to tell first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from core.digests import ItemState
from digest.diff import Change

_URGENCY = {
    ItemState.NEW: 0,
    ItemState.REGRESSED: 0,
    ItemState.ESCALATING: 1,
    ItemState.ONGOING: 2,
    ItemState.RESOLVED: 3,
}


def rank(changes: Iterable[Change], affected: Mapping[str, int]) -> list[Change]:
    """Order by severity, then by what is news, then by how much is hit and how often.

    Args:
        changes: In any order.
        affected: Number of services that each finding hits, by identity.

    Returns:
        The same changes, most pressing first; equal ones always in the same order.
    """
    return sorted(
        changes,
        key=lambda change: (
            change.finding.severity.rank,
            _URGENCY[change.state],
            -change.finding.count,
            -affected.get(change.finding.identity, 0),
            change.finding.identity,
        ),
    )
