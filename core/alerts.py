"""An alert, as a monitoring system reports it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert that fires, or has been resolved.

    Attributes:
        name: Its rule's name, the label `alertname`.
        labels: All labels; they say what it is about.
        annotations: Texts for people, such as `summary` and `description`; untrusted.
        starts_at: Since when it fires, aware UTC.
        fingerprint: Names the set of labels; together with `starts_at` it names one firing.
        is_firing: False once it is resolved.
    """

    name: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: datetime
    fingerprint: str
    is_firing: bool = True

    @property
    def namespace(self) -> str:
        """The namespace it is about, or ''; an exporter's own stands in `namespace`, then."""
        return self.labels.get("exported_namespace") or self.labels.get("namespace", "")
