"""The log on standard error: each line knows the reference that the asker sees, and no secret."""

from __future__ import annotations

import json
import logging
import secrets
import sys
from datetime import UTC, datetime
from typing import Literal

from bot.audit import AUDIT_FIELD
from bot.audit import LOGGER as AUDIT_LOGGER
from bot.telemetry.errand import errand
from core.redact import Redactor

_TALKATIVE = ("alembic", "apscheduler", "slack_bolt", "slack_sdk", "httpx", "opentelemetry")


class TextFormat(logging.Formatter):
    """For people: one line, then the trace where there is one."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s")
        self._redactor = redactor

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  (logging's name)
        """The line, with its reference."""
        line = super().formatMessage(record)
        reference = errand().reference
        if reference and reference not in line:
            line = f"{line} [ref {reference}]"
        return line

    def format(self, record: logging.LogRecord) -> str:
        """All of it, without secrets."""
        return self._redactor.redact(super().format(record))


class JsonFormat(logging.Formatter):
    """For a log collector: one object a line, with the same names in each."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON. What stands in the audit log keeps its parts apart."""
        redact = self._redactor.redact
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redact(record.getMessage()),
        }
        whose = errand()
        if whose.reference:
            line |= {"reference": whose.reference, "task": whose.task}
        audit = getattr(record, AUDIT_FIELD, None)
        if audit is not None:
            line["audit"] = {
                name: redact(value) if isinstance(value, str) else value
                for name, value in audit.items()
            }
        if record.exc_info:
            line["error"] = redact(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


def set_up_logging(level: str, form: Literal["text", "json"]) -> None:
    """Log to standard error from now on.

    Args:
        level: "debug", "info", "warning" or "error".
        form: See the formats above.
    """
    # A key of its own: nobody compares a log's marks with those of a message.
    redactor = Redactor(secrets.token_bytes(32))
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormat(redactor) if form == "json" else TextFormat(redactor))
    logging.basicConfig(level=level.upper(), handlers=[handler])
    if level != "debug":
        for name in _TALKATIVE:
            logging.getLogger(name).setLevel(logging.WARNING)
    # Who did what is written down however little else is.
    logging.getLogger(AUDIT_LOGGER).setLevel(logging.INFO)
