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
    GenerationOptions,
    Lookup,
    Passage,
    Progress,
    Scope,
    Turn,
)
from core.clock import Clock
from core.questions import Intent, Reading
from knowledge.chain import RagChain
from knowledge.classifier import Classifier, Verdict
from knowledge.errorlist import remedy_line
from knowledge.evidence import citations, remedy_of
from knowledge.models import EXTRACTIVE
from knowledge.quoting import cite, fact_lines, line
from knowledge.tasks.naming import Namer

RULES_SOURCE = "rules"
UNCLASSIFIED = "No rule of mine knows this text, so I cannot tell its class."
_LONGEST_WORDS = 80


class ClassifyTask:
    """Implements `bot.services.Answerer`.

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

    async def stream(
        self,
        question: str,
        history: Sequence[Turn] = (),  # noqa: ARG002  (the port's signature)
        scope: Scope = Scope(),  # noqa: B008  (frozen)
        options: GenerationOptions = GenerationOptions(),  # noqa: B008  (frozen)
    ) -> AsyncGenerator[AnswerEvent, None]:
        """The verdict; never raises for a lost model."""
        began = self._clock.now()
        yield Progress("Comparing it with the rules and the runbooks…")
        text = self._redact(question)
        verdict, note = await self._classifier.decide(text, options)
        reading = replace(
            await self._namer.read(text),
            intents=frozenset({Intent.HOW}),
            time_range=None,
            limit=None,
        )
        answer = tell(verdict, reading, await self._chain.look(reading, scope))
        elapsed = max(0.0, (self._clock.now() - began).total_seconds())
        notes = (note,) if note else ()
        yield Delta(answer.text)
        yield Done(replace(answer, question=question, notes=notes, elapsed_seconds=elapsed))


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
    is_benign = verdict is not None and verdict.problem.name == "benign"
    page = () if is_benign else remedy_of(reading, found.passages)
    if page and (remedy := remedy_line(page)):
        passages.append(page[0])
        lines.append(f"- **Runbook** *{page[0].title}*: {cite(remedy[0], len(passages))}")
    live = next((p for p in found.passages if p.source == "cluster" and fact_lines(p)), None)
    if live is not None and not is_benign:
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
