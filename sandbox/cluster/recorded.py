"""A recorded cluster: objects, logs, a clock, and the steps that change it as time goes by."""

from __future__ import annotations

import heapq
import re
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sandbox.cluster.resources import Obj
from sandbox.cluster.store import Store

KEPT_LOG_LINES = 5_000

_STAMP = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{9})Z ?")


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line as the kubelet keeps it: when it was written, and its text."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happens at a time after the start, once or again and again."""

    at_seconds: float
    name: str
    run: Callable[[RecordedCluster], None]
    every_seconds: float | None = None


@dataclass(slots=True)
class Faults:
    """How the server misbehaves, for one resource (plural) or for all of them."""

    mode: str = "none"
    resource: str = ""
    delay_seconds: float = 5.0

    def hits(self, plural: str) -> bool:
        """Whether a request for this resource is to go wrong."""
        return self.mode != "none" and self.resource in ("", plural)


@dataclass(order=True, slots=True)
class _Due:
    at_seconds: float
    order: int
    step: Step = field(compare=False)


class RecordedCluster:
    """Objects and logs that can be served, and a clock that moves only by `advance`.

    Args:
        objects: Kubernetes objects as `kubectl get -o json` gives them, in any order. A missing
            uid or creationTimestamp is filled in.
        logs: Text by "namespace/pod/container", with "#previous" for the terminated instance.
            Lines may start with the stamp that `kubectl logs --timestamps` writes, with exactly
            nine digits of a second; a text whose first line has none counts as written just now.
        now: When the recording begins; the present when not given.
        steps: What happens later.
        git_version: What /version tells.
        kept_log_lines: How many of its last lines a log keeps; None for all.

    Raises:
        ValueError: An object without apiVersion, kind or name.
    """

    def __init__(
        self,
        objects: Iterable[Obj],
        logs: Mapping[str, str] | None = None,
        *,
        now: datetime | None = None,
        steps: Iterable[Step] = (),
        git_version: str = "v1.34.1",
        kept_log_lines: int | None = KEPT_LOG_LINES,
    ) -> None:
        self.started = now or datetime.now(UTC)
        self.elapsed_seconds = 0.0
        self.git_version = git_version
        self.faults = Faults()
        self.store = Store(_complete(obj, self.started) for obj in objects)
        self.logs: dict[str, deque[LogLine]] = {
            key: deque(parse_log(text, self.started), maxlen=kept_log_lines)
            for key, text in (logs or {}).items()
        }
        self.done: list[str] = []
        self._steps: list[_Due] = []
        self._order = 0
        for step in steps:
            self._schedule(step, step.at_seconds)

    @property
    def now(self) -> datetime:
        """The cluster's own time."""
        return self.started + timedelta(seconds=self.elapsed_seconds)

    def advance(self, seconds: float) -> list[str]:
        """Let time pass, without sleeping; gives the names of the steps that ran, in order.

        Raises:
            ValueError: `seconds` is negative or not a number: time does not run backwards.
        """
        if not seconds >= 0:
            raise ValueError(f"Cannot advance by {seconds} seconds. Give zero or more.")
        until = self.elapsed_seconds + seconds
        ran: list[str] = []
        while self._steps and self._steps[0].at_seconds <= until:
            due = heapq.heappop(self._steps)
            self.elapsed_seconds = due.at_seconds
            due.step.run(self)
            ran.append(due.step.name)
            if due.step.every_seconds:
                self._schedule(due.step, due.at_seconds + due.step.every_seconds)
            else:
                self.done.append(due.step.name)
        self.elapsed_seconds = until
        return ran

    def append_log(self, key: str, lines: Iterable[LogLine]) -> None:
        """Add lines to a log, which begins with them when there was none."""
        self.logs.setdefault(key, deque(maxlen=KEPT_LOG_LINES)).extend(lines)

    def rotate_log(self, key: str) -> None:
        """The container ended: its log is the previous one now, and the current one is empty."""
        self.logs[f"{key}#previous"] = self.logs.pop(key, deque(maxlen=KEPT_LOG_LINES))

    def _schedule(self, step: Step, at_seconds: float) -> None:
        self._order += 1
        heapq.heappush(self._steps, _Due(at_seconds, self._order, step))


def parse_log(text: str, default: datetime) -> list[LogLine]:
    """Split a recorded log into lines; a line without a stamp was written with the one before.

    Where no line has one, they follow each other by a microsecond, the last at `default`.
    """
    texts = text.splitlines()
    if not _STAMP.match(text):
        first = default - timedelta(microseconds=max(len(texts) - 1, 0))
        return [
            LogLine(first + timedelta(microseconds=number), line)
            for number, line in enumerate(texts)
        ]
    lines: list[LogLine] = []
    at = default
    for line in texts:
        found = _STAMP.match(line)
        if found:
            seconds, nanoseconds = found.groups()
            at = datetime.fromisoformat(f"{seconds}+00:00") + timedelta(
                microseconds=int(nanoseconds) // 1_000
            )
            line = line[found.end() :]  # noqa: PLW2901  (the stamp is the kubelet's, not the text)
        lines.append(LogLine(at, line))
    return lines


def format_stamp(at: datetime) -> str:
    """The kubelet's stamp in front of a line: nine digits of a second, in UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{at.microsecond:06d}000Z"


def _complete(obj: Obj, now: datetime) -> Obj:
    """Fill in what a hand-written recording may lack and every real object has."""
    metadata = obj.get("metadata")
    if not isinstance(metadata, dict):
        return obj
    path = f"{obj.get('kind')}/{metadata.get('namespace', '')}/{metadata.get('name')}"
    filled = {
        "creationTimestamp": f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "uid": str(uuid.uuid5(uuid.NAMESPACE_URL, path)),
        **metadata,
    }
    return {**obj, "metadata": filled}
