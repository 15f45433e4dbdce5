"""`opsbot run`: the bot for as long as it is wanted."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot.app import App, open_app
from bot.audit import Audit
from bot.channels import channel_ids
from bot.commands.table import COMMANDS
from bot.config_file import load_config_file
from bot.datafolder import DataFolder
from bot.digests import digest_channels, digest_plans
from bot.health import Check, Look
from bot.identity import Identity, sign_in
from bot.interrupted import closing_interrupted
from bot.monitoring import alert_routes, keeping_events, taking_alerts
from bot.owner import OwnerServer
from bot.policy import named_channels, policy_of
from bot.poster import SlackPoster
from bot.schedule import DigestClock, looking_out
from bot.services import Services
from bot.settings import Settings, load_settings
from bot.slack_app import build_slack_app
from bot.slack_client import make_client
from bot.tasks import TaskSet
from bot.telemetry.logs import set_up_logging
from bot.telemetry.metrics import Meter
from bot.telemetry.probes import Probes, probing
from bot.telemetry.slackcalls import counting
from bot.telemetry.tracing import tracing
from bot.telemetry.watch import Watch
from bot.transport import HttpTransport, SocketTransport
from bot.unposted import Unposted
from core.answers import PartState
from core.clock import Clock, SystemClock
from core.errors import OpsbotError, SettingsError
from core.memory import give_back, keep_few_pools
from digest.ports import Poster
from state.leases import release_all
from state.retention import Retention, purge

log = logging.getLogger(__name__)

# Kubernetes gives a pod 30 s to end.
_DRAIN_SECONDS = 25
_TIDY_EVERY_SECONDS = 300
# An `opsbot ask` in another terminal holds the data folder for as long as it takes to answer.
_PATIENCE_SECONDS = 30
_SLACK_TIMEOUT = aiohttp.ClientTimeout(total=30, connect=10)


@dataclass(frozen=True, slots=True)
class Ready:
    """What the start found, in words for the person who started it."""

    model: str
    knowledge: str
    clusters: str


async def run_bot(
    settings: Settings | None = None, on_ready: Callable[[Ready], None] | None = None
) -> int:
    """Run until SIGINT or SIGTERM; gives the exit code.

    Every question that was accepted is answered or closed before it ends.

    Raises:
        OpsbotError: A setting is missing or wrong, the data folder is taken, or Slack refuses.
    """
    keep_few_pools()
    settings = settings or load_settings()
    set_up_logging(settings.opsbot_log_level, settings.opsbot_log_format)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    config = load_config_file(settings.opsbot_config)
    token = _required(settings.slack_bot_token, "SLACK_BOT_TOKEN")
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        watch, probes = await stack.enter_async_context(_watched(settings))
        folder = stack.enter_context(DataFolder(settings.opsbot_data_dir))
        await folder.own(_PATIENCE_SECONDS)
        session = await stack.enter_async_context(
            aiohttp.ClientSession(
                timeout=_SLACK_TIMEOUT,
                trace_configs=[counting(watch.meter, settings.slack_api_url)],
            )
        )
        client = make_client(token, settings.slack_api_url, session)
        identity = await sign_in(client)
        channels = await channel_ids(
            client,
            (
                *digest_channels(digest_plans(settings, config)),
                *named_channels(settings, config),
            ),
        )
        names = [row.name for row in COMMANDS]
        policy = policy_of(settings, config, channels, identity.team, names)

        async def claim(key: str) -> bool:
            return await app.services.deliveries.claim(key)  # nothing is posted before it is open

        unposted = Unposted(client, settings.slack_owner, claim, watch.meter)

        def poster_for(name: str) -> Poster:
            command, zone = settings.slack_command, settings.zone
            return unposted.watch(SlackPoster(client, channels[name], command, zone), name)

        app = await stack.enter_async_context(
            open_app(settings, config, folder, clock, poster_for=poster_for, watch=watch)
        )
        if app.schedules:
            app.checks.add(unposted.check)
        services = replace(
            app.services, policy=policy, audit=Audit(settings.audit_questions, watch.meter)
        )
        owner = OwnerServer(app.engine, folder.socket_path)
        await owner.start()
        stack.push_async_callback(owner.close)
        await stack.enter_async_context(keeping_events(app.keepers))
        await stack.enter_async_context(taking_alerts(settings, app.alerts, watch.meter))
        await stack.enter_async_context(_recovering(settings, client, app))
        await stack.enter_async_context(_listening(settings, client, identity, app, services))
        await stack.enter_async_context(_housekeeping(app, clock, _retention(settings)))
        ticker = DigestClock(app.schedules, clock)
        ticker.start()
        stack.push_async_callback(ticker.close)
        await stack.enter_async_context(looking_out(app.look_outs))
        if on_ready is not None:
            on_ready(await _summary(app))
        if settings.state_url is None or not settings.qdrant_url:
            log.info("state or index is embedded: one process only. See docs/configuration.md")
        probes.run(app.checks, app.gauges)
        # What was made until here stays: a full garbage collection that walks through it would
        # hold the event loop for 125 ms.
        gc.freeze()
        stack.callback(gc.unfreeze)
        log.info("ready")
        await stop.wait()
        probes.stop()
        log.info("stopping; answers under way have %s s", _DRAIN_SECONDS)
    return 0


@asynccontextmanager
async def _watched(settings: Settings) -> AsyncIterator[tuple[Watch, Probes]]:
    """Count, trace and answer probes from the first moment to the last."""
    async with tracing(settings) as tracer:
        watch = Watch(Meter(), tracer, settings.trace_questions)
        async with probing(settings, watch.meter) as probes:
            yield watch, probes


@asynccontextmanager
async def _recovering(settings: Settings, client: AsyncWebClient, app: App) -> AsyncIterator[None]:
    """Take up what dead processes left, now and for as long as the block runs."""
    is_alone = settings.state_url is None
    if is_alone:
        with _told_only():
            await release_all(app.database)
    async with closing_interrupted(app.services.open_answers, client, is_alone=is_alone):
        yield


@asynccontextmanager
async def _listening(
    settings: Settings, client: AsyncWebClient, identity: Identity, app: App, services: Services
) -> AsyncIterator[None]:
    """Take Slack's deliveries; on the way out, take no more and let running answers end."""
    tasks = TaskSet()
    secret = settings.slack_signing_secret
    routes = alert_routes(settings, app.alerts, services.watch.meter)
    if settings.slack_mode == "http":
        signing_secret = _required(secret, "SLACK_SIGNING_SECRET")
        slack_app = build_slack_app(services, client, signing_secret, tasks)
        transport: HttpTransport | SocketTransport = HttpTransport(
            slack_app, settings.http_host, settings.http_port, routes
        )
    else:
        app_token = _required(settings.slack_app_token, "SLACK_APP_TOKEN")
        slack_app = build_slack_app(services, client, None, tasks)
        transport = SocketTransport(slack_app, app_token, client)
    await transport.start()

    async def look() -> Look:
        if await transport.is_connected():
            return Look(PartState.OK, f"{identity.team_name}, as @{identity.bot_name}")
        return Look(PartState.DOWN, "not connected", "It reconnects by itself; check the network.")

    app.checks.add(Check("slack", look, is_needed=True))
    try:
        yield
    finally:
        await transport.close()
        await tasks.drain(_DRAIN_SECONDS)


