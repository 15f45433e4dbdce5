"""Critical findings that cannot wait for the next digest: a message of their own, at once.

A finding is urgent when it is critical and its schedule's digests have not told it as such. It is
told once, in place as over after two healthy looks, and in place as back when it returns within an
hour, or within its own cooldown if that is longer. From ten within five minutes on, they share one
message.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from core.answers import Scope
from core.clock import Clock
from core.digests import Digest, DigestItem, FindingHistory, ItemState, Marks
from core.findings import Collected, Finding, Severity
from core.posts import Post, PostKind
from core.questions import TimeRange
from digest.assemble import Assembler, Frame
from digest.diff import Change, Diff, Folded, diff, is_unread
from digest.marks import with_marks
from digest.outbox import LEASE_SECONDS, LIMIT_SECONDS, Outbox
from digest.ports import DigestStore, FindingSource, Leases, MarkStore, PostStore

log = logging.getLogger(__name__)

HEALTHY_LOOKS = 2
BACK_WITHIN = timedelta(hours=1)
STORM_WITHIN = timedelta(minutes=5)
STORM_FROM = 10
_LOOK_BACK = timedelta(hours=1)
# One that takes longer has died, or must not hold up what is urgent.
_DIGEST_TAKES = timedelta(seconds=90)


@dataclass(frozen=True, slots=True)
class UrgentPlan:
    """Whose urgent findings go where.

    Attributes:
        schedule: Whose digests say what was told already.
        channel: Where its digests go.
    """

    schedule: str
    channel: str
    scope: Scope = Scope()  # noqa: RUF009  (frozen)


class UrgentService:
    """Looks for urgent findings, again and again.

    Args:
        plan: Whose.
        source: The clusters.
        assembler: Adds owners and runbooks; without a model, which takes too long.
        store: What digests have told.
        marks: What people muted.
        posts: The messages.
        leases: Lets one process look at a time.
        outbox: Posts them.
        clock: The time.
    """

    def __init__(  # noqa: PLR0917  (built once, in one place, from its collaborators)
        self,
        plan: UrgentPlan,
        source: FindingSource,
        assembler: Assembler,
        store: DigestStore,
        marks: MarkStore,
        posts: PostStore,
        leases: Leases,
        outbox: Outbox,
        clock: Clock,
    ) -> None:
        self._plan = plan
        self._source = source
        self._assembler = assembler
        self._store = store
        self._marks = marks
        self._posts = posts
        self._leases = leases
        self._outbox = outbox
        self._clock = clock
        # Of this process alone: after a restart a finding is over two looks later.
        self._healthy: Counter[str] = Counter()

    async def look(self) -> None:
        """Tell what is urgent now, and of what was told what is over.

        Raises:
            OpsbotError: A part of it failed; the next look makes up for it.
        """
        schedule = self._plan.schedule
        # The first digest of all tells everything, and one that is being made may tell this.
        is_first = await self._store.last_committed_end(schedule) is None
        if is_first or await self._is_digest_under_way():
            return
        async with self._leases.hold(f"urgent of {schedule}", LEASE_SECONDS) as is_held:
            if is_held:
                try:
                    async with asyncio.timeout(LIMIT_SECONDS):
                        await self._look()
                except TimeoutError:
                    log.warning("the look for urgent findings of %s took too long", schedule)
        await self._outbox.deliver(schedule)

    async def _is_digest_under_way(self) -> bool:
        newest = await self._store.last_try(self._plan.schedule)
        if newest is None or not newest.is_held or newest.claimed_at is None:
            return False
        return self._clock.now() - newest.claimed_at < _DIGEST_TAKES

    async def _look(self) -> None:
        plan, now = self._plan, self._clock.now()
        collected = await self._source.collect(TimeRange(now - _LOOK_BACK, now), plan.scope)
        now = self._clock.now()
        histories = await self._store.history(plan.schedule)
        marks = await self._marks.all(plan.schedule)
        critical = _critical(collected)
        posts = await self._posts.urgent(plan.schedule, now - _back_within(critical.findings))
        posts = [post for post in posts if _may_go_on(post, now)]
        changes = with_marks(diff(histories, critical, now), marks, now)
        for post in posts:
            if post.posted_ts:
                await self._follow(post, collected, marks, now)
        new = untold(changes, histories, posts)
        if new:
            await self._tell(new, collected, posts, now)

    async def _follow(
        self, post: Post, collected: Collected, marks: Mapping[str, Marks], now: datetime
    ) -> None:
        """Tell in its place what is over, and what is back."""
        found = {finding.identity for finding in collected.findings}
        folded = Folded.by(collected.findings)
        for item in post.digest.items:
            identity, one = item.finding.identity, item.finding
            if identity in found or folded.hides(one) or is_unread(one, collected):
                self._healthy.pop(identity, None)
            else:
                self._healthy[identity] += 1
        over = {key for key, looks in self._healthy.items() if looks >= HEALTHY_LOOKS}
        back = {finding.identity for finding in _critical(collected).findings}
        digest = followed(post.digest, over, back)
        if digest == post.digest:
            return
        for identity in over:
            self._healthy.pop(identity, None)
        # First the message, then the note of it: cut short in between, it is done once more.
        await self._outbox.update(replace(post, digest=with_their_marks(digest, marks)))
        await self._posts.redo(post.key, digest, None if digest.items else now)

    async def _tell(
        self,
        new: Sequence[Change],
        collected: Collected,
        posts: Sequence[Post],
        now: datetime,
    ) -> None:
        recent = [post for post in posts if now - post.made_at < STORM_WITHIN]
        told = sum(len(post.digest.items) + len(post.digest.resolved) for post in recent)
        if told + len(new) < STORM_FROM:
            for change in new:
                await self._write_down(change.finding.identity, [change], collected, now)
            return
        storm = next((post for post in recent if len(post.digest.items) > 1), None)
        if storm is None or not storm.posted_ts:
            await self._write_down("storm", new, collected, now)
            return
        more = await self._assembled(storm.key, new, collected, now)
        digest = replace(storm.digest, items=(*storm.digest.items, *more.items))
        await self._outbox.update(replace(storm, digest=digest))
        await self._posts.redo(storm.key, digest, None)

    async def _write_down(
        self, name: str, changes: Sequence[Change], collected: Collected, now: datetime
    ) -> None:
        plan = self._plan
        key = f"{plan.schedule}!{name}@{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        digest = await self._assembled(key, changes, collected, now)
        await self._posts.add(
            Post(key, plan.schedule, "", plan.channel, digest, now, PostKind.URGENT)
        )

    async def _assembled(
        self, key: str, changes: Sequence[Change], collected: Collected, now: datetime
    ) -> Digest:
        frame = Frame(
            self._plan.schedule, key, TimeRange(now - STORM_WITHIN, now), self._plan.scope
        )
        told = Diff((), tuple(replace(change, is_flapping=False) for change in changes), ())
        return await self._assembler.assemble(frame, replace(collected, gaps=()), told)


def untold(
    changes: Diff, histories: Mapping[str, FindingHistory], posts: Sequence[Post]
) -> list[Change]:
    """Those that neither a digest nor a message of their own has told as critical.

    Args:
        changes: Of the critical findings, against what digests told; muted ones are apart.
        histories: What digests told, by identity.
        posts: Messages that are open, or were lately.
    """
    known = {
        item.finding.identity
        for post in posts
        for item in (*post.digest.items, *post.digest.resolved)
    }
    return [
        change
        for change in changes.active
        if change.finding.identity not in known
        and not _is_told(histories.get(change.finding.identity))
    ]


def followed(digest: Digest, over: Collection[str], back: Collection[str]) -> Digest:
    """An urgent message's digest, with what is over moved to `resolved`, and back again."""
    items = [item for item in digest.items if item.finding.identity not in over]
    items += [
        replace(item, state=ItemState.REGRESSED)
        for item in digest.resolved
        if item.finding.identity in back
    ]
    resolved = [item for item in digest.resolved if item.finding.identity not in back]
    resolved += [
        replace(item, state=ItemState.RESOLVED)
        for item in digest.items
        if item.finding.identity in over
    ]
    return replace(digest, items=tuple(items), resolved=tuple(resolved))


