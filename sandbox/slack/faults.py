"""Failures by script: what a test can make the workspace do wrong, and how often."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.slack.errors import ControlError

API_KINDS = ("ratelimited", "error", "http_error", "latency", "drop")
# Carried out, but the answer does not arrive.
LOST = "lost"
DELIVERY_KINDS = ("duplicate_event", "reorder_events", "disconnect")
KINDS = (*API_KINDS, LOST, *DELIVERY_KINDS)


@dataclass(slots=True)
class Fault:
    """One scripted failure.

    Attributes:
        kind: One of KINDS.
        method: The Web API method it strikes, "response_url", "upload" (a file's bytes), or
            "*" for every one.
        times: How often it strikes before it is gone.
        retry_after_seconds: For "ratelimited".
        status: For "http_error": 500 or 503.
        error: For "error": the code answered.
        fields: For "error": further fields of the answer, such as `needed`.
        latency_seconds: For "latency": real seconds before the request is carried out.
        reason: For "disconnect": "warning", "refresh_requested" or "link_disabled".
    """

    kind: str
    method: str = "*"
    times: int = 1
    retry_after_seconds: int = 1
    status: int = 500
    error: str = "internal_error"
    fields: dict[str, Any] = field(default_factory=dict)
    latency_seconds: float = 0.0
    reason: str = "warning"


class Faults:
    """The script: faults strike in the order they were added."""

    def __init__(self) -> None:
        self._pending: list[Fault] = []

    def add(self, request: Mapping[str, Any]) -> Fault:
        """Add a fault from a control request; `ControlError` names a wrong field."""
        if request.get("kind") not in KINDS:
            raise ControlError("kind", f"unknown kind {request.get('kind')!r}", KINDS)
        shape = {row.name: row for row in dataclasses.fields(Fault)}
        for key, value in request.items():
            if key not in shape:
                raise ControlError(key, "unknown field", tuple(shape))
            wanted = _TYPES[str(shape[key].type)]
            if isinstance(value, bool) or not isinstance(value, wanted[0]):
                raise ControlError(key, f"{value!r} has the wrong type", wanted[1])
        fault = Fault(**dict(request))
        if fault.times < 1:
            raise ControlError("times", "must strike at least once", "a whole number of 1 or more")
        self._pending.append(fault)
        return fault

    def take(self, kinds: tuple[str, ...], method: str = "*") -> Fault | None:
        """The next fault of these kinds that strikes `method`; it counts down."""
        for fault in self._pending:
            if fault.kind in kinds and fault.method in ("*", method):
                fault.times -= 1
                if not fault.times:
                    self._pending.remove(fault)
                return fault
        return None

    def clear(self) -> None:
        """Forget all faults."""
        self._pending.clear()

    def pending(self) -> list[dict[str, Any]]:
        """The faults that have not struck yet."""
        return [dataclasses.asdict(fault) for fault in self._pending]


_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "str": ((str,), "a string"),
    "int": ((int,), "a whole number"),
    "float": ((int, float), "a number"),
    "dict[str, Any]": ((dict,), "an object"),
}
