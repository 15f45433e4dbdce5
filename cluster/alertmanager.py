"""Alerts from an Alertmanager: asked for, or pushed by it and kept. For `cluster.collect`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from cluster.alerts import HEARTBEATS, read_alerts
from cluster.ports import AlertStore
from cluster.webapi import ApiAddress, WebApi
from core.alerts import Alert
from core.clock import Clock
from core.errors import ClusterError, StateError
from core.redact import Redactor

PULL_TTL = timedelta(seconds=5)
# A heartbeat that is pulled is there or not; a pushed one is repeated every few hours.
LATE_PULLED = timedelta(minutes=5)
PUSHED_LIFE = timedelta(hours=24)
LOST_HEARTBEAT = "HeartbeatLost"
_ONLY_ACTIVE = {"active": "true", "silenced": "false", "inhibited": "false", "unprocessed": "false"}


class Alertmanager:
    """Asks API v2 which alerts fire."""

    def __init__(self, address: ApiAddress) -> None:
        self._api = WebApi(address)

    async def alerts(self) -> list[Alert]:
        """Alerts that fire now; silenced and inhibited ones are left out.

        Raises:
            ClusterError: It cannot be asked, or answers something else.
        """
        asked = "ask Alertmanager for alerts"
        status, plain = await self._api.ask("/api/v2/alerts", asked, query=_ONLY_ACTIVE)
        try:
            if status != 200:
                raise ValueError(status)  # noqa: TRY301  (as odd as any other answer)
            return read_alerts(plain)[0]
        except ValueError as error:
            raise ClusterError(
                asked,
                f"the answer ({status}) is not a list of alerts",
                "Check that the address is Alertmanager's root, with its path prefix",
            ) from error

    async def close(self) -> None:
        """Close the connections."""
        await self._api.close()


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a webhook brought.

    Attributes:
        truncated: How many alerts Alertmanager left out, by its `max_alerts`.
        unreadable: How many could not be understood.
    """

    alerts: tuple[Alert, ...]
    truncated: int
    unreadable: int


def read_delivery(plain: object) -> Delivery:
    """A webhook's body, version 4.

    Raises:
        ValueError: It is something else; the text says what.
    """
    if not isinstance(plain, dict) or plain.get("version") != "4":
        raise ValueError("not an Alertmanager webhook of version 4")
    alerts, unreadable = read_alerts(plain.get("alerts"))
    truncated = plain.get("truncatedAlerts", 0)
    return Delivery(tuple(alerts), truncated if isinstance(truncated, int) else 0, unreadable)


class AlertFeed:
    """What fires, by cluster; a heartbeat that stopped is an alert as well.

    Where an Alertmanager can be asked, its answer counts; else what it pushed.

    Args:
        alertmanager: To be asked; None where it only pushes.
        clusters: Configured names. An alert belongs to the one in its label `cluster`, else to
            the first.
    """

    def __init__(
        self,
        alertmanager: Alertmanager | None,
        store: AlertStore,
        clock: Clock,
        redactor: Redactor,
        clusters: Sequence[str],
    ) -> None:
        self._alertmanager = alertmanager
        self._store = store
        self._clock = clock
        self._redactor = redactor
        self._clusters = tuple(clusters)
        self._pulled: tuple[Alert, ...] = ()
        self._pulled_at = clock.now() - timedelta(days=1)

    async def firing(self, cluster: str) -> Sequence[Alert]:
        """The alerts of a cluster that fire now.

        Raises:
            ClusterError: Nobody knows: Alertmanager or the state database failed.
        """
        try:
            alerts = await self._all()
        except StateError as error:
            raise ClusterError(error.asked, error.wrong, error.remedy) from error
        return [alert for alert in alerts if self._cluster_of(alert) == cluster]

    async def take(self, delivery: Delivery) -> None:
        """Keep what a webhook brought, redacted.

        Raises:
            StateError: It could not be kept; it has to be delivered again.
        """
        alerts = [_redacted(alert, self._redactor) for alert in delivery.alerts]
        if delivery.truncated:
            alerts.append(self._truncated(delivery.truncated))
        await self._store.put(alerts, self._clock.now())

    async def close(self) -> None:
        """Close the connections."""
        if self._alertmanager is not None:
            await self._alertmanager.close()

    def _cluster_of(self, alert: Alert) -> str:
        label = alert.labels.get("cluster", "")
        return label if label in self._clusters else self._clusters[0]

    async def _all(self) -> list[Alert]:
        now = self._clock.now()
        if self._alertmanager is None:
            alerts = list(await self._store.firing(now - PUSHED_LIFE))
            late = PUSHED_LIFE
        else:
            alerts, late = list(await self._pull(self._alertmanager)), LATE_PULLED
        beating = {alert.name for alert in alerts} & HEARTBEATS
        seen = await self._store.last_seen(HEARTBEATS)
        lost = [
            self._own_alert(
                LOST_HEARTBEAT,
                f"{name} always fires while alerting works, and was last seen at "
                f"{last:%Y-%m-%d %H:%M} UTC",
                f"lost-{name}",
            )
            for name, last in sorted(seen.items())
            if name not in beating and now - last >= late
        ]
        return [*(alert for alert in alerts if alert.name not in HEARTBEATS), *lost]

    async def _pull(self, alertmanager: Alertmanager) -> Sequence[Alert]:
        now = self._clock.now()
        if now - self._pulled_at >= PULL_TTL:
            alerts = [_redacted(alert, self._redactor) for alert in await alertmanager.alerts()]
            self._pulled, self._pulled_at = tuple(alerts), now
            await self._store.put([one for one in alerts if one.name in HEARTBEATS], now)
        return self._pulled

    def _truncated(self, number: int) -> Alert:
        return self._own_alert(
            "AlertsTruncated",
            f"Alertmanager left out {number} alerts of a delivery; raise its max_alerts",
            "truncated",
        )

    def _own_alert(self, name: str, summary: str, fingerprint: str) -> Alert:
        """An alert about alerting itself; within an hour it is the same one again."""
        labels = {"alertname": name, "severity": "high"}
        hour = self._clock.now().replace(minute=0, second=0, microsecond=0)
        return Alert(name, labels, {"summary": summary}, hour, fingerprint)


def _redacted(alert: Alert, redactor: Redactor) -> Alert:
    def clean(texts: Mapping[str, str]) -> dict[str, str]:
        return {name: redactor.redact(text) for name, text in texts.items()}

    return replace(alert, labels=clean(alert.labels), annotations=clean(alert.annotations))