def _retention(settings: Settings) -> Retention:
    feedback = timedelta(days=settings.feedback_days)
    events = timedelta(hours=settings.events_retention_hours)
    return Retention(votes=feedback, judged_answers=feedback, events=events)


@asynccontextmanager
async def _housekeeping(app: App, clock: Clock, retention: Retention) -> AsyncIterator[None]:
    """Index once before anything else; then keep the index fresh and forget what is old.

    Nothing that fails here stops the bot: answers say that the search is unavailable.
    """

    async def keep() -> None:
        while True:
            with _told_only():
                await app.library.fill_dense()
            with _told_only():
                await purge(app.database, clock.now(), retention)
            await asyncio.to_thread(give_back)
            await asyncio.sleep(_TIDY_EVERY_SECONDS)
            with _told_only():
                await index()

    async def index() -> None:
        await app.library.index()
        app.gauges.meter.indexed.set(clock.now().timestamp())

    with _told_only():
        await index()
    # A task of our own rather than a scheduled job: it must have ended before the store closes.
    work = asyncio.create_task(keep(), name="housekeeping")
    try:
        yield
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


@contextmanager
def _told_only() -> Iterator[None]:
    """The log tells of a failure; it goes no further."""
    try:
        yield
    except OpsbotError as error:
        log.warning("%s", error)


async def _summary(app: App) -> Ready:
    model = await app.models.current()
    clusters = [
        f"{name} ({version})" if isinstance(version, str) else f"{name}: {version.wrong}"
        for name, version in await app.collector.ping()
    ]
    sources = [f"{status.count} {status.unit}" for status in await app.library.status()]
    return Ready(
        model=model.note,
        knowledge=", ".join(sources) or "nothing yet: set KNOWLEDGE_SOURCES",
        clusters=", ".join(clusters) or "none",
    )


def _required(value: object, name: str) -> str:
    secret = value.get_secret_value() if hasattr(value, "get_secret_value") else ""
    if not secret:
        raise SettingsError(
            "connect to Slack",
            f"{name} is not set",
            "See docs/slack-setup.md, or try everything without Slack: opsbot demo.",
        )
    return str(secret)
