"""`alert`: what an on-call engineer looks up first about an alert: several tasks, one answer.

No model is asked: alerts come in storms, and the model's queue is for people.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from core.answers import (
    Answer,
    AnswerEvent,
    Citation,
    Confidence,
    Done,
    Inquiry,
    Passage,
    Progress,
)
from core.clock import Clock
from core.errors import RequestError
from core.questions import Intent
from knowledge.chain import RagChain
from knowledge.models import EXTRACTIVE
from knowledge.past import ServiceGraphHolder
from knowledge.ports import Answerer, Retriever
from knowledge.tasks.chained import ChainedTask
from knowledge.tasks.explain import explain
from knowledge.tasks.named import impact, owner
from knowledge.tasks.naming import Namer

_MARK = re.compile(r"\[(\d+)\]")
_LEAD = re.compile(r"^\s*(?:[-*•]\s+)?(?:\*\*[^*]+:\*\*\s*)?")
_HEADING = re.compile(r"\*\*[^*]+\*\*.*:?")
_REPORTS = frozenset({"incident", "post-mortem", "postmortem"})
_MOST_SEEN = 3
# Runbooks of the same service come first; reports stand behind them.
_LOOKED_THROUGH = 24
_NOTHING = "I know no runbook, owner or earlier incident for this alert."


@dataclass(frozen=True, slots=True)
class AlertPart:
    """One thing to look up.

    Attributes:
        heading: What stands above it, or ''.
        by_title: Whether its task takes the alert's first line alone, as what names a service.
    """

    heading: str
    task: Answerer
    by_title: bool = False


def alert_parts(
    chain: RagChain, namer: Namer, shelf: ServiceGraphHolder, retriever: Retriever
) -> tuple[AlertPart, ...]:
    """What is looked up: what it means and what helps, whose it is, who is hit, when it was."""
    return (
        AlertPart("", ChainedTask(chain, explain(namer))),
        AlertPart("Owner", ChainedTask(chain, owner(namer, shelf)), by_title=True),
        AlertPart("Who is hit", ChainedTask(chain, impact(namer, shelf)), by_title=True),
        AlertPart("Seen before", SeenBefore(namer, retriever)),
    )


class SeenBefore:
    """Names incident reports and past findings that an alert resembles. A part of `AlertTask`.

    Unlike `similar` it looks at nothing that is live: that was told above.
    """

    def __init__(self, namer: Namer, retriever: Retriever) -> None:
        self._namer = namer
        self._retriever = retriever

    async def stream(self, inquiry: Inquiry) -> AsyncGenerator[AnswerEvent, None]:
        """One Done; one line an incident."""
        reading = await self._namer.read(inquiry.question)
        reading = replace(reading, intents=frozenset({Intent.SIMILAR}), time_range=None, limit=None)
        found = await self._retriever.look(reading, inquiry.scope, _LOOKED_THROUGH)
        seen: dict[str, Passage] = {}
        for passage in found.passages:
            if _is_of_the_past(passage) and _is_about(passage, reading.names):
                seen.setdefault(passage.location, passage)
        shown = list(seen.values())[:_MOST_SEEN]
        yield Done(
            Answer(
                inquiry.question,
                "\n".join(f"- {each.title} [{number}]" for number, each in enumerate(shown, 1)),
                citations=tuple(
                    Citation(
                        number, each.title, each.location, each.source, each.url, each.updated_at
                    )
                    for number, each in enumerate(shown, 1)
                ),
                passages=tuple(shown),
                is_grounded=bool(shown),
                gaps=found.gaps,
            )
        )


def _is_of_the_past(passage: Passage) -> bool:
    return passage.source == "past" or passage.kind in _REPORTS


def _is_about(passage: Passage, names: Sequence[str]) -> bool:
    """Whether it is about one of the things that the alert names; any where it names none."""
    words = f"{passage.service} {passage.title} {passage.text}".casefold()
    return not names or any(name.casefold() in words for name in names)


class AlertTask:
    """Implements `knowledge.ports.Answerer`; the question is the alert's text, its title first.

    Args:
        parts: In the order in which they are told; one that finds nothing is left out.
        clock: For the time it took.
        redact: Takes secrets out of the alert's text.
    """

    def __init__(
        self, parts: Sequence[AlertPart], clock: Clock, redact: Callable[[str], str]
    ) -> None:
        self._parts = tuple(parts)
        self._clock = clock
        self._redact = redact

    async def stream(self, inquiry: Inquiry) -> AsyncGenerator[AnswerEvent, None]:
        """Progress, then one Done; never raises for a part that has nothing to say."""
        began = self._clock.now()
        yield Progress("Looking the alert up…")
        alert = replace(
            inquiry,
            question=self._redact(inquiry.question),
            options=replace(inquiry.options, model=EXTRACTIVE),
        )
        answers = await asyncio.gather(*(_look_up(part, alert) for part in self._parts))
        found = [
            (part.heading, answer)
            for part, answer in zip(self._parts, answers, strict=True)
            if answer is not None
        ]
        yield Done.after(self._clock.now() - began, alert.question, together(found))


async def _look_up(part: AlertPart, alert: Inquiry) -> Answer | None:
    """What a task says; None where the alert names nothing that it is about."""
    whole, title = alert.question, alert.question.partition("\n")[0]
    for text in dict.fromkeys((title, whole) if part.by_title else (whole,)):
        try:
            async with aclosing(part.task.stream(replace(alert, question=text))) as events:
                async for event in events:
                    if isinstance(event, Done):
                        return event.answer
        except RequestError:
            continue
    return None


def together(found: Sequence[tuple[str, Answer]]) -> Answer:
    """One answer of several, under their headings; sources that they share are cited once."""
    told: list[str] = []
    lines: set[str] = set()
    cited: dict[tuple[str, str, str], Citation] = {}
    grounded = [(heading, answer) for heading, answer in found if answer.is_grounded]
    for heading, answer in grounded:
        numbers: dict[str, int] = {}
        for each in answer.citations:
            key = (each.source, each.location, each.title)
            citation = cited.setdefault(key, replace(each, number=len(cited) + 1))
            numbers[str(each.number)] = citation.number
        paragraphs = _paragraphs(_renumbered(answer.text.strip(), numbers))
        news = [fresh for each in paragraphs if (fresh := _without(each, lines))]
        for paragraph in news:
            lines |= _lines(paragraph)
        if news:
            told += [f"**{heading}**", *news] if heading else news
    passages = {passage.id: passage for _, answer in grounded for passage in answer.passages}
    gaps = dict.fromkeys(gap for _, answer in found for gap in answer.gaps)
    return Answer(
        question="",
        text="\n\n".join(told) or _NOTHING,
        citations=tuple(cited.values()),
        passages=tuple(passages.values()),
        is_grounded=bool(grounded),
        confidence=grounded[0][1].confidence if grounded else Confidence.UNKNOWN,
        gaps=tuple(gaps),
    )


def _paragraphs(text: str) -> list[str]:
    """What blank lines part; code stays in one piece."""
    pieces: list[list[str]] = [[]]
    is_code = False
    for line in text.splitlines():
        is_code ^= line.lstrip().startswith("```")
        if line.strip() or is_code:
            pieces[-1].append(line)
        elif pieces[-1]:
            pieces.append([])
    return ["\n".join(piece) for piece in pieces if piece]


def _without(paragraph: str, told: set[str]) -> str:
    """A paragraph without points of a list that were told; '' where all of it was."""
    if _lines(paragraph) <= told:
        return ""
    return "\n".join(
        line
        for line in paragraph.splitlines()
        if not (line.startswith("- ") and _lines(line) <= told)
    )


def _lines(paragraph: str) -> set[str]:
    """What its lines say, without what stands in front of them, and without headings."""
    bare = (_LEAD.sub("", line).strip() for line in paragraph.splitlines())
    return {line for line in bare if line and not _HEADING.fullmatch(line)}


def _renumbered(text: str, numbers: Mapping[str, int]) -> str:
    """A text with its marks changed; one that cites nothing stays as it is."""
    return _MARK.sub(lambda mark: f"[{numbers[mark[1]]}]" if mark[1] in numbers else mark[0], text)
