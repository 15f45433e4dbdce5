"""What digests have told, and who may post the next one. Fits `digest.ports.DigestStore`."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Update, delete, func, or_, select, update

from core.clock import Clock
from core.digests import FindingHistory, SlotClaim, SlotRecord
from core.errors import StateError
from core.posts import Post
from core.questions import TimeRange
from state.database import Database
from state.past import past_rows
from state.posts import post_row
from state.tables import digest_slots, findings, past_findings
from state.tables import posts as post_rows

# A holder that was not heard of for so long is taken for dead.
CLAIM_LASTS = timedelta(minutes=2)


class SqlDigestStore:
    """Slots and histories in SQL. A claim is written before anything is posted."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def last_committed_end(self, schedule: str) -> datetime | None:
        """End of the newest window that was posted, or None.

        Raises:
            StateError: The database failed.
        """
        query = select(func.max(digest_slots.c.window_end)).where(
            digest_slots.c.schedule == schedule, digest_slots.c.committed_at.is_not(None)
        )
        async with self._database.read("look up the last digest") as connection:
            end: datetime | None = (await connection.execute(query)).scalar_one()
        return end

    async def claim(self, schedule: str, slot: str, window: TimeRange) -> SlotClaim | None:
        """Take a slot. None: posted, or another holds it.

        A claim that was given back, or whose holder was not heard of for two minutes, can be
        taken again as a retry; it then keeps the window of the first try.

        Raises:
            StateError: The database failed.
        """
        now, holder = self._clock.now(), secrets.token_hex(8)
        slots = digest_slots.c
        first = (
            self._database.insert(digest_slots)
            .values(
                schedule=schedule,
                slot=slot,
                window_start=window.start,
                window_end=window.end,
                claimed_at=now,
                claimed_by=holder,
                posted_ts="",
            )
            .on_conflict_do_nothing()
        )
        again = (
            update(digest_slots)
            .where(
                slots.schedule == schedule,
                slots.slot == slot,
                slots.committed_at.is_(None),
                or_(slots.claimed_at.is_(None), slots.claimed_at <= now - CLAIM_LASTS),
            )
            .values(claimed_at=now, claimed_by=holder)
            .returning(slots.window_start, slots.window_end)
        )
        async with self._database.write(f"claim the digest {slot}") as connection:
            if (await connection.execute(first)).rowcount == 1:
                return SlotClaim(schedule, slot, window, is_retry=False, holder=holder)
            row = (await connection.execute(again)).first()
        if row is None:
            return None
        kept = TimeRange(row.window_start, row.window_end)
        return SlotClaim(schedule, slot, kept, is_retry=True, holder=holder)

    async def unfinished(self, schedule: str) -> list[tuple[str, TimeRange]]:
        """Slots that were about to be posted and never committed, oldest first, with windows.

        Only those after the last committed one: what came before it no longer matters.

        Raises:
            StateError: The database failed.
        """
        last = await self.last_committed_end(schedule)
        slots = digest_slots.c
        query = (
            select(slots.slot, slots.window_start, slots.window_end)
            .where(
                slots.schedule == schedule,
                slots.committed_at.is_(None),
                slots.prepared.is_not(None),
            )
            .order_by(slots.window_end)
        )
        if last is not None:
            query = query.where(slots.window_end > last)
        async with self._database.read("look for digests that were cut short") as connection:
            rows = (await connection.execute(query)).all()
        return [(row.slot, TimeRange(row.window_start, row.window_end)) for row in rows]

    async def last_try(self, schedule: str) -> SlotRecord | None:
        """How the newest slot went; None where there was none.

        Raises:
            StateError: The database failed.
        """
        slots = digest_slots.c
        query = (
            select(slots.window_end, slots.committed_at, slots.posted_ts, slots.claimed_at)
            .where(slots.schedule == schedule)
            .order_by(slots.window_end.desc())
            .limit(1)
        )
        async with self._database.read("look up the newest digest") as connection:
            found = (await connection.execute(query)).first()
        if found is None:
            return None
        oldest = self._clock.now() - CLAIM_LASTS
        is_fresh = found.claimed_at is not None and found.claimed_at > oldest
        return SlotRecord(
            found.window_end,
            found.committed_at,
            found.posted_ts,
            is_held=is_fresh and found.committed_at is None,
            claimed_at=found.claimed_at,
        )

    async def last_full(self, schedule: str, since: datetime) -> str:
        """The ts of the newest message since then that listed everything, or ''.

        Raises:
            StateError: The database failed.
        """
        slots = digest_slots.c
        query = (
            select(slots.posted_ts)
            .where(
                slots.schedule == schedule,
                slots.committed_at.is_not(None),
                slots.is_full,
                slots.posted_ts != "",
                slots.window_end >= since,
            )
            .order_by(slots.window_end.desc())
            .limit(1)
        )
        async with self._database.read("look up the last full digest") as connection:
            return (await connection.execute(query)).scalar_one_or_none() or ""

    async def prepare(
        self,
        claim: SlotClaim,
        histories: Sequence[FindingHistory] | None,
        *,
        is_full: bool = False,
        posts: Sequence[Post] = (),
    ) -> None:
        """Write down, before posting, what will have been told; None: it was not posted after all.

        With its messages, and whether it lists everything.

        Raises:
            StateError: The database failed, or the claim was lost to another process.
        """
        text = None
        if histories is not None:
            text = msgspec.json.encode(list(histories)).decode()
        async with self._database.write(f"prepare the digest {claim.slot}") as connection:
            statement = self._own(claim).values(prepared=text, is_full=is_full)
            if (await connection.execute(statement)).rowcount != 1:
                raise _lost(f"prepare the digest {claim.slot}")
            # Those of an earlier try: its digest was never committed, so they were not due.
            mine = (post_rows.c.schedule == claim.schedule, post_rows.c.slot == claim.slot)
            await connection.execute(delete(post_rows).where(*mine))
            if posts:
                await connection.execute(post_rows.insert(), [post_row(post) for post in posts])

    async def prepared(self, claim: SlotClaim) -> tuple[FindingHistory, ...] | None:
        """What an earlier try was about to tell, or None.

        Raises:
            StateError: The database failed.
        """
        query = select(digest_slots.c.prepared).where(
            digest_slots.c.schedule == claim.schedule, digest_slots.c.slot == claim.slot
        )
        async with self._database.read(f"look up the digest {claim.slot}") as connection:
            text = (await connection.execute(query)).scalar_one_or_none()
        if text is None:
            return None
        try:
            return msgspec.json.decode(text, type=tuple[FindingHistory, ...])
        except (msgspec.ValidationError, msgspec.DecodeError):
            return None

    async def history(self, schedule: str) -> dict[str, FindingHistory]:
        """What this schedule's committed digests have told, by identity.

        A history that another version wrote and this one cannot read is left out: its finding
        is told as new once more.

        Raises:
            StateError: The database failed.
        """
        query = select(findings.c.identity, findings.c.history).where(
            findings.c.schedule == schedule
        )
        async with self._database.read("read what digests have told") as connection:
            rows = (await connection.execute(query)).all()
        histories: dict[str, FindingHistory] = {}
        for row in rows:
            try:
                histories[row.identity] = msgspec.json.decode(row.history, type=FindingHistory)
            except (msgspec.ValidationError, msgspec.DecodeError):
                continue
        return histories

    async def commit(
        self, claim: SlotClaim, posted_ts: str, histories: Sequence[FindingHistory]
    ) -> None:
        """In one transaction: the slot is posted, and these are the schedule's histories now.

        Raises:
            StateError: The database failed, or the claim was lost to another process.
        """
        now = self._clock.now()
        posted = self._own(claim).values(posted_ts=posted_ts, committed_at=now, prepared=None)
        rows = [
            {
                "schedule": claim.schedule,
                "identity": history.identity,
                "history": msgspec.json.encode(history).decode(),
                "updated_at": now,
            }
            for history in histories
        ]
        async with self._database.write(f"remember the digest {claim.slot}") as connection:
            if (await connection.execute(posted)).rowcount != 1:
                raise _lost(f"remember the digest {claim.slot}")
            await connection.execute(delete(findings).where(findings.c.schedule == claim.schedule))
            if rows:
                await connection.execute(findings.insert(), rows)
            if over := past_rows(claim.schedule, histories):
                kept = self._database.insert(past_findings).on_conflict_do_nothing()
                await connection.execute(kept, over)

    async def renew(self, claim: SlotClaim) -> None:
        """Say that the holder is alive.

        Raises:
            StateError: The database failed.
        """
        async with self._database.write(f"renew the claim on {claim.slot}") as connection:
            await connection.execute(self._own(claim).values(claimed_at=self._clock.now()))

    async def release(self, claim: SlotClaim) -> None:
        """Give a claim back, so that the next tick can try again at once.

        Raises:
            StateError: The database failed.
        """
        async with self._database.write(f"give back the digest {claim.slot}") as connection:
            await connection.execute(self._own(claim).values(claimed_at=None))

    @staticmethod
    def _own(claim: SlotClaim) -> Update:
        slots = digest_slots.c
        return update(digest_slots).where(
            slots.schedule == claim.schedule,
            slots.slot == claim.slot,
            slots.claimed_by == claim.holder,
            slots.committed_at.is_(None),
        )


def _lost(asked: str) -> StateError:
    return StateError(
        asked,
        "another process has taken it over",
        "Run one scheduler only; the other process goes on with it.",
    )
