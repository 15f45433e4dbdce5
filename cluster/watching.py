"""Events of a cluster as they come: listed, then watched, for as long as they are wanted."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from cluster.client import ClusterClient
from cluster.decode import decode_change
from cluster.event_objects import NewEvent, core_event
from cluster.kinds import BY_NAME, Kind
from cluster.objects import Event, KubeObject
from cluster.refusals import ExpiredError, ForbiddenError, not_kubernetes
from core.clock import Clock
from core.errors import ClusterError

logger = logging.getLogger(__name__)

# How long API servers keep Events, unless they are told otherwise.
EVENT_LIFE = timedelta(hours=1)
MAX_WAITING = 2_000
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0

CORE_EVENTS = BY_NAME["Event"]
NEW_EVENTS = Kind(NewEvent, "/apis/events.k8s.io/v1", "events")


class EventFollower:
    """Follows the Events of one cluster in one place, through whatever happens to the connection.

    It never stops by itself. A reader that is slow holds it up, so that memory stays bounded.

    Args:
        place: A namespace, or '' for all.
        first_pause_seconds: Before it tries again after a failure; doubled each time.
        settle_seconds: A watch that was resumed counts as live after this silence.

    Attributes:
        complete_since: Since when no Event was missed; None before the first list.
        problem: Why it does not read at present, or None.
    """

    def __init__(
        self,
        client: ClusterClient,
        clock: Clock,
        place: str = "",
        first_pause_seconds: float = FIRST_PAUSE_SECONDS,
        settle_seconds: float = 2.0,
    ) -> None:
        self._client = client
        self._clock = clock
        self._place = place
        self._first_pause = first_pause_seconds
        self._settle = settle_seconds
        self._kind = CORE_EVENTS
        self._version = ""
        self._last_live: datetime | None = None
        self._waiting: asyncio.Queue[Event] = asyncio.Queue(MAX_WAITING)
        self._in_hand = False
        self.complete_since: datetime | None = None
        self.problem: ClusterError | None = None

    @property
    def is_live(self) -> bool:
        """Whether all that has happened until now was read or waits to be taken."""
        return self.complete_since is not None and self.problem is None

    @property
    def is_kept(self) -> bool:
        """Whether everything that was read has been taken and is done with."""
        return self._waiting.empty() and not self._in_hand

    async def take(self, most: int, wait_seconds: float) -> Sequence[Event]:
        """The next Events in the order they came; waits for the first one, not for more.

        Whoever takes them calls `done` once they are safe.
        """
        try:
            async with asyncio.timeout(wait_seconds):
                taken = [await self._waiting.get()]
        except TimeoutError:
            return ()
        while len(taken) < most and not self._waiting.empty():
            taken.append(self._waiting.get_nowait())
        self._in_hand = True
        return taken

    def done(self) -> None:
        """What was taken is safe."""
        self._in_hand = False

    async def run(self) -> None:
        """Follow until cancelled."""
        pause = self._first_pause
        is_relisting = False
        while True:
            try:
                if not self._version:
                    await self._list()
                await self._watch()
            except ExpiredError:
                self._version = ""
                if not is_relisting:
                    is_relisting = True
                    continue
            except ForbiddenError as error:
                self._lose(error)
                # The two views of Events are granted one by one.
                self._kind = NEW_EVENTS if self._kind is CORE_EVENTS else CORE_EVENTS
                self._version = ""
            except ClusterError as error:
                self._lose(error)
            else:
                pause, is_relisting = self._first_pause, False
                continue
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 (no secret)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def _lose(self, error: ClusterError) -> None:
        if self.problem is None or self.problem.wrong != error.wrong:
            logger.warning("%s", error)
        self.problem = error

    async def _list(self) -> None:
        began = self._clock.now()
        listing = await self._client.list_all(self._kind, self._place)
        for obj in listing.items:
            await self._offer(obj)
        oldest = began - EVENT_LIFE
        if self.complete_since is None or self._last_live is None or self._last_live < oldest:
            self.complete_since = oldest
        self._reached(listing.version)

    async def _watch(self) -> None:
        async with self._client.watch(self._kind, self._place, self._version) as lines:
            # A version that is gone is told in the first line; silence means that it was good.
            settled = asyncio.get_running_loop().call_later(self._settle, self._reached, "")
            try:
                async for line in lines:
                    await self._take_in(line)
            finally:
                settled.cancel()

    async def _take_in(self, line: bytes) -> None:
        try:
            change = decode_change(line, self._kind.struct)
        except ValueError as error:
            raise not_kubernetes("watch Events") from error
        if change.code == 410:
            raise ExpiredError("watch Events")
        if change.type == "ERROR":
            raise ClusterError(
                "watch Events", f"the API server answered {change.code}", "See its log"
            )
        # An Event that is deleted has outlived its hour; nothing is over by that.
        if change.obj is not None and change.type != "DELETED":
            await self._offer(change.obj)
        self._reached(change.version)

    def _reached(self, version: str) -> None:
        self._version = version or self._version
        self._last_live = self._clock.now()
        self.problem = None

    async def _offer(self, obj: KubeObject) -> None:
        if isinstance(obj, NewEvent):
            obj = core_event(obj)
        if isinstance(obj, Event):
            await self._waiting.put(obj)
