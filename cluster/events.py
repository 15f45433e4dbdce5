"""When an Event was last seen, how often, and which Events are about an object. Pure.

Events are best-effort and throttled by their sources: a count is a lower bound, and a missing Event
proves nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from cluster.objects import Event, KubeObject

EPOCH = datetime.fromtimestamp(0, UTC)


# Clocks of a cluster differ by less than this.
SKEW = timedelta(minutes=5)


def last_seen(event: Event, now: datetime | None = None) -> datetime:
    """The latest of all the times an Event carries; which of them is filled differs by source.

    With `now`, times that have not come yet are left out: they are a broken clock's.
    """
    moments = (
        event.series.last_observed_time if event.series else None,
        event.last_timestamp,
        event.event_time,
        event.metadata.creation_timestamp,
    )
    told = [moment for moment in moments if moment and (now is None or moment <= now + SKEW)]
    return max(told, default=EPOCH)


def first_seen(event: Event) -> datetime:
    """The earliest time an Event carries."""
    moments = (event.first_timestamp, event.event_time, event.metadata.creation_timestamp)
    return min((moment for moment in moments if moment), default=last_seen(event))


def times_seen(event: Event) -> int:
    """How often it was seen, at least 1; the scheduler leaves `count` empty."""
    series_count = event.series.count if event.series else 0
    return max(series_count, event.count or 0, 1)


def text(event: Event) -> str:
    """The message without the prefix that merged Events get."""
    return event.message.removeprefix("(combined from similar events): ").strip()


class EventIndex:
    """Events by the object they are about: by uid, else by kind and place, never by name alone."""

    def __init__(self, events: Iterable[Event]) -> None:
        self._by_uid: dict[str, list[Event]] = defaultdict(list)
        self._by_place: dict[tuple[str, str, str], list[Event]] = defaultdict(list)
        for event in sorted(events, key=last_seen, reverse=True):
            about = event.involved_object
            self._by_place[about.kind, about.namespace, about.name].append(event)
            if about.uid:
                self._by_uid[about.uid].append(event)

    def of(self, kind: str, obj: KubeObject) -> list[Event]:
        """Events about `obj`, newest first; those of a namesake that is gone are left out."""
        meta = obj.metadata
        placed = self._by_place.get((kind, meta.namespace, meta.name), [])
        if not meta.uid:
            return list(placed)
        # Some sources write no uid, and the kubelet writes a Node's name there.
        vague = [event for event in placed if event.involved_object.uid in {meta.name, ""}]
        exact = self._by_uid.get(meta.uid, [])
        return sorted(exact + vague, key=last_seen, reverse=True) if vague else list(exact)
