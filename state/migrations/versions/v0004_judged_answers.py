"""What answers were made of, kept with the votes on them, and which of them became knowledge."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create their table."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "judged_answers",
        sa.Column("reference", sa.String(64), primary_key=True),
        sa.Column("channel", sa.String(64), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("model", sa.String(255), nullable=False),
        sa.Column("passages", sa.Text(), nullable=False),
        sa.Column("judged_at", moment, nullable=False),
        sa.Column("kept_by", sa.String(64), nullable=False),
        sa.Column("kept_at", moment),
    )
    op.create_index("ix_judged_answers_channel", "judged_answers", ["channel"])
    op.create_index("ix_judged_answers_judged_at", "judged_answers", ["judged_at"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("judged_answers")
