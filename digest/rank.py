"""What to tell first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from core.digests import ItemState
from digest.diff import Change


def rank(changes: Iterable[Change], affected: Mapping[str, int]) -> list[Change]:
    """Order by what is news, then by severity, then by how often it occurs and how much it hits.

    Ten old critical ones must not push one out that is new: whoever reads the digest knows them.

    Args:
        changes: In any order.
        affected: Number of services that each finding hits, by identity.

    Returns:
        The same changes, most pressing first; equal ones always in the same order.
    """
    return sorted(
        changes,
        key=lambda change: (
            _goes_on(change),
            change.finding.severity.rank,
            change.state is ItemState.ESCALATING,
            -change.finding.count,
            -affected.get(change.finding.identity, 0),
            change.finding.identity,
        ),
    )


def _goes_on(change: Change) -> bool:
    return change.state is ItemState.ONGOING and not change.is_unmuted
