"""The newer view of Events, events.k8s.io/v1, read as core/v1 Events. Pure."""

from __future__ import annotations

from datetime import datetime

from msgspec import field

from cluster.objects import Event, EventMetadata, EventSeries, InvolvedObject, KubeObject


class NewEvent(KubeObject, frozen=True):
    """events.k8s.io/v1 Event; the fields of older recorders stand in deprecated…."""

    metadata: EventMetadata = field(default_factory=EventMetadata)
    regarding: InvolvedObject = field(default_factory=InvolvedObject)
    type: str = ""
    reason: str = ""
    note: str = ""
    event_time: datetime | None = None
    series: EventSeries | None = None
    deprecated_count: int | None = None
    deprecated_first_timestamp: datetime | None = None
    deprecated_last_timestamp: datetime | None = None


def core_event(event: NewEvent) -> Event:
    """The same Event as core/v1 shows it."""
    return Event(
        metadata=event.metadata,
        involved_object=event.regarding,
        type=event.type,
        reason=event.reason,
        message=event.note,
        count=event.deprecated_count,
        first_timestamp=event.deprecated_first_timestamp,
        last_timestamp=event.deprecated_last_timestamp,
        event_time=event.event_time,
        series=event.series,
    )
