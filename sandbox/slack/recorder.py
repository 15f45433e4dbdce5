"""Every call the app made and every delivery it got, with times, for tests to look at."""

from __future__ import annotations

import dataclasses
from collections import deque
from dataclasses import dataclass, field
from typing import Any

_KEPT = 20_000


@dataclass(slots=True)
class Call:
    """One request of the app.

    Attributes:
        at: Seconds since the epoch, in workspace time.
        method: The Web API method, or "response_url" or "upload".
        arguments: As decoded, without the token.
        encoding: How they came: "json", "form", "multipart" or "query".
        ok: Whether the answer was a success; `error` has the code when not.
    """

    at: float
    method: str
    arguments: dict[str, Any]
    encoding: str
    ok: bool
    error: str
    status: int


@dataclass(slots=True)
class Attempt:
    """One attempt to deliver something to the app.

    Attributes:
        kind: "events_api", "slash_commands" or "interactive".
        what: The event's type, the command, or the interaction's type.
        key: The event_id, or the trigger_id.
        number: 0 for the first attempt, 1 to 3 for retries.
        outcome: "acked", or why not: "http_timeout", "timeout", "connection_failed", "http_error".
        ack_seconds: Real seconds until the outcome.
    """

    at: float
    kind: str
    what: str
    key: str
    number: int
    outcome: str
    ack_seconds: float


@dataclass(slots=True)
class Recorder:
    """Calls and deliveries, oldest first; the oldest are dropped after 20,000."""

    calls: deque[Call] = field(default_factory=lambda: deque(maxlen=_KEPT))
    attempts: deque[Attempt] = field(default_factory=lambda: deque(maxlen=_KEPT))

    def clear(self) -> None:
        """Forget all."""
        self.calls.clear()
        self.attempts.clear()

    def calls_json(self, method: str = "") -> list[dict[str, Any]]:
        """The calls, of one method or of all."""
        return [dataclasses.asdict(c) for c in self.calls if method in ("", c.method)]

    def attempts_json(self) -> list[dict[str, Any]]:
        """The delivery attempts."""
        return [dataclasses.asdict(attempt) for attempt in self.attempts]
