"""Forgets what is no longer needed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Column, Table, delete

from state.database import Database
from state.tables import (
    alerts,
    answers,
    deliveries,
    digest_slots,
    event_coverage,
    events,
    finding_marks,
    judged_answers,
    open_answers,
    past_findings,
    posts,
    votes,
)


@dataclass(frozen=True, slots=True)
class Retention:
    """How long each kind of row is kept."""

    deliveries: timedelta = timedelta(hours=48)
    answers: timedelta = timedelta(days=7)
    votes: timedelta = timedelta(days=365)
    digest_slots: timedelta = timedelta(days=90)
    past_findings: timedelta = timedelta(days=365)
    finding_marks: timedelta = timedelta(days=730)
    posts: timedelta = timedelta(days=90)
    judged_answers: timedelta = timedelta(days=365)
    events: timedelta = timedelta(days=3)
    alerts: timedelta = timedelta(days=30)


async def purge(
    database: Database,
    now: datetime,
    retention: Retention = Retention(),
) -> dict[str, int]:
    """Delete what is older than `retention` says; gives the number of rows gone per table.

    Raises:
        StateError: The database failed.
    """
    aged: tuple[tuple[Table, Column[datetime], timedelta], ...] = (
        (deliveries, deliveries.c.seen_at, retention.deliveries),
        (answers, answers.c.created_at, retention.answers),
        (open_answers, open_answers.c.seen_at, retention.deliveries),
        (votes, votes.c.voted_at, retention.votes),
        (judged_answers, judged_answers.c.judged_at, retention.judged_answers),
        (digest_slots, digest_slots.c.window_end, retention.digest_slots),
        (finding_marks, finding_marks.c.made_at, retention.finding_marks),
        (posts, posts.c.made_at, retention.posts),
        (past_findings, past_findings.c.resolved_at, retention.past_findings),
        (events, events.c.last_seen, retention.events),
        (event_coverage, event_coverage.c.end, retention.events),
        (alerts, alerts.c.seen_at, retention.alerts),
    )
    gone: dict[str, int] = {}
    for table, moment, age in aged:
        async with database.write(f"purge old {table.name}") as connection:
            result = await connection.execute(delete(table).where(moment < now - age))
        gone[table.name] = result.rowcount
    return gone
