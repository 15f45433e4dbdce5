"""Keeps the Events of every cluster as they come, and gives them back for a window.

Clusters forget Events after an hour; a digest covers a day.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from cluster.client import ClusterClient
from cluster.events import first_seen, last_seen, text, times_seen
from cluster.objects import Event, EventMetadata, InvolvedObject
from cluster.ports import EventStore
from cluster.snapshot import Snapshot
from cluster.watching import CORE_EVENTS, EVENT_LIFE, EventFollower
from core.answers import Gap
from core.clock import Clock
from core.errors import StateError
from core.findings import ObjectRef
from core.questions import TimeRange
from core.redact import Redactor
from core.sightings import Sighting

logger = logging.getLogger(__name__)

BATCH = 500
TICK_SECONDS = 10.0
RETRY_SECONDS = 5.0
# Shorter gaps, such as a restart of the bot within the life of Events, are not worth a line.
TOLD_GAP = timedelta(minutes=10)


class EventKeeper:
    """Follows one cluster's Events into the store.

    Args:
        tick_seconds: How often it notes, when nothing happens, that nothing was missed.
    """

    def __init__(
        self,
        client: ClusterClient,
        store: EventStore,
        clock: Clock,
        redactor: Redactor,
        tick_seconds: float = TICK_SECONDS,
    ) -> None:
        self._client = client
        self._store = store
        self._clock = clock
        self._redactor = redactor
        self._tick_seconds = tick_seconds
        self._followers = [
            EventFollower(client, clock, place) for place in client.reach.places(CORE_EVENTS)
        ]
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin; nothing happens where Events may not be read."""
        if not self._client.reach.allows_kind(CORE_EVENTS):
            return
        for follower in self._followers:
            self._tasks.append(asyncio.create_task(follower.run(), name="follow Events"))
            self._tasks.append(asyncio.create_task(self._keep(follower), name="keep Events"))
        self._tasks.append(asyncio.create_task(self._note(), name="note coverage"))

    async def close(self) -> None:
        """Stop; what was read and not yet kept is listed again at the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    async def _keep(self, follower: EventFollower) -> None:
        while True:
            events = await follower.take(BATCH, self._tick_seconds)
            if events:
                # Redaction is work; a batch at a time bounds it.
                sightings = await asyncio.to_thread(self._sightings, events)
                await self._put(sightings)
                follower.done()

    async def _put(self, sightings: Sequence[Sighting]) -> None:
        while True:
            try:
                return await self._store.put(self._client.name, sightings)
            except StateError as error:
                # Waiting here stops the reading as well, so that nothing is lost or piles up.
                logger.warning("%s", error)
                await asyncio.sleep(RETRY_SECONDS)

    async def _note(self) -> None:
        while True:
            await asyncio.sleep(self._tick_seconds)
            now = self._clock.now()
            since = [follower.complete_since for follower in self._followers]
            if all(follower.is_live and follower.is_kept for follower in self._followers):
                span = TimeRange(max(filter(None, since)), now)
                try:
                    await self._store.cover(self._client.name, span)
                except StateError as error:
                    logger.warning("%s", error)

    def _sightings(self, events: Iterable[Event]) -> list[Sighting]:
        return [
            sighting_of(event, self._client.name, self._redactor)
            for event in events
            if event.metadata.uid
        ]


def sighting_of(event: Event, cluster: str, redactor: Redactor) -> Sighting:
    """What is kept of an Event."""
    about = event.involved_object
    return Sighting(
        uid=event.metadata.uid,
        version=event.metadata.resource_version,
        involved=ObjectRef(cluster, about.kind, about.namespace, about.name, about.uid),
        type=event.type,
        reason=event.reason,
        message=redactor.redact(text(event)),
        first_seen=first_seen(event),
        last_seen=last_seen(event),
        count=times_seen(event),
    )


def event_of(sighting: Sighting) -> Event:
    """A kept Event as the API gave it, as far as rules read it."""
    about = sighting.involved
    return Event(
        metadata=EventMetadata(
            name=f"{about.name}.{sighting.uid}",
            namespace=about.namespace,
            uid=sighting.uid,
            creation_timestamp=sighting.first_seen,
            resource_version=sighting.version,
        ),
        involved_object=InvolvedObject(about.kind, about.namespace, about.name, about.uid),
        type=sighting.type,
        reason=sighting.reason,
        message=sighting.message,
        count=sighting.count,
        first_timestamp=sighting.first_seen,
        last_timestamp=sighting.last_seen,
    )


async def with_kept_events(
    snapshot: Snapshot, store: EventStore, window: TimeRange, namespaces: Collection[str] = ()
) -> tuple[Snapshot, list[Gap]]:
    """The snapshot with the Events of a window that the cluster has forgotten.

    What the cluster still has is taken from there. Gaps tell when nobody read Events.
    """
    what = f"Events of cluster {snapshot.cluster}"
    # The cluster itself still knows the rest.
    past_end = snapshot.taken_at - EVENT_LIFE if snapshot.has_read(Event) else window.end
    try:
        kept = await store.during(snapshot.cluster, window, namespaces)
        missing = await store.uncovered(
            snapshot.cluster, TimeRange(window.start, min(window.end, past_end))
        )
    except StateError as error:
        return snapshot, [Gap(what, error.wrong, error.remedy)]
    live = snapshot.of(Event)
    known = {event.metadata.uid for event in live}
    forgotten = tuple(event_of(one) for one in kept if one.uid not in known)
    gaps = [
        Gap(what, f"not read from {span.start:%Y-%m-%d %H:%M} to {span.end:%Y-%m-%d %H:%M} UTC")
        for span in missing
        if span.end - span.start >= TOLD_GAP
    ]
    if not forgotten:
        return snapshot, gaps
    objects = dict(snapshot.objects) | {Event: live + forgotten}
    return replace(snapshot, objects=objects), gaps
