"""The RAG chain: a question becomes passages, passages become a checked and cited answer.

read → look at the live cluster and at what is written, at once → prompt → model → check, sentence
by sentence → answer. Every step may fail, and the reader is told what is missing; nothing a model
says is shown before it was held against the evidence. The module is longer than others: the walk
is told in one place.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
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
from core.clock import Clock
from core.errors import OpsbotError
from core.questions import Intent, Reading
from knowledge.check import Checked, CheckedWriter
from knowledge.direct import disagrees
from knowledge.errorlist import error_items, is_error_list
from knowledge.evidence import (
    citations,
    confidence,
    is_answerable,
    merge,
    remedy_of,
    renumber,
    with_remedies,
)
from knowledge.extract import extract
from knowledge.followup import resolve
from knowledge.judge import Checker
from knowledge.models import EXTRACTIVE, ModelChoice, Models
from knowledge.ports import LiveFacts, Model, ModelUnavailableError, Retriever
from knowledge.prompting import Rendered, render
from knowledge.waiting import LineFullError

T = TypeVar("T")

_log = logging.getLogger(__name__)

NO_MODEL_NOTE = "The configured model cannot be reached; this is quoted from what was found."
LATE_NOTE = "The model did not answer in time; this is quoted from what was found."
BUSY_NOTE = "Too many questions wait for the model; this is quoted from what was found."
LOST_NOTE = "The model did not answer; this is quoted from what was found."
CUT_NOTE = (
    "What the model wrote was not borne out by what was found; this is quoted from what was found."
)
OTHER_NOTE = "The model gave another value than the document; this is quoted from what was found."
_AUTO = "auto"
_RESERVE_SECONDS = 2.0  # kept back for quoting and posting when the model uses up its time


@dataclass(frozen=True, slots=True)
class ChainLimits:
    """How long and how much.

    Attributes:
        answer_timeout_seconds: From the question to Done.
        look_timeout_seconds: For the cluster and for the search, each.
        passages: Shown to the model or quoted, at most.
    """

    answer_timeout_seconds: float = 90.0
    look_timeout_seconds: float = 15.0
    passages: int = 8


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What is known before a word is written."""

    question: str
    reading: Reading
    passages: tuple[Passage, ...]
    gaps: tuple[Gap, ...]
    looked_in: tuple[str, ...]
    names: frozenset[str]
    remedies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    has_live: bool = True


