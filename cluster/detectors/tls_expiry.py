"""Certificates that end soon, where the operator lets the bot read TLS Secrets."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from datetime import datetime, timedelta

from cluster.certificates import Certificate, read_certificate
from cluster.detectors.building import build
from cluster.secret_objects import Secret
from cluster.snapshot import Snapshot
from cluster.thresholds import Thresholds
from core.findings import Evidence, Finding, Severity


def detect(snapshot: Snapshot, now: datetime, thresholds: Thresholds) -> Iterator[Finding]:
    """One finding a certificate; one that cannot be read says nothing."""
    for secret in snapshot.of(Secret):
        certificate = _certificate(secret)
        if certificate is None:
            continue
        left = certificate.not_after - now
        if left >= timedelta(days=thresholds.tls_expiry_days):
            continue
        is_past = left < timedelta()
        yield build(
            snapshot,
            secret,
            detector="tls_expiry",
            problem="tls-expiry",
            reason="CertificateExpired" if is_past else "CertificateExpiresSoon",
            severity=_severity(left, thresholds),
            says=f"certificate {'ended' if is_past else 'ends'} on "
            f"{certificate.not_after:%Y-%m-%d %H:%M} UTC",
            since=certificate.not_after - timedelta(days=thresholds.tls_expiry_days),
            evidence=[
                Evidence("subject.commonName", certificate.common_name or "none"),
                Evidence("notAfter", f"{certificate.not_after:%Y-%m-%dT%H:%M:%SZ}"),
            ],
        )


def _severity(left: timedelta, thresholds: Thresholds) -> Severity:
    if left < timedelta():
        return Severity.CRITICAL
    is_near = left <= timedelta(days=thresholds.tls_expiry_high_days)
    return Severity.HIGH if is_near else Severity.MEDIUM


def _certificate(secret: Secret) -> Certificate | None:
    try:
        return read_certificate(base64.b64decode(secret.data.certificate))
    except (ValueError, binascii.Error):
        return None
