"""What `changes` and `investigate` are about: a workload, node or namespace, and since when."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo

from core.answers import Answer, Passage, Scope
from core.errors import RequestError
from core.findings import ObjectRef
from core.inspections import Targets
from core.questions import Reading, TimeRange
from core.timerange import parse_duration, parse_time_range
from knowledge.ports import LiveFacts, LiveTrail
from knowledge.tasks.naming import Namer

DEFAULT_WINDOW = timedelta(hours=24)
_SPAN_AT_END = re.compile(r"\s(?:since\s|last\s|past\s|for\s)?(\d[\w ]*)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Subject:
    """What was asked about.

    Attributes:
        reading: The words, read.
        window: The period that was named, else the last day.
        targets: What the words name in the clusters, worst first.
    """

    reading: Reading
    window: TimeRange
    targets: Targets

    @property
    def about(self) -> ObjectRef | None:
        """The object that is meant most likely: of several, the one in trouble."""
        return next(iter(self.targets.objects), None)


class Subjects:
    """Reads arguments of tasks and whole questions alike.

    Args:
        namer: Knows the names of workloads and services.
        live: Knows the namespaces; None without a cluster, as `trail`.
        trail: Finds the objects.
        zone: In which times of the day are meant.
    """

    def __init__(
        self, namer: Namer, live: LiveFacts | None, trail: LiveTrail | None, zone: tzinfo
    ) -> None:
        self._namer = namer
        self._live = live
        self._trail = trail
        self._zone = zone

    async def read(self, text: str, now: datetime, scope: Scope) -> Subject:
        """Read "payments 2h", "shop since 9:30", "what changed before cart broke?".

        Raises:
            RequestError: Nothing known is named so, or there is no cluster.
        """
        if self._trail is None or self._live is None:
            raise RequestError(
                "look at what changed", "no cluster is configured", "Set KUBECONFIG."
            )
        words, window = self._window(text, now)
        reading = await self._namer.read(words)
        namespaces = await self._live.known_namespaces()
        if not reading.names and not reading.namespaces and words.strip() not in namespaces:
            reading = await self._namer.thing(words, scope)
        targets = await self._trail.find(reading, scope)
        # A namespace is known as a name too; a workload of the same name comes first.
        spaces = {*reading.namespaces, *(name for name in (words.strip(), *reading.names))}
        if not targets.objects and (named := tuple(sorted(spaces & namespaces))):
            reading = replace(reading, names=(), namespaces=named)
            targets = await self._trail.find(reading, scope)
        return Subject(replace(reading, question=text), window, targets)

    def _window(self, text: str, now: datetime) -> tuple[str, TimeRange]:
        """The words without a span at their end, and the period they tell."""
        # Changes of this very second belong to it.
        end = now + timedelta(seconds=1)
        if match := _SPAN_AT_END.search(text):
            span = parse_duration(match[1])
            if span is not None:
                return text[: match.start()], TimeRange(now - span, end)
        window = parse_time_range(text, now, self._zone) or TimeRange(now - DEFAULT_WINDOW, end)
        words = re.split(r"\s(?:since|from|between|in the last|last)\s", text, maxsplit=1)[0]
        return words, window


def also_named(about: ObjectRef, named: Sequence[ObjectRef]) -> tuple[str, ...]:
    """A note on other objects of the name, or ()."""
    others = [
        f"{ref} in cluster {ref.cluster}" if ref.cluster != about.cluster else str(ref)
        for ref in named
        if ref != about
    ]
    if not others:
        return ()
    more = f" and {len(others) - 3} more" if len(others) > 3 else ""
    return (f"This is about {about}. Also named so: {', '.join(others[:3])}{more}.",)


def not_there(question: str, targets: Targets) -> Answer:
    """For a name that no cluster that could be read has."""
    lines = [f"No cluster that I can read has a workload, node or namespace {question!r}."]
    if targets.looked_in:
        lines.append(f"I looked in: {', '.join(targets.looked_in)}.")
    return Answer(question, "\n".join(lines), is_grounded=False, gaps=targets.gaps)


def live_passage(
    about: ObjectRef, part: str, title: str, lines: Iterable[str], seen_at: datetime
) -> Passage:
    """What was read of an object, to be cited."""
    path = "/".join(word for word in (about.kind, about.namespace, about.name) if word)
    return Passage(
        id=f"cluster:{about.cluster}:{path}:{part}",
        source="cluster",
        title=title,
        location=path,
        text="\n".join(lines),
        updated_at=seen_at,
        namespace=about.name if about.kind == "Namespace" else about.namespace,
        service=about.name,
        kind=about.kind,
        is_fact=True,
    )
