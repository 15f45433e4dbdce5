"""Certificates are read as far as their end, and told before it."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest

from cluster.certificates import read_certificate
from cluster.detectors.table import DETECTORS
from cluster.kinds import TLS_SECRETS
from cluster.reach import Reach
from cluster.thresholds import Thresholds
from core.findings import Severity
from tests.cluster.payloads import Json, evidence, meta, snapshot

# Made with `openssl req -x509`; their keys were thrown away.
SHOP = b"""\
-----BEGIN CERTIFICATE-----
MIIBuTCCAV+gAwIBAgIUfjj0QZZQ66SpqqHMcNQ0DZ71P6cwCgYIKoZIzj0EAwIw
MjEVMBMGA1UECgwMRXhhbXBsZSBTaG9wMRkwFwYDVQQDDBBzaG9wLmV4YW1wbGUu
Y29tMB4XDTI2MTEyMjIyNDgxOFoXDTI2MTIwNjIyNDgxOFowMjEVMBMGA1UECgwM
RXhhbXBsZSBTaG9wMRkwFwYDVQQDDBBzaG9wLmV4YW1wbGUuY29tMFkwEwYHKoZI
zj0CAQYIKoZIzj0DAQcDQgAE/h/mXq5AwOtUIvNsDiiE8d3jGpukMp1JL5dCDF1i
JRsaupCzSOSLMPsElmmpl0Kv9zj80A1LiMvqkh/c5jbTG6NTMFEwHQYDVR0OBBYE
FHXQ3zVYSm3EbmqQaoEZMc+T/7rhMB8GA1UdIwQYMBaAFHXQ3zVYSm3EbmqQaoEZ
Mc+T/7rhMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIhAIVrXI1N
VtfNtAjjGvIE/6T5kMRC8Z3H6982AYiacNxWAiBuY1urU5RzRCirOp02WbYPTt2u
bRp7iMrfSHSG7n/RcA==
-----END CERTIFICATE-----
"""
NAMELESS = b"""\
-----BEGIN CERTIFICATE-----
MIIBejCCASGgAwIBAgIUYOsBt3mNrG1H+b/D8DZAlz7JWrMwCgYIKoZIzj0EAwIw
EjEQMA4GA1UECgwHTm8gTmFtZTAgFw0yNjExMjIyMjQ4MThaGA8yMDUxMDcxNDIy
NDgxOFowEjEQMA4GA1UECgwHTm8gTmFtZTBZMBMGByqGSM49AgEGCCqGSM49AwEH
A0IABAoeleJ5lMewlL8s6M0yE3RjL1Yn2uw6ksqX+38OeKRjYgUL6tbpe1N+2ZHl
HHNRRwGUwnvUlERUZ+rzPCKMKBejUzBRMB0GA1UdDgQWBBQAz5azxiBaoqjQ0FFI
37mTK04TCzAfBgNVHSMEGDAWgBQAz5azxiBaoqjQ0FFI37mTK04TCzAPBgNVHRMB
Af8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCIAN2FHapLqDullp4FixmYOfuZjoW
H0eUVrrAjQu+BdSsAiBwmmvpahIbOU9x5dCkvDeUMc5dvYl/jfaV30IrNOWNZQ==
-----END CERTIFICATE-----
"""
END = datetime(2026, 12, 6, 22, 48, 18, tzinfo=UTC)


def secret(pem: bytes) -> Json:
    data = {"tls.crt": base64.b64encode(pem).decode(), "tls.key": "never looked at"}
    return {"kind": "Secret", "metadata": meta("shop-tls"), "data": data}


def test_the_leaf_of_a_chain_gives_name_and_end() -> None:
    found = read_certificate(b"Bag attributes\n" + SHOP + NAMELESS)
    assert (found.common_name, found.not_after) == ("shop.example.com", END)


def test_a_late_end_is_written_in_another_way_and_a_name_may_be_missing() -> None:
    found = read_certificate(NAMELESS)
    assert found.common_name == ""
    assert found.not_after == datetime(2051, 7, 14, 22, 48, 18, tzinfo=UTC)


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
        b"-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----",
        SHOP[:300] + b"\n-----END CERTIFICATE-----",
        SHOP.replace(b"MIIBuTCC", b"MIIBuzCC"),
    ],
)
def test_what_is_no_certificate_is_refused(pem: bytes) -> None:
    with pytest.raises(ValueError, match=r"certificate|PEM"):
        read_certificate(pem)


@pytest.mark.parametrize(
    ("days_left", "severity"),
    [
        (31, None),
        (29, Severity.MEDIUM),
        (4, Severity.MEDIUM),
        (3, Severity.HIGH),
        (-1, Severity.CRITICAL),
    ],
)
def test_it_gets_worse_as_the_end_comes_near(days_left: float, severity: Severity | None) -> None:
    now = END - timedelta(days=days_left)
    found = list(DETECTORS["tls_expiry"](snapshot(secret(SHOP), now=now), now, Thresholds()))
    assert [item.severity for item in found] == ([severity] if severity else [])
    for finding in found:
        assert evidence(finding)["subject.commonName"] == "shop.example.com"
        assert ("ended on 2026-12-06" in finding.title) == (days_left < 0)


def test_a_secret_that_cannot_be_read_says_nothing() -> None:
    for data in ({"tls.crt": "%%%"}, {"tls.crt": ""}, {}):
        broken = {**secret(SHOP), "data": data}
        found = DETECTORS["tls_expiry"](snapshot(broken, now=END), END, Thresholds())
        assert list(found) == []


def test_only_secrets_of_tls_are_asked_for() -> None:
    assert Reach().query(TLS_SECRETS, "shop") == {"fieldSelector": "type=kubernetes.io/tls"}
    limited = Reach(denied_namespaces=frozenset({"hr"})).query(TLS_SECRETS, "")
    assert limited == {"fieldSelector": "type=kubernetes.io/tls,metadata.namespace!=hr"}
