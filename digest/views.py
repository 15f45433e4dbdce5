"""What of all that was collected, and of all that was told, a digest is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from core.answers import Scope
from core.digests import FindingHistory
from core.findings import Collected, Severity


def relevant(collected: Collected) -> Collected:
    """Without what is information only: that is kept for questions."""
    findings = tuple(each for each in collected.findings if each.severity is not Severity.INFO)
    return replace(collected, findings=findings)


def within(histories: Mapping[str, FindingHistory], scope: Scope) -> Mapping[str, FindingHistory]:
    """What a reader of this scope may know of; the rest would look healthy."""
    return {
        identity: history
        for identity, history in histories.items()
        if scope.allows_cluster(history.finding.owner.cluster)
        and scope.allows_namespace(history.finding.owner.namespace)
    }
