"""What the digest needs from the rest: findings, passages, a place to remember, a place to post."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from core.answers import Lookup, Scope
from core.digests import Digest, FindingHistory, Ownership, SlotClaim, Wording
from core.findings import Collected, Finding, ObjectRef
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

        A claim whose holder vanished can be taken again after ten minutes, as a retry.
        """
        ...

    async def unfinished(self, schedule: str) -> Sequence[tuple[str, TimeRange]]:
        """Slots prepared but never committed, after the last committed one, oldest first."""
        ...

    async def prepare(self, claim: SlotClaim, histories: Sequence[FindingHistory] | None) -> None:
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

    async def release(self, claim: SlotClaim) -> None:
        """Give a claim back after a failure, so that the next tick can try again at once."""
        ...


class Poster(Protocol):
    """Where digests go. Implemented by `bot.poster`."""

    async def find(self, slot: str) -> str | None:
        """The ts of the message that carries this slot in its metadata, or None."""
        ...

    async def post(self, digest: Digest) -> str:
        """Post it, items as replies in its thread; gives the parent's ts."""
        ...
