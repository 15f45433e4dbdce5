"""A digest: what changed among the cluster's problems since the last one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.answers import Citation, Confidence, Gap
from core.findings import Finding
from core.questions import TimeRange


class ItemState(StrEnum):
    """Where a finding stands in its life, as told to the channel."""

    NEW = "new"
    REGRESSED = "regressed"
    ESCALATING = "escalating"
    ONGOING = "ongoing"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class FindingHistory:
    """What is remembered of one finding for one schedule; the digest's diff is made from it.

    Attributes:
        finding: As it was last seen.
        counts: Count per committed period, newest last; at most the last 12.
        healthy_checks: Consecutive committed periods in which it was not seen.
        resolved_at: Set when it was told as resolved; cleared when it comes back.
    """

    identity: str
    finding: Finding
    first_seen: datetime
    last_seen: datetime
    counts: tuple[int, ...] = ()
    healthy_checks: int = 0
    resolved_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DigestItem:
    """A finding with what an on-call engineer needs beside it.

    Attributes:
        since: When this problem was first seen, or came back.
        count_change: Against the previous period; 0 for a new one.
        buckets: Counts over twelve equal parts of the known history, oldest first; for a sparkline.
        team: Owning team from the service graph, or ''.
        on_call: How to reach it, or ''.
        affected: Services that depend on what is broken.
        cause: Probable cause in one line, or ''; cites `runbook` or evidence.
        next_command: One safe, read-only command to run next.
        suggestion: What the runbook says to do, one or two sentences.
    """

    finding: Finding
    state: ItemState
    since: datetime
    count_change: int = 0
    buckets: tuple[int, ...] = ()
    team: str = ""
    on_call: str = ""
    affected: tuple[str, ...] = ()
    cause: str = ""
    confidence: Confidence = Confidence.UNKNOWN
    runbook: Citation | None = None
    suggestion: str = ""
    next_command: str = ""


@dataclass(frozen=True, slots=True)
class Digest:
    """One digest, complete without a model.

    Attributes:
        slot: Identifies the post: "daily@2026-03-01T09:00:00Z"; '' for a preview.
        items: Critical and high ones, ranked, at most the configured number.
        resolved: Told once, when a finding is over.
        totals: Number of findings per state, hidden ones included.
        hidden: How many findings were counted but not listed, per severity.
        model: The model that worded the causes, or "extractive".
        gaps: Clusters or kinds that could not be read. With gaps it is never "all quiet".
    """

    schedule: str
    slot: str
    window: TimeRange
    items: tuple[DigestItem, ...]
    resolved: tuple[DigestItem, ...] = ()
    totals: tuple[tuple[ItemState, int], ...] = ()
    hidden: tuple[tuple[str, int], ...] = ()
    model: str = "extractive"
    gaps: tuple[Gap, ...] = ()
    notes: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ownership:
    """Who owns a workload and who is hit when it fails; '' and () where the graph knows nothing."""

    team: str = ""
    on_call: str = ""
    affected: tuple[str, ...] = ()
    runbook: str = ""


@dataclass(frozen=True, slots=True)
class Wording:
    """What a model says of one finding, already checked against its evidence."""

    cause: str
    suggestion: str


@dataclass(frozen=True, slots=True)
class SlotClaim:
    """The right to publish one slot.

    Attributes:
        is_retry: An earlier try began and may have posted.
        holder: Names this claim, so that a late commit of a lost one changes nothing.
    """

    schedule: str
    slot: str
    window: TimeRange
    is_retry: bool
    holder: str = ""
