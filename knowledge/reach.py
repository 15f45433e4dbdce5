"""Search over calls: who is reached, how far away, and by which shortest way. Pure.

Ten thousand services with fifty thousand calls are searched within tens of milliseconds, because a
way is a link to the step before and is written out only when somebody reads it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

Step = Callable[[str], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Reach:
    """A service reached by search.

    Attributes:
        service: Its name.
        depth: How many calls away it is.
        before: Where the search came from; None for where it began.
        is_against: The search went against the calls, from what failed to who is hit.
    """

    service: str
    depth: int
    before: Reach | None = field(default=None, repr=False, compare=False)
    is_against: bool = field(default=False, repr=False, compare=False)

    @property
    def path(self) -> tuple[str, ...]:
        """The way in calling direction, both ends included."""
        steps = []
        at: Reach | None = self
        while at is not None:
            steps.append(at.service)
            at = at.before
        return tuple(steps if self.is_against else reversed(steps))


def search(starts: Sequence[str], step: Step, *, is_against: bool = False) -> tuple[Reach, ...]:
    """All that is reached, nearest first, `starts` left out.

    Breadth first, so the first way found is a shortest one; cycles end by themselves.
    """
    seen = set(starts)
    queue = deque(Reach(name, 0, None, is_against) for name in dict.fromkeys(starts))
    found: list[Reach] = []
    while queue:
        at = queue.popleft()
        for name in step(at.service):
            if name not in seen:
                seen.add(name)
                reach = Reach(name, at.depth + 1, at, is_against)
                found.append(reach)
                queue.append(reach)
    return tuple(found)


def shortest_way(start: str, wanted: Callable[[str], bool], step: Step) -> tuple[str, ...]:
    """The shortest way from `start` to anything that is wanted, both included; () for none."""
    if wanted(start):
        return (start,)
    before: dict[str, str] = {start: ""}
    queue = deque((start,))
    while queue:
        at = queue.popleft()
        for name in step(at):
            if name in before:
                continue
            before[name] = at
            if wanted(name):
                return _walked(name, before)
            queue.append(name)
    return ()


def _walked(end: str, before: dict[str, str]) -> tuple[str, ...]:
    steps = [end]
    while before[steps[-1]]:
        steps.append(before[steps[-1]])
    return tuple(reversed(steps))


def roots_of(failing: Collection[str], step: Step) -> frozenset[str]:
    """Those that fail although nothing they call fails; all of them where they call in a circle."""
    among = frozenset(failing)
    roots = frozenset(name for name in among if not any(one in among for one in step(name)))
    return roots or among


def longest_ways(reached: Sequence[Reach]) -> list[tuple[str, ...]]:
    """The ways that are no part of another one: every service reached stands on one of them."""
    inner: set[str] = set()
    for reach in reached:
        at = reach.before
        while at is not None and at.service not in inner:
            inner.add(at.service)
            at = at.before
    return [reach.path for reach in reached if reach.service not in inner]
