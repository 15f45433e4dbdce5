"""All detectors, by name. A new rule is a module and a row here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from cluster.detectors import (
    bad_exit,
    cannot_create,
    config_error,
    crash_loop,
    cronjob,
    evicted,
    gone_objects,
    hpa,
    image_pull,
    job_failed,
    nodes,
    not_ready,
    oom,
    pvc,
    replicas,
    rollout,
    scheduling,
    services,
    statefulset,
    stuck_creating,
    warning_events,
)
from cluster.snapshot import Snapshot
from cluster.thresholds import Thresholds
from core.findings import Finding

Detector = Callable[[Snapshot, datetime, Thresholds], Iterator[Finding]]

DETECTORS: Mapping[str, Detector] = {
    "bad_exit": bad_exit.detect,
    "cannot_create": cannot_create.detect,
    "config_error": config_error.detect,
    "crash_loop": crash_loop.detect,
    "cronjob": cronjob.detect,
    "evicted": evicted.detect,
    "gone_objects": gone_objects.detect,
    "hpa": hpa.detect,
    "image_pull": image_pull.detect,
    "job_failed": job_failed.detect,
    "nodes": nodes.detect,
    "not_ready": not_ready.detect,
    "oom": oom.detect,
    "pvc": pvc.detect,
    "replicas": replicas.detect,
    "rollout": rollout.detect,
    "scheduling": scheduling.detect,
    "services": services.detect,
    "statefulset": statefulset.detect,
    "stuck_creating": stuck_creating.detect,
    "warning_events": warning_events.detect,
}
