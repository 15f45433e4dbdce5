"""TLS Secrets, read only where the operator has asked for it; see `KUBE_TLS_SECRETS`.

The private key is never decoded: the struct has no field for it.
"""

from __future__ import annotations

from msgspec import Struct, field

from cluster.objects import KubeObject


class CertificateData(Struct, frozen=True):
    """The public half: base64 of PEM."""

    certificate: str = field(name="tls.crt", default="")


class Secret(KubeObject, frozen=True):
    """core/v1 Secret of the type kubernetes.io/tls."""

    data: CertificateData = field(default_factory=CertificateData)
