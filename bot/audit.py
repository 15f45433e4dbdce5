"""One log line an answer or action: who did what, where, within which scope, and how it ended."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field

from bot.telemetry.errand import errand
from bot.telemetry.metrics import Meter
from core.answers import Scope

LOGGER = "bot.audit"
log = logging.getLogger(LOGGER)

# Where the parts of a line stand on its log record, for a format that keeps them apart.
AUDIT_FIELD = "audit"
_AXES = ("clusters", "namespaces", "sources", "teams")


@dataclass(frozen=True, slots=True)
class Audit:
    """Writes them, as JSON, to the logger `bot.audit`.

    Attributes:
        tells_questions: Whether what was asked is written too. It is typed by people, and may hold
            anything.
        meter: Counts them too.
    """

    tells_questions: bool = False
    meter: Meter = field(default_factory=Meter)

    def note(
        self,
        user: str,
        channel: str,
        command: str,
        outcome: str,
        *,
        scope: Scope | None = None,
        reference: str = "",
        model: str = "",
        seconds: float | None = None,
        question: str = "",
    ) -> None:
        """Write one line.

        The outcome is "answered", "not_found", "slip" (the person's own), "done", "failed",
        "stopped", "interrupted", or "refused: " and why. What was refused has no scope. Without a
        reference it is that of the running errand, so that the line stays JSON to its end.
        """
        line: dict[str, object] = {
            "user": user,
            "channel": channel,
            "command": command,
            "outcome": outcome,
        }
        if scope is not None:
            line["scope"] = _limits(scope)
        if reference := reference or errand().reference:
            line["reference"] = reference
        if model:
            line["model"] = model
        if seconds is not None:
            line["seconds"] = round(seconds, 2)
        if question and self.tells_questions:
            line["question"] = question
        log.info("%s", json.dumps(line, ensure_ascii=False), extra={AUDIT_FIELD: line})
        self.meter.answered(command, outcome, seconds)


def _limits(scope: Scope) -> dict[str, list[str]]:
    """The axes that are limited; {} where all may be seen."""
    return {axis: sorted(getattr(scope, axis)) for axis in _AXES if getattr(scope, axis)}
