"""`classify <error text>`: its class and severity, why, and what to look at."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import replace

from core.answers import (
    Answer,
    AnswerEvent,
    Confidence,
    Delta,
    Done,
    Inquiry,
    Lookup,
    Passage,
    Progress,
)
from core.clock import Clock
from core.questions import Intent, Reading
from knowledge.blocks import plain
from knowledge.chain import RagChain
from knowledge.classifier import Classifier, Verdict
from knowledge.errorlist import remedy_line
from knowledge.evidence import citations, remedy_of
from knowledge.models import EXTRACTIVE
from knowledge.problems import matches, tells
from knowledge.quoting import cite, fact_lines, line
from knowledge.tasks.naming import Namer

RULES_SOURCE = "rules"
UNCLASSIFIED = "No rule of mine knows this text, so I cannot tell its class."
_LONGEST_WORDS = 80


class ClassifyTask:
    """Implements `knowledge.ports.Answerer`.

    Args:
        chain: Looks for runbooks and for the same trouble in the cluster.
        namer: Reads the text.
        classifier: Decides.
        clock: For elapsed times.
        redact: Takes secrets out before a model sees the text.
    """

    def __init__(
        self,
        chain: RagChain,
        namer: Namer,
        classifier: Classifier,
        clock: Clock,
        redact: Callable[[str], str],
    ) -> None:
        self._chain = chain
        self._namer = namer
        self._classifier = classifier
        self._clock = clock
        self._redact = redact

    async def stream(self, inquiry: Inquiry) -> AsyncGenerator[AnswerEvent, None]:
        """The verdict; never raises for a lost model."""
        began = self._clock.now()
        yield Progress("Comparing it with the rules and the runbooks…")
        text = self._redact(inquiry.question)
        verdict, note = await self._classifier.decide(text, inquiry.options)
        reading = replace(
            await self._namer.read(text),
            intents=frozenset({Intent.HOW}),
            time_range=None,
            limit=None,
        )
        answer = tell(verdict, reading, await self._chain.look(reading, inquiry.scope))
        took = self._clock.now() - began
        notes = (note,) if note else ()
        yield Delta(answer.text)
        yield Done.after(took, inquiry.question, replace(answer, notes=notes))


def tell(verdict: Verdict | None, reading: Reading, found: Lookup) -> Answer:
    """Class, severity, why, and the next step: the runbook's first, where there is one."""
    passages: list[Passage] = []
    lines = [UNCLASSIFIED]
    if verdict is not None:
        passages.append(_rule_passage(verdict))
        problem = verdict.problem
        lines = [
            f"**{problem.name}**, severity **{problem.severity}** [1]",
            "",
            f"- **Why:** {_why(verdict)} [1].",
            f"- **Next:** {problem.next_step}",
        ]
    name = verdict.problem.name if verdict else ""
    if name != "benign":
        page = remedy_of(reading, _pages_on(name, found.passages))
        if page and (remedy := remedy_line(page)):
            passages.append(page[0])
            lines.append(
                f"- **Runbook** *{plain(page[0].title)}*: {cite(remedy[0], len(passages))}"
            )
        if live := _live_on(name, reading, found.passages):
            passages.append(live)
            lines += ["", f"**Now:** {line(fact_lines(live)[0], len(passages), 60)}"]
    return Answer(
        question=reading.question,
        text="\n".join(lines),
        citations=citations(passages),
        passages=tuple(passages),
        is_grounded=bool(passages),
        confidence=Confidence.LIKELY if verdict else Confidence.UNKNOWN,
        model=verdict.model if verdict else EXTRACTIVE,
        gaps=found.gaps,
    )


def _pages_on(name: str, passages: Sequence[Passage]) -> list[Passage]:
    """Pages that speak of the class somewhere; all of them where it is not known."""
    prose = [p for p in passages if not p.is_fact]
    places = {p.location for p in prose if not name or tells(name, f"{p.title} {p.text}")}
    return [p for p in prose if p.location in places]


def _live_on(name: str, reading: Reading, passages: Sequence[Passage]) -> Passage | None:
    """What the cluster shows of the thing that the text names, or of the same class."""
    for passage in passages:
        if passage.source != "cluster" or not fact_lines(passage):
            continue
        is_named = passage.service in reading.names
        if is_named or (name and name in {m.rule.problem for m in matches(passage.text)}):
            return passage
    return None


def _why(verdict: Verdict) -> str:
    if not verdict.words:
        return "the model's choice; no rule holds. It would say that " + verdict.problem.meaning
    words = verdict.words.replace("`", "'")[:_LONGEST_WORDS]
    told = f"`{words}` says that {verdict.problem.meaning}"
    if not verdict.others:
        return told
    who = "the model chose" if verdict.model != EXTRACTIVE else "the first rule counts"
    return f"{told}; {' and '.join(verdict.others)} fits as well, {who}"


def _rule_passage(verdict: Verdict) -> Passage:
    problem = verdict.problem
    return Passage(
        id=f"{RULES_SOURCE}:{problem.name}",
        source=RULES_SOURCE,
        title=f"Built-in rule for {problem.name}",
        location="built-in rules",
        text=f"{problem.name}: {problem.meaning}. {problem.next_step}",
        is_fact=True,
    )
