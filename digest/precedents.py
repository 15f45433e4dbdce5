"""The most similar problem of the past for each item: an incident report, or an earlier finding.

No model: a report is alike when it speaks of the same class of problem, and more so when it names
the workload; an earlier finding when it was the same problem of the same workload, or one of the
same class of which somebody noted what it was.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from core.answers import Gap, Passage, Scope
from core.digests import FindingHistory, Marks, Precedent
from core.errors import OpsbotError
from core.findings import Finding
from core.questions import Intent, Reading
from digest.causes import problem_of
from digest.extract import fix_told, page_of
from digest.ports import MarkStore, Past, Runbooks
from knowledge.wholepage import is_incident

LOOKED_AT = 500


class Precedents:
    """Finds what was like a finding, for all of a digest at once.

    Args:
        reports: The search over what is written down.
        past: What the schedule's own digests told as over.
        marks: What people noted of it.
    """

    def __init__(self, reports: Runbooks, past: Past, marks: MarkStore) -> None:
        self._reports = reports
        self._past = past
        self._marks = marks

    async def of(
        self, asked: Sequence[tuple[Finding, Reading]], schedule: str, scope: Scope
    ) -> tuple[Mapping[str, Precedent], tuple[Gap, ...]]:
        """The precedents by identity, and where nobody could look.

        Args:
            asked: Findings, each with its search.
            schedule: Whose past it is.
            scope: What the readers may see.
        """
        past, gaps = await self._remembered(scope)
        notes = await self._notes(schedule) if past else {}
        pages = await asyncio.gather(*(self._reports_on(reading, scope) for _, reading in asked))
        found = {
            finding.identity: precedent
            for (finding, _), passages in zip(asked, pages, strict=True)
            if (precedent := nearest(finding, passages, past, notes)) is not None
        }
        return found, gaps

    async def _remembered(self, scope: Scope) -> tuple[Sequence[FindingHistory], tuple[Gap, ...]]:
        if not scope.allows_source("past"):
            return (), ()
        try:
            return await self._past.resolved(scope, LOOKED_AT), ()
        except OpsbotError as error:
            return (), (Gap("past digests", error.wrong, error.remedy),)

    async def _notes(self, schedule: str) -> Mapping[str, Marks]:
        try:
            return await self._marks.all(schedule)
        except OpsbotError:
            return {}  # the same database has just answered; a note is a courtesy

    async def _reports_on(self, reading: Reading, scope: Scope) -> tuple[Passage, ...]:
        similar = replace(reading, intents=frozenset({Intent.SIMILAR}), time_range=None, limit=None)
        try:
            found = await self._reports.look(similar, scope)
        except OpsbotError:
            return ()  # the search for runbooks tells that there is no search
        return tuple(one for one in found.passages if is_incident(one) and one.source != "past")


def nearest(
    finding: Finding,
    reports: Sequence[Passage],
    past: Iterable[FindingHistory],
    notes: Mapping[str, Marks],
) -> Precedent | None:
    """The best of what may be alike, or None. Pure.

    Args:
        finding: The one that is told now.
        reports: Passages of incident reports, best first.
        past: Findings that are over, newest first.
        notes: What people said of findings, by identity.
    """
    fitting = [report for report in reports if _speaks_of(report, finding)]
    own_report = next((one for one in fitting if _names(one, finding)), None)
    if own_report is not None:
        return _of_report(own_report, reports)
    same_class = [each for each in past if each.finding.problem == finding.problem]
    again = next((each for each in same_class if _is_same(each.finding, finding)), None)
    if again is not None:
        return _of_past(again, notes)
    titled = next((one for one in fitting if _has(one.title, finding)), None)
    if titled is not None:
        return _of_report(titled, reports)
    # Elsewhere the same symptom tells something only where somebody found out what it was.
    noted = next((each for each in same_class if _note(each, notes)), None)
    return _of_past(noted, notes) if noted is not None else None


def _of_report(report: Passage, reports: Sequence[Passage]) -> Precedent:
    page = [one for one in reports if page_of(one.location) == page_of(report.location)]
    return Precedent(report.title, report.url, helped=fix_told(page))


def _of_past(history: FindingHistory, notes: Mapping[str, Marks]) -> Precedent:
    return Precedent(
        history.finding.title,
        happened_at=history.first_seen,
        helped=_note(history, notes),
        lasted=history.last_seen - history.first_seen,
    )


def _note(history: FindingHistory, notes: Mapping[str, Marks]) -> str:
    known = notes.get(history.identity, Marks()).known_issue
    return known.text if known is not None else ""


def _is_same(earlier: Finding, finding: Finding) -> bool:
    """The same workload, in whichever cluster, with the same log line if it is one."""
    one, other = earlier.owner, finding.owner
    place = (one.kind, one.namespace, one.name, earlier.template)
    return place == (other.kind, other.namespace, other.name, finding.template)


def _speaks_of(report: Passage, finding: Finding) -> bool:
    return _has(f"{report.title} {report.text}", finding)


def _has(text: str, finding: Finding) -> bool:
    words = (*problem_of(finding).words, finding.reason.lower())
    lowered = text.lower()
    return any(re.search(rf"(?<![a-z0-9]){re.escape(word)}", lowered) for word in words if word)


def _names(report: Passage, finding: Finding) -> bool:
    names = {finding.owner.name, finding.node} - {""}
    text = f"{report.title} {report.text}"
    return report.service == finding.owner.name or any(
        re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text) for name in names
    )
