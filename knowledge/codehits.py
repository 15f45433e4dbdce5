"""Exact log lines for `search … code:503`: one hit a workload, newest lines shown. Blocks."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from pathlib import Path

from core.answers import Passage, Scope
from knowledge.csvtable import aware, naive
from knowledge.logtable import LogTable
from knowledge.searchquery import SearchQuery, stems

MOST_HITS = 4
SHOWN_LINES = 2
_LINE_CHARS = 300
_CLASS_OF_CODES = re.compile(r"[1-5][xX]{2}")


@dataclass(slots=True)
class _Where:
    sql: list[str] = field(default_factory=list)
    values: list[object] = field(default_factory=list)

    def add(self, sql: str, *values: object) -> None:
        self.sql.append(sql)
        self.values.extend(values)

    @property
    def clause(self) -> str:
        return " AND ".join(self.sql)


def code_hits(
    table: LogTable,
    query: SearchQuery,
    scope: Scope,
    zone: tzinfo,
    *,
    owned: Collection[str] | None,
    hidden: Collection[str],
) -> tuple[Passage, ...]:
    """Lines that carry one of the query's codes, those with its words first.

    Args:
        table: Loaded again here when its files changed.
        query: Its codes, namespaces and age become exact conditions; its words only rank.
        scope: Lines of other namespaces are not read.
        zone: Times are told in it.
        owned: Services of the teams that the query names; None: of any team.
        hidden: Services that the scope does not show.

    Raises:
        KnowledgeError: The table cannot be queried.
    """
    listing = table.table.refresh()
    if not listing.entries:
        return ()
    where = _where(query, scope, owned, hidden)
    wanted = "|".join(re.escape(stem) for stem in stems(query.words)) or "$^"  # which never matches
    groups = table.table.query(
        "SELECT namespace, service, count(*), min(moment), max(moment), "  # noqa: S608  (all values are bound)
        "max(CAST(regexp_matches(message, ?, 'i') AS INT)) AS has_words "
        f"FROM lines WHERE {where.clause} GROUP BY namespace, service "
        "ORDER BY has_words DESC, 3 DESC, namespace, service LIMIT ?",
        [wanted, *where.values, MOST_HITS],
    )
    hits = []
    for namespace, service, count, first, last, _ in groups:
        lines = table.table.query(
            "SELECT moment, level, pod, code, message FROM lines "  # noqa: S608  (likewise)
            f"WHERE {where.clause} AND namespace = ? AND service = ? "
            "ORDER BY regexp_matches(message, ?, 'i') DESC, moment DESC LIMIT ?",
            [*where.values, namespace, service, wanted, SHOWN_LINES],
        )
        place = "/".join(part for part in (namespace, service) if part) or "the log"
        told = f"{count} line{'s' if count != 1 else ''} with code {' or '.join(query.codes)}"
        hits.append(
            Passage(
                id=_key(table.table.pattern, namespace, service, *query.codes),
                source="csv-logs",
                title=f"{place}: {told}",
                location=_place(table.table.pattern),
                text="\n".join(_line(row, zone) for row in lines),
                heading=_period(aware(first), aware(last), zone),
                updated_at=aware(last),
                namespace=namespace,
                service=service,
                kind="logs",
                score=1.0,
                is_fact=True,
            )
        )
    return tuple(hits)


def _where(
    query: SearchQuery, scope: Scope, owned: Collection[str] | None, hidden: Collection[str]
) -> _Where:
    where = _Where()
    codes: list[str] = []
    values: list[str] = []
    for code in query.codes:
        if _CLASS_OF_CODES.fullmatch(code):
            codes.append("regexp_full_match(code, ?)")
            values.append(rf"{code[0]}\d\d")
        elif code.isdigit():  # in a message it may be any number
            codes.append("code = ?")
            values.append(code)
        else:
            codes.append("(lower(code) = ? OR regexp_matches(message, ?, 'i'))")
            values += [code.lower(), rf"(^|\W){re.escape(code)}(\W|$)"]
    where.add(f"({' OR '.join(codes)})", *values)
    if scope.namespaces:
        where.add("list_contains(?, namespace)", sorted(scope.namespaces))
    if query.namespaces:
        where.add("list_contains(?, namespace)", list(query.namespaces))
    if owned is not None:
        where.add("list_contains(?, service)", sorted(owned))
    if hidden:
        where.add("NOT list_contains(?, service)", sorted(hidden))
    if query.since is not None:
        where.add("moment >= ?", naive(query.since))
    return where


def _line(row: Sequence[object], zone: tzinfo) -> str:
    moment, level, pod, code, message = row
    assert isinstance(moment, datetime)
    time = aware(moment).astimezone(zone).strftime("%H:%M:%S")
    flat = " ".join(str(message).split())
    shown = flat if len(flat) <= _LINE_CHARS else flat[: _LINE_CHARS - 1] + "…"
    return " ".join(str(part) for part in (time, level, pod, code, shown) if part)


def _period(first: datetime, last: datetime, zone: tzinfo) -> str:
    start, end = first.astimezone(zone), last.astimezone(zone)
    if start == end:
        return f"{start:%Y-%m-%d %H:%M %Z}".strip()
    until = f"{end:%H:%M %Z}" if start.date() == end.date() else f"{end:%Y-%m-%d %H:%M %Z}"
    return f"{start:%Y-%m-%d %H:%M} – {until}".strip()


def _place(pattern: str) -> str:
    place = Path(pattern)
    return f"{place.parent.name}/{place.name}".lstrip("/")


def _key(*parts: str) -> str:
    return "csv-logs:" + hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
