"""`summarise this thread`: what was reported, quoted, done and decided, and how things stand.

The thread arrives as the history of the question. Without a model its telling lines are quoted;
with one they are worded by it, and every sentence is held against the messages. A message may try
to give orders: it is evidence, and fenced as such.
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import replace
from datetime import timedelta

from core.answers import (
    Answer,
    AnswerEvent,
    Confidence,
    Done,
    GenerationOptions,
    Inquiry,
    Passage,
    Progress,
    Turn,
)
from core.clock import Clock
from knowledge.chain import CUT_NOTE, LATE_NOTE, LOST_NOTE
from knowledge.check import check
from knowledge.evidence import citations, renumber
from knowledge.models import EXTRACTIVE, Models
from knowledge.ports import Model, ModelUnavailableError
from knowledge.prompting import count_tokens, render
from knowledge.tasks.thread_lines import Kind, Line, lines_of, shortened, telling

_log = logging.getLogger(__name__)

NOTHING = (
    "There is nothing to summarise here yet. Mention me inside the thread, or use the message "
    "shortcut on one of its messages."
)
REFUSED_NOTE = "The model did not summarise it; this is quoted from the thread."
_NAME = re.compile(r"[^\w .'-]+")
_MESSAGE_TOKENS = 40  # what stands around a message in the prompt


class ThreadSummary:
    """Summarises the history that it is given. Fits `knowledge.ports.Answerer`.

    Args:
        models: Which model words the summary, if any.
        clock: For elapsed times.
        redact: Takes secrets out of messages before they are shown or sent to a model.
        timeout_seconds: What the model may take.
        nonce: A word for each prompt that no message can know; random by default.
    """

    def __init__(
        self,
        models: Models,
        clock: Clock,
        *,
        redact: Callable[[str], str],
        timeout_seconds: float = 90.0,
        nonce: Callable[[], str] = lambda: secrets.token_hex(6),
    ) -> None:
        self._models = models
        self._clock = clock
        self._redact = redact
        self._timeout_seconds = timeout_seconds
        self._nonce = nonce

    async def stream(self, inquiry: Inquiry) -> AsyncGenerator[AnswerEvent, None]:
        """A line of progress, then exactly one Done. Never raises for a lost model."""
        began = self._clock.now()
        yield Progress(f"Reading {counted(len(inquiry.history), 'message')} of this thread…")
        turns = cleaned(inquiry.history, self._redact)
        answer = await self._answer(inquiry.question, turns, inquiry.options)
        yield Done.after(self._clock.now() - began, inquiry.question, answer)

    async def _answer(
        self, question: str, turns: Sequence[Turn], options: GenerationOptions
    ) -> Answer:
        lines = await asyncio.to_thread(lines_of, turns)
        if not lines:
            return Answer(question, NOTHING, is_grounded=False)
        choice = await self._models.current(options.model)
        note = ""
        if choice.model is not None:
            try:
                worded = await self._worded(choice.model, question, turns, lines, options)
            except TimeoutError:
                note = LATE_NOTE
            except ModelUnavailableError as error:
                _log.warning("the model was lost: %s", error)
                self._models.lost(options.model)
                note = LOST_NOTE
            else:
                if isinstance(worded, Answer):
                    return replace(worded, model=choice.name)
                note = worded
        return await asyncio.to_thread(quoted_summary, question, turns, lines, note)

    async def _worded(
        self,
        model: Model,
        question: str,
        turns: Sequence[Turn],
        lines: Sequence[Line],
        options: GenerationOptions,
    ) -> Answer | str:
        """The model's summary as far as the messages carry it, or why there is none."""
        answer_tokens = options.max_tokens or self._models.config.max_tokens
        room = max(256, model.context_tokens - answer_tokens)
        rendered = render(
            "thread",
            question="",
            passages=_fitting(turns, lines, room * 3 // 4),
            nonce=self._nonce(),
            room_tokens=room,
        )
        async with (
            asyncio.timeout(self._timeout_seconds),
            self._models.line.join() as place,
        ):
            await place.reached()
            text = await model.complete(rendered.prompt, options)
        checked = await asyncio.to_thread(check, text, rendered.passages)
        if checked.is_admission:
            return REFUSED_NOTE
        if not checked.is_enough:
            return CUT_NOTE
        used = tuple(rendered.passages[number - 1] for number in checked.cited)
        left = len(turns) - len(rendered.passages)
        note = f"{counted(left, 'message')} with little in them were left out." if left else ""
        return Answer(
            question=question,
            text=f"{overview(turns)}\n\n{checked.text}",
            citations=citations(used),
            passages=rendered.passages,
            confidence=Confidence.UNKNOWN,
            notes=(note,) if note else (),
        )


def quoted_summary(
    question: str, turns: Sequence[Turn], lines: Sequence[Line], note: str = ""
) -> Answer:
    """The telling lines in quotes, by what they do in the thread, each with its message."""
    chosen = telling(lines)
    parts = [overview(turns)]
    for kind in Kind:
        own = [line for line in chosen if line.kind is kind]
        if own:
            items = "\n".join(item(line, turns) for line in own)
            parts.append(f"**{kind}**\n{items}")
    if not any(line.kind is Kind.STATE for line in chosen):
        last = _last_word(turns)
        if last is not None and last.message not in {line.message for line in chosen}:
            parts.append(f"**Last word**\n{item(last, turns)}")
    return cited("\n\n".join(parts), question, turns, note)


def cited(text: str, question: str, turns: Sequence[Turn], note: str = "") -> Answer:
    """An answer of a text whose `[n]` names the n-th message; only used ones are cited."""
    passages = passages_of(turns)
    numbered, used = renumber(text, range(1, len(passages) + 1), passages)
    return Answer(
        question=question,
        text=numbered,
        citations=citations(used),
        passages=used,
        model=EXTRACTIVE,
        notes=(note,) if note else (),
    )


def passages_of(turns: Sequence[Turn]) -> tuple[Passage, ...]:
    """Each message as evidence: its author is the title, its address opens it."""
    return tuple(
        Passage(
            id=f"thread:{number}",
            source="thread",
            title=turn.author,
            location=f"message {number}",
            text=turn.text,
            url=turn.url,
            updated_at=turn.said_at,
            kind="message",
        )
        for number, turn in enumerate(turns, start=1)
    )


def cleaned(history: Sequence[Turn], redact: Callable[[str], str]) -> tuple[Turn, ...]:
    """The thread without secrets, and with names that are nothing but names."""
    return tuple(
        replace(turn, text=redact(turn.text), author=_name(redact(turn.author))) for turn in history
    )


def overview(turns: Sequence[Turn]) -> str:
    """How long a thread is: "12 messages by 4 people in 48 min."."""
    people = {turn.author for turn in turns if not turn.is_bot}
    moments = [turn.said_at for turn in turns if turn.said_at]
    lasted = max(moments) - min(moments) if moments else timedelta()
    told = counted(len(turns), "message")
    if people:
        told += f" by {counted(len(people), 'person', 'people')}"
    if lasted >= timedelta(minutes=1):
        told += f" in {_span(lasted)}"
    return f"{told}."


def item(line: Line, turns: Sequence[Turn]) -> str:
    """One line as a list item: when after the first message, who, what, which message."""
    turn = turns[line.message]
    return f"- {later(turn, turns)}{turn.author}: {line.text} [{line.message + 1}]"


def later(turn: Turn, turns: Sequence[Turn]) -> str:
    """How long after the first message: "+12 min · "; '' where that is no minute."""
    began = turns[0].said_at
    if began is None or turn.said_at is None or turn.said_at - began < timedelta(minutes=1):
        return ""
    return f"+{_span(turn.said_at - began)} · "


def counted(count: int, one: str, many: str = "") -> str:
    """A number with its word: "1 message", "3 messages"."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def _last_word(turns: Sequence[Turn]) -> Line | None:
    for number in range(len(turns) - 1, -1, -1):
        text = shortened(turns[number].text)
        if not turns[number].is_bot and text:
            return Line(Kind.STATE, text, number)
    return None


def _fitting(turns: Sequence[Turn], lines: Sequence[Line], room_tokens: int) -> list[Passage]:
    """The messages that count most, as far as they fit, in their order."""
    passages = passages_of(turns)
    first = [line.message for line in telling(lines)]
    rest = range(len(turns) - 1, -1, -1)
    kept: set[int] = set()
    for number in dict.fromkeys((*first, *rest)):
        needed = count_tokens(passages[number].text) + _MESSAGE_TOKENS
        if needed <= room_tokens:
            kept.add(number)
            room_tokens -= needed
    return [passages[number] for number in sorted(kept)]


def _name(author: str) -> str:
    return " ".join(_NAME.sub(" ", author).split())[:40] or "someone"


def _span(span: timedelta) -> str:
    hours, minutes = divmod(int(span.total_seconds() // 60), 60)
    if hours >= 48:
        return f"{hours // 24} d"
    told = (f"{hours} h" if hours else "", f"{minutes} min" if minutes or not hours else "")
    return " ".join(part for part in told if part)
