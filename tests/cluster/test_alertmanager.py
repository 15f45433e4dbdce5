"""Alerts are pulled from a real Alertmanager; a heartbeat that stops is told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from cluster.alertmanager import AlertFeed, Alertmanager, Delivery, read_delivery
from cluster.webapi import ApiAddress
from core.alerts import Alert
from core.clock import ManualClock
from core.errors import ClusterError
from core.redact import Redactor
from state.alerts import SqlAlertStore
from state.database import Database
from tests.monitoring import alertmanager

NOW = datetime.now(UTC)
REDACTOR = Redactor(b"k" * 32)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlAlertStore]:
    database = await Database.open(f"sqlite+aiosqlite:///{tmp_path / 'state.db'}")
    yield SqlAlertStore(database)
    await database.close()


def address(url: str, token: str = "", timeout_seconds: float = 5) -> ApiAddress:
    return ApiAddress("Alertmanager", url, token, timeout_seconds=timeout_seconds)


def alert(name: str, **labels: str) -> Alert:
    return Alert(name, {"alertname": name, **labels}, {}, NOW, f"{name}-{labels}")


async def post(url: str, path: str, body: Any) -> None:
    async with aiohttp.ClientSession() as session, session.post(url + path, json=body) as response:
        assert response.status == 200, await response.text()


async def test_what_fires_is_pulled_and_what_is_silenced_is_not(
    tmp_path: Path, store: SqlAlertStore
) -> None:
    async with alertmanager(tmp_path) as url:
        fired = [
            {"labels": {"alertname": "Slow", "namespace": "shop", "service": "cart"},
             "annotations": {"summary": "password=hunter2-and-more"}},
            {"labels": {"alertname": "Silenced"}},
            {"labels": {"alertname": "Watchdog"}},
            {"labels": {"alertname": "Far", "cluster": "west"}},
        ]  # fmt: skip
        await post(url, "/api/v2/alerts", fired)
        until = (NOW + timedelta(hours=1)).isoformat()
        matchers = [{"name": "alertname", "value": "Silenced", "isRegex": False}]
        silence = {"matchers": matchers, "startsAt": NOW.isoformat(), "endsAt": until}
        await post(url, "/api/v2/silences", silence | {"createdBy": "me", "comment": "known"})
        clock = ManualClock(NOW)
        feed = AlertFeed(Alertmanager(address(url)), store, clock, REDACTOR, ["east", "west"])
        (slow,) = await feed.firing("east")
        assert (slow.name, slow.namespace, slow.is_firing) == ("Slow", "shop", True)
        assert "hunter2" not in slow.annotations["summary"]
        assert len(slow.fingerprint) == 16
        assert [one.name for one in await feed.firing("west")] == ["Far"]
        assert set(await store.last_seen({"Watchdog"})) == {"Watchdog"}
        await feed.close()
        wrong = Alertmanager(address(url + "/wrong"))
        with pytest.raises(ClusterError, match="Alertmanager"):
            await wrong.alerts()
        await wrong.close()


async def test_a_heartbeat_that_is_no_longer_there_is_an_alert(store: SqlAlertStore) -> None:
    class Beating(Alertmanager):
        heartbeats: tuple[Alert, ...] = (alert("Watchdog"),)

        async def alerts(self) -> list[Alert]:
            return [*self.heartbeats]

    source = Beating(address("http://127.0.0.1:1"))
    clock = ManualClock(NOW)
    feed = AlertFeed(source, store, clock, REDACTOR, ["east"])
    assert await feed.firing("east") == []
    source.heartbeats = ()
    clock.advance(timedelta(minutes=4))
    assert await feed.firing("east") == []
    clock.advance(timedelta(minutes=2))
    (lost,) = await feed.firing("east")
    assert lost.name == "HeartbeatLost"
    assert "Watchdog always fires" in lost.annotations["summary"]
    await feed.close()


async def test_what_was_pushed_is_kept_redacted_until_it_is_resolved(store: SqlAlertStore) -> None:
    clock = ManualClock(NOW)
    feed = AlertFeed(None, store, clock, REDACTOR, ["east"])
    body = {
        "version": "4",
        "truncatedAlerts": 3,
        "alerts": [
            {"status": "firing", "labels": {"alertname": "Slow"}, "fingerprint": "f1",
             "annotations": {"summary": "token=abcdef1234567890abcdef"},
             "startsAt": "2026-03-01T12:00:00Z"},
            {"labels": 3},
        ],
    }  # fmt: skip
    delivery = read_delivery(body)
    assert (delivery.truncated, delivery.unreadable) == (3, 1)
    await feed.take(delivery)
    first, second = sorted(await feed.firing("east"), key=lambda one: one.name)
    assert first.name == "AlertsTruncated"
    assert "left out 3 alerts" in first.annotations["summary"]
    assert second.name == "Slow"
    assert "abcdef1234567890" not in second.annotations["summary"]
    body["alerts"] = [{**body["alerts"][0], "status": "resolved"}]  # type: ignore[index]
    await feed.take(read_delivery(body | {"truncatedAlerts": 0}))
    assert [one.name for one in await feed.firing("east")] == ["AlertsTruncated"]
    clock.advance(timedelta(days=2))
    assert await feed.firing("east") == []
    await feed.take(Delivery((), 0, 0))
    await feed.close()


@pytest.mark.parametrize("body", [[], {"version": "3"}, {"version": "4", "alerts": None}])
def test_another_body_is_refused(body: object) -> None:
    with pytest.raises(ValueError, match=r"version 4|list of alerts"):
        read_delivery(body)


@pytest.mark.parametrize(
    ("status", "text", "words"),
    [
        (200, "<html>login", "not Alertmanager"),
        (200, '{"a": 1}', "not a list of alerts"),
        (401, "{}", "does not accept the token"),
        (500, "{}", "answered 500"),
    ],
)
async def test_odd_answers_are_told_in_words(
    store: SqlAlertStore, status: int, text: str, words: str
) -> None:
    async def answer(request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer pull-token"
        return web.Response(status=status, text=text)

    app = web.Application()
    app.router.add_get("/api/v2/alerts", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    feed = AlertFeed(
        Alertmanager(address(url, "pull-token")), store, ManualClock(NOW), REDACTOR, ["east"]
    )
    with pytest.raises(ClusterError, match=words):
        await feed.firing("east")
    await feed.close()
    await runner.cleanup()


async def test_one_that_is_not_there_or_hangs_is_told() -> None:
    gone = Alertmanager(address("http://127.0.0.1:1"))
    with pytest.raises(ClusterError, match="cannot be reached"):
        await gone.alerts()
    await gone.close()