class RagChain:
    """Answers questions; see `knowledge.ports.Answerer`.

    Args:
        retriever: Everything written down.
        live: The cluster, or None when there is none to look at.
        models: Which model to ask.
        clock: For elapsed times.
        nonce: A new word for each prompt that no passage can know; random by default.
        redact: Takes secrets out of questions and history before a model sees them.
    """

    def __init__(
        self,
        retriever: Retriever,
        live: LiveFacts | None,
        models: Models,
        clock: Clock,
        *,
        limits: ChainLimits = ChainLimits(),
        nonce: Callable[[], str] = lambda: secrets.token_hex(6),
        redact: Callable[[str], str] = lambda text: text,
    ) -> None:
        self._retriever = retriever
        self._live = live
        self._models = models
        self._clock = clock
        self._limits = limits
        self._nonce = nonce
        self._redact = redact

    async def stream(
        self, inquiry: Inquiry, reading: Reading | None = None
    ) -> AsyncGenerator[AnswerEvent, None]:
        """Progress and checked deltas, then exactly one Done. Never raises for a lost model.

        `reading` is for a question that a task has read already; else the rules read it.
        """
        began = self._clock.now()
        end = asyncio.get_running_loop().time() + self._limits.answer_timeout_seconds
        redacted = replace(
            inquiry,
            question=self._redact(inquiry.question),
            history=[replace(turn, text=self._redact(turn.text)) for turn in inquiry.history],
        )
        yield Progress("Looking at the live cluster and the runbooks…")
        evidence = await self._look(redacted, reading)
        answer = _not_found(evidence)
        if not evidence.passages:
            yield Delta(answer.text)
        else:
            async with aclosing(self._word(evidence, redacted, end)) as events:
                async for event in events:
                    if isinstance(event, Answer):
                        answer = event
                    else:
                        yield event
        yield Done.after(self._clock.now() - began, inquiry.question, answer)

    async def answer(self, inquiry: Inquiry) -> Answer:
        """The finished answer, for callers that cannot show its growth."""
        at_once = replace(inquiry, options=replace(inquiry.options, stream=False))
        async with aclosing(self.stream(at_once)) as events:
            async for event in events:
                if isinstance(event, Done):
                    return event.answer
        raise AssertionError("the stream ends with Done")

    async def _look(self, inquiry: Inquiry, read: Reading | None) -> _Evidence:
        names, namespaces = await self._known()
        whole, scope = inquiry.question, inquiry.scope
        if read is None:
            whole = resolve(whole, inquiry.history, names, namespaces)
        reading = read or self._retriever.read(whole, names, namespaces)
        found = await self.look(reading, scope)
        passages = found.passages if is_answerable(reading, found.passages) else ()
        remedies: Mapping[str, tuple[Passage, ...]] = {}
        if is_error_list(reading, passages):
            remedies = await self._remedies(reading, passages, scope)
            passages = with_remedies(passages, remedies)
        return _Evidence(
            question=whole,
            reading=reading,
            passages=passages,
            remedies={key: tuple(p.id for p in told) for key, told in remedies.items()},
            has_live=self._live is not None,
            gaps=found.gaps,
            looked_in=found.looked_in,
            names=names,
        )

    async def look(self, reading: Reading, scope: Scope) -> Lookup:
        """Look at the live cluster and at what is written, at once; never raises."""
        most = self._limits.passages
        lookups = [
            self._bounded("documentation search", self._retriever.look(reading, scope, most))
        ]
        if self._live is not None:
            lookups.insert(0, self._bounded("the live cluster", self._live.look(reading, scope)))
        found = await asyncio.gather(*lookups)
        return Lookup(
            passages=merge(found, reading, most + 2 * min(reading.limit or 0, most)),
            gaps=tuple(gap for lookup in found for gap in lookup.gaps),
            looked_in=tuple(dict.fromkeys(p for lookup in found for p in lookup.looked_in)),
        )

    async def _remedies(
        self, reading: Reading, passages: Sequence[Passage], scope: Scope
    ) -> dict[str, tuple[Passage, ...]]:
        """For each error of a list what is written on it: one more search each, all at once."""
        items = error_items(passages, reading.limit or self._limits.passages)
        asked = [
            replace(
                reading,
                question=item.words,
                search_text=item.words,
                names=(item.service,),
                namespaces=(),
                codes=(),
                time_range=None,
                limit=None,
                intents=frozenset({Intent.HOW}),
            )
            for item in items
        ]
        found = await asyncio.gather(
            *(self._bounded("runbooks", self._retriever.look(one, scope, 6)) for one in asked)
        )
        return {
            item.key: remedy_of(one, lookup.passages)
            for item, one, lookup in zip(items, asked, found, strict=True)
        }

    async def _known(self) -> tuple[frozenset[str], frozenset[str]]:
        """Names that the cluster knows; a cluster that does not answer knows none."""
        if self._live is None:
            return frozenset(), frozenset()
        try:
            async with asyncio.timeout(self._limits.look_timeout_seconds):
                return await self._live.known_names(), await self._live.known_namespaces()
        except TimeoutError:
            _log.warning("the names in the cluster were not known in time")
            return frozenset(), frozenset()

    async def _bounded(self, what: str, look: Awaitable[Lookup]) -> Lookup:
        """A lookup that ends in time; what goes wrong becomes a gap that the reader sees."""
        seconds = self._limits.look_timeout_seconds
        try:
            async with asyncio.timeout(seconds):
                return await look
        except TimeoutError:
            return Lookup(gaps=(Gap(what, f"it did not answer within {seconds:g} s"),))
        except OpsbotError as error:
            return Lookup(gaps=(Gap(what, error.wrong, error.remedy),))
        except Exception:  # noqa: BLE001  one broken source must not take the others' answer away
            _log.exception("%s failed", what)
            return Lookup(gaps=(Gap(what, "it failed", "The log has the details."),))

    async def _word(
        self, evidence: _Evidence, inquiry: Inquiry, end: float
    ) -> AsyncGenerator[Progress | Delta | Answer, None]:
        options = inquiry.options
        choice = await self._models.current(options.model)
        if choice.model is None:
            answer = await _quoted(evidence, self._why_without(choice, options))
            yield Delta(answer.text)
            yield answer
            return
        rendered = await asyncio.to_thread(self._render, evidence, inquiry, choice.model)
        if not rendered.passages:  # a context too small for anything leaves nothing to go by
            answer = await _quoted(evidence, (rendered.note,))
            yield Delta(answer.text)
            yield answer
            return
        checker = await asyncio.to_thread(
            Checker,
            rendered.passages,
            evidence.question,
            evidence.names | set(evidence.reading.names),
        )
        writer = CheckedWriter(checker)
        lost = ""
        is_shown = False
        try:
            async with aclosing(self._said(choice.model, rendered, options, end)) as said:
                async for part in said:
                    if isinstance(part, Progress):
                        yield part
                    elif (new := await asyncio.to_thread(writer.feed, part)) and options.stream:
                        is_shown = True
                        yield Delta(new)
                    if writer.is_stuck:
                        break
        except (TimeoutError, ModelUnavailableError) as error:
            lost = self._why_lost(error, options)
        if not lost and (new := await asyncio.to_thread(writer.close)) and options.stream:
            is_shown = True
            yield Delta(new)
        answer = await _finished(evidence, rendered, writer.checked, choice, lost)
        if not is_shown:
            yield Delta(answer.text)
        yield answer

    async def _said(
        self, model: Model, rendered: Rendered, options: GenerationOptions, end: float
    ) -> AsyncGenerator[Progress | str, None]:
        """Where the question stands in the line, then the model's text as it comes.

        Raises:
            TimeoutError: The answer is due.
            ModelUnavailableError: The model is lost, or too many wait for it.
        """
        async with self._models.line.join() as place:
            async for ahead in _until_due(place.positions(), end):
                yield Progress(_waiting(ahead))
            async for token in _until_due(_tokens(model, rendered, options), end):
                yield token

    def _why_lost(
        self, error: TimeoutError | ModelUnavailableError, options: GenerationOptions
    ) -> str:
        """What the reader is told; a model that failed is looked for again."""
        if isinstance(error, TimeoutError):
            return LATE_NOTE
        _log.warning("the model was lost: %s", error)
        if isinstance(error, LineFullError):
            return BUSY_NOTE
        if isinstance(error.__cause__, TimeoutError):
            return LATE_NOTE
        self._models.lost(options.model)
        return LOST_NOTE

    def _why_without(self, choice: ModelChoice, options: GenerationOptions) -> tuple[str, ...]:
        """One line on why there are no words of a model, unless there need be none."""
        wanted = options.model or self._models.config.model
        if wanted in {EXTRACTIVE, _AUTO}:
            return ()  # the answer says itself that no model worded it
        return (choice.note,) if options.model else (NO_MODEL_NOTE,)

    def _render(self, evidence: _Evidence, inquiry: Inquiry, model: Model) -> Rendered:
        asks_for_errors = evidence.reading.limit is not None or (
            Intent.LOGS in evidence.reading.intents and "error" in evidence.question.lower()
        )
        answer_tokens = inquiry.options.max_tokens or self._models.config.max_tokens
        return render(
            "errors" if asks_for_errors else "answer",
            question=evidence.question,
            passages=evidence.passages,
            nonce=self._nonce(),
            room_tokens=max(256, model.context_tokens - answer_tokens),
            history=inquiry.history,
        )


