"""`investigate <workload>`: a bounded checklist that only reads, and what it adds up to.

Status → Events → logs → changes → dependencies → runbook → verdict. Rules decide, no agent: each
step has a limit of time, and one that fails is told while the others go on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta, tzinfo
from typing import TypeVar

from core.answers import (
    Answer,
    AnswerEvent,
    Delta,
    Done,
    Gap,
    GenerationOptions,
    Lookup,
    Passage,
    Progress,
    Scope,
    Turn,
)
from core.changes import Change, ChangeKind, Timeline
from core.clock import Clock
from core.errors import OpsbotError, RequestError
from core.findings import Finding, ObjectRef
from core.inspections import Inspection, LogsRead
from core.questions import Intent, TimeRange
from knowledge.evidence import citations, remedy_of
from knowledge.graph import ARROW, ServiceGraph
from knowledge.models import EXTRACTIVE
from knowledge.past import ServiceGraphHolder
from knowledge.ports import LiveTrail, Retriever
from knowledge.tasks import checklist
from knowledge.tasks.checklist import Mark, Report, Step
from knowledge.tasks.subject import Subject, Subjects, also_named, not_there
from knowledge.tasks.verdict import Case, Upstream, decide
from knowledge.wholepage import is_incident
from knowledge.wording import ModelWordsmith

_log = logging.getLogger(__name__)
T = TypeVar("T")

STEP_SECONDS = 12.0
# A change of what it needs counts when it stands so shortly before the trouble.
UPSTREAM_CHANGES = timedelta(hours=1)
MOST_UPSTREAM = 6
MOST_DEPTH = 3
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
    """Implements `bot.services.Answerer`.

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

    async def stream(
        self,
        question: str,
        history: Sequence[Turn] = (),  # noqa: ARG002  (the port's signature)
        scope: Scope = Scope(),  # noqa: B008  (frozen)
        options: GenerationOptions = GenerationOptions(),  # noqa: B008  (frozen)
    ) -> AsyncGenerator[AnswerEvent, None]:
        """Each step as it ends, then the report.

        Raises:
            RequestError: Nothing known is named so, or no cluster is configured.
        """
        began = self._clock.now()
        yield Progress("Looking for it in the clusters…")
        subject = await self._subjects.read(question, began, scope)
        about = subject.about
        if about is not None and about.kind == "Namespace":
            raise RequestError(
                f"investigate {about.name}",
                "it is a namespace",
                f"Name one workload or node; `changes {about.name}` tells what changed there.",
            )
        if about is None or self._trail is None:
            answer = not_there(question, subject.targets)
        else:
            work = _Work(subject, about, scope)
            async for step in self._steps(work, self._trail):
                work.steps.append(step)
                yield Progress(_progress(work.steps))
            answer = await self._report(work, question, options)
        elapsed = max(0.0, (self._clock.now() - began).total_seconds())
        yield Delta(answer.text)
        yield Done(replace(answer, elapsed_seconds=elapsed))

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
        graph, about = self._shelf.graph, work.about
        service = graph.service_of(about.name, about.namespace, about.kind)
        if service is None or not graph.allows(service.name, work.scope):
            return checklist.dependencies_step((), 0, None)
        reached = [item for item in graph.dependencies(service.name) if item.depth <= MOST_DEPTH]
        paths = {
            item.service: item.path for item in reached if graph.allows(item.service, work.scope)
        }
        broken = _broken(graph, work.case.inspection)
        upstream = [
            Upstream(name, path, broken[name]) for name, path in paths.items() if name in broken
        ]
        quiet = [name for name in service.depends_on if name in paths and name not in broken]
        changed = await self._bounded(
            work, "changes of what it needs", self._changed(work, trail, graph, quiet)
        )
        upstream += [Upstream(name, paths[name], change=change) for name, change in changed or ()]
        work.case = replace(work.case, upstream=tuple(upstream[:MOST_UPSTREAM]))
        lines = [
            f"{ARROW.join(path)}: {broken[name].title if name in broken else 'no finding'}"
            for name, path in paths.items()
        ]
        passage = Passage(
            id=f"graph:needs:{service.name}",
            source="graph",
            title=f"What {service.name} needs",
            location=graph.location,
            text="\n".join(lines),
            service=service.name,
            updated_at=graph.updated_at,
            is_fact=True,
        )
        return checklist.dependencies_step(work.case.upstream, len(paths), passage)

    async def _changed(
        self, work: _Work, trail: LiveTrail, graph: ServiceGraph, names: Sequence[str]
    ) -> list[tuple[str, Change]]:
        """What changed of the services that it calls, shortly before its trouble."""
        trouble = work.case.trouble
        if trouble is None:
            return []
        window = TimeRange(trouble.at - UPSTREAM_CHANGES, trouble.at + timedelta(seconds=30))
        refs = [
            (name, ObjectRef(work.about.cluster, kind, graph.services[name].namespace, workload))
            for name in names[:MOST_UPSTREAM]
            for kind, _, workload in (
                each.partition("/") for each in graph.services[name].workloads[:1]
            )
        ]
        found = await asyncio.gather(*(trail.changes(ref, window, work.scope) for _, ref in refs))
        changed = []
        for (name, ref), line in zip(refs, found, strict=True):
            own = [c for c in line.changes if c.object.name == ref.name and _is_act(c)]
            changed += [(name, own[-1])] if own else []
        return changed

    async def _runbook(self, work: _Work) -> Step:
        finding = work.case.finding
        words = f"{finding.reason} {finding.title}" if finding else "troubleshooting"
        reading = replace(
            work.subject.reading,
            question=f"{work.about.name} {words}",
            search_text=f"{work.about.name} {words}",
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
                is_ill=work.case.finding is not None,
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

    async def _worded(self, work: _Work, finding: Finding) -> tuple[str, str]:
        """A model's words on the cause, held against the evidence, and its name; else none."""
        evidence = Lookup(tuple(step.passage for step in work.steps if step.passage))
        worded = await self._bounded(work, "the model", self._wordsmith.word([(finding, evidence)]))
        wording = worded[0].get(finding.identity) if worded else None
        if wording is None or not wording.cause:
            return "", EXTRACTIVE
        return f"**In short:** {wording.cause}", self._wordsmith.model


def _broken(graph: ServiceGraph, inspection: Inspection | None) -> dict[str, Finding]:
    """The worst finding of each service that is in trouble, the object's own left out."""
    found: dict[str, Finding] = {}
    for finding in inspection.elsewhere if inspection else ():
        owner = finding.owner
        service = graph.service_of(owner.name, owner.namespace, owner.kind)
        if service is not None:
            found.setdefault(service.name, finding)
    return found


def _is_act(change: Change) -> bool:
    return change.kind not in {ChangeKind.RESTART, ChangeKind.JOB}


def _progress(steps: Sequence[Step]) -> str:
    """The marks of all steps, then what the last one found."""
    marks = " ".join(f"{step.mark} {step.name}" for step in steps)
    rest = len(NAMES) - len(steps)
    left = f" ({rest} to go)" if rest else ""
    return f"{marks}{left}: {steps[-1].text}"
