"""`changes <workload|namespace> [since]`: what changed before it broke."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from datetime import tzinfo

from core.answers import (
    Answer,
    AnswerEvent,
    Confidence,
    Delta,
    Done,
    Inquiry,
    Progress,
)
from core.changes import Timeline
from core.clock import Clock
from core.findings import ObjectRef
from knowledge.evidence import citations
from knowledge.ports import LiveTrail
from knowledge.tasks.subject import Subjects, also_named, not_there
from knowledge.tasks.timeline import changes_passage, tell


class ChangesTask:
    """Implements `knowledge.ports.Answerer`; no model takes part.

    Args:
        subjects: Reads what is asked about.
        trail: The clusters, or None where none is configured.
        zone: In which times are told.
    """

    def __init__(
        self, subjects: Subjects, trail: LiveTrail | None, clock: Clock, zone: tzinfo
    ) -> None:
        self._subjects = subjects
        self._trail = trail
        self._clock = clock
        self._zone = zone

    async def stream(self, inquiry: Inquiry) -> AsyncGenerator[AnswerEvent, None]:
        """The timeline.

        Raises:
            RequestError: Nothing known is named so, or no cluster is configured.
        """
        began = self._clock.now()
        yield Progress("Looking at rollouts, configuration, scaling and nodes…")
        question, scope = inquiry.question, inquiry.scope
        subject = await self._subjects.read(question, began, scope)
        about = subject.about
        if about is None or self._trail is None:
            answer = not_there(question, subject.targets)
        else:
            found = await self._trail.changes(about, subject.window, scope)
            answer = self._answer(question, found, subject.targets.objects)
        took = self._clock.now() - began
        yield Delta(answer.text)
        yield Done.after(took, question, answer)

    def _answer(self, question: str, found: Timeline, named: Sequence[ObjectRef]) -> Answer:
        passages = (changes_passage(found),)
        confidence = Confidence.UNKNOWN if found.gaps else Confidence.CONFIRMED
        if any(trouble.suspect for trouble in found.troubles):
            # Order in time proves nothing; only what changed is a fact.
            confidence = Confidence.LIKELY
        return Answer(
            question=question,
            text=tell(found, self._zone),
            citations=citations(passages),
            passages=passages,
            confidence=confidence,
            notes=also_named(found.about, named),
            gaps=found.gaps,
        )
