"""The tables, as the newest migration leaves them; a test compares the two."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Dialect,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)
from sqlalchemy.types import TypeDecorator

metadata = MetaData()


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC in and out; SQLite itself keeps no zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC, without the zone where the database cannot keep it."""
        if value is None:
            return None
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002  (the base class's signature)
    ) -> datetime | None:
        """As aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


deliveries = Table(
    "deliveries",
    metadata,
    Column("key", String(255), primary_key=True),
    Column("seen_at", UtcDateTime(), nullable=False, index=True),
)

answers = Table(
    "answers",
    metadata,
    Column("reference", String(64), primary_key=True),
    Column("channel", String(64), nullable=False),
    Column("scope", Text(), nullable=False),
    Column("answer", Text(), nullable=False),
    Column("asker", String(64), nullable=False, index=True),
    Column("thread_ts", String(64), nullable=False, index=True),
    Column("created_at", UtcDateTime(), nullable=False, index=True),
    Column("shared_at", UtcDateTime()),
)

# Channels in which the bot has said what it does there.
greetings = Table(
    "greetings",
    metadata,
    Column("team", String(64), primary_key=True),
    Column("channel", String(64), primary_key=True),
    Column("greeted_at", UtcDateTime(), nullable=False),
)

# No foreign key to answers: what people thought of an answer outlives its text.
votes = Table(
    "votes",
    metadata,
    Column("reference", String(64), primary_key=True),
    Column("voter", String(64), primary_key=True),
    Column("is_helpful", Boolean(), nullable=False),
    Column("comment", Text(), nullable=False),
    Column("voted_at", UtcDateTime(), nullable=False, index=True),
)

# What an answer was made of, once somebody has voted on it; `kept_at` makes knowledge of it.
judged_answers = Table(
    "judged_answers",
    metadata,
    Column("reference", String(64), primary_key=True),
    Column("channel", String(64), nullable=False, index=True),
    Column("scope", Text(), nullable=False),
    Column("question", Text(), nullable=False),
    Column("text", Text(), nullable=False),
    Column("model", String(255), nullable=False),
    Column("passages", Text(), nullable=False),
    Column("judged_at", UtcDateTime(), nullable=False, index=True),
    Column("kept_by", String(64), nullable=False),
    Column("kept_at", UtcDateTime()),
)

# Answers under way, so that one that breaks off with its process can be told as interrupted.
open_answers = Table(
    "open_answers",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("channel", String(64), nullable=False),
    Column("thread_ts", String(64), nullable=False),
    Column("message_ts", String(64), nullable=False),
    Column("response_url", Text(), nullable=False),
    Column("is_replaced", Boolean(), nullable=False),
    Column("holder", String(64), nullable=False),
    Column("seen_at", UtcDateTime(), nullable=False, index=True),
)

digest_slots = Table(
    "digest_slots",
    metadata,
    Column("schedule", String(64), primary_key=True),
    Column("slot", String(128), primary_key=True),
    Column("window_start", UtcDateTime(), nullable=False),
    Column("window_end", UtcDateTime(), nullable=False, index=True),
    Column("claimed_at", UtcDateTime()),
    Column("claimed_by", String(64), nullable=False),
    # Histories as they will be once the message that is being posted has been posted.
    Column("prepared", Text()),
    # Whether its message lists everything, so that later ones may refer to it.
    Column("is_full", Boolean()),
    Column("posted_ts", String(64), nullable=False),
    Column("committed_at", UtcDateTime()),
)

# One row a kind: the newest mute, known issue and acknowledgement of a finding.
finding_marks = Table(
    "finding_marks",
    metadata,
    Column("schedule", String(64), primary_key=True),
    Column("identity", String(64), primary_key=True),
    Column("kind", String(32), primary_key=True),
    Column("mark", Text(), nullable=False),
    Column("made_at", UtcDateTime(), nullable=False, index=True),
)

# Messages that are to be posted once: digests, what stands in their threads, and urgent ones. Those
# of a slot, but its first, wait until it is committed; those of a thread until that is begun.
posts = Table(
    "posts",
    metadata,
    Column("key", String(255), primary_key=True),
    Column("schedule", String(64), nullable=False, index=True),
    Column("slot", String(128), nullable=False),
    Column("channel", String(64), nullable=False),
    Column("content", Text(), nullable=False),
    Column("made_at", UtcDateTime(), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("parent", String(255), nullable=False),
    Column("tried_at", UtcDateTime()),
    Column("posted_ts", String(64), nullable=False),
    Column("closed_at", UtcDateTime()),
)

leases = Table(
    "leases",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("holder", String(64), nullable=False),
    Column("ends_at", UtcDateTime(), nullable=False),
)

findings = Table(
    "findings",
    metadata,
    Column("schedule", String(64), primary_key=True),
    Column("identity", String(64), primary_key=True),
    Column("history", Text(), nullable=False),
    Column("updated_at", UtcDateTime(), nullable=False),
)

# What was told as over, for as long as `state.retention` says; `findings` forgets it sooner.
past_findings = Table(
    "past_findings",
    metadata,
    Column("schedule", String(64), primary_key=True),
    Column("identity", String(64), primary_key=True),
    Column("resolved_at", UtcDateTime(), primary_key=True, index=True),
    Column("cluster", String(255), nullable=False),
    Column("namespace", String(255), nullable=False),
    Column("history", Text(), nullable=False),
)

# One row a sighting: an Event that recurs is another row, with what its count grew by.
events = Table(
    "events",
    metadata,
    Column("cluster", String(64), primary_key=True),
    Column("uid", String(128), primary_key=True),
    Column("version", String(64), primary_key=True),
    Column("count", Integer(), primary_key=True, autoincrement=False),
    Column("count_change", Integer(), nullable=False),
    Column("kind", String(128), nullable=False),
    Column("namespace", String(255), nullable=False),
    Column("name", String(255), nullable=False),
    Column("involved_uid", String(255), nullable=False),
    Column("type", String(32), nullable=False),
    Column("reason", String(255), nullable=False),
    Column("message", Text(), nullable=False),
    Column("first_seen", UtcDateTime(), nullable=False),
    Column("last_seen", UtcDateTime(), nullable=False, index=True),
)

# Spans of time in which all Events of a cluster were read.
event_coverage = Table(
    "event_coverage",
    metadata,
    Column("cluster", String(64), primary_key=True),
    Column("start", UtcDateTime(), primary_key=True),
    Column("end", UtcDateTime(), nullable=False, index=True),
)

alerts = Table(
    "alerts",
    metadata,
    Column("fingerprint", String(64), primary_key=True),
    Column("starts_at", UtcDateTime(), primary_key=True),
    Column("name", String(255), nullable=False),
    Column("is_firing", Boolean(), nullable=False),
    Column("alert", Text(), nullable=False),
    Column("seen_at", UtcDateTime(), nullable=False, index=True),
)

# The key is a hash of workload and template, which together are too long for an index.
log_templates = Table(
    "log_templates",
    metadata,
    Column("cluster", String(64), primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("namespace", String(255), nullable=False),
    Column("kind", String(128), nullable=False),
    Column("name", String(255), nullable=False),
    Column("template", Text(), nullable=False),
    Column("first_seen", UtcDateTime(), nullable=False),
    Column("last_seen", UtcDateTime(), nullable=False),
    Column("is_normal", Boolean(), nullable=False),
)
