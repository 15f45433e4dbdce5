"""A look back at a week of digests: what came again, how long it lasted, how much noise it was.

It is made of what the digests of one schedule told, so it repeats nothing from the cluster and
needs no model. It is posted as digests are: a slot is claimed, written down and posted once.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from core.answers import Gap, Scope
from core.clock import Clock
from core.digests import Digest, FindingHistory, SlotClaim
from core.errors import OpsbotError
from core.findings import ObjectRef, Severity
from core.lookback import LookBack, Offender, Tally
from core.questions import TimeRange
from digest.claims import give_back
from digest.outbox import Outbox, thread_of
from digest.ports import DigestStore, ErrorCounts, Seen
from digest.publish import slot_name

log = logging.getLogger(__name__)

WEEK = timedelta(days=7)
MOST_OFFENDERS = 5
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class LookBackPlan:
    """What is looked back on.

    Attributes:
        schedule: Its own name.
        of: The schedule whose digests it takes together.
        scope: What its channel may see.
        minimum_severity: Told from here on.
        events_kept: How long Events are kept; beyond, nobody can count them.
    """

    schedule: str
    of: str
    scope: Scope = Scope()  # noqa: RUF009  (frozen)
    minimum_severity: Severity = Severity.HIGH
    events_kept: timedelta = timedelta(days=3)


class LookBacks:
    """Looks back. Fits `bot.services.LookBacks`.

    Args:
        plan: On what.
        seen: What its digests told.
        error_counts: Events that are kept.
        team_of: Whose a workload is, or ''.
        clusters: Whose Events count.
        clock: The time.
    """

    def __init__(
        self,
        plan: LookBackPlan,
        seen: Seen,
        error_counts: ErrorCounts,
        *,
        team_of: Callable[[ObjectRef], str],
        clusters: Sequence[str],
        clock: Clock,
    ) -> None:
        self._plan = plan
        self._seen = seen
        self._error_counts = error_counts
        self._team_of = team_of
        self._clusters = tuple(clusters)
        self._clock = clock

    async def preview(self, scope: Scope) -> Digest:
        """The last seven days, for one reader's eyes.

        Raises:
            OpsbotError: The database failed.
        """
        return await self.made("", self._clock.now(), scope)

    async def made(self, slot: str, end: datetime, scope: Scope | None = None) -> Digest:
        """The seven days up to a moment, as a digest that holds nothing else.

        Args:
            slot: Its name; '' for a preview.
            end: Of the period.
            scope: What the reader may see; None: the plan's own channel.

        Raises:
            OpsbotError: The database failed.
        """
        plan = self._plan
        scope = scope if scope is not None else plan.scope
        window, before = TimeRange(end - WEEK, end), TimeRange(end - 2 * WEEK, end - WEEK)
        gaps: tuple[Gap, ...] = ()
        told: list[FindingHistory] = []
        if scope.allows_source("past"):
            both = TimeRange(before.start, end)
            told = [
                each for each in await self._seen.seen(both, scope) if self._is_told(each, scope)
            ]
        else:
            why = "what may be seen in this channel leaves them out"
            gaps = (Gap("past digests", why, "Ask in a channel where they may be seen."),)
        kept = TimeRange(max(window.start, end - plan.events_kept), end)
        names = [name for name in self._clusters if scope.allows_cluster(name)]
        counts = await self._error_counts.over(names, kept, scope)
        back = look_back(plan.of, told, window, before, self._team_of)
        if counts:
            back = _with_events(back, counts, kept)
        return Digest(
            plan.schedule,
            slot,
            window,
            (),
            gaps=gaps,
            clusters=tuple(names),
            error_counts=back.days if any(count for _, count in back.days) else (),
            look_back=back,
        )

    def _is_told(self, history: FindingHistory, scope: Scope) -> bool:
        finding = history.finding
        if finding.severity.rank > self._plan.minimum_severity.rank:
            return False
        return not scope.teams or self._team_of(finding.owner) in {"", *scope.teams}


def look_back(
    of: str,
    told: Sequence[FindingHistory],
    window: TimeRange,
    before: TimeRange,
    team_of: Callable[[ObjectRef], str],
) -> LookBack:
    """Take together what was told. Pure.

    Args:
        of: The schedule that told it.
        told: A history for each time that a problem was there, of both periods.
        window: The period.
        before: The one before it.
        team_of: Whose a workload is, or ''.
    """
    inside = [
        each for each in told if each.first_seen < window.end and each.last_seen >= window.start
    ]
    by_problem: dict[str, list[FindingHistory]] = defaultdict(list)
    for each in inside:
        by_problem[each.identity].append(each)
    starts = [window.start + number * _DAY for number in range((window.end - window.start).days)]
    days = Counter((each.first_seen - window.start) // _DAY for each in inside)
    return LookBack(
        of,
        _tally(told, window),
        _tally(told, before),
        offenders=_offenders(by_problem, window, team_of),
        problems=len(by_problem),
        log_lines=sum(sum(each.counts) for each in inside if each.finding.template),
        days=tuple((start, days[number]) for number, start in enumerate(starts)),
    )


def _tally(told: Sequence[FindingHistory], period: TimeRange) -> Tally:
    over = [each for each in told if each.resolved_at is not None and each.last_seen in period]
    lasted = [(each.last_seen - each.first_seen).total_seconds() for each in over]
    there = [
        each
        for each in told
        if each.first_seen < period.end
        and (each.resolved_at is None or each.last_seen >= period.end)
    ]
    return Tally(
        began=sum(each.first_seen in period for each in told),
        over=len(over),
        open=len(there),
        lasted=timedelta(seconds=median(lasted)) if lasted else None,
    )


def _offenders(
    by_problem: Mapping[str, Sequence[FindingHistory]],
    window: TimeRange,
    team_of: Callable[[ObjectRef], str],
) -> tuple[Offender, ...]:
    """Those that were there twice or more, the most often first, then the longest."""
    found = []
    for histories in by_problem.values():
        times = sorted(histories, key=lambda each: each.first_seen)
        # The same time may be told by a history that is over and by the one that goes on.
        several = 1 + sum(
            later.first_seen > earlier.last_seen for earlier, later in pairwise(times)
        )
        if several < 2:
            continue
        spans = (min(each.last_seen, window.end) - max(each.first_seen, window.start)
                 for each in times)  # fmt: skip
        newest = times[-1].finding
        lasted = sum((max(span, timedelta()) for span in spans), timedelta())
        found.append(Offender(newest, several, lasted, team_of(newest.owner)))
    found.sort(key=lambda one: (-one.times, -one.lasted, one.finding.identity))
    return tuple(found[:MOST_OFFENDERS])


def _with_events(
    back: LookBack, counts: Sequence[tuple[datetime, int]], kept: TimeRange
) -> LookBack:
    known = TimeRange(max(kept.start, counts[0][0]), kept.end)
    return replace(back, warnings=sum(count for _, count in counts), warnings_window=known)


class LookBackPublisher:
    """Posts look backs by schedule, each once.

    Args:
        look_backs: Makes them.
        schedule: Their schedule.
        channel: Where they go.
        store: Who may post which.
        outbox: Posts them.
        clock: The time.
    """

    def __init__(  # noqa: PLR0917  (built once, in one place, from its collaborators)
        self,
        look_backs: LookBacks,
        schedule: str,
        channel: str,
        store: DigestStore,
        outbox: Outbox,
        clock: Clock,
    ) -> None:
        self._look_backs = look_backs
        self._schedule = schedule
        self._channel = channel
        self._store = store
        self._outbox = outbox
        self._clock = clock

    async def publish(self, slot_end: datetime) -> bool:
        """Post the one of a slot, once in all processes; False: that is to be tried again.

        Nothing is posted before the slot is committed, and from then on the outbox sees to it.
        """
        claim: SlotClaim | None = None
        try:
            last = await self._store.last_committed_end(self._schedule)
            if last is None or last < slot_end:
                slot = slot_name(self._schedule, slot_end)
                window = TimeRange(slot_end - WEEK, slot_end)
                claim = await self._store.claim(self._schedule, slot, window)
                if claim is None:
                    return False
                digest = await self._look_backs.made(slot, slot_end)
                posts = thread_of(digest, slot, self._channel, self._clock.now())
                await self._store.prepare(claim, (), posts=posts)
                await self._store.commit(claim, "", ())
            await self._outbox.deliver(self._schedule)
        except OpsbotError as error:
            log.error("The look back %s failed: %s", self._schedule, error)  # noqa: TRY400  (said)
            await give_back(self._store, claim)
            return False
        return True
