"""What watches the clusters besides the snapshots: kept Events and alerts, as the settings say."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

from aiohttp import web
from pydantic import SecretStr

from bot.alertwebhook import alert_route
from bot.config_file import ClusterConfig, FileConfig
from bot.settings import Settings
from bot.telemetry.metrics import Meter
from bot.webserver import WebServer
from cluster.alertmanager import AlertFeed, Alertmanager
from cluster.eventlog import EventKeeper
from cluster.kinds import BY_NAME
from cluster.logs import LogLimits
from cluster.loki import Loki
from cluster.ports import AlertStore
from cluster.prometheus import Prometheus
from cluster.reach import Reach
from cluster.webapi import ApiAddress
from core.clock import Clock
from core.errors import SettingsError
from core.redact import Redactor


def reach_of(plan: ClusterConfig, config: FileConfig) -> Reach:
    """What of a cluster may be read.

    Raises:
        SettingsError: A denied kind is none that is ever read.
    """
    for name in config.denied_kinds:
        if name not in BY_NAME:
            raise SettingsError(
                "read the denied kinds (OPSBOT_CONFIG)",
                f"{name} is not a kind that the bot reads",
                f"Choose among {', '.join(sorted(BY_NAME))}.",
            )
    return Reach(
        frozenset(plan.namespaces),
        frozenset(config.denied_namespaces),
        frozenset(config.denied_kinds),
    )


def log_limits(settings: Settings) -> LogLimits:
    """How much is read of logs."""
    return LogLimits(
        window=timedelta(hours=settings.pod_log_window_hours),
        bytes_a_log=settings.pod_log_megabytes << 20,
        seconds_a_log=settings.pod_log_timeout_seconds,
        last_lines=settings.pod_log_last_lines,
        logs_a_cluster=settings.pod_logs,
        seconds_a_cluster=settings.pod_logs_timeout_seconds,
    )


def alert_feed(
    settings: Settings, store: AlertStore, clock: Clock, redactor: Redactor, clusters: Sequence[str]
) -> AlertFeed | None:
    """Alerts of an Alertmanager that is asked or that posts; None where neither is set."""
    if not clusters or not (settings.alertmanager_url or settings.alert_webhook_token):
        return None
    source = None
    if settings.alertmanager_url:
        token = secret(settings.alertmanager_token)
        source = Alertmanager(ApiAddress("Alertmanager", settings.alertmanager_url, token))
    return AlertFeed(source, store, clock, redactor, clusters)


def prometheus_of(settings: Settings) -> Prometheus | None:
    """The Prometheus to ask for numbers, or None."""
    if not settings.prometheus_url:
        return None
    return Prometheus(
        ApiAddress("Prometheus", settings.prometheus_url, secret(settings.prometheus_token))
    )


def loki_of(settings: Settings) -> Loki | None:
    """The Loki to look up errors in, or None."""
    if not settings.loki_url:
        return None
    token = secret(settings.loki_token)
    address = ApiAddress("Loki", settings.loki_url, token, tenant=settings.loki_tenant)
    return Loki(address, settings.loki_selector)


def alert_routes(settings: Settings, feed: AlertFeed | None, meter: Meter) -> list[web.RouteDef]:
    """Where Alertmanager may post; nowhere without ALERT_WEBHOOK_TOKEN."""
    token = secret(settings.alert_webhook_token)
    return [alert_route(token, feed.take, meter)] if feed is not None and token else []


@asynccontextmanager
async def taking_alerts(
    settings: Settings, feed: AlertFeed | None, meter: Meter
) -> AsyncIterator[None]:
    """Listens for Alertmanager, where the transport to Slack does not listen already.

    Raises:
        OpsbotError: The address is taken or not ours.
    """
    routes = alert_routes(settings, feed, meter)
    if not routes or settings.slack_mode == "http":
        yield
        return
    app = web.Application()
    app.add_routes(routes)
    server = WebServer(app, settings.http_host, settings.http_port, "HTTP_PORT")
    await server.start()
    try:
        yield
    finally:
        await server.close()


@asynccontextmanager
async def keeping_events(keepers: Iterable[EventKeeper]) -> AsyncIterator[None]:
    """Events are kept for as long as the block lasts."""
    async with AsyncExitStack() as stack:
        for keeper in keepers:
            keeper.start()
            stack.push_async_callback(keeper.close)
        yield


def secret(value: SecretStr | None) -> str:
    """A secret's text, or '' where it is not set."""
    return value.get_secret_value() if value else ""
