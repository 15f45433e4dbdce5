"""What the digest needs from the rest: findings, passages, a place to remember, a place to post."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from core.answers import Lookup, Scope
from core.digests import (
    Digest,
    FindingHistory,
    Mark,
    Marks,
    Ownership,
    SlotClaim,
    SlotRecord,
    Wording,
)
from core.findings import Collected, Finding, ObjectRef
from core.posts import Post
from core.questions import Reading, TimeRange


class FindingSource(Protocol):
    """The clusters. Implemented by `cluster.collect`."""

    async def collect(self, window: TimeRange, scope: Scope) -> Collected:
        """All findings now, folded to one per owner and problem; failures are `gaps`."""
        ...


class Owners(Protocol):
    """The service graph. Implemented by `knowledge.graph`."""

    def ownership(self, owner: ObjectRef) -> Ownership:
        """By graph search; never guesses."""
        ...


class Runbooks(Protocol):
    """Search over what is written down. Implemented by `knowledge.library`."""

    async def look(self, reading: Reading, scope: Scope, limit: int = 8) -> Lookup:
        """Passages best first; failures are `gaps`."""
        ...


class Wordsmith(Protocol):
    """Words causes and fixes by a model. Implemented by `knowledge.wording`."""

    @property
    def model(self) -> str:
        """The model's name, or "extractive"."""
        ...

    async def word(
        self, items: Sequence[tuple[Finding, Lookup]]
    ) -> tuple[Mapping[str, Wording], str]:
        """Wordings by finding identity, and a note: '' or why some are missing. Never raises."""
        ...


class DigestStore(Protocol):
    """Memory of digests and findings. Implemented by `state.digests`."""

    async def last_committed_end(self, schedule: str) -> datetime | None:
        """End of the newest window that was posted, or None."""
        ...

    async def claim(self, schedule: str, slot: str, window: TimeRange) -> SlotClaim | None:
        """Take a slot, written before anything is posted. None: posted, or another holds it.

        A claim whose holder vanished can be taken again after two minutes, as a retry.
        """
        ...

    async def unfinished(self, schedule: str) -> Sequence[tuple[str, TimeRange]]:
        """Slots prepared but never committed, after the last committed one, oldest first."""
        ...

    async def last_try(self, schedule: str) -> SlotRecord | None:
        """How the newest slot went; None where there was none."""
        ...

    async def last_full(self, schedule: str, since: datetime) -> str:
        """The ts of the newest message since then that listed everything, or ''."""
        ...

    async def prepare(
        self,
        claim: SlotClaim,
        histories: Sequence[FindingHistory] | None,
        *,
        is_full: bool = False,
        posts: Sequence[Post] = (),
    ) -> None:
        """Written before posting: what will have been told. None: it was not posted after all."""
        ...

    async def prepared(self, claim: SlotClaim) -> Sequence[FindingHistory] | None:
        """What an earlier try of this slot was about to tell, or None."""
        ...

    async def history(self, schedule: str) -> dict[str, FindingHistory]:
        """What this schedule's committed digests have told, by identity."""
        ...

    async def commit(
        self, claim: SlotClaim, posted_ts: str, histories: Sequence[FindingHistory]
    ) -> None:
        """In one transaction: the slot is posted, and these are the histories now."""
        ...

    async def renew(self, claim: SlotClaim) -> None:
        """Say that its holder is alive."""
        ...

    async def release(self, claim: SlotClaim) -> None:
        """Give a claim back after a failure, so that the next tick can try again at once."""
        ...


class PostStore(Protocol):
    """Messages that are to be posted, and those that were. Implemented by `state.posts`."""

    async def add(self, post: Post) -> None:
        """Write down a message that belongs to no slot; one that is there already stays."""
        ...

    async def get(self, key: str) -> Post | None:
        """A message by its key."""
        ...

    async def due(self, schedule: str) -> Sequence[Post]:
        """What can be posted now, oldest first.

        Of committed slots and of no slot; what stands in a thread once its parent is posted.
        """
        ...

    async def urgent(self, schedule: str, since: datetime) -> Sequence[Post]:
        """Those of no slot that are open, or were closed or made since then, oldest first."""
        ...

    async def trying(self, key: str) -> None:
        """Note that a message may be posted from now on."""
        ...

    async def posted(self, key: str, ts: str) -> None:
        """Note that it was."""
        ...

    async def redo(self, key: str, digest: Digest, closed_at: datetime | None) -> None:
        """Change what a message tells; closed: there is nothing more to come."""
        ...


class Leases(Protocol):
    """Work that one process at a time may do. Implemented by `state.leases`."""

    def hold(self, name: str, seconds: float) -> AbstractAsyncContextManager[bool]:
        """Hold a lease while the block runs; False: somebody else has it."""
        ...


class ErrorCounts(Protocol):
    """How many errors there were when. Implemented by `state.errorcounts`."""

    async def over(
        self, clusters: Collection[str], window: TimeRange, scope: Scope
    ) -> tuple[tuple[datetime, int], ...]:
        """Start of each of twelve equal parts of a window, and its count; () where not kept."""
        ...


class MarkStore(Protocol):
    """What people said of findings. Implemented by `state.marks`."""

    async def all(self, schedule: str) -> Mapping[str, Marks]:
        """The marks of a schedule's findings, by identity."""
        ...

    async def drop(self, schedule: str, identity: str, mark: Mark) -> None:
        """Forget this mark; one that was made since then stays."""
        ...


class Seen(Protocol):
    """Memory of what was there when. Implemented by `state.past`."""

    async def seen(self, period: TimeRange, scope: Scope) -> Sequence[FindingHistory]:
        """Findings that were there in a period, one for each time, within the scope."""
        ...


class Past(Protocol):
    """Memory of what was told as over. Implemented by `state.past`."""

    async def resolved(self, scope: Scope, limit: int) -> Sequence[FindingHistory]:
        """Findings that are over, newest first, within the scope."""
        ...


LEFT_OUT = "left out"


class Poster(Protocol):
    """A channel, where digests go. Implemented by `bot.poster`."""

    async def find(self, post: Post) -> str | None:
        """The ts of the message as which it was posted already, or None."""
        ...

    async def send(self, post: Post) -> str:
        """Post it; gives its ts, or `LEFT_OUT` where the channel takes no such thing."""
        ...

    async def update(self, post: Post) -> None:
        """Let a message that was posted tell what it tells now."""
        ...
