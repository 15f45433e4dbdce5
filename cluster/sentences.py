"""Findings as one sentence each, the way a colleague would say it. Pure; not yet redacted."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from core.findings import Finding

_UID = re.compile(r"(?:_[\w-]+)?\([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\)")
_BACK_OFF = re.compile(r"^Back-off restarting failed container\b")
_LEVEL = re.compile(r"^(?:FATAL|CRITICAL|ERROR|WARNING|WARN|INFO|DEBUG)\b[:\s]*", re.IGNORECASE)
_BAD_LEVEL = re.compile(r"^(?:FATAL|CRITICAL|ERROR)\b", re.IGNORECASE)
_READY_COUNT = re.compile(r"\d+ of \d+ [\w ]+ (?:ready|unavailable)$")
_DAY_SECONDS = 86_400


def at(moment: datetime | None, now: datetime) -> str:
    """A moment as people read it: "20:04 UTC" today, else with its date; or "unknown"."""
    if moment is None:
        return "unknown"
    if moment.date() == now.date():
        return f"{moment:%H:%M} UTC"
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def ago(moment: datetime, now: datetime) -> str:
    """How long ago, in its largest unit: "3 h ago"."""
    seconds = max(0.0, (now - moment).total_seconds())
    for size, unit in ((_DAY_SECONDS, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return "just now"


def without_uids(text: str) -> str:
    """A message of Kubernetes on one line, without the uids that no reader can use."""
    return " ".join(_UID.sub("", text).split())


def image_name(image: str) -> str:
    """An image without its registry and folder: "cart:2.8.1-rc"."""
    return image.rsplit("/", 1)[-1]


def finding_sentence(finding: Finding, now: datetime) -> str:
    """What is wrong with whom and why, in one sentence that can lead an answer."""
    told = _Told(finding, now)
    says = _BY_PROBLEM.get(finding.problem)
    text = says(told) if says else f"{told.name}: {told.says}"
    return f"{without_uids(text).rstrip('. ')}."


def also_sentences(finding: Finding) -> list[str]:
    """What was folded into a finding, that its sentence does not say."""
    also = [
        item.value
        for item in finding.evidence
        if item.field == "also" and not _READY_COUNT.search(item.value)
    ]
    return [f"Also: {'; '.join(without_uids(text).rstrip('.') for text in also)}."] if also else []


def log_sentence(lines: Sequence[str], name: str) -> list[str]:
    """The telling end of a log in a sentence, with the line that came before the trouble."""
    bad = [line for line in lines if _BAD_LEVEL.match(line)] or list(lines)
    if not bad:
        return []
    last = _LEVEL.sub("", bad[-1]).replace("`", "'")
    first = _LEVEL.sub("", lines[0]).replace("`", "'")
    is_other = not _BAD_LEVEL.match(lines[0]) and not _shares_words(first, last)
    after = f", after `{first}`" if is_other else ""
    return [f"The log of {name} ends with `{last}`{after}."]


def _shares_words(one: str, other: str) -> bool:
    words, others = set(one.lower().split()), set(other.lower().split())
    return len(words & others) * 2 > min(len(words), len(others))


class _Told:
    """A finding's evidence by field, and the words that several sentences use."""

    def __init__(self, finding: Finding, now: datetime) -> None:
        self.finding = finding
        self.now = now
        self.name = finding.owner.name
        self.says = finding.title.removeprefix(f"{self.name}: ")
        self._values: dict[str, str] = {}
        for item in finding.evidence:
            self._values.setdefault(item.field, item.value)

    def value(self, ending: str) -> str:
        """The value of the first field that ends so, or ''."""
        for field, value in self._values.items():
            if field.endswith(ending):
                return value
        return ""

    def event(self) -> str:
        """The message of the first Event, without what only repeats the state."""
        for field, value in self._values.items():
            if field.startswith("Event ") and not _BACK_OFF.match(value):
                return value
        return ""

    @property
    def container(self) -> str:
        name = self.value("container")
        return f"its container {name}" if name and name != self.name else "its container"

    @property
    def restarts(self) -> str:
        count = self.value("restartCount") or str(self.finding.count)
        word = "restart" if count == "1" else "restarts"
        code = self.value("terminated.exitCode").partition(" ")[0]
        finished = self.value("terminated.finishedAt")
        when = ""
        if finished:
            moment = datetime.fromisoformat(finished)
            when = f" at {at(moment, self.now)}"
        last = f", last exit {code}{when}" if code else ""
        return f"({count} {word}{last})"

    @property
    def ready(self) -> str:
        """How many replicas are ready, where that was folded in."""
        for item in self.finding.evidence:
            if item.field == "also" and (match := re.search(r"\d+ of \d+ \w+ ready", item.value)):
                return match[0]
        return ""


