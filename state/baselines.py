"""What workloads' logs say in good times. Implements `cluster.ports.BaselineStore`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256

from sqlalchemy import delete, select

from core.baseline import SeenTemplate
from state.database import Database
from state.tables import log_templates

_T = log_templates.c


class SqlBaselineStore:
    """A row for each template of each workload."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self, cluster: str) -> Sequence[SeenTemplate]:
        """All lines on a cluster's workloads.

        Raises:
            StateError: The database failed.
        """
        query = select(log_templates).where(_T.cluster == cluster)
        async with self._database.read("look up normal log errors") as connection:
            rows = (await connection.execute(query)).all()
        return [
            SeenTemplate(
                (row.cluster, row.namespace, row.kind, row.name),
                row.template,
                row.first_seen,
                row.last_seen,
                row.is_normal,
            )
            for row in rows
        ]

    async def save(
        self, cluster: str, lines: Sequence[SeenTemplate], forget_before: datetime
    ) -> None:
        """Add or replace lines, and drop those not seen since a moment.

        Raises:
            StateError: The database failed.
        """
        insert = self._database.insert(log_templates)
        statement = insert.on_conflict_do_update(
            index_elements=["cluster", "key"],
            set_={name: insert.excluded[name] for name in ("last_seen", "is_normal")},
        )
        old = delete(log_templates).where(_T.cluster == cluster, _T.last_seen < forget_before)
        async with self._database.write("keep normal log errors") as connection:
            await connection.execute(old)
            if lines:
                await connection.execute(statement, [_row(line) for line in lines])


def _row(line: SeenTemplate) -> dict[str, object]:
    cluster, namespace, kind, name = line.owner
    return {
        "cluster": cluster,
        "key": sha256("\0".join((*line.owner, line.template)).encode()).hexdigest(),
        "namespace": namespace,
        "kind": kind,
        "name": name,
        "template": line.template,
        "first_seen": line.first_seen,
        "last_seen": line.last_seen,
        "is_normal": line.is_normal,
    }
