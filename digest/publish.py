"""Publishes each slot exactly once, and previews without leaving a trace.

The order of steps is what keeps it exact: claim, collect, compose, write down what will be told and
every message of it, post the first one, commit, post the others. Killed before the post, the next
try posts; killed after it, the next try finds the message and commits what was written down. What
is written down and committed is posted by whoever comes next: see `digest.outbox`.
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
from core.errors import OpsbotError, StateError
from core.findings import Collected
from core.posts import Post
from core.questions import Reading, TimeRange
from digest.assemble import Assembler, DigestConfig, Frame, missed_note
from digest.claims import give_back, kept
from digest.diff import Diff, diff, with_listed
from digest.marks import with_marks
from digest.outbox import Outbox, thread_of
from digest.ports import (
    DigestStore,
    ErrorCounts,
    FindingSource,
    MarkStore,
    Owners,
    PostStore,
    Runbooks,
    Wordsmith,
)
from digest.precedents import Precedents
from digest.teams import team_posts
from digest.urgent import linked
from digest.views import relevant, within

__all__ = ["DigestConfig", "DigestService", "PublishOutcome", "slot_name"]

logger = logging.getLogger(__name__)

# What takes longer hangs.
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
        posts: Their messages, and those beside them.
        outbox: Posts them; None where nothing may be posted.
        channel: Where digests go, or '' where nothing may be posted.
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
        outbox: Outbox | None,
        channel: str,
        error_counts: ErrorCounts,
        clock: Clock,
        reader: Callable[[str], Reading],
        config: DigestConfig = DigestConfig(),  # noqa: B008  (frozen)
    ) -> None:
        self._source = source
        self._store = store
        self._marks = marks
        self._posts = posts
        self._outbox = outbox
        self._channel = channel
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
        collected = relevant(await self._source.collect(period, scope))
        changes = with_marks(diff(within(histories, scope), collected, now), marks, now)
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
        if self._outbox is None or not self._channel:
            logger.error("No channel to post the digest %s to", schedule)
            return PublishOutcome.FAILED
        outcome = await self._publish(schedule, slot_end.astimezone(UTC), self._outbox)
        if outcome in {PublishOutcome.POSTED, PublishOutcome.ALREADY_POSTED}:
            await self._deliver(schedule, self._outbox)
        return outcome

    async def _publish(self, schedule: str, slot_end: datetime, outbox: Outbox) -> PublishOutcome:
        claim: SlotClaim | None = None
        try:
            if not await self._reconcile(schedule, outbox, before=slot_end):
                return PublishOutcome.HELD_ELSEWHERE
            last = await self._store.last_committed_end(schedule)
            if last is not None and last >= slot_end:
                return PublishOutcome.ALREADY_POSTED
            window = self._limited(last, slot_end)
            claim = await self._store.claim(schedule, slot_name(schedule, slot_end), window)
            if claim is None:
                last = await self._store.last_committed_end(schedule)
                is_posted = last is not None and last >= slot_end
                return PublishOutcome.ALREADY_POSTED if is_posted else PublishOutcome.HELD_ELSEWHERE
            async with kept(self._store, claim), asyncio.timeout(PUBLISH_LIMIT_SECONDS):
                await self._fulfil(claim, outbox, last)
        except asyncio.CancelledError:
            await give_back(self._store, claim)
            raise
        except Exception as error:
            # Whatever failed, in whichever part: the claim goes back and the next try makes up.
            is_expected = isinstance(error, OpsbotError | TimeoutError)
            name, trace = slot_name(schedule, slot_end), None if is_expected else error
            logger.log(
                logging.ERROR, "Publishing the digest %s failed: %s", name, error, exc_info=trace
            )
            await give_back(self._store, claim)
            return PublishOutcome.FAILED
        return PublishOutcome.POSTED

    async def _deliver(self, schedule: str, outbox: Outbox) -> None:
        """Post the rest of committed digests. What fails is due until it is posted."""
        try:
            await outbox.deliver(schedule)
        except StateError as error:
            logger.warning("Messages of the digest %s must wait: %s", schedule, error)

    async def _reconcile(self, schedule: str, outbox: Outbox, before: datetime) -> bool:
        """Finish earlier slots that were cut short between posting and committing.

        Returns:
            False where another process is still at one: what it tells must not be told again.
        """
        for slot, window in await self._store.unfinished(schedule):
            if window.end >= before:
                continue
            claim = await self._store.claim(schedule, slot, window)
            if claim is None:
                return False
            try:
                if not await self._adopt(claim, outbox):
                    # Never posted. Its window becomes part of the next one.
                    await self._store.prepare(claim, None)
            finally:
                await give_back(self._store, claim)
        return True

    async def _adopt(self, claim: SlotClaim, outbox: Outbox) -> bool:
        """Commit what an earlier try has posted; False where it had not."""
        prepared, post = await self._store.prepared(claim), await self._posts.get(claim.slot)
        if prepared is None or post is None:
            return False
        posted_ts = await outbox.find(post)
        if posted_ts is None:
            return False
        await self._posts.posted(post.key, posted_ts)
        await self._store.commit(claim, posted_ts, prepared)
        return True

    async def _fulfil(self, claim: SlotClaim, outbox: Outbox, last: datetime | None) -> None:
        if claim.is_retry and await self._adopt(claim, outbox):
            return
        known = await self._store.history(claim.schedule)
        scope = self._config.scope
        # A retry has the window of its first try; a commit may have come in between.
        window = replace(claim.window, start=self._limited(last, claim.window.end).start)
        collected = relevant(await self._source.collect(window, scope))
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
        posts = self._posts_of(digest, now)
        is_full = bool(digest.items) and not digest.is_collapsed
        listed = [item.finding.identity for item in digest.items]
        histories = with_listed(changes.histories, listed)
        await self._store.prepare(claim, histories, is_full=is_full, posts=posts)
        posted_ts = await outbox.post(posts[0]) if posts else ""
        await self._store.commit(claim, posted_ts, histories)
        await self._tidy(claim.schedule, changes, marks)

    def _posts_of(self, digest: Digest, now: datetime) -> tuple[Post, ...]:
        """All messages that a digest becomes, its own first; none where silence is wished for."""
        if digest.is_quiet and self._config.is_silent_when_quiet:
            return ()
        return (
            *thread_of(digest, digest.slot, self._channel, now),
            *team_posts(digest, self._config.team_channels, now),
        )

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

    def _limited(self, start: datetime | None, end: datetime) -> TimeRange:
        earliest = end - timedelta(hours=self._config.window_limit_hours)
        return TimeRange(max(start, earliest) if start is not None else earliest, end)
