"""CSV logs as a source: exact lines by `LogTable`, and the kinds of error lines as documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from core.errors import KnowledgeError
from knowledge.documents import Document, Entry, Listing, UnreadableError

if TYPE_CHECKING:
    from knowledge.logtable import LogTable


class LogSource:
    """All CSV logs that match a pattern.

    Args:
        place: The pattern, such as "logs/*.csv".
        columns: See `LogTable`.
    """

    kind = "csv-logs"

    def __init__(self, place: str, columns: Mapping[str, str] | None = None) -> None:
        # Imported here: reading lines takes many patterns, which a bot without logs need not make.
        from knowledge.logtable import LogTable  # noqa: PLC0415

        self.uri = f"csv-logs:{place}"
        self.table: LogTable = LogTable(place, columns)

    def listing(self) -> Listing:
        """The files there now, loaded into the table."""
        listing = self.table.table.refresh()
        return Listing(listing.entries, self.table.table.problems, listing.is_complete)

    def load(self, entry: Entry) -> Sequence[Document]:
        """One document a kind of error line. Raises UnreadableError."""
        try:
            return tuple(self.table.documents(entry.path, entry.updated_at))
        except KnowledgeError as error:
            raise UnreadableError(error.wrong) from error
