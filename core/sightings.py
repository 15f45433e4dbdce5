"""A Kubernetes Event, as it stood when it was read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.findings import ObjectRef


@dataclass(frozen=True, slots=True)
class Sighting:
    """One state of an Event; a recurrence is another sighting of the same one.

    Attributes:
        uid: The Event's own.
        version: Its resourceVersion; with uid and count it names the sighting.
        involved: What the Event is about.
        type: "Warning" or "Normal".
        message: Redacted.
        first_seen: When it first happened, aware UTC.
        last_seen: When it last happened.
        count: How often so far; in an answer about a window, how often in it. A lower bound,
            since sources throttle.
    """

    uid: str
    version: str
    involved: ObjectRef
    type: str
    reason: str
    message: str
    first_seen: datetime
    last_seen: datetime
    count: int
