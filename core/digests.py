"""A digest: what changed among the cluster's problems since the last one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from core.answers import Citation, Confidence, Gap
from core.findings import Finding, Severity
from core.lookback import LookBack
from core.questions import TimeRange


class ItemState(StrEnum):
    """Where a finding stands in its life, as told to the channel."""

    NEW = "new"
    REGRESSED = "regressed"
    ESCALATING = "escalating"
    ONGOING = "ongoing"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Mute:
    """Somebody's wish to hear nothing of a finding for a while.

    Attributes:
        by: A user's id.
        name: What that user is called; shown, because a mention would notify at every digest.
        until: The end of it; None: until it gets worse than `severity` and `count`.
        severity: Of the finding when it was muted.
        count: Likewise.
    """

    by: str
    name: str
    at: datetime
    until: datetime | None
    severity: Severity
    count: int


@dataclass(frozen=True, slots=True)
class KnownIssue:
    """What somebody says a finding is: a link or a few words. `by` and `name` as in `Mute`."""

    by: str
    name: str
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Somebody has seen it. `by` and `name` as in `Mute`."""

    by: str
    name: str
    at: datetime


Mark = Mute | KnownIssue | Acknowledgement


@dataclass(frozen=True, slots=True)
class Marks:
    """What people have said of one finding."""

    mute: Mute | None = None
    known_issue: KnownIssue | None = None
    acknowledgement: Acknowledgement | None = None


@dataclass(frozen=True, slots=True)
class FindingHistory:
    """What is remembered of one finding for one schedule; the digest's diff is made from it.

    Attributes:
        finding: As it was last seen.
        counts: Count per committed period, newest last; at most the last 12.
        healthy_checks: Consecutive committed periods in which it was not seen.
        resolved_at: Set when it was told as resolved; cleared when it comes back.
        ended_mute_at: When the newest mute was made of those whose end was told.
        was_listed: Some digest listed it, rather than only counting it.
    """

    identity: str
    finding: Finding
    first_seen: datetime
    last_seen: datetime
    counts: tuple[int, ...] = ()
    healthy_checks: int = 0
    resolved_at: datetime | None = None
    ended_mute_at: datetime | None = None
    was_listed: bool = False


@dataclass(frozen=True, slots=True)
class Precedent:
    """An earlier problem like one that is told now, and what helped then.

    Attributes:
        title: Of an incident report, or of the finding that a digest told.
        url: A web address of the report, or ''.
        happened_at: When it was; None where nobody wrote it down.
        helped: What fixed it, in one or two sentences, or ''.
        lasted: From the first to the last sighting; None for a report.
    """

    title: str
    url: str = ""
    happened_at: datetime | None = None
    helped: str = ""
    lasted: timedelta | None = None


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
        marks: What people said of it and still holds.
        is_unmuted: Its mute ended with this digest, so it is told again.
        was_listed: An earlier digest listed it.
        told_ts: The message in the digest's own channel that told it as it came, or ''.
        precedent: The most similar problem of the past, or None.
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
    marks: Marks = Marks()
    is_unmuted: bool = False
    was_listed: bool = True
    told_ts: str = ""
    precedent: Precedent | None = None

    @property
    def is_news(self) -> bool:
        """Whether the channel has not been told this already."""
        return self.state is not ItemState.ONGOING or self.is_unmuted or not self.was_listed


@dataclass(frozen=True, slots=True)
class Digest:
    """One digest, complete without a model.

    Attributes:
        slot: Identifies the post: "daily@2026-03-01T09:00:00Z"; '' for a preview.
        items: Critical and high ones, ranked, at most the configured number.
        rest: All others, ranked; named in the thread without more.
        resolved: Told once, when a finding is over.
        totals: Number of findings per state, the rest included, muted ones not.
        model: The model that worded the causes, or "extractive".
        gaps: Clusters or kinds that could not be read. With gaps it is never "all quiet".
        muted: What people asked not to hear of; counted, never left out.
        flapping: What comes and goes, told in one line and not announced again.
        full_ts: The schedule's last message that listed all of them, or ''.
        error_counts: Start of each part of the window and its Warning Events; () where not kept.
        look_back: What a week was like, in place of all items; or None.
    """

    schedule: str
    slot: str
    window: TimeRange
    items: tuple[DigestItem, ...]
    resolved: tuple[DigestItem, ...] = ()
    totals: tuple[tuple[ItemState, int], ...] = ()
    model: str = "extractive"
    gaps: tuple[Gap, ...] = ()
    notes: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    muted: tuple[DigestItem, ...] = ()
    flapping: tuple[DigestItem, ...] = ()
    full_ts: str = ""
    error_counts: tuple[tuple[datetime, int], ...] = ()
    rest: tuple[DigestItem, ...] = ()
    look_back: LookBack | None = None

    @property
    def hidden(self) -> tuple[tuple[Severity, int], ...]:
        """How many are in the rest, per severity."""
        counts = Counter(item.finding.severity for item in self.rest)
        return tuple((severity, counts[severity]) for severity in Severity if counts[severity])

    @property
    def has_news(self) -> bool:
        """Whether anything in it was not told before."""
        return bool(self.resolved) or any(item.is_news for item in self.items)

    @property
    def is_collapsed(self) -> bool:
        """All of it goes on as an earlier message tells in full."""
        return bool(self.slot and self.full_ts and self.items) and not self.has_news

    @property
    def is_quiet(self) -> bool:
        """There is nothing at all to tell, and nothing stayed unseen."""
        told = (self.items, self.resolved, self.gaps, self.notes, self.muted, self.flapping)
        return not any(told)


@dataclass(frozen=True, slots=True)
class SlotRecord:
    """How the newest slot of a schedule went.

    Attributes:
        committed_at: When it was done; None: under way, or failed.
        posted_ts: Its message; '' where there was nothing to tell.
        is_held: Somebody is at it.
        claimed_at: Since when, or None.
    """

    end: datetime
    committed_at: datetime | None
    posted_ts: str
    is_held: bool
    claimed_at: datetime | None = None


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
