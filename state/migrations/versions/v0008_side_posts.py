"""Messages beside the digest's own, and leases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create both tables."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "side_posts",
        sa.Column("key", sa.String(255), primary_key=True),
        sa.Column("schedule", sa.String(64), nullable=False, index=True),
        sa.Column("slot", sa.String(128), nullable=False),
        sa.Column("channel", sa.String(64), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("made_at", moment, nullable=False, index=True),
        sa.Column("tried_at", moment),
        sa.Column("posted_ts", sa.String(64), nullable=False),
        sa.Column("closed_at", moment),
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.String(128), primary_key=True),
        sa.Column("holder", sa.String(64), nullable=False),
        sa.Column("ends_at", moment, nullable=False),
    )


def downgrade() -> None:
    """Drop both."""
    op.drop_table("leases")
    op.drop_table("side_posts")
