"""From a monitoring system's alerts to findings on the objects that their labels name. Pure."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec

from cluster.kinds import BY_NAME
from cluster.network_objects import Service
from cluster.snapshot import Snapshot
from core.alerts import Alert
from core.findings import Evidence, Finding, ObjectRef, Severity

DETECTOR = "alerts"
HEARTBEATS = frozenset({"Watchdog", "DeadMansSwitch"})
# They fire by design: a heartbeat, and one that exists to inhibit others.
NEVER_FINDINGS = HEARTBEATS | {"InfoInhibitor"}

_SEVERITIES = {
    "critical": Severity.CRITICAL,
    "page": Severity.CRITICAL,
    "emergency": Severity.CRITICAL,
    "fatal": Severity.CRITICAL,
    "error": Severity.HIGH,
    "high": Severity.HIGH,
    "major": Severity.HIGH,
    "info": Severity.INFO,
    "low": Severity.INFO,
    "none": Severity.INFO,
}

# Label → kind, what says most first. `job` is Prometheus' own word for what it scrapes, which for
# a ServiceMonitor is the Service's name; a Kubernetes Job stands in `job_name`.
_LABELS = (
    ("deployment", "Deployment"),
    ("statefulset", "StatefulSet"),
    ("daemonset", "DaemonSet"),
    ("cronjob", "CronJob"),
    ("job_name", "Job"),
    ("horizontalpodautoscaler", "HorizontalPodAutoscaler"),
    ("persistentvolumeclaim", "PersistentVolumeClaim"),
    ("pod", "Pod"),
    ("replicaset", "ReplicaSet"),
    ("ingress", "Ingress"),
    ("service", "Service"),
    ("node", "Node"),
    ("nodename", "Node"),
    ("instance", "Node"),
    ("job", "Service"),
)
# Labels that may name something else as well: they count only when the object is there.
_VAGUE = frozenset({"instance", "job", "service"})
# They report on others: their own pod in an alert is the messenger.
_MESSENGERS = ("kube-state-metrics", "node-exporter", "prometheus-node-exporter")
_TEXTS = ("summary", "description", "message", "runbook_url")
_SHOWN_MEMBERS = 50


class _WireAlert(msgspec.Struct, rename="camel"):
    """An alert of API v2, where `status` is an object, or of webhook version 4, where a word."""

    labels: dict[str, str]
    annotations: dict[str, str] = {}
    starts_at: Annotated[datetime, msgspec.Meta(tz=True)] = datetime.fromtimestamp(0, UTC)
    fingerprint: str = ""
    status: str | dict[str, Any] = "firing"


def read_alerts(plain: object) -> tuple[list[Alert], int]:
    """Alerts from plain JSON values, silenced and inhibited ones left out.

    Args:
        plain: The list that `GET /api/v2/alerts` gives, or `alerts` of a webhook's body.

    Returns:
        The alerts, and how many could not be understood.

    Raises:
        ValueError: It is not a list.
    """
    if not isinstance(plain, list):
        raise ValueError("not a list of alerts")  # noqa: TRY004 (one kind of error for the caller)
    alerts: list[Alert] = []
    unreadable = 0
    for item in plain:
        try:
            wire = msgspec.convert(item, _WireAlert)
        except msgspec.ValidationError:
            unreadable += 1
            continue
        state = wire.status if isinstance(wire.status, str) else wire.status.get("state")
        if state != "suppressed":
            alerts.append(_alert(wire, is_firing=state != "resolved"))
    return alerts, unreadable


def _alert(wire: _WireAlert, *, is_firing: bool) -> Alert:
    return Alert(
        wire.labels.get("alertname", "unnamed alert"),
        wire.labels,
        wire.annotations,
        wire.starts_at.astimezone(UTC),
        wire.fingerprint or _fingerprint(wire.labels),
        is_firing,
    )


def _fingerprint(labels: Mapping[str, str]) -> str:
    return hashlib.sha256(repr(sorted(labels.items())).encode()).hexdigest()[:16]


def findings_from_alerts(
    alerts: Sequence[Alert], snapshot: Snapshot, now: datetime
) -> list[Finding]:
    """One finding per alert's name and owner of what it is about.

    An alert whose labels name nothing that is known is a finding on itself, per namespace.
    """
    groups: dict[tuple[str, ObjectRef], list[tuple[Alert, ObjectRef]]] = defaultdict(list)
    for alert in alerts:
        if alert.is_firing and alert.name not in NEVER_FINDINGS:
            involved, owner = _subject(alert, snapshot)
            groups[alert.name, owner].append((alert, involved))
    return [_finding(owner, group, now) for (_, owner), group in groups.items()]


def _finding(owner: ObjectRef, group: list[tuple[Alert, ObjectRef]], now: datetime) -> Finding:
    group = sorted(group, key=lambda pair: (_severity(pair[0]).rank, pair[0].starts_at))
    alert, involved = group[0]
    names = dict.fromkeys(str(ref) for _, ref in group if ref != involved)
    told = _summary(alert)
    if owner.kind == "Alert":
        about = dict.fromkeys(_about(one) for one, _ in group)
        names = {name: None for name in about if name}
        title = f"{alert.name}: {told}" if told else f"{alert.name} fires"
    else:
        title = f"{owner.name}: alert {alert.name}" + (f", {told}" if told else "")
    return Finding(
        detector=DETECTOR,
        problem=f"alert-{alert.name}",
        reason=alert.name,
        severity=_severity(alert),
        title=title,
        involved=involved,
        owner=owner,
        first_seen=min(now, *(one.starts_at for one, _ in group)),
        last_seen=now,
        evidence=tuple(_evidence(alert, list(names) if owner.kind == "Alert" else [])),
        members=tuple(names)[:_SHOWN_MEMBERS],
        count=len(group),
    )


def _severity(alert: Alert) -> Severity:
    """By the label `severity`; what says nothing is taken for a warning."""
    word = alert.labels.get("severity") or alert.labels.get("priority", "")
    return _SEVERITIES.get(word.lower(), Severity.MEDIUM)


def _summary(alert: Alert) -> str:
    """The first line that people wrote for it."""
    for name in _TEXTS[:3]:
        if text := alert.annotations.get(name, "").strip():
            return text.splitlines()[0].rstrip(".")[:160]
    return ""


def _evidence(alert: Alert, about: list[str]) -> Iterator[Evidence]:
    yield Evidence(f"alert {alert.name}", f"fires since {alert.starts_at:%Y-%m-%d %H:%M} UTC")
    if about:
        more = f" and {len(about) - 6} more" if len(about) > 6 else ""
        yield Evidence("about", ", ".join(about[:6]) + more)
    for name in _TEXTS:
        if text := alert.annotations.get(name, "").strip():
            yield Evidence(f"annotations.{name}", text)
    if container := alert.labels.get("container"):
        yield Evidence("labels.container", container)


def _about(alert: Alert) -> str:
    """What the labels name, in words, though no such object is known."""
    for label, kind in _LABELS:
        if name := alert.labels.get(label):
            place = f"{alert.namespace}/" if alert.namespace and kind != "Node" else ""
            return f"{label} {place}{name}"
    return ""


def _subject(alert: Alert, snapshot: Snapshot) -> tuple[ObjectRef, ObjectRef]:
    """The object that an alert is about and its top owner."""
    for label, kind, namespace, name in _named(alert.labels):
        found = snapshot.find(kind, namespace, name)
        if isinstance(found, Service):
            return snapshot.ref(found), _workload_behind(found, snapshot)
        if found is not None:
            return snapshot.ref(found), snapshot.owner(found)
        if label not in _VAGUE and not snapshot.has_read(BY_NAME[kind].struct):
            # Nobody could look: the alert's word is as good as any.
            ref = ObjectRef(snapshot.cluster, kind, namespace, name)
            return ref, ref
    ref = ObjectRef(snapshot.cluster, "Alert", alert.namespace, alert.name)
    return ref, ref


def _named(labels: Mapping[str, str]) -> Iterable[tuple[str, str, str, str]]:
    """(label, kind, namespace, name) of the objects that labels may name, most telling first."""
    for label, kind in _LABELS:
        # Where a scrape's own labels win, those of the object reported on are kept as exported_….
        name = labels.get(f"exported_{label}") or labels.get(label, "")
        if label == "instance":
            name = name.rpartition(":")[0] or name
        is_messenger = label in {"pod", "service", "job"} and any(
            messenger in name for messenger in _MESSENGERS
        )
        # The alert on a messenger that is gone itself names no pod: its job is down.
        if not name or (is_messenger and labels.get("alertname") != "TargetDown"):
            continue
        namespace = labels.get("exported_namespace") or labels.get("namespace", "")
        yield label, kind, "" if kind == "Node" else namespace, name


def _workload_behind(service: Service, snapshot: Snapshot) -> ObjectRef:
    """The one workload that serves a Service; the Service itself where there are several."""
    pods = snapshot.pods_by_label.selected(service.metadata.namespace, service.spec.selector)
    owners = {snapshot.owner(pod) for pod in pods}
    return owners.pop() if len(owners) == 1 else snapshot.ref(service)
