"""What listeners and commands may call. `bot.app` builds it; tests build one with fakes we own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol

from bot.access import Policy
from bot.audit import Audit
from bot.telemetry.watch import Watch
from core.answers import (
    Answer,
    AskedAnswer,
    Lookup,
    OpenAnswer,
    PartHealth,
    Scope,
)
from core.clock import Clock
from core.digests import Digest, Mark, Marks, SlotRecord
from knowledge.ports import Answerer
from knowledge.searchquery import Mistake, SearchQuery


class Search(Protocol):
    """Finds what stands where, without a model. Implemented by `knowledge.searching`."""

    def read(self, text: str) -> SearchQuery | Mistake:
        """Read what was typed: words and filters."""
        ...

    async def find(self, query: SearchQuery, scope: Scope = Scope()) -> Lookup:  # noqa: B008  (frozen)
        """Hits best first, each with the lines to show; failures are `gaps`, never exceptions."""
        ...


class Digests(Protocol):
    """Digests on demand and by schedule. Implemented by `digest.publish.DigestService`."""

    async def preview(self, window: timedelta | None, scope: Scope) -> Digest:
        """A digest for one reader's eyes; commits nothing."""
        ...


class LookBacks(Protocol):
    """What a week of digests was like. Implemented by `digest.lookback`."""

    async def preview(self, scope: Scope) -> Digest:
        """The last seven days, for one reader's eyes; commits nothing."""
        ...


class Health(Protocol):
    """The state of every part. Implemented by `bot.health`."""

    async def check(self, limit_seconds: float = 1.5) -> tuple[PartHealth, ...]:
        """All parts at once; a part that does not answer within the limit is told as down."""
        ...


class Deliveries(Protocol):
    """Makes every Slack delivery count once, across restarts. Implemented by `state.deliveries`."""

    async def claim(self, key: str, within: timedelta = ...) -> bool:
        """True the first time a key is seen within 24 h, or within less, else False."""
        ...


class AnswerStore(Protocol):
    """Answers by reference id, and what people thought of them. By `state.answers`."""

    async def put(
        self, reference: str, scope: Scope, answer: Answer, asker: str = "", thread_ts: str = ""
    ) -> None:
        """Keep an answer for at least an hour: where, within which limits and for whom it is."""
        ...

    async def is_answered(self, channel: str, thread_ts: str) -> bool:
        """Whether an answer is kept that stands in this thread."""
        ...

    async def recent(self, asker: str, limit: int) -> Sequence[AskedAnswer]:
        """What a user asked, newest first."""
        ...

    async def get(self, reference: str, scope: Scope) -> Answer | None:
        """The answer of this reference; None when it is unknown, gone, or not of this scope."""
        ...

    async def mark_shared(self, reference: str) -> bool:
        """True for the first caller only."""
        ...

    async def vote(self, reference: str, user: str, is_helpful: bool, comment: str = "") -> None:
        """Keep one vote a user and answer, the last one wins; and what the answer was made of."""
        ...

    async def keep(self, reference: str, user: str) -> bool:
        """Make knowledge of an answer that was voted on; False where there is none."""
        ...

    async def forget(self, reference: str) -> bool:
        """Use a kept answer no more; False where it is not kept."""
        ...

    async def is_kept(self, reference: str) -> bool:
        """Whether this answer is used as knowledge."""
        ...


@dataclass(frozen=True, slots=True)
class ScheduledDigest:
    """A digest's schedule, and how it goes.

    Attributes:
        channel: As configured: an id or a name.
        next_due: Its next run, or None.
        last: Its newest run, or None.
        teams: Team → the channel of its own.
        looks_back_on: The digest whose week it tells; '' for a digest.
    """

    name: str
    channel: str
    next_due: datetime | None
    last: SlotRecord | None
    teams: Mapping[str, str]
    looks_back_on: str = ""


class Suggestions(Protocol):
    """Questions worth asking. Implemented by `knowledge.suggested`."""

    async def questions(self, scope: Scope, near: str = "") -> tuple[str, ...]:
        """Up to three that the runbooks of a scope answer, near some words. Never raises."""
        ...


class Greetings(Protocol):
    """Where the bot has introduced itself. Implemented by `state.greetings`."""

    async def claim(self, team: str, channel: str) -> bool:
        """True for the first who asks, in all processes, for good."""
        ...

    async def give_back(self, team: str, channel: str) -> None:
        """Let it be tried again: nothing was said after all."""
        ...


class MarkStore(Protocol):
    """What people say of a digest's findings, by schedule and identity. By `state.marks`."""

    async def of(self, schedule: str, identity: str) -> Marks:
        """The marks of one finding."""
        ...

    async def put(self, schedule: str, identity: str, mark: Mark) -> None:
        """Make a mark; an earlier one of its kind gives way."""
        ...

    async def drop(self, schedule: str, identity: str, mark: Mark) -> None:
        """Forget this mark; one that was made since then stays."""
        ...


class OpenAnswers(Protocol):
    """Answers under way. By `state.openanswers`; each raises StateError."""

    async def take(self, keys: Sequence[str], answer: OpenAnswer) -> bool:
        """Claim a delivery and write its answer down, in one; False where it was seen before."""
        ...

    async def show(self, answer: OpenAnswer) -> None:
        """Remember what is shown of it by now, and where."""
        ...

    async def end(self, key: str) -> None:
        """Forget one whose message is closed."""
        ...

    async def renew(self) -> None:
        """Say that this process is alive."""
        ...

    async def take_over(self, silent_for: timedelta) -> Sequence[OpenAnswer]:
        """Those of other processes that were not heard of for so long."""
        ...

    async def give_back(self, key: str) -> None:
        """Let go of one that could not be closed, for a later try."""
        ...


@dataclass(frozen=True, slots=True)
class EdgeLimits:
    """What the Slack edge needs of the settings.

    Attributes:
        zone: For the times of a picture where nobody knows the reader's own.
        alert_replies: Replies under alerts in a channel within ten minutes.
    """

    command: str = "/k8s"
    answer_timeout_seconds: float = 90.0
    max_question_chars: int = 2000
    stream_flush_seconds: float = 1.0
    zone: tzinfo = UTC
    alert_replies: int = 5


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a listener may call.

    Attributes:
        planned: The schedules of digests, and how they go.
        tasks: By the name of their command: "limits".
        policy: Who may do what, and see what where.
    """

    answerer: Answerer
    search: Search
    digests: Digests
    look_backs: LookBacks
    health: Health
    deliveries: Deliveries
    answers: AnswerStore
    open_answers: OpenAnswers
    marks: MarkStore
    planned: Callable[[], Awaitable[tuple[ScheduledDigest, ...]]]
    suggestions: Suggestions
    greetings: Greetings
    clock: Clock
    limits: EdgeLimits
    tasks: Mapping[str, Answerer] = field(default_factory=dict)
    policy: Policy = field(default_factory=Policy)
    audit: Audit = field(default_factory=Audit)
    watch: Watch = field(default_factory=Watch)
