"""Lines of a log that are made of fields: JSON and logfmt."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from core.loglevels import LEVELS, Line, LogLevel, severity

MAX_MESSAGE_CHARS = 64_000

_LOGFMT = re.compile(r'(?:^|\s)([A-Za-z_@][\w.@\-]*)=("(?:[^"\\]|\\.)*"|[^\s"]*)')
_LOGFMT_START = re.compile(r"\s*[A-Za-z_@][\w.@\-]*=")
_LOGFMT_NONE = frozenset({"", "nil", "<nil>", "null", "none", "0", "false"})
_LEVEL_KEYS = (
    "level", "severity", "lvl", "levelname", "log.level", "loglevel", "@l", "LEVEL", "Level",
    "LogLevel", "severity_text", "SeverityText",
)  # fmt: skip
_MESSAGE_KEYS = (
    "msg", "message", "@m", "event", "textPayload", "log", "short_message", "text", "Message",
    "RenderedMessage", "MessageTemplate", "@mt", "MESSAGE", "body", "Body",
)  # fmt: skip
_ERROR_KEYS = (
    "error", "err", "exception", "exc_info", "stack_trace", "stacktrace", "stack", "@x",
    "Exception",
)  # fmt: skip
_TIME_KEYS = ("time", "ts", "timestamp", "@timestamp", "@t", "asctime", "datetime", "eventTime")
_DECODER = msgspec.json.Decoder(dict[str, object])


def read_json(text: str, read_inner: Callable[[str], Line]) -> Line | None:
    """A line that is a JSON object, or None; `read_inner` reads a line that stands within it."""
    try:
        fields = _DECODER.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None
    if isinstance(fields.get("log"), str) and "stream" in fields:
        # Docker's json-file driver: the line itself is inside.
        inner = read_inner(str(fields["log"]).rstrip("\n"))
        inner.timestamp = inner.timestamp or _moment(fields.get("time"))
        return inner
    message = next((fields[k] for k in _MESSAGE_KEYS if isinstance(fields.get(k), str)), None)
    level = _json_level(fields)
    parts = [str(message)] if message is not None else []
    for key in _ERROR_KEYS:
        value = fields.get(key)
        if isinstance(value, dict):
            value = value.get("stack") or value.get("stack_trace") or value.get("message")
        if isinstance(value, str) and value and value not in parts[:1]:
            parts.append(value)
    timestamp = next((t for k in _TIME_KEYS if (t := _moment(fields.get(k))) is not None), None)
    joined = _join_error(parts) if parts else text
    return Line(
        level,
        timestamp,
        joined,
        has_header=True,
        is_structured=True,
        level_is_number="PRIORITY" in fields
        or any(isinstance(fields.get(key), int) for key in _LEVEL_KEYS),
    )


def _join_error(parts: list[str]) -> str:
    """A message and its short error on one line, a trace below."""
    text = parts[0]
    for part in parts[1:]:
        if part in text:
            continue
        text += ("\n" if "\n" in part else ": ") + part
    return text[:MAX_MESSAGE_CHARS]


def _json_level(fields: dict[str, object]) -> LogLevel | None:
    values = [fields.get(key) for key in _LEVEL_KEYS]
    nested = fields.get("log")
    if isinstance(nested, dict):
        values.append(nested.get("level"))
    if "ctx" in fields:  # MongoDB
        values.append(fields.get("s"))
    # Journald's, and GELF's, whose numbers are not pino's.
    number = fields.get("PRIORITY", fields.get("level") if "short_message" in fields else None)
    if isinstance(number, int | str) and (level := _severity(number)) is not None:
        return level
    for value in values:
        found: LogLevel | None = None
        if isinstance(value, str):
            found = LEVELS.get(value.upper())
        elif isinstance(value, int) and not isinstance(value, bool):
            # Numbers as pino and bunyan write them: 30 is info, 50 error, 60 fatal.
            found = LogLevel(min(max(value // 10 * 10 - 10, 10), 50))
        if found is not None:
            return found
    return None


def _severity(number: int | str) -> LogLevel | None:
    try:
        return severity(int(number))
    except ValueError:
        return None


def read_logfmt(text: str, start: int = 0) -> Line | None:
    """The logfmt fields from `start` on.

    None where there are none, or where they tell no level and no error: then it is plain text with
    an equals sign.
    """
    if _LOGFMT_START.match(text, start) is None:
        return None
    text = text[start:]
    message, error, level, timestamp, extra = "", "", "", None, []
    for match in _LOGFMT.finditer(text):
        key, value = match[1], match[2]
        if value[:1] == '"':
            value = value[1:-1].replace('\\"', '"').replace("\\n", "\n").replace("\\t", "\t")
        name = key.lower()
        if name in {"msg", "message", "event"}:
            message = message or value
        elif name in {"err", "error", "exception"}:
            error = "" if value.lower() in _LOGFMT_NONE else value
        elif name in {"level", "lvl", "severity", "loglevel"}:
            level = level or value
        elif key in _TIME_KEYS or key == "t":
            timestamp = timestamp or _moment(value)
        elif name not in {"caller", "logger"}:
            extra.append(f"{key}={value}")
    if not (level or error) or not (message or error or extra):
        return None  # `loglevel=ERROR` alone is a setting
    found = LEVELS.get(level.upper()) if level else LogLevel.ERROR
    parts = [part for part in (message, error) if part]
    body = _join_error(parts) if parts else " ".join(extra) or text
    return Line(found, timestamp, body, has_header=True, is_structured=True)


def iso_moment(stamp: str, zone: str | None = None) -> datetime | None:
    """A time as ISO 8601 writes it, also with slashes; without a zone it is taken for UTC."""
    text = stamp.replace("/", "-").replace(",", ".")
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            if zone and zone[0] in "+-":
                return datetime.fromisoformat(text + zone).astimezone(UTC)
            return moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _moment(value: object) -> datetime | None:
    """A timestamp of a structured line: ISO text, or seconds to nanoseconds since 1970."""
    if isinstance(value, str):
        return iso_moment(value.strip()) if value[:1].isdigit() else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    for divisor in (1, 1e3, 1e6, 1e9):
        if 1e8 <= value / divisor < 1e11:
            return datetime.fromtimestamp(value / divisor, UTC)
    return None
