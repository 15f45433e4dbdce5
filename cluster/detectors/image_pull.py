"""Images that cannot be pulled."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from cluster.detectors.building import build, created, event_evidence, newest, waiting_containers
from cluster.detectors.reasons import IMAGE_PULL_REASONS
from cluster.objects import Event, Pod
from cluster.snapshot import Snapshot
from cluster.thresholds import Thresholds
from core.findings import Evidence, Finding, Severity

# Word found in the kubelet's message → what it means; the first that fits.
CAUSES = (
    (("x509", "certificate", "tls"), "TLS certificate not trusted"),
    (("unauthorized", "authentication required", "denied", "forbidden"), "not authorised"),
    (("not found", "manifest unknown", "no such manifest"), "not found"),
    (("timeout", "deadline exceeded", "i/o", "no such host", "refused"), "registry unreachable"),
    (("toomanyrequests", "rate limit"), "rate limited"),
    (("invalid reference", "couldn't parse image", "invalidimagename"), "invalid image name"),
)


def detect(snapshot: Snapshot, now: datetime, thresholds: Thresholds) -> Iterator[Finding]:
    """One finding a pod and image; the cause comes from the kubelet's own message."""
    seen: set[tuple[str, str, str]] = set()
    hold_seconds = thresholds.image_pull_hold_seconds
    for pod, status, waiting in waiting_containers(snapshot, IMAGE_PULL_REASONS, now, hold_seconds):
        key = (pod.metadata.namespace, pod.metadata.name, status.image)
        if key in seen:
            continue
        seen.add(key)
        failed = _failed_event(snapshot, pod, status.image)
        event = failed or newest(snapshot.events_of(pod), {"BackOff"})
        told = " ".join((waiting.message, failed.message if failed else "", waiting.reason))
        secrets = ", ".join(secret.name for secret in pod.spec.image_pull_secrets)
        yield build(
            snapshot,
            pod,
            detector="image_pull",
            problem="image-pull",
            reason=waiting.reason,
            severity=Severity.HIGH,
            says=f"image {_short_image(status.image)} cannot be pulled{_cause(told)}",
            since=created(pod),
            evidence=[
                Evidence("container", status.name),
                Evidence("image", status.image),
                Evidence(f"state.waiting.{waiting.reason}", waiting.message or waiting.reason),
                *event_evidence(event),
                *([Evidence("spec.imagePullSecrets", secrets)] if secrets else []),
            ],
        )


def _failed_event(snapshot: Snapshot, pod: Pod, image: str) -> Event | None:
    """The newest "Failed" that tells of this image; "Error: ImagePullBackOff" tells nothing."""
    for event in snapshot.events_of(pod):
        if event.reason == "Failed" and image and image in event.message:
            return event
    return None


def _cause(told: str) -> str:
    lower = told.lower()
    for words, meaning in CAUSES:
        if any(word in lower for word in words):
            return f": {meaning}"
    return ""


def _short_image(image: str) -> str:
    """The last part of the name with its tag: what differs in a rollout."""
    return image.rsplit("/", 1)[-1].split("@", 1)[0]
