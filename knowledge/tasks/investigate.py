"""`investigate <workload>`: a bounded checklist that only reads, and what it adds up to.

Status → Events → logs → changes → dependencies → runbook → verdict. Rules decide, no agent: each
step has a limit of time, and one that fails is told while the others go on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from typing import TypeVar

from core.answers import (
    Answer,
    AnswerEvent,
    Delta,
    Done,
    Gap,
    GenerationOptions,
    Inquiry,
    Lookup,
    Passage,
    Progress,
    Scope,
)
from core.changes import Timeline
from core.clock import Clock
from core.errors import OpsbotError, RequestError
from core.findings import Finding, ObjectRef
from core.inspections import Inspection, LogsRead
from core.questions import Intent
from knowledge.evidence import citations, remedy_of
from knowledge.models import EXTRACTIVE
from knowledge.past import ServiceGraphHolder
from knowledge.ports import LiveTrail, Retriever
from knowledge.tasks import checklist
from knowledge.tasks.checklist import Mark, Report, Step
from knowledge.tasks.subject import Subject, Subjects, also_named, not_there
from knowledge.tasks.upstream import broken_of, changed_of, needed, needs_passage
from knowledge.tasks.verdict import Case, decide
from knowledge.wholepage import is_incident
from knowledge.wording import ModelWordsmith

_log = logging.getLogger(__name__)
T = TypeVar("T")

STEP_SECONDS = 12.0
MOST_UPSTREAM = 6
NAMES = ("status", "events", "logs", "changes", "dependencies", "runbook")


@dataclass(slots=True)
class _Work:
    """An investigation under way."""

    subject: Subject
    about: ObjectRef
    scope: Scope
    case: Case = field(default_factory=Case)
    steps: list[Step] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)


class InvestigateTask:
    """Implements `knowledge.ports.Answerer`.

    Args:
        subjects: Reads what is asked about.
        trail: The clusters, or None where none is configured.
        retriever: Finds the runbook.
        shelf: Has the service graph.
        wordsmith: May word the cause, checked against the evidence; the verdict is the rules'.
        zone: In which times are told.
        step_seconds: The limit of each step.
    """

    def __init__(  # noqa: PLR0917  (one caller, the composition root, which names them)
        self,
        subjects: Subjects,
        trail: LiveTrail | None,
        retriever: Retriever,
        shelf: ServiceGraphHolder,
        wordsmith: ModelWordsmith,
        clock: Clock,
        zone: tzinfo,
        step_seconds: float = STEP_SECONDS,
    ) -> None:
        self._subjects = subjects
        self._trail = trail
        self._retriever = retriever
        self._shelf = shelf
        self._wordsmith = wordsmith
        self._clock = clock
        self._zone = zone
        self._seconds = step_seconds

    async def stream(self, inquiry: Inquiry) -> AsyncGenerator[AnswerEvent, None]:
        """Each step as it ends, then the report.

        Raises:
            RequestError: Nothing known is named so, or no cluster is configured.
        """
        began = self._clock.now()
        yield Progress("Looking for it in the clusters…")
        question, scope = inquiry.question, inquiry.scope
        subject = await self._subjects.read(question, began, scope)
        about = subject.about
        if about is not None and about.kind == "Namespace":
            raise RequestError(
                f"investigate {about.name}",
                "it is a namespace",
                f"Name one workload or node; `changes {about.name}` tells what changed there.",
            )
        if about is None and subject.targets.gaps and subject.reading.names:
            # Nobody can tell where it is, but what is written on it can still be found.
            about = ObjectRef("", "Deployment", "", subject.reading.names[0])
        if about is None or self._trail is None:
            answer = not_there(question, subject.targets)
        else:
            work = _Work(subject, about, scope, gaps=list(subject.targets.gaps))
            async for step in self._steps(work, self._trail):
                work.steps.append(step)
                yield Progress(_progress(work.steps))
            answer = await self._report(work, question, inquiry.options)
        took = self._clock.now() - began
        yield Delta(answer.text)
        yield Done.after(took, question, answer)

    async def _steps(self, work: _Work, trail: LiveTrail) -> AsyncGenerator[Step, None]:
        about, scope = work.about, work.scope
        found = await self._bounded(work, "the state", trail.inspect(about, scope))
        inspection = found or Inspection(
            about, self._clock.now(), f"The state of {about} is unread"
        )
        if isinstance(found, Inspection):
            work.case = replace(work.case, inspection=found)
            work.gaps += found.gaps
            yield checklist.status_step(found)
            yield checklist.events_step(found)
        else:
            yield Step("status", Mark.UNREAD, "could not be read")
            yield Step("events", Mark.UNREAD, "could not be read")
        logs = await self._bounded(work, "the logs", trail.logs(about, scope))
        if isinstance(logs, LogsRead):
            work.case = replace(work.case, logs=logs)
            work.gaps += logs.gaps
            yield checklist.logs_step(logs, inspection)
        else:
            yield Step("logs", Mark.UNREAD, "could not be read")
        window = work.subject.window
        changes = await self._bounded(work, "the changes", trail.changes(about, window, scope))
        if isinstance(changes, Timeline):
            work.case = replace(work.case, timeline=changes)
            work.gaps += changes.gaps
            yield checklist.changes_step(changes, self._zone)
        else:
            yield Step("changes", Mark.UNREAD, "could not be read")
        yield await self._dependencies(work, trail)
        yield await self._runbook(work)

    async def _bounded(self, work: _Work, what: str, step: Awaitable[T]) -> T | None:
        """What a step brings, within its time; what goes wrong is a gap, and None."""
        try:
            async with asyncio.timeout(self._seconds):
                return await step
        except TimeoutError:
            work.gaps.append(Gap(what, f"it took longer than {self._seconds:g} s"))
        except OpsbotError as error:
            work.gaps.append(Gap(what, error.wrong, error.remedy))
        except Exception:  # noqa: BLE001  one broken step must not take the others away
            _log.exception("investigating %s: %s failed", work.about, what)
            work.gaps.append(Gap(what, "it failed", "The log has the details"))
        return None

    async def _dependencies(self, work: _Work, trail: LiveTrail) -> Step:
        graph = self._shelf.graph
        paths = needed(graph, work.about, work.scope)
        if not paths:
            return checklist.dependencies_step((), 0, None)
        broken = broken_of(graph, paths, work.case.inspection)
        changed = await self._bounded(
            work,
            "changes of what it needs",
            changed_of(trail, graph, paths, broken, work.case.trouble, work.about, work.scope),
        )
        work.case = replace(work.case, upstream=(*broken, *(changed or ()))[:MOST_UPSTREAM])
        return checklist.dependencies_step(
            work.case.upstream,
            len(paths),
            needs_passage(graph, work.about, paths, broken),
            is_read=bool(work.case.inspection and work.case.inspection.lines),
        )

    async def _runbook(self, work: _Work) -> Step:
        finding = work.case.finding
        words = f"{finding.reason} {finding.title}" if finding else ""
        reading = replace(
            work.subject.reading,
            question=f"{work.about.name} {words}".strip(),
            search_text=f"{work.about.name} {words}".strip(),
            names=(work.about.name,),
            codes=(finding.reason,) if finding else (),
            intents=frozenset({Intent.WHY, Intent.HOW}),
            time_range=None,
        )
        lookup = await self._bounded(
            work, "the runbooks", self._retriever.look(reading, work.scope)
        )
        found = lookup or Lookup()
        work.gaps += found.gaps
        pages = [p for p in found.passages if not p.is_fact and not is_incident(p)]
        best = next(iter(remedy_of(reading, pages) or pages), None)
        return checklist.runbook_step(best, has_gap=lookup is None or bool(found.gaps))

    async def _report(self, work: _Work, question: str, options: GenerationOptions) -> Answer:
        verdict = decide(work.case)
        inspection = work.case.inspection
        words, model = "", EXTRACTIVE
        if work.case.finding is not None and options.model != EXTRACTIVE:
            words, model = await self._worded(work, work.case.finding)
        text, passages = checklist.tell(
            Report(
                state=inspection.state if inspection else f"The state of {work.about} is not known",
                steps=tuple(work.steps),
                verdict=verdict,
                reading=work.subject.reading,
                is_ill=work.case.finding is not None or not (inspection and inspection.lines),
                metric=await self._memory(work),
                words=words,
                command=checklist.command_for(work.case.trouble.suspect)
                if work.case.trouble
                else "",
            )
        )
        return Answer(
            question=question,
            text=text,
            citations=citations(passages),
            passages=passages,
            confidence=verdict.confidence,
            model=model,
            notes=also_named(work.about, work.subject.targets.objects),
            gaps=tuple(dict.fromkeys(work.gaps)),
        )

    async def _memory(self, work: _Work) -> Passage | None:
        """The memory's course, for a trouble of memory."""
        if work.case.finding is None or work.case.finding.problem != "oom":
            return None
        asked = f"memory of {work.about.name}"
        reading = replace(
            work.subject.reading,
            question=asked,
            search_text="",  # numbers alone, no pages
            names=(work.about.name,),
            intents=frozenset({Intent.METRICS}),
            time_range=None,
        )
        lookup = await self._bounded(work, "metrics", self._retriever.look(reading, work.scope))
        found = [p for p in (lookup or Lookup()).passages if "memory" in p.title.lower()]
        return next((p for p in found if p.is_fact and p.source not in {"cluster", "graph"}), None)

    async def _worded(self, work: _Work, finding: Finding) -> tuple[str, str]:
        """A model's words on the cause, held against the evidence, and its name; else none."""
        evidence = Lookup(tuple(step.passage for step in work.steps if step.passage))
        worded = await self._bounded(work, "the model", self._wordsmith.word([(finding, evidence)]))
        wording = worded[0].get(finding.identity) if worded else None
        if wording is None or not wording.cause:
            return "", EXTRACTIVE
        return f"**In short:** {wording.cause}", self._wordsmith.model


def _progress(steps: Sequence[Step]) -> str:
    """The marks of all steps, then what the last one found."""
    marks = " ".join(f"{step.mark} {step.name}" for step in steps)
    rest = len(NAMES) - len(steps)
    left = f" ({rest} to go)" if rest else ""
    return f"{marks}{left}: {steps[-1].text}"
