"""Whose a certificate is and until when: the two fields of X.509 that are asked for. Pure.

A reader of DER that walks to them and stops; nothing is verified, and no key is looked at.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

_PEM = re.compile(
    rb"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+?)-----END CERTIFICATE-----", re.ASCII
)
_SEQUENCE, _SET, _OID, _VERSION = 0x30, 0x31, 0x06, 0xA0
_UTC_TIME, _GENERALIZED_TIME = 0x17, 0x18
_COMMON_NAME = b"\x55\x04\x03"


@dataclass(frozen=True, slots=True)
class Certificate:
    """The leaf of a chain: its subject's common name, '' for none, and its last moment."""

    common_name: str
    not_after: datetime


def read_certificate(pem: bytes) -> Certificate:
    """The first certificate of a PEM file.

    Raises:
        ValueError: There is none, or it is not what X.509 says.
    """
    match = _PEM.search(pem)
    if match is None:
        raise ValueError("no certificate in PEM")
    try:
        return _read(base64.b64decode(match[1]))
    except (binascii.Error, IndexError, UnicodeDecodeError, StopIteration) as error:
        raise ValueError("not an X.509 certificate") from error


def _read(der: bytes) -> Certificate:
    (_, certificate) = next(_elements(der))
    (_, signed) = next(_elements(certificate))
    fields = [item for item in _elements(signed) if item[0] != _VERSION]
    _serial, _algorithm, _issuer, (_, validity), (_, subject) = fields[:5]
    _, (kind, not_after) = list(_elements(validity))[:2]
    return Certificate(_common_name(subject), _time(kind, not_after.decode("ascii")))


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each element in a row."""
    at = 0
    while at < len(data):
        tag, length = data[at], data[at + 1]
        at += 2
        if length & 0x80:
            size = length & 0x7F
            length = int.from_bytes(data[at : at + size], "big")
            at += size
        if at + length > len(data):
            raise ValueError("the certificate is cut")
        yield tag, data[at : at + length]
        at += length


def _common_name(subject: bytes) -> str:
    for _, names in _elements(subject):
        for _, name in _elements(names):
            (_, kind), (_, value) = list(_elements(name))[:2]
            if kind == _COMMON_NAME:
                return value.decode("utf-8")
    return ""


def _time(kind: int, text: str) -> datetime:
    if kind not in {_UTC_TIME, _GENERALIZED_TIME}:
        raise ValueError("the certificate has no time of expiry")
    if kind == _UTC_TIME:  # two digits of the year: from 50 on they are of the last century
        text = ("19" if text[:2] >= "50" else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
