"""Deliveries, answers, votes, digest slots and findings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the first tables."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "deliveries",
        sa.Column("key", sa.String(255), primary_key=True),
        sa.Column("seen_at", moment, nullable=False),
    )
    op.create_index("ix_deliveries_seen_at", "deliveries", ["seen_at"])
    op.create_table(
        "answers",
        sa.Column("reference", sa.String(64), primary_key=True),
        sa.Column("channel", sa.String(64), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("shared_at", moment),
    )
    op.create_index("ix_answers_created_at", "answers", ["created_at"])
    op.create_table(
        "votes",
        sa.Column("reference", sa.String(64), primary_key=True),
        sa.Column("voter", sa.String(64), primary_key=True),
        sa.Column("is_helpful", sa.Boolean(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("voted_at", moment, nullable=False),
    )
    op.create_index("ix_votes_voted_at", "votes", ["voted_at"])
    op.create_table(
        "digest_slots",
        sa.Column("schedule", sa.String(64), primary_key=True),
        sa.Column("slot", sa.String(128), primary_key=True),
        sa.Column("window_start", moment, nullable=False),
        sa.Column("window_end", moment, nullable=False),
        sa.Column("claimed_at", moment),
        sa.Column("claimed_by", sa.String(64), nullable=False),
        sa.Column("prepared", sa.Text()),
        sa.Column("posted_ts", sa.String(64), nullable=False),
        sa.Column("committed_at", moment),
    )
    op.create_index("ix_digest_slots_window_end", "digest_slots", ["window_end"])
    op.create_table(
        "findings",
        sa.Column("schedule", sa.String(64), primary_key=True),
        sa.Column("identity", sa.String(64), primary_key=True),
        sa.Column("history", sa.Text(), nullable=False),
        sa.Column("updated_at", moment, nullable=False),
    )


def downgrade() -> None:
    """Drop them all."""
    for table in ("findings", "digest_slots", "votes", "answers", "deliveries"):
        op.drop_table(table)