async def _tokens(
    model: Model, rendered: Rendered, options: GenerationOptions
) -> AsyncGenerator[str, None]:
    """The model's text: as it comes, or whole where that is wanted."""
    if not options.stream:
        yield await model.complete(rendered.prompt, options)
        return
    stream = model.stream(rendered.prompt, options)
    try:
        async for token in stream:
            yield token
    finally:
        if isinstance(stream, AsyncGenerator):
            await stream.aclose()


async def _until_due(steps: AsyncGenerator[T, None], end: float) -> AsyncGenerator[T, None]:
    """The same steps, up to the moment when the answer is due.

    Raises:
        TimeoutError: It is due.
    """
    async with aclosing(steps):
        while True:
            async with asyncio.timeout_at(end - _RESERVE_SECONDS):
                step = await anext(steps, None)
            if step is None:
                return
            yield step


def _waiting(ahead: int) -> str:
    """What a reader sees while others are served."""
    if ahead == 1:
        return "The model is busy; your question is next…"
    return f"The model is busy; your question is number {ahead} in the line…"


async def _finished(
    evidence: _Evidence, rendered: Rendered, checked: Checked, choice: ModelChoice, lost: str
) -> Answer:
    """The model's checked words if they are enough, else what was found, in quotes."""
    if not lost and checked.is_admission:
        return _does_not_tell(evidence, checked, choice)
    if lost or not checked.is_enough:
        if checked.cut:
            _log.info("cut from the model's answer: %s", "; ".join(checked.reasons[:5]))
        return await _quoted(evidence, (lost or CUT_NOTE,))
    if await asyncio.to_thread(disagrees, checked.text, evidence.reading, evidence.passages):
        return await _quoted(evidence, (OTHER_NOTE,))
    notes = (rendered.note,) if rendered.note else ()
    used = tuple(rendered.passages[number - 1] for number in checked.cited)
    return Answer(
        question=evidence.question,
        text=checked.text,
        citations=citations(used),
        passages=evidence.passages,
        confidence=confidence(evidence.reading, used),
        model=choice.name,
        notes=notes,
        gaps=evidence.gaps,
    )


