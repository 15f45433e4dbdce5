"""Who asked for an answer, and the channels in which the bot has introduced itself."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; create the table."""
    with op.batch_alter_table("answers") as table:
        # Of answers kept before nobody is known to have asked for them.
        table.add_column(sa.Column("asker", sa.String(64), nullable=False, server_default=""))
    with op.batch_alter_table("answers") as table:
        table.alter_column("asker", server_default=None)
        table.create_index("ix_answers_asker", ["asker"])
    op.create_table(
        "greetings",
        sa.Column("team", sa.String(64), primary_key=True),
        sa.Column("channel", sa.String(64), primary_key=True),
        sa.Column("greeted_at", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    """Drop both."""
    op.drop_table("greetings")
    with op.batch_alter_table("answers") as table:
        table.drop_index("ix_answers_asker")
        table.drop_column("asker")
