"""The thread that an answer stands in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it; of answers kept before nobody knows the thread."""
    with op.batch_alter_table("answers") as table:
        table.add_column(sa.Column("thread_ts", sa.String(64), nullable=False, server_default=""))
    with op.batch_alter_table("answers") as table:
        table.alter_column("thread_ts", server_default=None)
        table.create_index("ix_answers_thread_ts", ["thread_ts"])


def downgrade() -> None:
    """Drop it."""
    with op.batch_alter_table("answers") as table:
        table.drop_index("ix_answers_thread_ts")
        table.drop_column("thread_ts")