def linked(digest: Digest, told: Sequence[Post]) -> Digest:
    """The digest, its items with the messages that told them as they came."""
    messages = {
        item.finding.identity: post.posted_ts
        for post in told
        for item in (*post.digest.items, *post.digest.resolved)
    }

    def told_by(items: Sequence[DigestItem]) -> tuple[DigestItem, ...]:
        return tuple(
            replace(item, told_ts=messages.get(item.finding.identity, "")) for item in items
        )

    return replace(digest, items=told_by(digest.items), resolved=told_by(digest.resolved))


def with_their_marks(digest: Digest, marks: Mapping[str, Marks]) -> Digest:
    """The same digest; each item has what people said of it."""

    def marked(item: DigestItem) -> DigestItem:
        return replace(item, marks=marks.get(item.finding.identity, Marks()))

    return replace(digest, items=tuple(marked(item) for item in digest.items))


def _is_told(history: FindingHistory | None) -> bool:
    return (
        history is not None
        and history.resolved_at is None
        and history.finding.severity is Severity.CRITICAL
    )


def _back_within(findings: Iterable[Finding]) -> timedelta:
    """How long after its end the return of any of these is told where it was told before."""
    longest = max((finding.cooldown_seconds for finding in findings), default=0)
    return max(BACK_WITHIN, timedelta(seconds=longest))


def _may_go_on(post: Post, now: datetime) -> bool:
    over = (item.finding for item in post.digest.resolved)
    return post.closed_at is None or now - post.closed_at < _back_within(over)


def _critical(collected: Collected) -> Collected:
    findings = tuple(one for one in collected.findings if one.severity is Severity.CRITICAL)
    return replace(collected, findings=findings)
