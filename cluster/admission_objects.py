"""Admission webhooks; see `cluster.objects` for the rules they share."""

from __future__ import annotations

from msgspec import field

from cluster.objects import KubeObject, Part


class WebhookService(Part, frozen=True):
    """The Service behind a webhook."""

    namespace: str = ""
    name: str = ""
    port: int = 443


class ClientConfig(Part, frozen=True):
    """How a webhook is reached; None for one outside the cluster."""

    service: WebhookService | None = None


class Webhook(Part, frozen=True):
    """One webhook; what it cannot answer is refused with the policy "Fail"."""

    name: str = ""
    client_config: ClientConfig = field(default_factory=ClientConfig)
    failure_policy: str = "Fail"


class WebhookConfiguration(KubeObject, frozen=True):
    """Common shape of the two kinds."""

    webhooks: tuple[Webhook, ...] = ()


class ValidatingWebhookConfiguration(WebhookConfiguration, frozen=True):
    """admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration."""


class MutatingWebhookConfiguration(WebhookConfiguration, frozen=True):
    """admissionregistration.k8s.io/v1 MutatingWebhookConfiguration."""
