"""What a workload's log says in good times: its normal error templates, and how they are learned.

Many programs write errors while nothing is wrong. What healthy workloads wrote when their cluster
was first looked at is normal noise; what comes later is news, until it has gone on for a week
without any other harm. Pure: `state` keeps the lines.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.findings import ObjectRef

CHRONIC_AFTER = timedelta(days=7)
FORGOTTEN_AFTER = timedelta(days=14)
MAX_TEMPLATES_AN_OWNER = 100

OwnerKey = tuple[str, str, str, str]


def owner_key(owner: ObjectRef) -> OwnerKey:
    """Cluster, namespace, kind and name: the same after the object was made anew."""
    return owner.cluster, owner.namespace, owner.kind, owner.name


@dataclass(frozen=True, slots=True)
class SeenTemplate:
    """An error template that a workload's log has held.

    Attributes:
        owner: The workload.
        template: As `core.templates` gives it; '' says that the workload was looked at, whether
            or not it wrote errors.
        first_seen: When it was first noticed, aware UTC.
        last_seen: When it was last noticed.
        is_normal: It belongs to the workload's good times.
    """

    owner: OwnerKey
    template: str
    first_seen: datetime
    last_seen: datetime
    is_normal: bool


@dataclass(frozen=True, slots=True)
class Observation:
    """The error templates of a workload's log in one look.

    Attributes:
        is_healthy: Nothing but, perhaps, its log speaks against the workload.
    """

    owner: ObjectRef
    templates: frozenset[str]
    is_healthy: bool


class Baseline:
    """What is known of the workloads' logs. Never changed: learning gives a new one.

    Args:
        lines: In any order; of two for one owner and template the last counts.
    """

    def __init__(self, lines: Iterable[SeenTemplate] = ()) -> None:
        by_owner: dict[OwnerKey, dict[str, SeenTemplate]] = defaultdict(dict)
        for line in lines:
            by_owner[line.owner][line.template] = line
        self._by_owner: Mapping[OwnerKey, Mapping[str, SeenTemplate]] = by_owner

    def __bool__(self) -> bool:
        """Whether anything was ever looked at."""
        return bool(self._by_owner)

    def __iter__(self) -> Iterator[SeenTemplate]:
        """All lines, owner by owner."""
        for lines in self._by_owner.values():
            yield from lines.values()

    def first_seen(self, owner: ObjectRef, template: str) -> datetime | None:
        """When this template was first noticed, as far back as is remembered."""
        line = self._lines(owner).get(template)
        return line.first_seen if line is not None else None

    def learn(
        self,
        observations: Iterable[Observation],
        now: datetime,
        *,
        is_first_look: bool = False,
        normal_after: timedelta = CHRONIC_AFTER,
    ) -> Baseline:
        """What is known after another look; what was not seen for two weeks is forgotten.

        At a first look at a cluster all that healthy workloads say is normal, unless they were
        looked at before. Later, a template becomes normal once it has been seen for `normal_after`
        while its workload is healthy otherwise; so a fault is never learned in the hour in which
        it begins.
        """
        lines = {
            (line.owner, line.template): line
            for line in self
            if now - line.last_seen <= FORGOTTEN_AFTER
        }
        for seen in observations:
            for line in self._after(seen, now, normal_after, is_first_look=is_first_look):
                lines[line.owner, line.template] = line
        return Baseline(_capped(lines.values()))

    def _after(
        self, seen: Observation, now: datetime, normal_after: timedelta, *, is_first_look: bool
    ) -> Iterator[SeenTemplate]:
        known = self._lines(seen.owner)
        owner = owner_key(seen.owner)
        is_first = is_first_look and seen.is_healthy and not known
        mark = known.get("") or SeenTemplate(owner, "", now, now, is_normal=True)
        yield replace(mark, last_seen=now)
        for template in seen.templates:
            line = known.get(template)
            if line is None:
                yield SeenTemplate(owner, template, now, now, is_normal=is_first)
                continue
            is_chronic = seen.is_healthy and now - line.first_seen >= normal_after
            yield replace(line, last_seen=now, is_normal=line.is_normal or is_chronic)

    def _lines(self, owner: ObjectRef) -> Mapping[str, SeenTemplate]:
        return self._by_owner.get(owner_key(owner), {})


def _capped(lines: Iterable[SeenTemplate]) -> Iterator[SeenTemplate]:
    """At most so many templates an owner: the latest, and the mark that it was looked at."""
    by_owner: dict[OwnerKey, list[SeenTemplate]] = defaultdict(list)
    for line in lines:
        by_owner[line.owner].append(line)
    for known in by_owner.values():
        known.sort(key=lambda line: (line.template != "", -line.last_seen.timestamp()))
        yield from known[: MAX_TEMPLATES_AN_OWNER + 1]
