"""The state of every part, for `/k8s status`, `opsbot doctor` and the start's summary."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from core.answers import PartHealth, PartState
from core.clock import Clock
from core.errors import OpsbotError


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at a part brought."""

    state: PartState
    detail: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """How to look at one part.

    Attributes:
        look: May raise OpsbotError: the part is down, and why.
        is_needed: Whether nothing can be done while it is down. Without a model or a cluster the
            bot answers from what it has.
    """

    part: str
    look: Callable[[], Awaitable[Look]]
    is_needed: bool = False


class HealthChecks:
    """Looks at all parts at once, and waits for none of them longer than it is told."""

    def __init__(self, checks: Sequence[Check], clock: Clock) -> None:
        self._checks = list(checks)
        self._clock = clock

    def add(self, check: Check) -> None:
        """Add a part that came to life later, such as the connection to Slack."""
        self._checks.append(check)

    @property
    def needed(self) -> frozenset[str]:
        """The parts without which no work can be taken."""
        return frozenset(check.part for check in self._checks if check.is_needed)

    async def missing(self, limit_seconds: float = 1.5) -> tuple[str, ...]:
        """Those of them that are down."""
        needed = [check for check in self._checks if check.is_needed]
        rows = await asyncio.gather(*(self._one(check, limit_seconds) for check in needed))
        return tuple(row.part for row in rows if row.state is PartState.DOWN)

    async def check(self, limit_seconds: float = 1.5) -> tuple[PartHealth, ...]:
        """One row a part, in the order they were given; takes at most `limit_seconds`."""
        looks = [self._one(check, limit_seconds) for check in self._checks]
        return tuple(await asyncio.gather(*looks))

    async def _one(self, check: Check, limit_seconds: float) -> PartHealth:
        start = time.perf_counter()
        try:
            found = await asyncio.wait_for(check.look(), limit_seconds)
        except TimeoutError:
            found = Look(PartState.DOWN, f"did not answer within {limit_seconds:g} s")
        except OpsbotError as error:
            found = Look(PartState.DOWN, error.wrong, error.remedy)
        seconds = time.perf_counter() - start
        return PartHealth(
            check.part, found.state, found.detail, self._clock.now(), found.remedy, seconds
        )
