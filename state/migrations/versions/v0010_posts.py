"""Messages of digests, the threads below them included, in place of those beside them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_INDEXED = ("made_at", "schedule")


def upgrade() -> None:
    """Let a message have a kind and a parent; what there is has none."""
    _rename("side_posts", "posts")
    op.add_column("posts", sa.Column("kind", sa.String(16), nullable=False, server_default=""))
    op.add_column("posts", sa.Column("parent", sa.String(255), nullable=False, server_default=""))
    op.execute("UPDATE posts SET kind = CASE slot WHEN '' THEN 'urgent' ELSE 'digest' END")
    with op.batch_alter_table("posts") as table:
        table.alter_column("kind", server_default=None)
        table.alter_column("parent", server_default=None)


def downgrade() -> None:
    """Keep what stands beside digests."""
    op.execute("DELETE FROM posts WHERE parent <> '' OR key = slot")
    with op.batch_alter_table("posts") as table:
        table.drop_column("kind")
        table.drop_column("parent")
    _rename("posts", "side_posts")


def _rename(old: str, new: str) -> None:
    for column in _INDEXED:
        op.drop_index(f"ix_{old}_{column}", table_name=old)
    op.rename_table(old, new)
    for column in _INDEXED:
        op.create_index(f"ix_{new}_{column}", new, [column])
