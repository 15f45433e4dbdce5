"""Builds the digests, their schedules and the look-out for what cannot wait."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.config_file import FileConfig, ScheduleConfig
from bot.schedule import LookOut, Schedule
from bot.services import ScheduledDigest
from bot.settings import Settings
from cluster.collect import ClusterCollector
from core.answers import Scope
from core.clock import Clock
from core.errors import SettingsError
from core.findings import Collected, Finding, Severity
from core.questions import Reading, TimeRange
from digest.assemble import Assembler
from digest.lookback import LookBackPlan, LookBackPublisher, LookBacks
from digest.outbox import Outbox, Rounds
from digest.ports import DigestStore, MarkStore, Owners, Poster, Runbooks, Wordsmith
from digest.precedents import Precedents
from digest.publish import DigestConfig, DigestService, PublishOutcome
from digest.urgent import UrgentPlan, UrgentService
from state.database import Database
from state.digests import SqlDigestStore
from state.errorcounts import SqlErrorCounts
from state.leases import SqlLeases
from state.past import SqlPast
from state.posts import SqlPostStore

DEFAULT_SCHEDULE = "daily"

PosterFor = Callable[[str], Poster]


def digest_plans(settings: Settings, config: FileConfig) -> tuple[ScheduleConfig, ...]:
    """The digests of the YAML file, look backs last, or the one that the settings describe.

    Raises:
        SettingsError: There is no digest, or a look back names one that is not there.
    """
    plans = tuple(sorted(config.schedules, key=lambda plan: plan.kind == "look-back"))
    names = [plan.name for plan in plans if plan.kind == "digest"]
    for plan in plans:
        if plan.kind == "look-back" and (plan.of or next(iter(names), "")) not in names:
            raise SettingsError(
                f"read the schedule {plan.name} (OPSBOT_CONFIG)",
                f"it looks back on {plan.of or 'a digest'}, and there is none of that name",
                f"Name one in `of`: {', '.join(names)}." if names else "Add a digest.",
            )
    return plans or (
        ScheduleConfig.model_construct(
            name=DEFAULT_SCHEDULE,
            channel=settings.digest_channel,
            cron=settings.digest_cron,
            timezone=settings.digest_timezone,
            window_hours=settings.digest_window_hours,
            when_quiet=settings.digest_when_quiet,
            has_chart=settings.digest_chart,
            is_urgent=settings.digest_urgent,
        ),
    )


def digest_channels(plans: Sequence[ScheduleConfig]) -> set[str]:
    """Every channel that a digest, or a team's part of it, goes to."""
    return {channel for plan in plans for channel in (plan.channel, *plan.teams.values())}


@dataclass(frozen=True, slots=True)
class Sources:
    """What digests are made from.

    Attributes:
        events_kept: For how long Events are.
    """

    clusters: ClusterCollector
    owners: Owners
    runbooks: Runbooks
    wordsmith: Wordsmith
    reader: Callable[[str], Reading]
    events_kept: timedelta


@dataclass(frozen=True, slots=True)
class StatusOnly:
    """Clusters without their logs, as a `digest.ports.FindingSource` that may be asked often.

    No error in a log is critical by itself, and to search all logs every minute would be dear; what
    is normal in them is learned once a digest.
    """

    clusters: ClusterCollector

    async def collect(self, window: TimeRange, scope: Scope) -> Collected:  # noqa: ARG002  (the port's)
        """What the rules say of the state now."""
        snapshots, gaps = await self.clusters.snapshots(scope)
        found: list[Finding] = []
        for snapshot in snapshots:
            findings, more = await self.clusters.findings(snapshot)
            found, gaps = found + findings, gaps + more
        return Collected(
            tuple(found), tuple(gaps), tuple(snapshot.cluster for snapshot in snapshots)
        )


@dataclass(frozen=True, slots=True)
class BuiltDigests:
    """All digests, by schedule.

    Attributes:
        look_backs: On the first one, for who asks.
        schedules: Those that have a channel.
        look_outs: For what those must post between two digests.
    """

    plans: tuple[ScheduleConfig, ...]
    services: Mapping[str, DigestService]
    look_backs: LookBacks
    schedules: tuple[Schedule, ...]
    look_outs: tuple[LookOut, ...]
    store: DigestStore
    clock: Clock

    def look_back_of(self, plan: ScheduleConfig) -> str:
        """The digest that a plan looks back on; '' where it is a digest itself."""
        return (plan.of or self.plans[0].name) if plan.kind == "look-back" else ""

    @property
    def preview(self) -> DigestService:
        """The first one's: what a person asks for."""
        return self.services[self.plans[0].name]

    async def planned(self) -> tuple[ScheduledDigest, ...]:
        """All schedules, with how the newest run went and when the next one is.

        Raises:
            StateError: The database failed.
        """
        now = self.clock.now()
        plans = {plan.name: plan for plan in self.plans}
        return tuple(
            [
                ScheduledDigest(
                    each.name,
                    plans[each.name].channel,
                    each.next_due(now),
                    await self.store.last_try(each.name),
                    dict(plans[each.name].teams),
                    self.look_back_of(plans[each.name]),
                )
                for each in self.schedules
            ]
        )


