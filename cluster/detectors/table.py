"""All detectors, by name. A new rule is a module and a row here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from cluster.detectors import (
    bad_exit,
    budgets,
    cannot_create,
    config_error,
    crash_loop,
    cronjob,
    evicted,
    gateways,
    gone_objects,
    hpa,
    image_pull,
    ingress,
    job_failed,
    nodes,
    not_ready,
    oom,
    pod_failed,
    pv,
    pvc,
    replicas,
    restart_waves,
    rollout,
    scheduling,
    services,
    statefulset,
    stuck_creating,
    tls_expiry,
    warning_events,
    webhooks,
)
from cluster.snapshot import Snapshot
from cluster.thresholds import Thresholds
from core.findings import Finding

Detector = Callable[[Snapshot, datetime, Thresholds], Iterator[Finding]]

DETECTORS: Mapping[str, Detector] = {
    "bad_exit": bad_exit.detect,
    "budgets": budgets.detect,
    "cannot_create": cannot_create.detect,
    "config_error": config_error.detect,
    "crash_loop": crash_loop.detect,
    "cronjob": cronjob.detect,
    "evicted": evicted.detect,
    "gateways": gateways.detect,
    "gone_objects": gone_objects.detect,
    "hpa": hpa.detect,
    "image_pull": image_pull.detect,
    "ingress": ingress.detect,
    "job_failed": job_failed.detect,
    "nodes": nodes.detect,
    "not_ready": not_ready.detect,
    "oom": oom.detect,
    "pod_failed": pod_failed.detect,
    "pv": pv.detect,
    "pvc": pvc.detect,
    "replicas": replicas.detect,
    "restart_waves": restart_waves.detect,
    "rollout": rollout.detect,
    "scheduling": scheduling.detect,
    "services": services.detect,
    "statefulset": statefulset.detect,
    "stuck_creating": stuck_creating.detect,
    "tls_expiry": tls_expiry.detect,
    "warning_events": warning_events.detect,
    "webhooks": webhooks.detect,
}
