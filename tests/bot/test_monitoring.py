"""Kept Events, alerts and limits, as the settings ask for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest

from bot.checks import alert_checks, cluster_checks
from bot.config_file import ClusterConfig, FileConfig
from bot.monitoring import (
    alert_feed,
    alert_routes,
    keeping_events,
    log_limits,
    loki_of,
    prometheus_of,
    reach_of,
    taking_alerts,
)
from bot.settings import Settings, load_settings
from bot.telemetry.metrics import Meter
from cluster.alertmanager import read_delivery
from cluster.collect import ClusterCollector
from cluster.eventlog import EventKeeper
from cluster.logs import LogLimits
from cluster.reach import Reach
from cluster.unusable import UnusableClient
from core.answers import PartState
from core.clock import ManualClock
from core.errors import ClusterError, SettingsError
from core.redact import Redactor
from state.alerts import SqlAlertStore
from state.database import Database
from state.events import SqlEventStore
from tests.cluster.api import FakeApi, connected, serving
from tests.monitoring import free_port

CLOCK = ManualClock(datetime(2026, 3, 1, tzinfo=UTC))
REDACTOR = Redactor(b"k" * 32)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlAlertStore]:
    database = await Database.open(f"sqlite+aiosqlite:///{tmp_path / 'state.db'}")
    yield SqlAlertStore(database)
    await database.close()


def settings(**more: object) -> Settings:
    return load_settings(**more)


def test_limits_come_from_the_file() -> None:
    plan = ClusterConfig(name="prod", namespaces=("shop",))
    config = FileConfig(denied_namespaces=("vault",), denied_kinds=("Ingress",))
    expected = Reach(frozenset({"shop"}), frozenset({"vault"}), frozenset({"Ingress"}))
    assert reach_of(plan, config) == expected


def test_how_much_is_read_of_logs_comes_from_the_settings() -> None:
    assert log_limits(settings()) == LogLimits()
    changed = settings(
        pod_log_window_hours=2,
        pod_log_megabytes=3,
        pod_log_timeout_seconds=4,
        pod_log_last_lines=5,
        pod_logs=6,
        pod_logs_timeout_seconds=7,
    )
    assert log_limits(changed) == LogLimits(timedelta(hours=2), 3 << 20, 4, 5, 6, 7)


def test_a_kind_that_is_never_read_cannot_be_denied() -> None:
    with pytest.raises(SettingsError, match=r"Ingres is not a kind.*Ingress"):
        reach_of(ClusterConfig(name="prod"), FileConfig(denied_kinds=("Ingres",)))


def test_without_an_address_and_a_token_there_are_no_alerts(store: SqlAlertStore) -> None:
    assert alert_feed(settings(), store, CLOCK, REDACTOR, ["prod"]) is None
    told = settings(alert_webhook_token="t")
    assert alert_feed(told, store, CLOCK, REDACTOR, []) is None
    assert alert_routes(told, None, Meter()) == []


async def test_alertmanager_may_post_where_slack_needs_no_address(store: SqlAlertStore) -> None:
    port = free_port()
    told = settings(alert_webhook_token="t", http_port=port)
    feed = alert_feed(told, store, CLOCK, REDACTOR, ["prod"])
    assert feed is not None
    body = {"version": "4", "alerts": [{"labels": {"alertname": "Slow"}}]}
    async with taking_alerts(told, feed, Meter()), aiohttp.ClientSession() as session:
        url, headers = f"http://127.0.0.1:{port}/alerts", {"Authorization": "Bearer t"}
        async with session.post(url, json=body, headers=headers) as response:
            assert response.status == 204
    assert [alert.name for alert in await feed.firing("prod")] == ["Slow"]
    async with taking_alerts(settings(slack_mode="http", alert_webhook_token="t"), feed, Meter()):
        pass
    await feed.close()


async def test_an_alertmanager_is_asked_where_its_address_is_set(store: SqlAlertStore) -> None:
    feed = alert_feed(
        settings(alertmanager_url="http://127.0.0.1:1"), store, CLOCK, REDACTOR, ["prod"]
    )
    assert feed is not None
    assert alert_routes(settings(alertmanager_url="http://127.0.0.1:1"), feed, Meter()) == []
    await feed.close()


async def test_loki_is_asked_where_it_is_set() -> None:
    assert loki_of(settings()) is None
    found = loki_of(settings(loki_url="http://127.0.0.1:1", loki_token="p", loki_tenant="t"))
    assert found is not None
    await found.close()


async def test_a_prometheus_is_asked_where_its_address_is_set() -> None:
    assert prometheus_of(settings()) is None
    found = prometheus_of(settings(prometheus_url="http://127.0.0.1:1", prometheus_token="p"))
    assert found is not None
    with pytest.raises(ClusterError, match="Prometheus cannot be reached"):
        await found.at("up", CLOCK.now())
    await found.close()


async def test_a_clock_that_is_wrong_is_told_in_the_status(tmp_path: Path) -> None:
    async with serving(FakeApi()) as api, connected(api, tmp_path, "prod") as client:
        collector = ClusterCollector([client], CLOCK, REDACTOR)
        (check,) = cluster_checks(collector)
        assert (await check.look()).state is PartState.OK
        api.clock_ahead = timedelta(minutes=2)
        ahead = await check.look()
        api.clock_ahead = timedelta(minutes=-2)
        behind = await check.look()
        await collector.close()
    assert (ahead.state, behind.state) == (PartState.DEGRADED, PartState.DEGRADED)
    assert "its clock is 1" in ahead.detail
    assert ahead.detail.endswith("s ahead of ours")
    assert behind.detail.endswith("s behind ours")
    assert "NTP" in behind.remedy


async def test_alerts_are_a_row_of_the_status_where_they_are_asked_for(
    store: SqlAlertStore,
) -> None:
    assert alert_checks(None, ["prod"]) == []
    feed = alert_feed(settings(alert_webhook_token="t"), store, CLOCK, REDACTOR, ["prod", "west"])
    assert feed is not None
    fired = [
        {"labels": {"alertname": "Slow", "cluster": name}, "startsAt": "2026-03-01T00:00:00Z"}
        for name in ("prod", "west")
    ]
    await feed.take(read_delivery({"version": "4", "alerts": fired}))
    (check,) = alert_checks(feed, ["prod", "west"])
    assert (await check.look()).detail == "2 firing"
    await feed.close()


async def test_events_of_a_cluster_that_cannot_be_used_are_waited_for(tmp_path: Path) -> None:
    database = await Database.open(f"sqlite+aiosqlite:///{tmp_path / 'state.db'}")
    client = UnusableClient("prod", ClusterError("read it", "the file is gone", "Look"))
    events = SqlEventStore(database)
    async with keeping_events([EventKeeper(client, events, CLOCK, REDACTOR, tick_seconds=0.01)]):
        await asyncio.sleep(0.05)
    assert await events.last_read("prod") is None
    await database.close()
