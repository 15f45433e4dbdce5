"""What the evidence of an investigation adds up to, by rules in order; no model takes part. Pure.

What the cluster itself states is confirmed. What only stands before a trouble in time, or is named
by its log, is likely. Where nothing says why, the cause is unknown, and that is told.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from core.answers import Confidence
from core.changes import Change, Timeline, Trouble
from core.findings import Finding
from core.inspections import Inspection, LogsRead
from knowledge.tasks.timeline import gap_before, span, told_change


@dataclass(frozen=True, slots=True)
class Upstream:
    """A service that the object needs, and what is the matter with it.

    Attributes:
        path: The way of calls to it, both ends included.
        change: What changed there shortly before the trouble.
    """

    service: str
    path: tuple[str, ...]
    finding: Finding | None = None
    change: Change | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """What the steps found; None for a step that failed."""

    inspection: Inspection | None = None
    logs: LogsRead | None = None
    timeline: Timeline | None = None
    upstream: tuple[Upstream, ...] = ()

    @property
    def finding(self) -> Finding | None:
        """The worst thing that is wrong with the object itself."""
        return self.inspection.findings[0] if self.inspection and self.inspection.findings else None

    @property
    def trouble(self) -> Trouble | None:
        """The same on the line of time."""
        return self.timeline.troubles[0] if self.timeline and self.timeline.troubles else None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why it is so, in a sentence or two, and which steps say so."""

    confidence: Confidence
    why: str
    steps: tuple[str, ...] = ()


_CONFIRMED, _LIKELY, _UNKNOWN = Confidence.CONFIRMED, Confidence.LIKELY, Confidence.UNKNOWN
# Problems whose cause the API server, scheduler, kubelet or controller states itself.
_STATED = {
    "cannot-create-pods": "Its pods are refused, as its Event says.",
    "config-error": "What its configuration refers to is not there.",
    "cronjob-schedule": "Its schedule cannot be kept.",
    "evicted": "Its node was short of a resource and evicted it.",
    "hpa-cannot-act": "The autoscaler gets no metrics; the pods themselves are not the cause.",
    "image-pull": "The image of its newest revision cannot be pulled.",
    "node-pressure": "The node itself reports that it is short of a resource.",
    "node-not-ready": "The node itself does not report as ready.",
    "pvc": "Its volume cannot be provided.",
    "stuck-creating": "Its node cannot set the pod up.",
    "unschedulable": "No node has room for what it requests, as the scheduler says.",
}
_BY_LIMIT = re.compile(r"memory limit \S+ → \S+")


def decide(case: Case) -> Verdict:
    """The verdict of the first rule that has one."""
    for rule in _RULES:
        verdict = rule(case)
        if verdict is not None:
            return verdict
    return Verdict(
        _UNKNOWN,
        "Nothing that I can read says why: no change stands just before it, its log has no "
        "errors, and what it needs is well.",
    )


def _unread(case: Case) -> Verdict | None:
    if case.inspection is None or not case.inspection.lines:
        return Verdict(_UNKNOWN, "Its state could not be read, so nothing can be said of a cause.")
    return None


def _lost_node(case: Case) -> Verdict | None:
    """Pods on a node that is lost are no fault of their own."""
    inspection = case.inspection
    if inspection is None or (case.finding and case.finding.problem in _STATED):
        return None
    for finding in inspection.elsewhere:
        if finding.problem == "node-not-ready" and finding.owner.name in inspection.nodes:
            return Verdict(
                _LIKELY if case.finding else _CONFIRMED,
                f"Node {finding.owner.name}, where pods of it run, is NotReady.",
                ("status",),
            )
    return None


