"""Publishes each slot exactly once, and previews without leaving a trace.

The order of steps is what keeps it exact: claim, collect, compose, write down what will be told,
post, commit. Killed before the post, the next try posts; killed after it, the next try finds the
message by its slot and commits what was written down. The database cannot tell whether a post that
failed went through, so a second try always looks first.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from core.answers import Gap, Scope
from core.clock import Clock
from core.digests import Digest, FindingHistory, Marks, SlotClaim
from core.errors import StateError
from core.findings import Collected, Severity
from core.questions import Reading, TimeRange
from digest.assemble import Assembler, DigestConfig, Frame, missed_note
from digest.diff import Diff, diff, with_listed
from digest.marks import with_marks
from digest.ports import (
    DigestStore,
    ErrorCounts,
    FindingSource,
    MarkStore,
    Owners,
    Poster,
    PostStore,
    Runbooks,
    Wordsmith,
)
from digest.precedents import Precedents
from digest.sideposts import SidePosts
from digest.teams import team_posts
from digest.urgent import linked

__all__ = ["DigestConfig", "DigestService", "PublishOutcome", "slot_name"]

logger = logging.getLogger(__name__)

# Less than the ten minutes after which a claim may be taken over.
PUBLISH_LIMIT_SECONDS = 480.0
# What goes on is told in full again after so long, whatever else is told of it.
_FULL_LASTS = timedelta(days=7)


class PublishOutcome(StrEnum):
    """How a try to publish a slot ended."""

    POSTED = "posted"
    ALREADY_POSTED = "already_posted"
    HELD_ELSEWHERE = "held_elsewhere"
    FAILED = "failed"


def slot_name(schedule: str, slot_end: datetime) -> str:
    """Names a slot for ever: "daily@2026-03-01T09:00:00Z"."""
    return f"{schedule}@{slot_end.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


class DigestService:
    """Digests on demand and by schedule. Fits `bot.services.Digests`.

    Args:
        source: The clusters.
        owners: The service graph.
        runbooks: The search over what is written down.
        precedents: What was like it.
        wordsmith: The model, or None to quote instead of wording.
        store: What was told, and who may tell next.
        marks: What people said of it.
        posts: Messages beside them.
        side_posts: Posts those; None where nothing may be posted.
        poster: Where digests go; None where nothing may be posted.
        error_counts: For the picture.
        clock: The time.
        reader: Turns a finding's text into a search.
        config: Limits.
    """

    def __init__(  # noqa: PLR0917  (built once, in one place, from its collaborators)
        self,
        source: FindingSource,
        owners: Owners,
        runbooks: Runbooks,
        precedents: Precedents,
        wordsmith: Wordsmith | None,
        store: DigestStore,
        marks: MarkStore,
        posts: PostStore,
        side_posts: SidePosts | None,
        poster: Poster | None,
        error_counts: ErrorCounts,
        clock: Clock,
        reader: Callable[[str], Reading],
        config: DigestConfig = DigestConfig(),  # noqa: B008  (frozen)
    ) -> None:
        self._source = source
        self._store = store
        self._marks = marks
        self._posts = posts
        self._side_posts = side_posts
        self._poster = poster
        self._error_counts = error_counts
        self._clock = clock
        self._config = config
        self._assembler = Assembler(owners, runbooks, precedents, wordsmith, reader, config)

    async def preview(self, window: timedelta | None, scope: Scope) -> Digest:
        """A digest for one reader's eyes; commits nothing.

        States are told against the default schedule's history.

        Args:
            window: How far to look back; None: to the last digest. Cut at the configured limit.
            scope: What the reader may see.

        Raises:
            ClusterError: Nothing could be collected at all.
        """
        schedule, now = self._config.default_schedule, self._clock.now()
        gaps: tuple[Gap, ...] = ()
        histories: Mapping[str, FindingHistory] = {}
        marks: Mapping[str, Marks] = {}
        last: datetime | None = None
        try:
            last = await self._store.last_committed_end(schedule)
            histories = await self._store.history(schedule)
            marks = await self._marks.all(schedule)
        except StateError as error:
            gaps = (Gap("history of digests", error.wrong, error.remedy),)
        period = self._limited(now - window if window is not None else last, now)
        collected = _relevant(await self._source.collect(period, scope))
        changes = with_marks(diff(_within(histories, scope), collected, now), marks, now)
        frame = Frame(schedule, "", period, scope, gaps=gaps)
        return await self._assembler.assemble(frame, collected, changes)

    async def publish(self, schedule: str, slot_end: datetime) -> PublishOutcome:
        """Post the digest of a slot, once in all processes and across restarts.

        Args:
            schedule: Whose history it is compared with.
            slot_end: When the slot was due; the end of its window. Aware.

        Returns:
            `failed` when it may be tried again; why is in the log.
        """
        if self._poster is None:
            logger.error("No channel to post the digest %s to", schedule)
            return PublishOutcome.FAILED
        slot_end = slot_end.astimezone(UTC)
        claim: SlotClaim | None = None
        try:
            await self._reconcile(schedule, self._poster, before=slot_end)
            last = await self._store.last_committed_end(schedule)
            if last is not None and last >= slot_end:
                await self._deliver(schedule)
                return PublishOutcome.ALREADY_POSTED
            window = self._limited(last, slot_end)
            claim = await self._store.claim(schedule, slot_name(schedule, slot_end), window)
            if claim is None:
                last = await self._store.last_committed_end(schedule)
                is_posted = last is not None and last >= slot_end
                return PublishOutcome.ALREADY_POSTED if is_posted else PublishOutcome.HELD_ELSEWHERE
            async with asyncio.timeout(PUBLISH_LIMIT_SECONDS):
                await self._fulfil(claim, self._poster, last)
        except asyncio.CancelledError:
            await self._give_back(claim)
            raise
        except Exception:
            # Whatever failed, in whichever part: the claim goes back and the next tick tries again.
            logger.exception("Publishing the digest %s failed", slot_name(schedule, slot_end))
            await self._give_back(claim)
            return PublishOutcome.FAILED
        await self._deliver(schedule)
        return PublishOutcome.POSTED

    async def _deliver(self, schedule: str) -> None:
        """Post what belongs to committed digests. What fails is due until it is posted."""
        if self._side_posts is None:
            return
        try:
            await self._side_posts.deliver(schedule)
        except StateError as error:
            logger.warning("The messages beside the digest %s must wait: %s", schedule, error)

    async def _reconcile(self, schedule: str, poster: Poster, before: datetime) -> None:
        """Finish earlier slots that were cut short between posting and committing."""
        for slot, window in await self._store.unfinished(schedule):
            if window.end >= before:
                continue
            claim = await self._store.claim(schedule, slot, window)
            if claim is None:
                continue
            try:
                if not await self._adopt(claim, poster):
                    # Never posted. Its window becomes part of the next one.
                    await self._store.prepare(claim, None)
            finally:
                await self._give_back(claim)

    async def _adopt(self, claim: SlotClaim, poster: Poster) -> bool:
        """Commit what an earlier try has posted; False where it had not."""
        prepared = await self._store.prepared(claim)
        if prepared is None:
            return False
        posted_ts = await poster.find(claim.slot)
        if posted_ts is None:
            return False
        await self._store.commit(claim, posted_ts, prepared)
        return True

    async def _fulfil(self, claim: SlotClaim, poster: Poster, last: datetime | None) -> None:
        if claim.is_retry and await self._adopt(claim, poster):
            return
        known = await self._store.history(claim.schedule)
        scope = self._config.scope
        # A retry has the window of its first try; a commit may have come in between.
        window = replace(claim.window, start=self._limited(last, claim.window.end).start)
        collected = _relevant(await self._source.collect(window, scope))
        marks, now = await self._marks.all(claim.schedule), self._clock.now()
        changes = with_marks(diff(known, collected, now), marks, now)
        full_ts = await self._store.last_full(claim.schedule, now - _FULL_LASTS)
        urgent = await self._posts.urgent(claim.schedule, window.start)
        frame = Frame(
            claim.schedule,
            claim.slot,
            window,
            scope,
            notes=missed_note(last, window.start, self._config.window_limit_hours),
            full_ts=full_ts,
            error_counts=await self._counted(collected, window),
        )
        digest = linked(await self._assembler.assemble(frame, collected, changes), urgent)
        posts = team_posts(digest, self._config.team_channels, now)
        is_full = bool(digest.items) and not digest.is_collapsed
        listed = [item.finding.identity for item in digest.items]
        histories = with_listed(changes.histories, listed)
        await self._store.prepare(claim, histories, is_full=is_full, posts=posts)
        is_told = not (digest.is_quiet and self._config.is_silent_when_quiet)
        posted_ts = await poster.post(digest) if is_told else ""
        await self._store.commit(claim, posted_ts, histories)
        await self._tidy(claim.schedule, changes, marks)

    async def _counted(
        self, collected: Collected, window: TimeRange
    ) -> tuple[tuple[datetime, int], ...]:
        if not self._config.has_chart:
            return ()
        scope = self._config.scope
        return await self._error_counts.over(collected.clusters, window, scope)

    async def _tidy(self, schedule: str, changes: Diff, marks: Mapping[str, Marks]) -> None:
        """Drop mutes whose end was told. Histories remember them too, should this be cut short."""
        for change in changes.active:
            mute = marks.get(change.finding.identity, Marks()).mute
            if change.is_unmuted and mute is not None:
                await self._marks.drop(schedule, change.finding.identity, mute)

    async def _give_back(self, claim: SlotClaim | None) -> None:
        if claim is None:
            return
        try:
            await self._store.release(claim)
        except StateError as error:
            # The claim then runs out by itself.
            logger.warning("The claim on %s was not given back: %s", claim.slot, error)

    def _limited(self, start: datetime | None, end: datetime) -> TimeRange:
        earliest = end - timedelta(hours=self._config.window_limit_hours)
        return TimeRange(max(start, earliest) if start is not None else earliest, end)


def _relevant(collected: Collected) -> Collected:
    """Without what is information only: that is kept for questions."""
    findings = tuple(each for each in collected.findings if each.severity is not Severity.INFO)
    return replace(collected, findings=findings)


def _within(histories: Mapping[str, FindingHistory], scope: Scope) -> Mapping[str, FindingHistory]:
    """What a reader of this scope may know of; the rest would look healthy."""
    return {
        identity: history
        for identity, history in histories.items()
        if scope.allows_cluster(history.finding.owner.cluster)
        and scope.allows_namespace(history.finding.owner.namespace)
    }
