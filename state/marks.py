"""What people said of findings. Fits `digest.ports.MarkStore` and `bot.services.MarkStore`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import msgspec
from sqlalchemy import delete, select

from core.digests import Acknowledgement, KnownIssue, Mark, Marks, Mute
from state.database import Database
from state.tables import finding_marks

# The column `kind` is the field of `Marks`.
_KINDS: Mapping[str, type[Mark]] = {
    "mute": Mute,
    "known_issue": KnownIssue,
    "acknowledgement": Acknowledgement,
}
_M = finding_marks.c


class SqlMarkStore:
    """Marks by schedule: what the readers of one channel say stays there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self, schedule: str) -> dict[str, Marks]:
        """The marks of a schedule's findings, by identity.

        What another version wrote and this one cannot read is left out.

        Raises:
            StateError: The database failed.
        """
        return await self._read(schedule)

    async def of(self, schedule: str, identity: str) -> Marks:
        """The marks of one finding.

        Raises:
            StateError: The database failed.
        """
        return (await self._read(schedule, identity)).get(identity, Marks())

    async def put(self, schedule: str, identity: str, mark: Mark) -> None:
        """Make a mark; an earlier one of its kind gives way.

        Raises:
            StateError: The database failed.
        """
        values = {"mark": msgspec.json.encode(mark).decode(), "made_at": mark.at}
        statement = (
            self._database.insert(finding_marks)
            .values(schedule=schedule, identity=identity, kind=_kind(mark), **values)
            .on_conflict_do_update(index_elements=["schedule", "identity", "kind"], set_=values)
        )
        async with self._database.write("remember what was said of a finding") as connection:
            await connection.execute(statement)

    async def drop(self, schedule: str, identity: str, mark: Mark) -> None:
        """Forget this mark; one that was made since then stays.

        Raises:
            StateError: The database failed.
        """
        statement = delete(finding_marks).where(
            _M.schedule == schedule,
            _M.identity == identity,
            _M.kind == _kind(mark),
            _M.made_at == mark.at,
        )
        async with self._database.write("forget what was said of a finding") as connection:
            await connection.execute(statement)

    async def _read(self, schedule: str, identity: str = "") -> dict[str, Marks]:
        query = select(_M.identity, _M.kind, _M.mark).where(_M.schedule == schedule)
        if identity:
            query = query.where(_M.identity == identity)
        async with self._database.read("look up what was said of findings") as connection:
            rows = (await connection.execute(query)).all()
        found: defaultdict[str, dict[str, Mark]] = defaultdict(dict)
        for row in rows:
            try:
                found[row.identity][row.kind] = msgspec.json.decode(row.mark, type=_KINDS[row.kind])
            except (KeyError, msgspec.ValidationError, msgspec.DecodeError):
                continue
        return {each: Marks(**marks) for each, marks in found.items()}  # type: ignore[arg-type]  # kinds are fields


def _kind(mark: Mark) -> str:
    return next(name for name, each in _KINDS.items() if isinstance(mark, each))