def _healthy(case: Case) -> Verdict | None:
    """Nothing is wrong with the object itself."""
    if case.finding is not None:
        return None
    broken = [item for item in case.upstream if item.finding]
    if broken:
        names = ", ".join(item.service for item in broken[:3])
        return Verdict(
            _LIKELY,
            f"It runs well itself, but what it needs does not: {names}.",
            ("status", "dependencies"),
        )
    if case.logs and case.logs.errors:
        return Verdict(
            _UNKNOWN, "It runs well by all rules, but its log has errors; see below.", ("logs",)
        )
    return Verdict(_CONFIRMED, "Nothing is wrong with it that the rules know.", ("status",))


def _stated(case: Case) -> Verdict | None:
    """The cluster says why; a change just before may have brought it."""
    finding = case.finding
    if finding is None or finding.problem not in _STATED:
        return None
    since, steps = _brought_by(case)
    return Verdict(_CONFIRMED, f"{_STATED[finding.problem]}{since}", ("status", *steps))


def _out_of_memory(case: Case) -> Verdict | None:
    if case.finding is None or case.finding.problem != "oom":
        return None
    suspect = case.trouble.suspect if case.trouble else None
    lowered = _BY_LIMIT.search(suspect.what) if suspect else None
    if suspect:
        since, steps = _brought_by(case)
        limit = ", and that limit was changed just before" if lowered else ""
        what = f"It is killed at its memory limit: this is confirmed{limit}."
        return Verdict(_LIKELY, f"{what}{since}", ("status", *steps))
    return Verdict(
        _CONFIRMED,
        "It needs more memory than its limit allows; no change stands just before, so look for "
        "more load, or for memory that grows.",
        ("status",),
    )


def _named_by_log(case: Case) -> Verdict | None:
    """Its log speaks of something that it needs and that broke or changed just before."""
    if case.logs is None:
        return None
    said = " ".join([*(item.text for item in case.logs.errors), case.logs.last_words]).lower()
    for item in case.upstream:
        if not re.search(rf"(?<![\w-]){re.escape(item.service.lower())}(?![\w-])", said):
            continue
        if item.finding:
            return Verdict(
                _LIKELY,
                f"Its log speaks of {item.service}, which it needs and which is in trouble: "
                f"{item.finding.title}.",
                ("logs", "dependencies"),
            )
        if item.change and case.trouble:
            gap = span(case.trouble.at - item.change.at)
            return Verdict(
                _LIKELY,
                f"Its log speaks of {item.service}, which it needs; {gap} before the trouble "
                f"{item.service} changed: {item.change.what}.",
                ("logs", "dependencies"),
            )
    return None


def _after_change(case: Case) -> Verdict | None:
    """Something changed just before; a log whose errors began then makes it likelier."""
    since, steps = _brought_by(case)
    if not since or case.trouble is None or case.trouble.suspect is None:
        return None
    at = case.trouble.suspect.at
    new = [
        item
        for item in (case.logs.errors if case.logs else ())
        if item.began_before and item.first_at and item.first_at >= at
    ]
    also = f" The error `{new[0].text[:80]}` is in its log only since then." if new else ""
    return Verdict(_LIKELY, f"{since.strip()}{also}", (*steps, *(["logs"] if new else [])))


def _own_log(case: Case) -> Verdict | None:
    if case.finding is None or case.logs is None or not case.logs.errors:
        return None
    return Verdict(
        _LIKELY,
        "No change that I can see stands just before it; its own log names the error.",
        ("logs",),
    )


def _brought_by(case: Case) -> tuple[str, tuple[str, ...]]:
    """The suspect as a sentence that goes on, with its step; ("", ()) without one."""
    trouble = case.trouble
    if trouble is None or trouble.suspect is None:
        return "", ()
    gap = gap_before(trouble, trouble.suspect)
    return f" Likely behind it, {gap}: {told_change(trouble.suspect)}.", ("changes",)


_RULES: tuple[Callable[[Case], Verdict | None], ...] = (
    _unread,
    _lost_node,
    _healthy,
    _stated,
    _out_of_memory,
    _named_by_log,
    _after_change,
    _own_log,
)
