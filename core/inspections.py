"""What a look at one workload brings, step by step."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.answers import Gap
from core.findings import Finding, ObjectRef


@dataclass(frozen=True, slots=True)
class Targets:
    """The objects that a text names, worst first; `looked_in` are the clusters that were read."""

    objects: tuple[ObjectRef, ...] = ()
    gaps: tuple[Gap, ...] = ()
    looked_in: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Inspection:
    """How an object stands.

    Attributes:
        state: One sentence: what is wrong, or how many replicas are ready.
        lines: Everything known of it, in sentences; redacted.
        findings: Its own, worst first.
        elsewhere: Findings on other objects of the same cluster.
        nodes: Names of the nodes that its pods run on.
        events: Its newest Warning Events in sentences; redacted.
    """

    about: ObjectRef
    seen_at: datetime
    state: str
    lines: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    elsewhere: tuple[Finding, ...] = ()
    nodes: frozenset[str] = frozenset()
    events: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True)
class LoggedError:
    """Entries of a log that say the same.

    Attributes:
        text: The latest of them, in one line; redacted.
        first_at: When the first of them was written, where the log tells times.
        began_before: Whether the log reaches back to before `first_at`.
        is_previous: From the instance before the last restart.
    """

    text: str
    count: int
    first_at: datetime | None = None
    began_before: bool = False
    is_previous: bool = False


@dataclass(frozen=True, slots=True)
class LogsRead:
    """The errors in an object's logs.

    Attributes:
        errors: The last crash first, then by number.
        read: How many logs were read; 0 says nothing about the object.
        last_words: The last line of an instance that ended, redacted, or ''.
    """

    errors: tuple[LoggedError, ...] = ()
    read: int = 0
    last_words: str = ""
    gaps: tuple[Gap, ...] = ()
