"""Within which limits answers were made, and which answers are under way."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Kept before there were scopes: as wide as can be, so no longer used where there are limits.
_WIDEST = """'{"channel": "' || channel || '"}'"""


def upgrade() -> None:
    """Add the column to both tables of answers; create the table."""
    for name in ("answers", "judged_answers"):
        with op.batch_alter_table(name) as table:
            table.add_column(sa.Column("scope", sa.Text(), nullable=False, server_default=""))
        op.execute(f"UPDATE {name} SET scope = {_WIDEST}")  # noqa: S608  (two names of ours)
        with op.batch_alter_table(name) as table:
            table.alter_column("scope", server_default=None)
    op.create_table(
        "open_answers",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("channel", sa.String(64), nullable=False),
        sa.Column("thread_ts", sa.String(64), nullable=False),
        sa.Column("message_ts", sa.String(64), nullable=False),
        sa.Column("response_url", sa.Text(), nullable=False),
        sa.Column("is_replaced", sa.Boolean(), nullable=False),
        sa.Column("holder", sa.String(64), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_open_answers_seen_at", "open_answers", ["seen_at"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("open_answers")
    for name in ("answers", "judged_answers"):
        with op.batch_alter_table(name) as table:
            table.drop_column("scope")
