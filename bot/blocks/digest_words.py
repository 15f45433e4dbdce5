"""The words and badges for a finding that all messages of a digest share."""

from __future__ import annotations

from core.digests import DigestItem, ItemState
from core.findings import Severity

STATE_BADGES = {
    ItemState.NEW: "🆕",
    ItemState.REGRESSED: "↩️",
    ItemState.ESCALATING: "⏫",
    ItemState.ONGOING: "🔁",
    ItemState.RESOLVED: "✅",
}
SEVERITY_BADGES = {Severity.CRITICAL: "🔴", Severity.HIGH: "🟠", Severity.MEDIUM: "🟡"}


def count_and_change(item: DigestItem) -> str:
    """How often it was seen and how that changed: "14× (+6)"."""
    count = f"{item.finding.count}×"
    return f"{count} ({item.count_change:+d})" if item.count_change else count


def workload(item: DigestItem) -> str:
    """The owner as a table shows it: "shop/payments"; the kind where it is not a workload's."""
    owner = item.finding.owner
    return f"{owner.namespace}/{owner.name}" if owner.namespace else f"{owner.kind} {owner.name}"


def badges(item: DigestItem) -> str:
    """Severity and state: "🔴 🆕"."""
    severity = SEVERITY_BADGES.get(item.finding.severity, "⚪")
    return f"{severity} {STATE_BADGES[item.state]}"


def problem(item: DigestItem) -> str:
    """The finding's title without the workload's name in front: that has its own column."""
    head, separator, rest = item.finding.title.partition(": ")
    names_it = separator and head.casefold() in workload(item).casefold()
    return " ".join((rest if names_it and rest else item.finding.title).split())