def _does_not_tell(evidence: _Evidence, checked: Checked, choice: ModelChoice) -> Answer:
    """The model says that the evidence does not answer: so be it, with the nearest places."""
    near = evidence.passages[:3]
    places = "\n".join(f"- {passage.title} [{n}]" for n, passage in enumerate(near, start=1))
    text, used = renumber(checked.text, checked.cited, evidence.passages)
    if not used:
        text, used = f"{checked.text}\n\nNearest to it:\n{places}", near
    return Answer(
        question=evidence.question,
        text=text,
        citations=citations(used),
        passages=evidence.passages,
        is_grounded=False,
        model=choice.name,
        gaps=evidence.gaps,
    )


async def _quoted(evidence: _Evidence, notes: tuple[str, ...]) -> Answer:
    """What was found, in quotes; tens of milliseconds of work, so not on the event loop."""
    return await asyncio.to_thread(_composed, evidence, notes)


def _composed(evidence: _Evidence, notes: tuple[str, ...]) -> Answer:
    text, used = renumber(
        extract(evidence.reading, evidence.passages, evidence.remedies),
        tuple(range(1, len(evidence.passages) + 1)),
        evidence.passages,
    )
    return Answer(
        question=evidence.question,
        text=text,
        citations=citations(used),
        passages=evidence.passages,
        confidence=confidence(evidence.reading, used),
        model=EXTRACTIVE,
        notes=notes,
        gaps=evidence.gaps,
    )


def _not_found(evidence: _Evidence) -> Answer:
    """Says where was looked, and where could not be: these are different things."""
    lines = ["I found nothing that answers this."]
    if not evidence.looked_in and not evidence.gaps:
        cluster = "" if evidence.has_live else " and no cluster is configured"
        lines.append(f"KNOWLEDGE_SOURCES is empty{cluster}: there is nowhere to look.")
    if evidence.looked_in:
        lines.append(f"I looked in: {', '.join(evidence.looked_in)}.")
    lines += [
        f"I could not look at {gap.what}: {gap.why}. {gap.remedy}".rstrip() for gap in evidence.gaps
    ]
    if evidence.looked_in and not evidence.gaps:
        lines.append("Naming the service, the namespace or the error text often helps.")
    return Answer(
        question=evidence.question, text="\n".join(lines), is_grounded=False, gaps=evidence.gaps
    )