def _oom(told: _Told) -> str:
    limit = told.value("limits.memory")
    why = f"it hits its memory limit of {limit}" if limit else "it ran out of memory"
    if told.value("restartCount") in {"", "0", "1"}:
        return f"{told.name} was OOMKilled: {told.container} reached its end because {why}"
    return (
        f"{told.name} keeps restarting because {told.container} is OOMKilled: {why} {told.restarts}"
    )


def _crash_loop(told: _Told) -> str:
    code = told.value("terminated.exitCode")
    ends = f"{told.container} ends with exit code {code}" if code else f"{told.container} ends"
    return f"{told.name} keeps restarting: {ends} {told.restarts}"


def _image_pull(told: _Told) -> str:
    image = image_name(told.value("image"))
    if "not found" in told.says:
        return f"{told.name} cannot start new pods: its image {image} does not exist (not found)"
    why = told.says.rpartition("pulled: ")[2] if "pulled: " in told.says else told.finding.reason
    return f"{told.name} cannot start new pods: its image {image} cannot be pulled ({why})"


def _unschedulable(told: _Told) -> str:
    why = told.value("[PodScheduled]").partition("Unschedulable: ")[2].partition(" preemption")[0]
    memory, cpu = told.value("requests.memory"), told.value("requests.cpu")
    asks = " and ".join(
        f"{value} {name}" for value, name in ((memory, "memory"), (cpu, "CPU")) if value
    )
    wants = f"it requests {asks}, and " if asks else ""
    return (
        f"A pod of {told.name} is pending: {wants}no node has room "
        f"({why.rstrip('. ') or told.says})"
    )


def _config(told: _Told) -> str:
    why = told.event().removeprefix("Error: ") or told.says
    return f"{told.name} cannot start: {why} (the container cannot be created)"


def _not_ready(told: _Told) -> str:
    count = f" ({told.ready})" if told.ready else ""
    return f"{told.name} runs but is not ready{count}: {told.event() or told.says}"


def _pvc(told: _Told) -> str:
    claim = told.finding.involved.name
    why = told.event() or told.says.rpartition(": ")[2]
    return f"{told.name} waits for its volume: the claim {claim} is pending, {why}"


def _rollout(told: _Told) -> str:
    why = told.event() or told.value("[Progressing]").partition(": ")[2]
    change = told.value("image change").rpartition(": ")[2] if told.value("image change") else ""
    images = re.findall(r"\S+/\S+", told.value("image change")) if change else []
    what = f" to {image_name(images[-1])}" if images else ""
    reason = told.finding.reason
    return f"The rollout of {told.name}{what} is stuck ({reason}): {why}"


def _creating(told: _Told) -> str:
    place = f" on {told.finding.node}" if told.finding.node else ""
    return f"A pod of {told.name} cannot start{place}: {told.event() or told.says}"


def _job(told: _Told) -> str:
    why = told.event() or told.value("[Failed]")
    return f"The last job of {told.name} failed ({told.finding.reason}): {why}"


def _pressure(told: _Told) -> str:
    also = [item.value for item in told.finding.evidence if item.field == "also"]
    evicted = next((text for text in also if "evicted" in text), "")
    return f"Node {told.says.replace('node reports', f'{told.name} reports')}" + (
        f"; {evicted}" if evicted else ""
    )


def _node(told: _Told) -> str:
    why = told.value("[Ready]").partition(": ")[2] or told.says
    return f"Node {told.name} is NotReady: {why}"


def _autoscaler(told: _Told) -> str:
    why = told.event() or told.value("]").partition(": ")[2] or told.says
    return f"The autoscaler of {told.name} cannot act: {why}"


_BY_PROBLEM: Mapping[str, Callable[[_Told], str]] = {
    "oom": _oom,
    "crash-loop": _crash_loop,
    "image-pull": _image_pull,
    "unschedulable": _unschedulable,
    "config-error": _config,
    "not-ready": _not_ready,
    "pvc": _pvc,
    "rollout-stuck": _rollout,
    "stuck-creating": _creating,
    "job-failed": _job,
    "node-pressure": _pressure,
    "node-not-ready": _node,
    "hpa-cannot-act": _autoscaler,
}