def build_digests(
    plans: tuple[ScheduleConfig, ...],
    sources: Sources,
    database: Database,
    marks: MarkStore,
    clock: Clock,
    *,
    poster_for: PosterFor | None,
) -> BuiltDigests:
    """Build the digests of all plans.

    Args:
        plans: As configured; the first one is the ops channel's.
        sources: What they are made from.
        database: What they remember.
        marks: What people said of their findings.
        clock: The time.
        poster_for: Gives the poster of a channel; without it they can only be previewed.
    """
    store = SqlDigestStore(database, clock)
    posts, leases = SqlPostStore(database, clock), SqlLeases(database, clock)
    outbox = Outbox(posts, leases, poster_for) if poster_for else None

    # What another channel was told stays there.
    precedents = {
        plan.name: Precedents(sources.runbooks, SqlPast(database, (plan.name,)), marks)
        for plan in plans
    }
    services = {
        plan.name: DigestService(
            source=sources.clusters,
            owners=sources.owners,
            runbooks=sources.runbooks,
            precedents=precedents[plan.name],
            wordsmith=sources.wordsmith,
            store=store,
            marks=marks,
            posts=posts,
            outbox=outbox,
            channel=plan.channel,
            error_counts=SqlErrorCounts(database),
            clock=clock,
            reader=sources.reader,
            config=_config(plan),
        )
        for plan in plans
        if plan.kind == "digest"
    }

    def look_backs(plan: ScheduleConfig, of: str) -> LookBacks:
        return LookBacks(
            LookBackPlan(
                plan.name, of, _scope(plan), Severity(plan.minimum_severity), sources.events_kept
            ),
            SqlPast(database, (of,)),
            SqlErrorCounts(database),
            team_of=lambda owner: sources.owners.ownership(owner).team,
            clusters=sources.clusters.names,
            clock=clock,
        )

    def look_out(plan: ScheduleConfig, outbox: Outbox, *, is_urgent: bool) -> LookOut:
        if not is_urgent:
            return Rounds(outbox, plan.name)
        return UrgentService(
            plan=UrgentPlan(plan.name, plan.channel, _scope(plan)),
            source=StatusOnly(sources.clusters),
            # A model would take longer than an urgent message may.
            assembler=Assembler(
                sources.owners,
                sources.runbooks,
                precedents[plan.name],
                None,
                sources.reader,
                _config(plan),
            ),
            store=store,
            marks=marks,
            posts=posts,
            leases=leases,
            outbox=outbox,
            clock=clock,
        )

    look_outs = [
        look_out(
            plan,
            outbox,
            is_urgent=plan.kind == "digest"
            and (plan.is_urgent if plan.is_urgent is not None else position == 0),
        )
        for position, plan in enumerate(plans)
        if outbox and plan.channel
    ]

    def schedule(plan: ScheduleConfig, outbox: Outbox) -> Schedule:
        if plan.kind == "digest":
            return _schedule(plan, services[plan.name])
        made = look_backs(plan, plan.of or plans[0].name)
        publisher = LookBackPublisher(made, plan.name, plan.channel, store, outbox, clock)
        return Schedule(plan.name, plan.cron, ZoneInfo(plan.timezone), publisher.publish)

    schedules = [schedule(plan, outbox) for plan in plans if outbox and plan.channel]
    return BuiltDigests(
        plans,
        services,
        look_backs(plans[0], plans[0].name),
        tuple(schedules),
        tuple(look_outs),
        store,
        clock,
    )


def _scope(plan: ScheduleConfig) -> Scope:
    return Scope(clusters=frozenset(plan.clusters), namespaces=frozenset(plan.namespaces))


def _config(plan: ScheduleConfig) -> DigestConfig:
    return DigestConfig(
        default_schedule=plan.name,
        max_items=plan.max_items,
        window_limit_hours=plan.window_hours,
        minimum_severity=Severity(plan.minimum_severity),
        scope=_scope(plan),
        is_silent_when_quiet=plan.when_quiet == "silence",
        has_chart=plan.has_chart,
        team_channels=plan.teams,
    )


def _schedule(plan: ScheduleConfig, digests: DigestService) -> Schedule:
    async def run(slot_end: datetime) -> bool:
        outcome = await digests.publish(plan.name, slot_end)
        return outcome in {PublishOutcome.POSTED, PublishOutcome.ALREADY_POSTED}

    return Schedule(plan.name, plan.cron, ZoneInfo(plan.timezone), run)
