"""Stand-ins for what listeners call; they implement `bot.services` and nothing more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, timedelta

from bot.access import Policy
from bot.audit import Audit
from bot.commands import task
from bot.commands.table import COMMANDS
from bot.services import EdgeLimits, ScheduledDigest, Services
from bot.telemetry.watch import Watch
from bot.thread_tasks import ALERT, EXPLAIN, thread_tasks
from core.answers import (
    Answer,
    AnswerEvent,
    AskedAnswer,
    Delta,
    Done,
    Inquiry,
    Lookup,
    OpenAnswer,
    PartHealth,
    Progress,
    Scope,
    Turn,
)
from core.clock import ManualClock
from core.digests import Digest, FindingHistory, KnownIssue, Mark, Marks, Mute
from core.errors import OpsbotError, StateError
from core.questions import TimeRange
from knowledge.graph import Service, ServiceGraph
from knowledge.models import EXTRACTIVE, ModelConfig, Models
from knowledge.searchquery import Mistake, SearchQuery, parse_search
from sandbox.slack.world import TEAM_ID
from tests.bot.samples import NOW, answer, digest, item, look_back, part

Step = AnswerEvent | Exception | asyncio.Event


@dataclass
class FakeAnswerer:
    """Plays a script: events are given, exceptions raised, asyncio Events waited for.

    Each question plays the next of `scripts`, the last one for ever.
    """

    scripts: list[list[Step]] = field(default_factory=list)
    asked: list[tuple[str, tuple[Turn, ...]]] = field(default_factory=list)
    scopes: list[Scope] = field(default_factory=list)

    async def stream(self, inquiry: Inquiry) -> AsyncGenerator[AnswerEvent, None]:
        self.asked.append((inquiry.question, tuple(inquiry.history)))
        self.scopes.append(inquiry.scope)
        if not self.scripts:
            yield Done(answer(question=inquiry.question))
            return
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        for step in script:
            if isinstance(step, asyncio.Event):
                await step.wait()
            elif isinstance(step, Exception):
                raise step
            else:
                yield step


@dataclass
class FakeSearch:
    """Reads as the product does, and finds what it was given."""

    found: Lookup = field(default_factory=Lookup)
    asked: list[SearchQuery] = field(default_factory=list)
    scopes: list[Scope] = field(default_factory=list)

    def read(self, text: str) -> SearchQuery | Mistake:
        return parse_search(text, NOW, UTC)

    async def find(self, query: SearchQuery, scope: Scope = Scope()) -> Lookup:  # noqa: B008  (the port's signature)
        self.asked.append(query)
        self.scopes.append(scope)
        return self.found


@dataclass
class FakeDigests:
    made: Digest = field(default_factory=lambda: digest(item(), slot=""))
    asked: list[timedelta | None] = field(default_factory=list)
    scopes: list[Scope] = field(default_factory=list)

    async def preview(self, window: timedelta | None, scope: Scope) -> Digest:
        self.asked.append(window)
        self.scopes.append(scope)
        return self.made


@dataclass
class FakeLookBacks:
    made: Digest = field(default_factory=lambda: digest(look_back=look_back()))
    scopes: list[Scope] = field(default_factory=list)

    async def preview(self, scope: Scope) -> Digest:
        self.scopes.append(scope)
        return self.made


@dataclass
class FakeHealth:
    parts: tuple[PartHealth, ...] = (part("slack"), part("model"))

    async def check(self, limit_seconds: float = 1.5) -> tuple[PartHealth, ...]:
        return self.parts


@dataclass
class FakeDeliveries:
    seen: set[str] = field(default_factory=set)
    error: Exception | None = None
    is_full: bool = False  # as if every key had been seen

    async def claim(self, key: str, within: timedelta = timedelta(hours=24)) -> bool:
        if self.error:
            raise self.error
        is_first = key not in self.seen and not self.is_full
        self.seen.add(key)
        return is_first


@dataclass
class FakeAnswers:
    kept: dict[str, tuple[Scope, Answer]] = field(default_factory=dict)
    askers: dict[str, str] = field(default_factory=dict)
    threads: set[tuple[str, str]] = field(default_factory=set)
    looks: int = 0  # for answers of a thread
    shared: set[str] = field(default_factory=set)
    votes: dict[tuple[str, str], tuple[bool, str]] = field(default_factory=dict)
    knowledge: dict[str, str] = field(default_factory=dict)
    error: OpsbotError | None = None

    async def put(
        self, reference: str, scope: Scope, answer: Answer, asker: str = "", thread_ts: str = ""
    ) -> None:
        if self.error:
            raise self.error
        self.kept[reference] = (scope, answer)
        self.askers[reference] = asker
        self.threads.add((scope.channel, thread_ts))

    async def is_answered(self, channel: str, thread_ts: str) -> bool:
        self.looks += 1
        if self.error:
            raise self.error
        return (channel, thread_ts) in self.threads

    async def recent(self, asker: str, limit: int) -> Sequence[AskedAnswer]:
        own = [reference for reference, user in self.askers.items() if user == asker]
        newest = own[::-1][:limit]
        return [AskedAnswer(each, self.kept[each][0].channel, NOW) for each in newest]

    async def get(self, reference: str, scope: Scope) -> Answer | None:
        found = self.kept.get(reference)
        return found[1] if found and found[0].is_within(scope) else None

    async def mark_shared(self, reference: str) -> bool:
        is_first = reference not in self.shared
        self.shared.add(reference)
        return is_first

    async def vote(self, reference: str, user: str, is_helpful: bool, comment: str = "") -> None:
        self.votes[reference, user] = (is_helpful, comment)

    async def keep(self, reference: str, user: str) -> bool:
        is_first = reference in self.kept and reference not in self.knowledge
        if is_first:
            self.knowledge[reference] = user
        return is_first

    async def forget(self, reference: str) -> bool:
        return self.knowledge.pop(reference, None) is not None

    async def is_kept(self, reference: str) -> bool:
        return reference in self.knowledge


@dataclass
class FakeMarks:
    made: dict[tuple[str, str], Marks] = field(default_factory=dict)

    async def of(self, schedule: str, identity: str) -> Marks:
        return self.made.get((schedule, identity), Marks())

    async def put(self, schedule: str, identity: str, mark: Mark) -> None:
        kind = {Mute: "mute", KnownIssue: "known_issue"}.get(type(mark), "acknowledgement")
        self.made[schedule, identity] = replace(await self.of(schedule, identity), **{kind: mark})  # type: ignore[arg-type]  # kinds are fields

    async def drop(self, schedule: str, identity: str, mark: Mark) -> None:
        known = await self.of(schedule, identity)
        left = {name: None for name in known.__slots__ if getattr(known, name) == mark}
        self.made[schedule, identity] = replace(known, **left)


@dataclass
class FakeOpenAnswers:
    opened: dict[str, OpenAnswer] = field(default_factory=dict)
    left: list[OpenAnswer] = field(default_factory=list)  # by other processes
    history: list[str] = field(default_factory=list)
    taken: list[OpenAnswer] = field(default_factory=list)
    error: StateError | None = None
    gate: asyncio.Event | None = None  # `take` waits for it
    deliveries: FakeDeliveries = field(default_factory=FakeDeliveries)

    def _note(self, what: str) -> None:
        if self.error:
            raise self.error
        self.history.append(what)

    async def take(self, keys: Sequence[str], answer: OpenAnswer) -> bool:
        if not all([await self.deliveries.claim(key) for key in keys]):
            return False
        self._note("take")
        self.taken.append(answer)
        if self.gate:
            await self.gate.wait()
        self.opened[answer.key] = answer
        return True

    async def show(self, answer: OpenAnswer) -> None:
        self._note("show")
        if answer.key in self.opened:
            self.opened[answer.key] = answer

    async def end(self, key: str) -> None:
        self._note("end")
        self.opened.pop(key, None)

    async def renew(self) -> None:
        self._note("renew")

    async def take_over(self, silent_for: timedelta) -> Sequence[OpenAnswer]:
        self._note("take over")
        taken, self.left = self.left, []
        self.opened |= {each.key: each for each in taken}
        return taken

    async def give_back(self, key: str) -> None:
        self._note("give back")
        self.left.append(self.opened.pop(key))


@dataclass
class FakeSchedules:
    known: tuple[ScheduledDigest, ...] = ()

    async def planned(self) -> tuple[ScheduledDigest, ...]:
        return self.known


@dataclass
class FakeGreetings:
    greeted: set[tuple[str, str]] = field(default_factory=set)

    async def claim(self, team: str, channel: str) -> bool:
        is_first = (team, channel) not in self.greeted
        self.greeted.add((team, channel))
        return is_first

    async def give_back(self, team: str, channel: str) -> None:
        self.greeted.discard((team, channel))


@dataclass
class FakeSuggestions:
    known: tuple[str, ...] = ()
    asked: list[tuple[Scope, str]] = field(default_factory=list)
    error: Exception | None = None

    async def questions(self, scope: Scope, near: str = "") -> tuple[str, ...]:
        if self.error:
            raise self.error
        self.asked.append((scope, near))
        return self.known


class _Graph:
    graph = ServiceGraph(services={"payments": Service("payments", "shop", "orders")})


class _ToldNothing:
    async def seen(self, period: TimeRange, scope: Scope) -> Sequence[FindingHistory]:
        return ()


@dataclass
class Fakes:
    """All of them, with the Services made of them."""

    answerer: FakeAnswerer = field(default_factory=FakeAnswerer)
    search: FakeSearch = field(default_factory=FakeSearch)
    digests: FakeDigests = field(default_factory=FakeDigests)
    look_backs: FakeLookBacks = field(default_factory=FakeLookBacks)
    health: FakeHealth = field(default_factory=FakeHealth)
    deliveries: FakeDeliveries = field(default_factory=FakeDeliveries)
    answers: FakeAnswers = field(default_factory=FakeAnswers)
    marks: FakeMarks = field(default_factory=FakeMarks)
    schedules: FakeSchedules = field(default_factory=FakeSchedules)
    suggestions: FakeSuggestions = field(default_factory=FakeSuggestions)
    greetings: FakeGreetings = field(default_factory=FakeGreetings)
    open_answers: FakeOpenAnswers = field(default_factory=FakeOpenAnswers)
    task: FakeAnswerer = field(default_factory=FakeAnswerer)
    limits: EdgeLimits = field(
        default_factory=lambda: EdgeLimits(answer_timeout_seconds=20.0, stream_flush_seconds=0.02)
    )

    policy: Policy = field(default_factory=lambda: Policy(home_team=TEAM_ID))
    audit: Audit = field(default_factory=Audit)
    watch: Watch = field(default_factory=Watch)

    def services(self) -> Services:
        self.open_answers.deliveries = self.deliveries
        return Services(
            answerer=self.answerer,
            search=self.search,
            digests=self.digests,
            look_backs=self.look_backs,
            health=self.health,
            deliveries=self.deliveries,
            answers=self.answers,
            open_answers=self.open_answers,
            marks=self.marks,
            planned=self.schedules.planned,
            suggestions=self.suggestions,
            greetings=self.greetings,
            clock=ManualClock(NOW),
            limits=self.limits,
            policy=self.policy,
            audit=replace(self.audit, meter=self.watch.meter),
            watch=self.watch,
            tasks={row.name: self.task for row in COMMANDS if row.run is task.run}
            | {EXPLAIN: self.task, ALERT: self.task}
            | thread_tasks(
                Models(ModelConfig(model=EXTRACTIVE), ManualClock(NOW)),
                _Graph(),
                _ToldNothing(),
                ManualClock(NOW),
                redact=lambda text: text,
                timeout_seconds=5.0,
            ),
        )


def told(text: str, *pieces: str, gate: asyncio.Event | None = None) -> list[Step]:
    """A script: one progress line, the pieces, a gate, and the whole answer."""
    steps: list[Step] = [Progress("Searching the runbooks"), *(Delta(piece) for piece in pieces)]
    if gate:
        steps.append(gate)
    return [*steps, Done(answer(text))]
