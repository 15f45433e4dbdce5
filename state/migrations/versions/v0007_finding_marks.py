"""What people said of findings, and which digests listed all of theirs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table and the column."""
    op.create_table(
        "finding_marks",
        sa.Column("schedule", sa.String(64), primary_key=True),
        sa.Column("identity", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(32), primary_key=True),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_finding_marks_made_at", "finding_marks", ["made_at"])
    op.add_column("digest_slots", sa.Column("is_full", sa.Boolean()))


def downgrade() -> None:
    """Drop both."""
    op.drop_column("digest_slots", "is_full")
    op.drop_table("finding_marks")
