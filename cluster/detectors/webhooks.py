"""Admission webhooks that nobody answers: with the policy "Fail" they block what they guard."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from cluster.admission_objects import (
    MutatingWebhookConfiguration,
    ValidatingWebhookConfiguration,
    Webhook,
    WebhookConfiguration,
    WebhookService,
)
from cluster.detectors.building import (
    build,
    created,
    has_lasted,
    is_ready,
    not_ready_since,
)
from cluster.detectors.services import has_port, selected
from cluster.network_objects import Service
from cluster.objects import Pod
from cluster.snapshot import Snapshot
from cluster.thresholds import Thresholds
from core.findings import Evidence, Finding, Severity


def detect(snapshot: Snapshot, now: datetime, thresholds: Thresholds) -> Iterator[Finding]:
    """One finding a configuration, on its worst webhook."""
    if not (snapshot.has_read(Service) and snapshot.has_read(Pod)):
        return
    configurations: tuple[WebhookConfiguration, ...] = (
        *snapshot.of(ValidatingWebhookConfiguration),
        *snapshot.of(MutatingWebhookConfiguration),
    )
    for configuration in configurations:
        for webhook in sorted(configuration.webhooks, key=lambda item: not _is_blocking(item)):
            service = webhook.client_config.service
            if service is None:
                continue
            wrong, since = _wrong(snapshot, service, created(configuration))
            if not wrong or not has_lasted(since, now, thresholds.service_hold_seconds):
                continue
            yield build(
                snapshot,
                configuration,
                detector="webhooks",
                problem="webhook-down",
                reason="WebhookDown",
                severity=Severity.CRITICAL if _is_blocking(webhook) else Severity.MEDIUM,
                says=f"webhook {webhook.name} is down: {wrong}",
                since=since,
                evidence=[
                    Evidence("clientConfig.service", f"{service.namespace}/{service.name}"),
                    Evidence("failurePolicy", webhook.failure_policy),
                ],
            )
            break


def _is_blocking(webhook: Webhook) -> bool:
    return webhook.failure_policy == "Fail"


def _wrong(snapshot: Snapshot, service: WebhookService, made_at: datetime) -> tuple[str, datetime]:
    """What is wrong with a webhook's Service, and since when; '' where nothing is."""
    found = snapshot.find("Service", service.namespace, service.name)
    if not isinstance(found, Service):
        return f"Service {service.name} does not exist", made_at
    if not has_port(found, number=service.port):
        return f"Service {service.name} has no port {service.port}", made_at
    if not found.spec.selector:
        return "", made_at  # its endpoints are somebody's own affair
    pods = selected(snapshot, found)
    if not pods:
        return f"Service {service.name} selects no pod", made_at
    if any(is_ready(pod) for pod in pods):
        return "", made_at
    names = ", ".join(sorted(pod.metadata.name for pod in pods)[:3])
    return f"no pod is ready ({names})", max(not_ready_since(pod) for pod in pods)
