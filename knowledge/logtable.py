"""CSV logs: exact answers to "which lines have code 503 between 10:00 and 11:00".

The module is longer than others: the queries share their conditions and their words.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any, ClassVar, Final

from core.answers import Passage, Scope
from core.loglines import LogEntry, LogLevel
from core.questions import Intent, Reading
from core.templates import LogGroup, group, mask
from knowledge.csvtable import MOMENT_SQL, CsvTable, aware, naive
from knowledge.documents import Document

EXAMPLES = 8
# Kinds of lines that a summary tells, and lines that are read to find them.
KINDS = 4
MOST_GROUPED = 5000
LONGEST_MESSAGE_CHARS = 300
MOST_LINES = 50
# Templates of one file that are indexed for meaning; a file with more is no log but noise.
MOST_TEMPLATES = 300

_GUESSES: Final[Mapping[str, Sequence[str]]] = {
    "moment": ("timestamp", "time", "@timestamp", "ts", "date", "datetime"),
    "level": ("level", "severity", "loglevel", "log_level", "lvl"),
    "namespace": ("namespace", "ns", "kubernetes.namespace_name", "k8s_namespace"),
    "pod": ("pod", "pod_name", "kubernetes.pod_name", "k8s_pod"),
    "container": ("container", "container_name", "service", "app", "component"),
    "code": ("code", "status", "status_code", "error_code", "http_status"),
    "message": ("message", "msg", "log", "text", "content"),
}
_LEVELS: Final[Mapping[str, int]] = {
    "TRACE": 10, "DEBUG": 10, "INFO": 20, "NOTICE": 20, "WARN": 30, "WARNING": 30, "ERR": 40,
    "ERROR": 40, "CRIT": 50, "CRITICAL": 50, "FATAL": 50, "PANIC": 50, "EMERG": 50, "ALERT": 50,
}  # fmt: skip
_RANK = " ".join(f"WHEN '{name}' THEN {rank}" for name, rank in _LEVELS.items())
# As Kubernetes draws them (see knowledge.reading); what is left is the workload.
_TAIL = "[bcdfghjklmnpqrstvwxz0-9]{5}"
_HASH = "([bcdfghjklmnpqrstvwxz2456789]{6,10}|[0-9a-f]{8,10})"
_SELECT = f"""{MOMENT_SQL.format("raw.moment")} AS moment,
    upper(trim(coalesce(raw.level, ''))) AS level,
    CASE upper(trim(coalesce(raw.level, ''))) {_RANK} ELSE 0 END AS rank,
    coalesce(raw.namespace, '') AS namespace, coalesce(raw.pod, '') AS pod,
    coalesce(nullif(raw.container, ''), raw.pod, '') AS container,
    regexp_replace(coalesce(nullif(raw.pod, ''), raw.container, ''),
        '-({_HASH}-{_TAIL}|[0-9]{{6,}}-{_TAIL}|[0-9]{{1,3}}|{_TAIL})$', '') AS service,
    coalesce(raw.code, '') AS code, coalesce(raw.message, '') AS message, raw.file AS file"""
_ASKED_LEVELS = (
    (re.compile(r"\b(?:critical|fatal|panic)s?\b", re.IGNORECASE), 50),
    (re.compile(r"\berrors?\b", re.IGNORECASE), 40),
    (re.compile(r"\bwarn(?:ing)?s?\b", re.IGNORECASE), 30),
)
# Words of a question on a period that speak of the period or of lines as such.
_NOT_SAID = frozenset(
    """
    about after before between could during error errors event first happen happened happening hour
    hours latest minute minutes month night other since their there these today until week were
    what when where which while write wrote would yesterday line lines entry there service pod node
    fatal warning critical level logged message""".split()  # noqa: SIM905
)
# Shapes of a message, made by the database, and what of a template a shape has left out: all digits
# are variables in most messages; in others only long numbers are; few tell kinds by them as well.
_SHAPES: Final = (
    ("translate(message, '123456789', '000000000')", re.compile(r"[0-9]")),
    ("regexp_replace(message, '[0-9]{6,}', '000000', 'g')", re.compile(r"[0-9]{6}")),
    ("message", None),
)
_CLASS_OF_CODES = re.compile(r"[1-5][xX]{2}")
_LOG_WORDS = re.compile(r"\b(?:logs?|lines?|logged|entries|errors)\b", re.IGNORECASE)


@dataclass(slots=True)
class _Where:
    """Conditions with their bound values, and the words that tell them to a reader."""

    sql: list[str] = field(default_factory=list)
    values: list[object] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    def add(self, sql: str, *values: object, words: str = "") -> None:
        self.sql.append(sql)
        self.values.extend(values)
        if words:
            self.words.append(words)

    @property
    def clause(self) -> str:
        return " AND ".join(self.sql) or "true"


@dataclass(frozen=True, slots=True)
class _ErrorKind:
    """Error lines of one template, and the first of them."""

    FIELDS: ClassVar = ("moment", "message", "namespace", "service")

    template: str
    count: int
    first: tuple[Any, ...]

    @property
    def message(self) -> str:
        return str(self.first[1])

    @property
    def namespace(self) -> str:
        return str(self.first[2])

    @property
    def service(self) -> str:
        return str(self.first[3])


class LogTable:
    """The lines of all CSV logs that match one pattern. All calls block.

    Args:
        pattern: A glob pattern.
        columns: Wanted name (moment, level, namespace, pod, container, code, message) → column in
            the files, where the guess is not wanted.
    """

    def __init__(self, pattern: str, columns: Mapping[str, str] | None = None) -> None:
        self.table = CsvTable(
            pattern,
            columns or {},
            guesses=_GUESSES,
            required=("moment", "message"),
            select=_SELECT,
        )

    def count(self) -> int:
        """How many usable lines there are."""
        return int(self.table.query("SELECT count(*) FROM lines")[0][0])

    def facts(self, reading: Reading, scope: Scope, zone: tzinfo) -> tuple[Passage, ...]:
        """What the lines say on a question, or () when it does not ask for lines.

        Args:
            reading: Codes, names, namespaces and period become exact conditions.
            scope: Lines of other namespaces are not read.
            zone: Times in the text are told in it.

        Raises:
            KnowledgeError: The table cannot be queried.
        """
        if not scope.allows_source("csv-logs"):
            return ()
        asks_for_lines = Intent.LOGS in reading.intents or bool(_LOG_WORDS.search(reading.question))
        has_place = bool(reading.names or reading.namespaces)
        is_telling = bool(reading.codes) or (
            has_place and bool(reading.intents & {Intent.WHY, Intent.STATUS, Intent.SIMILAR})
        )
        allowed = _Where()
        if scope.namespaces:
            allowed.add("list_contains(?, namespace)", sorted(scope.namespaces))
        is_period = reading.time_range is not None and Intent.METRICS not in reading.intents
        said = self._said(reading, allowed) if is_period and not reading.codes else ()
        asks_for_lines = asks_for_lines or bool(said)
        if not asks_for_lines and not is_telling:
            return ()
        if not asks_for_lines and reading.codes and not self._knows_any(reading.codes, allowed):
            return ()
        where = self._where(reading, allowed, zone, is_for_errors=not asks_for_lines)
        if said and Intent.LOGS not in reading.intents:
            for word in said:
                where.add("contains(lower(message), ?)", word, words=f"that say {word}")
        if not where.words and reading.limit is None:
            return ()  # "what are the log retention rules" names no line
        passage = self._summary(where, reading, allowed, zone, is_exact=asks_for_lines)
        groups = self._kinds(where, reading, zone) if asks_for_summary(reading) else ()
        return (passage, *groups) if passage else ()

    def _where(
        self, reading: Reading, allowed: _Where, zone: tzinfo, *, is_for_errors: bool
    ) -> _Where:
        where = _Where(list(allowed.sql), list(allowed.values))
        if reading.codes:
            conditions = [self._code_condition(code, allowed) for code in reading.codes]
            clause = " OR ".join(sql for sql, _ in conditions)
            values = [value for _, bound in conditions for value in bound]
            where.add(f"({clause})", *values, words=f"with code {_any_of(reading.codes)}")
        if reading.namespaces:
            where.add(
                "list_contains(?, namespace)",
                list(reading.namespaces),
                words=f"in {_any_of(reading.namespaces)}",
            )
        places = self._places(reading.names, allowed)
        if places:
            where.add(
                "(list_contains(?, service) OR list_contains(?, container)"
                " OR list_contains(?, pod))",
                places,
                places,
                places,
                words=f"of {_any_of(places)}",
            )
        period = reading.time_range
        if period is not None:
            where.add(
                "moment >= ? AND moment < ?",
                naive(period.start),
                naive(period.end),
                words=f"between {_told(period.start, zone)} and {_told(period.end, zone)}",
            )
        level = next((rank for asked, rank in _ASKED_LEVELS if asked.search(reading.question)), 0)
        if is_for_errors:
            level = level or LogLevel.ERROR
        if asks_for_summary(reading):
            level = LogLevel.ERROR  # what people call a critical error is an ERROR or a FATAL
        if level and not reading.codes:
            level = self._level_there_is(level, where)
            where.add("rank >= ?", level)
            where.words.insert(0, f"of level {LogLevel(level).name} or above")
        return where

    def _said(self, reading: Reading, allowed: _Where) -> tuple[str, ...]:
        """Words of a question on a period that lines say: "any deadlocks in the last 6 hours"."""
        places = {part for name in reading.names for part in re.split(r"\W+", name.lower())}
        words = re.findall(r"[a-z]{5,}", reading.question.lower())
        asked = dict.fromkeys(word.removesuffix("s") for word in words)
        wanted = [word for word in asked if word not in _NOT_SAID and word not in places]
        return tuple(word for word in wanted[:4] if self._is_said(word, allowed))

    def _is_said(self, word: str, allowed: _Where) -> bool:
        found = self.table.query(
            "SELECT 1 FROM lines WHERE rank >= 30 AND contains(lower(message), ?) "  # noqa: S608
            f"AND {allowed.clause} LIMIT 1",
            [word, *allowed.values],
        )
        return bool(found)

    def _knows_any(self, codes: Sequence[str], allowed: _Where) -> bool:
        """Whether a code is more than a number that happens to stand in some message."""
        return any(not code.isdigit() or self._is_code(code, allowed) for code in codes)

    def _is_code(self, code: str, allowed: _Where) -> bool:
        found = self.table.query(
            f"SELECT 1 FROM lines WHERE code = ? AND {allowed.clause} LIMIT 1",  # noqa: S608
            [code, *allowed.values],
        )
        return bool(found)

    def _code_condition(self, code: str, allowed: _Where) -> tuple[str, tuple[object, ...]]:
        """A number that the code column knows means that column; else the message may say it."""
        if code.isdigit():
            if self._is_code(code, allowed):
                return "code = ?", (code,)
            return "regexp_matches(message, ?)", (rf"\b{code}\b",)
        if _CLASS_OF_CODES.fullmatch(code):
            return "regexp_full_match(code, ?)", (rf"{code[0]}\d\d",)
        return "(code = ? OR contains(lower(message), ?))", (code, code.lower())

    def _level_there_is(self, asked: int, where: _Where) -> int:
        """Critical lines are those of level FATAL; where there are none, the ERROR lines."""
        if asked <= LogLevel.ERROR:
            return asked
        found = self.table.query(
            f"SELECT 1 FROM lines WHERE rank >= ? AND {where.clause} LIMIT 1",  # noqa: S608
            [asked, *where.values],
        )
        return asked if found else LogLevel.ERROR

    def _places(self, names: Sequence[str], allowed: _Where) -> list[str]:
        """Those names that occur as a service, container or pod."""
        if not names:
            return []
        rows = self.table.query(
            "SELECT DISTINCT unnest([service, container, pod]) FROM lines "  # noqa: S608
            f"WHERE {allowed.clause} AND (list_contains(?, service)"
            " OR list_contains(?, container) OR list_contains(?, pod))",
            [*allowed.values, list(names), list(names), list(names)],
        )
        there = {row[0] for row in rows}
        return [name for name in names if name in there]

    def _summary(
        self, where: _Where, reading: Reading, allowed: _Where, zone: tzinfo, *, is_exact: bool
    ) -> Passage | None:
        clause = where.clause
        # Every value is bound; the clause is made of the constants above.
        ((count, first, last),) = self.table.query(
            f"SELECT count(*), min(moment), max(moment) FROM lines WHERE {clause}",  # noqa: S608
            where.values,
        )
        told = " ".join(where.words)
        if not count:
            if not is_exact or (not reading.codes and not reading.time_range):
                return None
            return self._passage(
                f"No line {told}".strip() + f". {self._span(allowed, zone)}", reading
            )
        shown = f"{count} line{'s' if count != 1 else ''} {told}".strip()
        text = [f"{shown}; first {_told(aware(first), zone)}, last {_told(aware(last), zone)}."]
        if count > 1:
            text += [self._grouped(clause, where.values, by) for by in ("service", "code", "level")]
            kinds = self._groups(where)[:KINDS]
            text += [f"Kind: {kind.count} × `{_cut(_bare(kind.template))}`." for kind in kinds]
        limit = min(reading.limit or EXAMPLES, MOST_LINES)
        rows = self.table.query(
            "SELECT moment, level, namespace, pod, container, code, message FROM lines "  # noqa: S608
            f"WHERE {clause} ORDER BY moment DESC, file, message LIMIT ?",
            [*where.values, limit],
        )
        if count > 1:
            text.append(f"The last {len(rows)}:" if count > len(rows) else "All of them:")
        text += [_line(row, zone) for row in rows]
        return self._passage("\n".join(part for part in text if part), reading)

    def _groups(self, where: _Where, by: str = "") -> list[LogGroup]:
        """The kinds of the newest lines, most frequent first; `by` a service only."""
        more, values = (" AND service = ?", [by]) if by else ("", [])
        rows = self.table.query(
            "SELECT moment, rank, message FROM lines "  # noqa: S608
            f"WHERE {where.clause}{more} ORDER BY moment DESC LIMIT {MOST_GROUPED}",
            [*where.values, *values],
        )
        entries = [
            LogEntry(LogLevel(rank) if rank else None, aware(moment), message, message, number)
            for number, (moment, rank, message) in enumerate(reversed(rows), start=1)
        ]
        return group(entries)

    def _kinds(self, where: _Where, reading: Reading, zone: tzinfo) -> tuple[Passage, ...]:
        """Each kind of error of each service as a fact of its own, the worst and newest first."""
        services = self.table.query(
            "SELECT service, any_value(namespace), max(rank) FROM lines "  # noqa: S608
            f"WHERE {where.clause} GROUP BY service",
            where.values,
        )
        found: list[tuple[tuple[int, float], Passage]] = []
        for service, namespace, rank in services:
            for kind in self._groups(where, service)[:KINDS]:
                moment = kind.last.timestamp
                order = (-int(rank), -moment.timestamp() if moment else 0.0)
                found.append((order, self._kind(kind, service, namespace, reading, zone)))
        found.sort(key=lambda item: item[0])
        return tuple(passage for _, passage in found[: 2 * (reading.limit or EXAMPLES)])

    def _kind(
        self, kind: LogGroup, service: str, namespace: str, reading: Reading, zone: tzinfo
    ) -> Passage:
        first, last = kind.first.timestamp, kind.last.timestamp
        when = ""
        if first and last:
            when = f" at {_clock(last, zone)}"
            if kind.count > 1:
                when = f" between {_clock(first, zone)} and {_clock(last, zone)}"
        times = f"{kind.count} time{'s' if kind.count > 1 else ''}"
        example = _cut(_bare(kind.last.message))
        text = f"{service or 'Somebody'} wrote `{example}` {times}{when}."
        passage = self._passage(text, reading, key=f"{service}\0{kind.template}")
        return replace(
            passage, title=f"Errors in the log of {service}", service=service, namespace=namespace
        )

    def _grouped(self, clause: str, values: Sequence[object], by: str) -> str:
        rows = self.table.query(
            f"SELECT {by}, count(*) AS n FROM lines WHERE {clause} AND {by} != '' "  # noqa: S608
            f"GROUP BY {by} ORDER BY n DESC, {by} LIMIT 6",
            values,
        )
        if not rows or (len(rows) == 1 and by != "service"):
            return ""
        return f"By {by}: {', '.join(f'{name} {count}' for name, count in rows)}."

    def _span(self, allowed: _Where, zone: tzinfo) -> str:
        ((count, first, last),) = self.table.query(
            f"SELECT count(*), min(moment), max(moment) FROM lines WHERE {allowed.clause}",  # noqa: S608
            allowed.values,
        )
        if not count:
            return "The log is empty."
        start, end = _told(aware(first), zone), _told(aware(last), zone)
        return f"The log holds {count} lines, from {start} to {end}."

    def _passage(self, text: str, reading: Reading, key: str = "") -> Passage:
        words = f"{self.table.pattern}\0{reading.question}\0{key}"
        is_part = bool(key)
        key = hashlib.sha256(words.encode()).hexdigest()[:16]
        place = Path(self.table.pattern)
        if self.table.malformed and not is_part:
            text += f"\n{self.table.malformed} malformed lines of the files were left out."
        return Passage(
            id=f"csv-logs:{key}",
            source="csv-logs",
            title="Log lines",
            location=f"{place.parent.name}/{place.name}".lstrip("/"),
            text=text,
            updated_at=self.table.updated_at,
            kind="logs",
            score=1.0,
            is_fact=True,
        )

    def documents(self, path: str, updated_at: datetime | None) -> Iterator[Document]:
        """The kinds of error lines of one file, each once, for a search by meaning.

        Counts stand in no text: a log that grows leaves its documents as they are.
        """
        for kind in self._error_kinds(Path(path).as_posix())[:MOST_TEMPLATES]:
            key = hashlib.sha256(f"{kind.service}\0{kind.template}".encode()).hexdigest()[:12]
            place = "/".join(part for part in (kind.namespace, kind.service) if part)
            yield Document(
                source="csv-logs",
                path=f"{Path(path).parent.name}/{Path(path).name}#{key}".lstrip("/"),
                title=f"Errors in the log of {place}" if place else "Errors in the log",
                text=f"{kind.template}\n\nFor example: {_cut(kind.message)}",
                updated_at=updated_at,
                namespace=kind.namespace,
                service=kind.service,
                kind="logs",
                is_whole=True,
            )

    def _error_kinds(self, file: str) -> list[_ErrorKind]:
        """By template, most frequent first; the database counts, so a line costs next to nothing.

        Lines of one shape are counted as one, unless the template keeps what the shape left out.
        """
        kinds: dict[str, _ErrorKind] = {}
        where = "rank >= 40 AND file = ?"
        values: list[object] = [file]
        for shape, telling in _SHAPES:
            told_apart = []
            for value, count, first in self._counted(shape, where, values):
                template = mask(first["message"])
                if telling and telling.search(template):
                    told_apart.append(value)
                else:
                    _add(kinds, template, count, first)
            if not told_apart:
                break
            where, values = f"{where} AND list_contains(?, {shape})", [*values, told_apart]
        return sorted(kinds.values(), key=lambda kind: (-kind.count, kind.first))

    def _counted(
        self, what: str, where: str, values: Sequence[object]
    ) -> list[tuple[str, int, dict[str, Any]]]:
        """Each value of an expression, its count, and the first line that has it."""
        line = ", ".join(f"'{name}': {name}" for name in _ErrorKind.FIELDS)
        return self.table.query(
            f"SELECT {what}, count(*), min({{{line}}}) FROM lines WHERE {where} GROUP BY ALL",  # noqa: S608
            values,
        )


def _add(kinds: dict[str, _ErrorKind], template: str, count: int, first: dict[str, Any]) -> None:
    found = _ErrorKind(template, count, tuple(first[name] for name in _ErrorKind.FIELDS))
    before = kinds.get(template)
    if before is not None:
        found = replace(found, count=before.count + count, first=min(before.first, found.first))
    kinds[template] = found


def asks_for_summary(reading: Reading) -> bool:
    """Whether a question wants the errors told by kind, and not line by line."""
    asks = bool(re.search(r"\b(?:errors?|critical)\b", reading.question, re.IGNORECASE))
    wants = re.search(
        r"\b(?:summar\w*|fix\w*|overview|digest|group\w*|top|worst|critical)\b",
        reading.question,
        re.IGNORECASE,
    )
    return asks and bool(wants) and not reading.codes and Intent.LOGS in reading.intents


def _clock(moment: datetime, zone: tzinfo) -> str:
    return moment.astimezone(zone).strftime("%H:%M %Z").strip()


def _bare(message: str) -> str:
    """A message that can stand in a code span."""
    return message.replace("`", "'")


def _told(moment: datetime, zone: tzinfo) -> str:
    """A time with its zone, to the second where there are seconds."""
    local = moment.astimezone(zone)
    clock = "%H:%M:%S" if local.second else "%H:%M"
    return local.strftime(f"%Y-%m-%d {clock} %Z").strip()


def _line(row: Sequence[object], zone: tzinfo) -> str:
    moment, level, namespace, pod, container, code, message = row
    assert isinstance(moment, datetime)
    time = aware(moment).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
    place = f"{namespace}/{pod or container}" if namespace else f"{pod or container}"
    parts = (time, level, place, code, _cut(str(message)))
    return "- " + " ".join(str(part) for part in parts if part)


def _cut(message: str) -> str:
    flat = " ".join(message.split())
    if len(flat) <= LONGEST_MESSAGE_CHARS:
        return flat
    return flat[: LONGEST_MESSAGE_CHARS - 1] + "…"


def _any_of(words: Sequence[str]) -> str:
    return " or ".join(words)
