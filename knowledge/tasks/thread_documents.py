"""A hand-over summary and a post-mortem draft of an incident's thread, as Markdown for a file.

No model words them: a document that is kept must hold nothing that nobody said. Each line names its
message; owners come from the service graph, findings from the bot's own digests, and what is not
known stands there as TODO.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Protocol

from core.answers import Answer, AnswerEvent, Done, Gap, Inquiry, Progress, Scope, Turn
from core.clock import Clock
from core.digests import FindingHistory
from core.errors import OpsbotError
from core.questions import TimeRange
from knowledge.past import ServiceGraphHolder
from knowledge.tasks.thread import NOTHING, cited, cleaned, counted, overview
from knowledge.tasks.thread_lines import Kind, Line, lines_of

_TODO = "TODO"
_AROUND = timedelta(hours=2)  # a cause is older than the first message about it
_MOST_FINDINGS = 8
_WORD = re.compile(r"[a-z0-9]+(?:[-.][a-z0-9]+)*")


class Document(StrEnum):
    """What can be drafted; the value is its heading."""

    HAND_OVER = "Hand-over"
    POST_MORTEM = "Post-mortem draft"


class ToldFindings(Protocol):
    """What digests told of. Implemented by `state.past`."""

    async def seen(self, period: TimeRange, scope: Scope) -> Sequence[FindingHistory]:
        """Findings that were there in a period, over or not. Raises OpsbotError."""
        ...


@dataclass(frozen=True, slots=True)
class _Incident:
    """A thread, read."""

    turns: tuple[Turn, ...]
    lines: tuple[Line, ...]
    services: tuple[str, ...]
    findings: tuple[FindingHistory, ...] = ()

    def of(self, *kinds: Kind) -> list[str]:
        """The lines of some kinds as list items, in order of time."""
        return [self.item(line) for line in self.lines if line.kind in kinds]

    def item(self, line: Line) -> str:
        turn = self.turns[line.message]
        clock = f"{turn.said_at.astimezone(UTC):%H:%M} " if turn.said_at else ""
        return f"- {clock}{turn.author}: {line.text} [{line.message + 1}]"


class IncidentDocument:
    """Drafts one kind of document. Fits `knowledge.ports.Answerer`; the history is the thread.

    Args:
        document: Which one.
        graph: Has services and their owners.
        told: What digests told of, or None.
        clock: For the date of the draft.
        redact: Takes secrets out of messages.
    """

    def __init__(
        self,
        document: Document,
        graph: ServiceGraphHolder,
        told: ToldFindings | None,
        clock: Clock,
        *,
        redact: Callable[[str], str],
    ) -> None:
        self._document = document
        self._graph = graph
        self._told = told
        self._clock = clock
        self._redact = redact

    async def stream(self, inquiry: Inquiry) -> AsyncGenerator[AnswerEvent, None]:
        """A line of progress, then exactly one Done whose text is the document."""
        began, question = self._clock.now(), inquiry.question
        yield Progress(f"Reading {counted(len(inquiry.history), 'message')} of this thread…")
        turns = cleaned(inquiry.history, self._redact)
        lines = await asyncio.to_thread(lines_of, turns)
        if not lines:
            yield Done(Answer(question, NOTHING, is_grounded=False))
            return
        incident = _Incident(turns, tuple(lines), self._services(turns, inquiry.scope))
        gaps: tuple[Gap, ...] = ()
        if self._told is not None:
            try:
                found = await self._told.seen(_period(turns, began), inquiry.scope)
            except OpsbotError as error:
                gaps = (Gap("past digests", error.wrong, error.remedy),)
            else:
                incident = replace(incident, findings=_about(found, incident.services))
        text = self._text(incident, began)
        answer = cited(text, question, turns)
        yield Done.after(self._clock.now() - began, question, replace(answer, gaps=gaps))

    def _services(self, turns: Sequence[Turn], scope: Scope) -> tuple[str, ...]:
        """Services of the graph that people name, those named most first."""
        graph = self._graph.graph
        words = [word for turn in turns for word in _WORD.findall(turn.text.lower())]
        counts = {name: words.count(name.lower()) for name in graph.services}
        named = [name for name, count in counts.items() if count and graph.allows(name, scope)]
        return tuple(sorted(named, key=lambda name: (-counts[name], name)))

    def _text(self, incident: _Incident, now: datetime) -> str:
        first = next(line for line in incident.lines if line.kind is Kind.REPORT)
        began = incident.turns[0].said_at
        day = f", {began.astimezone(UTC):%Y-%m-%d}" if began else ""
        head = (
            f"# {self._document}: {first.text.strip('`').rstrip('.')}\n\n"
            f"{overview(incident.turns)[:-1]}{day}, times in UTC. Drafted by rules on "
            f"{now.astimezone(UTC):%Y-%m-%d %H:%M} UTC; every line names its message, and what "
            f"nobody said is marked {_TODO}."
        )
        draft = self._post_mortem if self._document is Document.POST_MORTEM else self._hand_over
        sections = [f"## {title}\n\n" + "\n".join(lines) for title, lines in draft(incident)]
        return "\n\n".join([head, *sections])

    def _hand_over(self, incident: _Incident) -> list[tuple[str, list[str]]]:
        stands = incident.of(Kind.STATE)[-2:]
        open_ends = incident.of(Kind.QUESTION, Kind.FOLLOW_UP)
        return [
            ("How it stands", stands or [f"- {_TODO}: nobody said how it stands."]),
            ("What was reported", incident.of(Kind.REPORT) + incident.of(Kind.ERROR)[:5]),
            ("What is known of the cause", incident.of(Kind.CAUSE) or [f"- {_TODO}: not said."]),
            ("What was done", incident.of(Kind.ACTION) or ["- Nothing that was said."]),
            ("What was decided", incident.of(Kind.DECISION) or ["- Nothing that was said."]),
            ("Still open", open_ends or ["- Nothing that was said."]),
            ("Services named and their owners", self._owners(incident)),
            ("From the bot's own digests", _findings(incident)),
            ("Who was there", _people(incident.turns)),
        ]

    def _post_mortem(self, incident: _Incident) -> list[tuple[str, list[str]]]:
        tried = incident.of(Kind.ACTION, Kind.DECISION)
        follow = [item.replace("- ", "- [ ] ", 1) for item in incident.of(Kind.FOLLOW_UP)]
        asked = [item.replace("- ", "- [ ] ", 1) for item in incident.of(Kind.QUESTION)]
        fixed = [each for each in incident.of(Kind.STATE) if not _STILL.search(each)]
        timeline = [
            incident.item(line) for line in incident.lines if line.kind is not Kind.QUESTION
        ]
        return [
            (
                "Impact: services named, and their owners",
                [
                    *self._owners(incident),
                    f"- {_TODO}: who noticed, how many requests or orders, for how long.",
                ],
            ),
            ("Detection", incident.of(Kind.REPORT)),
            ("Timeline", timeline),
            ("What was tried", tried or [f"- {_TODO}: nothing was said."]),
            ("Cause", incident.of(Kind.CAUSE) or [f"- {_TODO}: nobody said what caused it."]),
            ("Resolution", fixed[-2:] or [f"- {_TODO}: nobody said that it is over."]),
            ("Contributing findings", _findings(incident)),
            (
                "Follow-ups",
                [*follow, *asked, f"- [ ] {_TODO}: an owner and a date for each of them."],
            ),
        ]

    def _owners(self, incident: _Incident) -> list[str]:
        graph = self._graph.graph
        told: list[str] = []
        for name in incident.services:
            team = graph.team_of(name)
            owner = f"team {team.name}" if team else f"owner {_TODO}: the service graph has none"
            contact = f" ({team.contact})" if team and team.contact else ""
            told.append(f"- {name}: {owner}{contact}")
        return told or [f"- {_TODO}: no service of the service graph is named in the thread."]


_STILL = re.compile(r"\b(?:still|not|getting worse)\b", re.IGNORECASE)


def _findings(incident: _Incident) -> list[str]:
    told = [_finding(history) for history in incident.findings[:_MOST_FINDINGS]]
    return told or ["- None on the services named here in that time."]


def _finding(history: FindingHistory) -> str:
    finding = history.finding
    until = f"over by {history.resolved_at:%H:%M}" if history.resolved_at else "not told as over"
    return (
        f"- {finding.severity}: {finding.title.rstrip('.')}, {finding.owner}, "
        f"first seen {history.first_seen:%Y-%m-%d %H:%M}, {until} (from a digest, machine-made)"
    )


def _about(found: Sequence[FindingHistory], services: Sequence[str]) -> tuple[FindingHistory, ...]:
    names = {name.lower() for name in services}
    own = [each for each in found if each.finding.owner.name.lower() in names]
    return tuple(sorted(own, key=lambda each: (each.first_seen, each.identity)))


def _people(turns: Sequence[Turn]) -> list[str]:
    counts: dict[str, int] = {}
    for turn in turns:
        if not turn.is_bot:
            counts[turn.author] = counts.get(turn.author, 0) + 1
    return [f"- {name}: {counted(count, 'message')}" for name, count in counts.items()]


def _period(turns: Sequence[Turn], now: datetime) -> TimeRange:
    moments = [turn.said_at for turn in turns if turn.said_at] or [now]
    return TimeRange(min(moments) - _AROUND, max(moments) + timedelta(seconds=1))
