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
    """How to look at one part. `look` may raise OpsbotError: the part is down, and why."""

    part: str
    look: Callable[[], Awaitable[Look]]


class HealthChecks:
    """Looks at all parts at once, and waits for none of them longer than it is told."""

    def __init__(self, checks: Sequence[Check], clock: Clock) -> None:
        self._checks = list(checks)
        self._clock = clock

    def add(self, check: Check) -> None:
        """Add a part that came to life later, such as the connection to Slack."""
        self._checks.append(check)

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
