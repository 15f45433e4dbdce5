"""Findings that are over, kept after the digests have forgotten them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create their table."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "past_findings",
        sa.Column("schedule", sa.String(64), primary_key=True),
        sa.Column("identity", sa.String(64), primary_key=True),
        sa.Column("resolved_at", moment, primary_key=True),
        sa.Column("cluster", sa.String(255), nullable=False),
        sa.Column("namespace", sa.String(255), nullable=False),
        sa.Column("history", sa.Text(), nullable=False),
    )
    op.create_index("ix_past_findings_resolved_at", "past_findings", ["resolved_at"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("past_findings")
