"""CSV metrics as a source. Its numbers are computed when asked for, so nothing is indexed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from knowledge.documents import Document, Entry, Listing
from knowledge.metrics import MetricTable


class MetricsSource:
    """All CSV metrics that match a pattern.

    Args:
        place: The pattern, such as "metrics/*.csv".
        columns: See `MetricTable`.
    """

    kind = "csv-metrics"

    def __init__(self, place: str, columns: Mapping[str, str] | None = None) -> None:
        self.uri = f"csv-metrics:{place}"
        self.table = MetricTable(place, columns)

    def listing(self) -> Listing:
        """The files there now, loaded into the table; nothing to index among them."""
        listing = self.table.table.refresh()
        return Listing((), self.table.table.problems, listing.is_complete)

    def load(self, entry: Entry) -> Sequence[Document]:
        """Nothing: `listing` offers no entries."""
        del entry
        return ()
