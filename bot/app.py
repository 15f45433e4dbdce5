"""The one place where all is wired: builds every object once, closes them in reverse.

No other module knows how the packages fit together, and nothing here decides but what to build.
It is longer than others, because it names every part once.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bot import checks
from bot.config_file import ClusterConfig, FileConfig
from bot.datafolder import DataFolder
from bot.digests import PosterFor, Sources, build_digests, digest_plans
from bot.engine import LocalEngine
from bot.health import HealthChecks
from bot.library import open_library
from bot.modelsetting import model_config
from bot.monitoring import alert_feed, log_limits, loki_of, prometheus_of, reach_of
from bot.schedule import LookOut, Schedule
from bot.services import EdgeLimits, Services
from bot.settings import Settings
from bot.setup import doctor
from bot.setup.slackdoctor import slack_checks
from bot.telemetry.gauges import Gauges
from bot.telemetry.watch import Watch, WatchedFacts, WatchedRetriever
from bot.thread_tasks import ALERT, EXPLAIN, thread_tasks
from cluster.alertmanager import AlertFeed
from cluster.client import ClusterClient
from cluster.collect import ClusterCollector
from cluster.eventlog import EventKeeper
from cluster.facts import ClusterFacts
from cluster.kinds import HISTORY_KINDS, KINDS, TLS_SECRETS, Kind
from cluster.limits import LiveLimits
from cluster.log_reading import ErrorLogs
from cluster.reach import Reach
from cluster.thresholds import Thresholds
from cluster.topology import LiveTopology
from cluster.trail import ClusterTrail
from cluster.unusable import UnusableClient
from core.clock import Clock
from core.errors import ClusterError, SettingsError
from core.questions import Intent
from core.redact import Redactor
from knowledge.chain import ChainLimits, RagChain
from knowledge.classifier import Classifier
from knowledge.documented import DocumentedPages
from knowledge.library import Library
from knowledge.livemetrics import DEFAULT_QUERIES, WithMeasurements
from knowledge.models import Models
from knowledge.past import PastDigests, WithPast
from knowledge.ports import Answerer, Retriever
from knowledge.searching import Searcher
from knowledge.suggested import SuggestedQuestions
from knowledge.tasks.alert import AlertTask, alert_parts
from knowledge.tasks.chained import ChainedTask
from knowledge.tasks.changes import ChangesTask
from knowledge.tasks.classify import ClassifyTask
from knowledge.tasks.errors import errors
from knowledge.tasks.explain import explain
from knowledge.tasks.investigate import STEP_SECONDS, InvestigateTask
from knowledge.tasks.limits import LimitsTask
from knowledge.tasks.named import impact, owner
from knowledge.tasks.naming import Namer
from knowledge.tasks.routing import RoutedAnswers
from knowledge.tasks.similar import similar
from knowledge.tasks.subject import Subjects
from knowledge.wording import ModelWordsmith, WordingLimits
from state.alerts import SqlAlertStore
from state.answers import SqlAnswerStore
from state.baselines import SqlBaselineStore
from state.database import Database
from state.deliveries import DeliveryStore
from state.events import SqlEventStore
from state.greetings import GreetingStore
from state.marks import SqlMarkStore
from state.openanswers import OpenAnswerStore
from state.past import SqlPast
from state.posts import SqlPostStore

IN_POD_TOKEN = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
USUAL_KUBECONFIG = Path("~/.kube/config")


@dataclass(frozen=True, slots=True)
class App:
    """Everything that runs, built and open."""

    engine: LocalEngine
    services: Services
    checks: HealthChecks
    gauges: Gauges
    schedules: tuple[Schedule, ...]
    look_outs: tuple[LookOut, ...]
    library: Library
    models: Models
    collector: ClusterCollector
    database: Database
    keepers: tuple[EventKeeper, ...]
    alerts: AlertFeed | None


@asynccontextmanager
async def open_app(
    settings: Settings,
    config: FileConfig,
    folder: DataFolder,
    clock: Clock,
    *,
    poster_for: PosterFor | None = None,
    watch: Watch | None = None,
) -> AsyncIterator[App]:
    """Build all, give it, and close it in reverse.

    Args:
        settings: From environment and `.env`.
        config: From the YAML file.
        folder: Owned by this process.
        clock: For everything that asks the time.
        poster_for: Gives the poster of a channel; without it digests can only be previewed.
        watch: Looks on.

    Raises:
        OpsbotError: A setting cannot be used, or the data folder or the database cannot be opened.
            A model, a cluster or a Qdrant server that is down is no reason not to start.
    """
    watch = watch or Watch()
    async with AsyncExitStack() as stack:
        redactor = Redactor(folder.redaction_key(settings.redaction_key), watch.meter.redacted)
        database = await Database.open(settings.database_url)
        stack.push_async_callback(database.close)
        models = Models(model_config(settings), clock, watch.model_called)
        clients = [
            await _client(plan, settings, reach_of(plan, config))
            for plan in _clusters(settings, config)
        ]
        names = [client.name for client in clients]
        watch.meter.expect(names, line=models.line)
        alerts = alert_feed(settings, SqlAlertStore(database), clock, redactor, names)
        if alerts is not None:
            stack.push_async_callback(alerts.close)
        kept_events = SqlEventStore(database)
        loki = loki_of(settings)
        if loki is not None:
            stack.push_async_callback(loki.close)
        collector = ClusterCollector(
            clients,
            clock,
            redactor,
            _thresholds(config),
            denied_namespaces=frozenset(config.denied_namespaces),
            alerts=alerts,
            events=kept_events,
            kinds=_kinds(settings),
            error_logs=ErrorLogs(
                SqlBaselineStore(database), clock, redactor, _thresholds(config), store=loki
            ),
            log_limits=log_limits(settings),
            on_snapshot=watch.meter.snapshot,
        )
        stack.push_async_callback(collector.close)
        facts = ClusterFacts(collector, redactor, clock)
        stack.push_async_callback(facts.close)
        written = await stack.enter_async_context(
            open_library(
                settings,
                config,
                redactor,
                clock,
                services_on_node=facts.workloads_on_node if clients else None,
                topology=LiveTopology(collector).edges if clients else None,
                on_search=watch.meter.searched,
            )
        )
        library, store, embedder = written.library, written.store, written.embedder
        plans = digest_plans(settings, config)
        # The first schedule is the ops channel's. What another channel was told stays there.
        told = SqlPast(database, (plans[0].name,))
        answers = SqlAnswerStore(database, clock, redactor.redact)
        past = PastDigests(told, library, answers)
        numbers = prometheus_of(settings)
        written_and_measured: Retriever = WithPast(library, past)
        if numbers is not None:
            stack.push_async_callback(numbers.close)
            queries = {**DEFAULT_QUERIES, **config.metric_queries}
            written_and_measured = WithMeasurements(
                written_and_measured, numbers, clock, settings.zone, queries
            )
        chain = RagChain(
            WatchedRetriever(written_and_measured, watch),
            WatchedFacts(facts, watch) if clients else None,
            models,
            clock,
            limits=ChainLimits(answer_timeout_seconds=settings.llm_timeout_seconds),
            redact=redactor.redact,
        )
        namer = Namer(facts if clients else None, library, library)
        trail = ClusterTrail(collector, redactor, clock) if clients else None
        subjects = Subjects(namer, facts if clients else None, trail, settings.zone)
        changes = ChangesTask(subjects, trail, clock, settings.zone)
        investigate = InvestigateTask(
            subjects,
            trail,
            library,
            library,
            ModelWordsmith(models, WordingLimits(total_seconds=STEP_SECONDS)),
            clock,
            settings.zone,
        )
        tasks: Mapping[str, Answerer] = {
            "errors": ChainedTask(chain, errors(namer, clock, settings.zone)),
            "similar": ChainedTask(chain, similar(namer)),
            "impact": ChainedTask(chain, impact(namer, library)),
            "owner": ChainedTask(chain, owner(namer, library)),
            "classify": ClassifyTask(chain, namer, Classifier(models), clock, redactor.redact),
            "limits": LimitsTask(
                DocumentedPages(store), namer, LiveLimits(collector) if clients else None, clock
            ),
            "changes": changes,
            "investigate": investigate,
        }
        answerer: Answerer = chain
        if clients:
            answerer = RoutedAnswers(
                chain, library, facts, {Intent.CHANGES: changes, Intent.INVESTIGATE: investigate}
            )
        searcher = Searcher(
            library,
            store,
            embedder,
            redactor.redact,
            clock,
            settings.zone,
            kinds=[source.kind for source in written.sources],
            past=past,
        )
        marks = SqlMarkStore(database)
        digests = build_digests(
            plans,
            Sources(
                clusters=collector,
                owners=library,
                runbooks=library,
                wordsmith=ModelWordsmith(models),
                reader=lambda text: library.read(text, frozenset(), frozenset()),
                events_kept=timedelta(hours=settings.events_retention_hours),
            ),
            database,
            marks,
            clock,
            poster_for=poster_for,
        )
        health = HealthChecks(
            [
                checks.model_check(models),
                checks.search_check(store, embedder),
                *checks.source_checks(library, [source.uri for source in written.sources], clock),
                *checks.cluster_checks(collector),
                *checks.alert_checks(alerts, names),
                checks.state_check(database),
                *checks.digest_checks(digests.schedules, digests.store, clock),
            ],
            clock,
        )
        yield App(
            engine=LocalEngine(
                answerer,
                tasks,
                searcher,
                digests.preview,
                written,
                health,
                HealthChecks(
                    [
                        *slack_checks(settings, config, clock),
                        *doctor.reply_checks(models),
                        *doctor.embedding_checks(embedder),
                        doctor.qdrant_check(settings, store),
                        *doctor.rights_checks(clients, (*_kinds(settings), *HISTORY_KINDS)),
                        *doctor.monitoring_checks(settings, names, clock),
                        doctor.schema_check(database),
                    ],
                    clock,
                ),
            ),
            services=Services(
                answerer=answerer,
                search=searcher,
                digests=digests.preview,
                look_backs=digests.look_backs,
                health=health,
                deliveries=DeliveryStore(database, clock),
                answers=answers,
                open_answers=OpenAnswerStore(database, clock),
                marks=marks,
                planned=digests.planned,
                suggestions=SuggestedQuestions(store, clock),
                greetings=GreetingStore(database, clock),
                clock=clock,
                limits=EdgeLimits(
                    command=settings.slack_command,
                    # The chain quotes what it found when the model is late; only a chain that hangs
                    # as a whole reaches the edge's own limit.
                    answer_timeout_seconds=settings.llm_timeout_seconds + 10,
                    zone=settings.zone,
                    alert_replies=settings.slack_alert_replies,
                ),
                tasks={
                    **tasks,
                    ALERT: AlertTask(
                        alert_parts(chain, namer, library, written_and_measured),
                        clock,
                        redactor.redact,
                    ),
                    EXPLAIN: ChainedTask(chain, explain(namer)),
                    **thread_tasks(
                        models,
                        library,
                        told,
                        clock,
                        redact=redactor.redact,
                        timeout_seconds=settings.llm_timeout_seconds,
                    ),
                },
                watch=watch,
            ),
            checks=health,
            gauges=Gauges(
                watch.meter,
                store,
                digests.schedules,
                digests.store,
                SqlPostStore(database, clock),
                health,
                clock,
            ),
            schedules=digests.schedules,
            look_outs=digests.look_outs,
            library=library,
            models=models,
            collector=collector,
            database=database,
            keepers=tuple(EventKeeper(one, kept_events, clock, redactor) for one in clients),
            alerts=alerts,
        )


def _clusters(settings: Settings, config: FileConfig) -> tuple[ClusterConfig, ...]:
    """The clusters that are asked for; none where nothing points at one."""
    if config.clusters:
        return config.clusters
    is_asked_for = bool(settings.kube_contexts or settings.kubeconfig)
    if (
        not is_asked_for
        and not IN_POD_TOKEN.exists()
        and not USUAL_KUBECONFIG.expanduser().exists()
    ):
        return ()
    return tuple(
        ClusterConfig.model_construct(name=context or "default", kubeconfig="", context=context)
        for context in settings.kube_contexts or ("",)
    )


def _kinds(settings: Settings) -> tuple[Kind, ...]:
    """What is listed of every cluster."""
    return (*KINDS, TLS_SECRETS) if settings.kube_tls_secrets else KINDS


async def _client(plan: ClusterConfig, settings: Settings, reach: Reach) -> ClusterClient:
    """A client of one cluster; one that cannot be used still answers, by telling why."""
    path = plan.kubeconfig or settings.kubeconfig
    if not path and not plan.context:
        with suppress(ClusterError):  # not in a pod: then as kubectl does
            return await ClusterClient.in_cluster(plan.name, reach=reach)
    try:
        return await ClusterClient.from_kubeconfig(
            path or None, plan.context or None, plan.name, reach=reach
        )
    except ClusterError as error:
        return UnusableClient(plan.name, error)


def _thresholds(config: FileConfig) -> Thresholds:
    known = Thresholds.__dataclass_fields__
    for name in config.thresholds:
        if name not in known:
            raise SettingsError(
                "read the thresholds (OPSBOT_CONFIG)",
                f"{name} is not one of them",
                "See docs/configuration.md for their names.",
            )
    return Thresholds(**config.thresholds)  # type: ignore[arg-type]  # whole numbers stay whole
