"""What crosses the border between a question and its answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from core.series import Series


@dataclass(frozen=True, slots=True)
class Scope:
    """What the asker may see. An empty set means no limit on that axis.

    A channel's scope is applied inside every query and before every read, never as a filter over
    what was already fetched.

    Attributes:
        channel: Where it is asked. Answers that people kept there may be used, and no others: ''
            means none.
    """

    clusters: frozenset[str] = frozenset()
    namespaces: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()
    channel: str = ""

    def allows_namespace(self, namespace: str) -> bool:
        """Whether objects of `namespace` may be read; cluster-scoped objects have ''."""
        return not self.namespaces or not namespace or namespace in self.namespaces

    def allows_cluster(self, cluster: str) -> bool:
        """Whether the cluster of this configured name may be read."""
        return not self.clusters or cluster in self.clusters

    def allows_source(self, source: str) -> bool:
        """Whether passages of this source (see `Passage.source`) may be used."""
        return not self.sources or source in self.sources

    def is_within(self, other: Scope) -> bool:
        """Whether what was found within this scope may be shown to a reader of the other."""
        axes = (
            (self.clusters, other.clusters),
            (self.namespaces, other.namespaces),
            (self.sources, other.sources),
            (self.teams, other.teams),
        )
        is_narrower = all(not theirs or (own and own <= theirs) for own, theirs in axes)
        return is_narrower and self.channel == other.channel


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier message of the thread: the memory of a conversation.

    Attributes:
        said_at: Aware UTC, or None where nobody knows.
        url: A web address that opens the message, or "".
    """

    author: str
    text: str
    is_bot: bool = False
    said_at: datetime | None = None
    url: str = ""


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of evidence, from whatever source, ready to be quoted and cited.

    Attributes:
        id: Stable for the same piece of the same source.
        source: One of "markdown", "csv-logs", "csv-metrics", "graph", "cluster", "past", "thread".
        title: What a person would call it: a page's title, or "Pod shop/payments-7d9f".
        location: Where it stands: a path relative to its source, or kind/namespace/name.
        text: Redacted text, as found.
        heading: The heading path inside a page, such as "Payments › Restarts".
        url: A web address a reader can open, or "".
        score: Higher is better; comparable only inside one lookup.
        updated_at: When the source was last changed or observed, aware UTC.
        is_fact: Observed or computed (live cluster, graph, exact CSV query), not prose.
        series: The numbers that the text tells of, for a picture, or None.
    """

    id: str
    source: str
    title: str
    location: str
    text: str
    heading: str = ""
    url: str = ""
    score: float = 0.0
    updated_at: datetime | None = None
    namespace: str = ""
    service: str = ""
    team: str = ""
    kind: str = ""
    is_fact: bool = False
    series: Series | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """A place that could not be looked at. Never to be confused with having found nothing.

    Attributes:
        what: The place: "documentation search", "cluster prod", "logs of shop/payments".
        why: The reason in a few words, without addresses that carry credentials.
        remedy: What an operator can do.
    """

    what: str
    why: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Lookup:
    """What a search brought: passages best first, where it looked, and where it could not."""

    passages: tuple[Passage, ...] = ()
    gaps: tuple[Gap, ...] = ()
    looked_in: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Citation:
    """A link from `[number]` in an answer's text to a passage."""

    number: int
    title: str
    location: str
    source: str
    url: str = ""
    updated_at: datetime | None = None


class Confidence(StrEnum):
    """How far the evidence carries; derived from what was found, never asked of a model."""

    CONFIRMED = "confirmed"
    LIKELY = "likely"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Answer:
    """The reply to one question.

    Attributes:
        text: Markdown with `[n]` marks, each with a Citation. Not yet escaped for Slack.
        citations: In the order of their numbers.
        passages: The evidence that was shown to the model or quoted, best first.
        is_grounded: False for "not found": then `text` says where the bot looked.
        model: The model that worded it, such as "ollama:llama3.1", or "extractive".
        notes: Whole sentences for the reader: "The model did not answer; …".
        task: The task whose argument the question is, such as "limits", or '' for a plain question.
    """

    question: str
    text: str
    citations: tuple[Citation, ...] = ()
    passages: tuple[Passage, ...] = ()
    is_grounded: bool = True
    confidence: Confidence = Confidence.UNKNOWN
    model: str = "extractive"
    notes: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()
    elapsed_seconds: float = 0.0
    task: str = ""


@dataclass(frozen=True, slots=True)
class AskedAnswer:
    """That somebody asked something; the answer itself is looked up by its reference.

    Attributes:
        channel: Where it was asked.
        asked_at: Aware UTC.
    """

    reference: str
    channel: str
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class OpenAnswer:
    """An answer under way: what another process needs to close its message.

    Attributes:
        key: Names it.
        thread_ts: The thread it is answered in, or that its asker looks at; may be ''.
        message_ts: The message in which it grows; '' where there is none yet, or none in Slack.
        response_url: The way to its asker alone, or ''.
        is_replaced: Whether something was shown by `response_url` that is to be replaced.
    """

    key: str
    channel: str
    thread_ts: str = ""
    message_ts: str = ""
    response_url: str = ""
    is_replaced: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """A line that tells the waiting reader what is being done now."""

    text: str


@dataclass(frozen=True, slots=True)
class Delta:
    """A further piece of the answer's text, already checked; concatenated they give the text."""

    text: str


@dataclass(frozen=True, slots=True)
class Done:
    """The end of an answer. `answer.text` is what counts, also where deltas came before."""

    answer: Answer

    @classmethod
    def after(cls, took: timedelta, question: str, answer: Answer) -> Done:
        """The end of the answer to `question`; a clock that was set back counts as no time."""
        seconds = max(0.0, took.total_seconds())
        return cls(replace(answer, question=question, elapsed_seconds=seconds))


AnswerEvent = Progress | Delta | Done


@dataclass(frozen=True, slots=True)
class GenerationOptions:
    """Per-question overrides of the model's parameters; None keeps the configured value."""

    model: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] | None = None
    stream: bool = True


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What somebody asks.

    Attributes:
        question: In their words; for a task its argument: "payments" for `limits payments`.
        history: What was said in the thread before, oldest first.
        scope: What they may see.
        options: How a model is to word it.
    """

    question: str
    history: Sequence[Turn] = ()
    scope: Scope = Scope()
    options: GenerationOptions = GenerationOptions()


class PartState(StrEnum):
    """How a part fares: it works, it works in part, it does not."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class PartHealth:
    """One line of `/k8s status`: a part of the bot and how it fares."""

    part: str
    state: PartState
    detail: str
    checked_at: datetime
    remedy: str = ""
    seconds: float = 0.0
