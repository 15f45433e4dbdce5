"""CSV files in DuckDB: loaded once, reloaded when they change, and then shut off from the disk.

Shared by the log and the metric table. All calls block; callers run them in threads.
"""

from __future__ import annotations

import csv
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import KnowledgeError
from knowledge.documents import Listing
from knowledge.files import list_glob, why

if TYPE_CHECKING:
    import duckdb

# ISO with "T", blank, comma or dot; or seconds or milliseconds since 1970. Without an offset: UTC.
MOMENT_SQL = """coalesce(
    try_cast(replace({0}, ',', '.') AS TIMESTAMP),
    make_timestamp(CAST(CASE WHEN try_cast({0} AS DOUBLE) > 1e11
        THEN try_cast({0} AS DOUBLE) * 1e3 ELSE try_cast({0} AS DOUBLE) * 1e6 END AS BIGINT)))"""


LONGEST_HEADER_CHARS = 65_536
LONGEST_LINE_BYTES = 4_000_000
# What decoding leaves of bytes that are no UTF-8, and what only binary files hold.
_NO_TEXT = frozenset("\ufffd\0")


class CsvTable:
    """The rows of all files that match a pattern, as the one table `lines`.

    Args:
        pattern: A glob pattern.
        columns: Wanted name → column in the file, where the guess is not wanted.
        guesses: Wanted name → names it is known under, lower case.
        required: Wanted names without which a file is of no use.
        select: SQL of the table's columns over a relation `raw` with the wanted names as text,
            plus `file`. Rows whose `moment` is null count as malformed.
    """

    def __init__(
        self,
        pattern: str,
        columns: Mapping[str, str],
        *,
        guesses: Mapping[str, Sequence[str]],
        required: Sequence[str],
        select: str,
    ) -> None:
        self.pattern = pattern
        self._columns = columns
        self._guesses = guesses
        self._required = required
        self._select = select
        self._stamps: tuple[tuple[str, str], ...] = ()
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._lock = threading.Lock()
        self._problems: tuple[tuple[str, str], ...] = ()
        self.malformed = 0
        self.updated_at: datetime | None = None

    @property
    def problems(self) -> tuple[tuple[str, str], ...]:
        """(file, why) of what could not be used at the last load."""
        return self._problems

    def refresh(self) -> Listing:
        """Load the files again if any of them changed; gives what is there now."""
        listing = list_glob(self.pattern)
        stamps = tuple((entry.path, entry.stamp) for entry in listing.entries)
        with self._lock:
            if self._connection is None or stamps != self._stamps:
                self._load(listing)
                self._stamps = stamps
        moments = [entry.updated_at for entry in listing.entries if entry.updated_at]
        self.updated_at = max(moments, default=None)
        return listing

    def query(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Rows of a query whose values are all bound. Raises KnowledgeError."""
        import duckdb  # noqa: PLC0415  (a tenth of a second that a start without CSV saves)

        with self._lock:
            if self._connection is None:
                raise KnowledgeError(
                    f"query {self.pattern}", "it is not loaded", "Index the sources first"
                )
            try:
                return self._connection.execute(sql, list(parameters)).fetchall()
            except duckdb.Error as error:
                raise KnowledgeError(
                    f"query {self.pattern}", str(error).splitlines()[0][:160], "Check the files"
                ) from error

    def close(self) -> None:
        """Let go of the memory."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _load(self, listing: Listing) -> None:
        import duckdb  # noqa: PLC0415  (see query)

        connection = duckdb.connect(":memory:")
        connection.execute("SET threads=2")
        empty = ", ".join(f"'' AS {name}" for name in (*self._guesses, "file"))
        connection.execute(
            f"CREATE TABLE lines AS SELECT {self._select} FROM (SELECT {empty}) raw LIMIT 0"  # noqa: S608  (our own constants)
        )
        problems = list(listing.problems)
        malformed = 0
        for entry in listing.entries:
            try:
                count = self._load_file(connection, Path(entry.path))
            except (duckdb.Error, OSError, csv.Error, ValueError) as error:
                problems.append((entry.path, _told(error)))
                continue
            malformed += count
            if count:
                lines = "1 line" if count == 1 else f"{count} lines"
                problems.append((entry.path, f"{lines} of it cannot be used"))
        # From here on no query, whatever stands in it, can reach a file or the network.
        connection.execute("SET enable_external_access=false")
        connection.execute("SET lock_configuration=true")
        if self._connection is not None:
            self._connection.close()
        self._connection = connection
        self._problems = tuple(problems)
        self.malformed = malformed

    def _load_file(self, connection: duckdb.DuckDBPyConnection, path: Path) -> int:
        """Adds the file's rows; gives how many of its lines could not be used.

        Raises:
            ValueError: It is no text, or a column is missing.
            duckdb.Error: It is no CSV.
        """
        import duckdb  # noqa: PLC0415  (see query)

        header = _header(path)
        mapped = self._map(header)
        try:
            return self._load_rows(connection, path, header, mapped, is_strict=True)
        except duckdb.Error:
            # Line ends of two kinds and the like: once more, taking rows as they come.
            connection.execute("DROP TABLE IF EXISTS made; DROP VIEW IF EXISTS incoming")
            connection.execute("DROP TABLE IF EXISTS reject_errors")
            connection.execute("DROP TABLE IF EXISTS reject_scans")
            return self._load_rows(connection, path, header, mapped, is_strict=False)

    def _load_rows(
        self,
        connection: duckdb.DuckDBPyConnection,
        path: Path,
        header: Sequence[str],
        mapped: Mapping[str, str],
        *,
        is_strict: bool,
    ) -> int:
        # All is told and nothing guessed: a guess that fails would cost the whole file for one row.
        rows = connection.read_csv(  # the path is an argument here, never a part of SQL
            path.as_posix(),
            header=True,
            auto_detect=False,
            columns=dict.fromkeys(header, "VARCHAR"),
            delimiter=",",
            quotechar='"',
            escapechar='"',
            store_rejects=True,
            max_line_size=LONGEST_LINE_BYTES,
            strict_mode=is_strict,
        )
        rows.create_view("incoming")
        shown = ", ".join(
            f"{_quoted(mapped[name])} AS {name}" if name in mapped else f"'' AS {name}"
            for name in self._guesses
        )
        connection.execute(
            f"CREATE TEMP TABLE made AS SELECT {self._select} "  # noqa: S608  (names are quoted)
            f"FROM (SELECT {shown}, ? AS file FROM incoming) raw",
            [path.as_posix()],
        )
        broken = connection.execute("SELECT count(*) FROM made WHERE moment IS NULL").fetchone()
        connection.execute("INSERT INTO lines SELECT * FROM made WHERE moment IS NOT NULL")
        connection.execute("DROP TABLE made")
        connection.execute("DROP VIEW incoming")
        rejected = connection.execute(
            "SELECT count(DISTINCT (scan_id, line)) FROM reject_errors"
        ).fetchone()
        connection.execute("DROP TABLE reject_errors")
        connection.execute("DROP TABLE reject_scans")
        return (broken[0] if broken else 0) + (rejected[0] if rejected else 0)

    def _map(self, header: Sequence[str]) -> dict[str, str]:
        """Wanted name → column of this file. Raises ValueError naming what is missing."""
        by_lower = {name.strip().lower(): name for name in reversed(header)}
        mapped: dict[str, str] = {}
        for wanted, names in self._guesses.items():
            given = self._columns.get(wanted)
            for name in [given.lower()] if given else names:
                if name in by_lower:
                    mapped[wanted] = by_lower[name]
                    break
        missing = [name for name in self._required if name not in mapped]
        if missing and _NO_TEXT & set("".join(header)):
            raise ValueError("not UTF-8 text")
        if missing:
            raise ValueError(
                f"no column for {', '.join(missing)} among {', '.join(header)[:100] or 'none'}"
            )
        return mapped


def _header(path: Path) -> tuple[str, ...]:
    """The columns' names, each one once. Raises OSError, csv.Error."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        names = next(csv.reader(iter(lambda: file.readline(LONGEST_HEADER_CHARS), "")), [])
    found: dict[str, None] = {}
    for number, name in enumerate(names):
        found[name if name and name not in found else f"{name} (column {number + 1})"] = None
    return tuple(found)


def _told(error: Exception) -> str:
    """An error of reading, in a few words without the path."""
    if isinstance(error, OSError):
        return why(error)
    return (str(error).splitlines() or [type(error).__name__])[0][:160]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def aware(moment: datetime) -> datetime:
    """What DuckDB gives back for a TIMESTAMP in UTC."""
    return moment.replace(tzinfo=UTC)


def naive(moment: datetime) -> datetime:
    """What DuckDB takes for a TIMESTAMP in UTC."""
    return moment.astimezone(UTC).replace(tzinfo=None)
