"""Events and alerts as they come, and when Events were read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create their tables."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "events",
        sa.Column("cluster", sa.String(64), primary_key=True),
        sa.Column("uid", sa.String(128), primary_key=True),
        sa.Column("version", sa.String(64), primary_key=True),
        sa.Column("count", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("count_change", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(128), nullable=False),
        sa.Column("namespace", sa.String(255), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("involved_uid", sa.String(255), nullable=False),
        sa.Column("type", sa.String(32), nullable=False),
        sa.Column("reason", sa.String(255), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("first_seen", moment, nullable=False),
        sa.Column("last_seen", moment, nullable=False),
    )
    op.create_index("ix_events_last_seen", "events", ["last_seen"])
    op.create_table(
        "event_coverage",
        sa.Column("cluster", sa.String(64), primary_key=True),
        sa.Column("start", moment, primary_key=True),
        sa.Column("end", moment, nullable=False),
    )
    op.create_index("ix_event_coverage_end", "event_coverage", ["end"])
    op.create_table(
        "alerts",
        sa.Column("fingerprint", sa.String(64), primary_key=True),
        sa.Column("starts_at", moment, primary_key=True),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("is_firing", sa.Boolean(), nullable=False),
        sa.Column("alert", sa.Text(), nullable=False),
        sa.Column("seen_at", moment, nullable=False),
    )
    op.create_index("ix_alerts_seen_at", "alerts", ["seen_at"])


def downgrade() -> None:
    """Drop them."""
    for table in ("alerts", "event_coverage", "events"):
        op.drop_table(table)
