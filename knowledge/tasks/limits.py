"""`limits <workload>`: what the cluster has and what pages say, side by side."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from core.answers import (
    Answer,
    AnswerEvent,
    Confidence,
    Delta,
    Done,
    Gap,
    Inquiry,
    Passage,
    Progress,
    Scope,
)
from core.clock import Clock
from core.quantities import parse_quantity
from core.questions import Reading
from core.resources import ContainerResources, ResourcesFound
from knowledge.documented import DocumentedPages, DocumentedValue, documented_values
from knowledge.evidence import citations
from knowledge.ports import LiveLimits
from knowledge.tasks.naming import Namer

NOWHERE = "I know no requests or limits of {name}."
_ROWS = (("limit", "memory"), ("request", "memory"), ("limit", "cpu"), ("request", "cpu"))
_LABELS = {"memory": "memory", "cpu": "CPU"}
_NONE = "none"
_MOST_CONTAINERS = 8

_Workloads = Mapping[str, Sequence[ContainerResources]]


@dataclass(frozen=True, slots=True)
class _Found:
    """What was found of a name; `passages` are numbered by their place."""

    name: str
    workloads: _Workloads
    documented: tuple[DocumentedValue, ...]
    passages: tuple[Passage, ...]


class LimitsTask:
    """Implements `knowledge.ports.Answerer`; no model takes part.

    Args:
        pages: Finds what is written down.
        namer: Knows the workloads.
        live: The values in the cluster, or None where no cluster is configured.
        clock: For elapsed times.
    """

    def __init__(
        self, pages: DocumentedPages, namer: Namer, live: LiveLimits | None, clock: Clock
    ) -> None:
        self._pages = pages
        self._namer = namer
        self._live = live
        self._clock = clock

    async def stream(self, inquiry: Inquiry) -> AsyncGenerator[AnswerEvent, None]:
        """The table and what stands out in it.

        Raises:
            RequestError: No workload is named so.
        """
        began = self._clock.now()
        thing = await self._namer.thing(inquiry.question, inquiry.scope)
        yield Progress("Reading the limits in the cluster and in the documents…")
        answer = await self._answer(thing, inquiry.scope)
        took = self._clock.now() - began
        yield Delta(answer.text)
        yield Done.after(took, inquiry.question, answer)

    async def _answer(self, thing: Reading, scope: Scope) -> Answer:
        pod_or_workload, *others = thing.names
        # A pod is known by its workload's name where the cluster cannot tell whose it is.
        named = (each for each in others if pod_or_workload.startswith(f"{each}-"))
        name = next(named, pod_or_workload)
        live = ResourcesFound()
        if self._live is not None:
            live = await self._live.of(replace(thing, names=(pod_or_workload,)), scope)
        containers = live.containers[:_MOST_CONTAINERS]
        name = containers[0].workload.name if containers else name
        pages = await self._pages.find(name, scope)
        values = documented_values(name, pages.passages)
        workloads = _by_workload(containers)
        live_passages = (_passage(key, its) for key, its in workloads.items())
        cited = [*live_passages, *(value.passage for value in values)]
        passages = tuple({passage.id: passage for passage in cited}.values())
        gaps = (*live.gaps, *pages.gaps)
        found = _Found(name, workloads, values, passages)
        if not workloads and not values:
            return _not_found(name, gaps, (*live.looked_in, *pages.looked_in))
        return Answer(
            question=thing.question,
            text=tell(found, has_cluster=self._live is not None),
            citations=citations(passages),
            passages=passages,
            confidence=Confidence.CONFIRMED if workloads else Confidence.LIKELY,
            gaps=gaps,
        )


def _by_workload(containers: Sequence[ContainerResources]) -> _Workloads:
    """Containers by the id of the passage that they are cited by."""
    found: dict[str, list[ContainerResources]] = {}
    for container in containers:
        ref = container.workload
        key = f"cluster:{ref.cluster}:{ref.kind}/{ref.namespace}/{ref.name}:limits"
        found.setdefault(key, []).append(container)
    return found


def _passage(key: str, containers: Sequence[ContainerResources]) -> Passage:
    """What the cluster has for a workload."""
    ref = containers[0].workload
    return Passage(
        id=key,
        source="cluster",
        title=f"Limits of {ref}",
        location=f"{ref.kind}/{ref.namespace}/{ref.name}",
        text="\n".join(
            f"{ref}, container {each.container}: limits {dict(each.limits)}, "
            f"requests {dict(each.requests)}"
            for each in containers
        ),
        updated_at=containers[0].seen_at,
        namespace=ref.namespace,
        service=ref.name,
        kind=ref.kind,
        is_fact=True,
    )


def tell(found: _Found, *, has_cluster: bool) -> str:
    """The table of each workload, then what differs, what is not set, and what is not known."""
    numbers = {passage.id: n for n, passage in enumerate(found.passages, start=1)}
    written = _by_setting(found.documented)
    parts: list[str] = []
    clusters = {containers[0].workload.cluster for containers in found.workloads.values()}
    for key, containers in found.workloads.items():
        ref, mark = containers[0].workload, f" [{numbers[key]}]"
        where = f" in cluster {ref.cluster}" if len(clusters) > 1 else ""
        parts.append(f"**{ref}**{where}{mark}")
        parts.append(_table(containers, written, numbers))
        parts += _remarks(containers, written, numbers, mark)
    if not found.workloads:
        why = "has no workload of that name" if has_cluster else "is not configured"
        parts.append(f"**{found.name}** as it is written down; the cluster {why}.")
        parts.append(_table([], written, numbers))
    if not found.documented:
        parts.append(f"No table in the documents gives requests or limits of {found.name}.")
    parts += _disagreements(written, numbers)
    return "\n\n".join(parts)


_Written = Mapping[tuple[str, str], Sequence[DocumentedValue]]


def _by_setting(values: Sequence[DocumentedValue]) -> _Written:
    found: dict[tuple[str, str], list[DocumentedValue]] = {}
    for value in values:
        found.setdefault((value.setting, value.resource), []).append(value)
    return found


def _table(
    containers: Sequence[ContainerResources], written: _Written, numbers: Mapping[str, int]
) -> str:
    head = ["", "cluster", "documented", ""] if containers else ["", "documented"]
    rows = [head, ["---"] * len(head)]
    for at, container in enumerate(containers):
        who = f"{container.container}: " if len(containers) > 1 else ""
        for key in _ROWS:
            setting, resource = key
            label = f"{who}{_LABELS[resource]} {setting}"
            value = _live(container, key)
            # Pages speak of the main container, which stands first.
            told = _told(written.get(key, ()), numbers) if not at else ""
            rows.append(
                [label, value, told or "–", _verdict(container, key, written, is_main=not at)]
            )
    if not containers:
        rows += [
            [f"{_LABELS[resource]} {setting}", _told(written[setting, resource], numbers)]
            for setting, resource in _ROWS
            if (setting, resource) in written
        ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _live(container: ContainerResources, key: tuple[str, str]) -> str:
    setting, resource = key
    return (container.limits if setting == "limit" else container.requests).get(resource, _NONE)


def _told(values: Sequence[DocumentedValue], numbers: Mapping[str, int]) -> str:
    """Each value once, with the pages that give it."""
    by_value: dict[str, list[int]] = {}
    for value in values:
        by_value.setdefault(value.value, []).append(numbers[value.passage.id])
    return ", ".join(
        f"{value} {''.join(f'[{n}]' for n in sorted(set(places)))}"
        for value, places in by_value.items()
    )


def _verdict(
    container: ContainerResources, key: tuple[str, str], written: _Written, *, is_main: bool
) -> str:
    if is_main and _differs(container, key, written):
        return "⚠️ differs"
    if key == ("limit", "memory") and _live(container, key) == _NONE:
        return "⚠️ not set"
    return "by the namespace's LimitRange" if key in container.defaulted else ""


def _differs(container: ContainerResources, key: tuple[str, str], written: _Written) -> bool:
    """Whether pages give a value and none of them the live one."""
    values = {parse_quantity(value.value) for value in written.get(key, ())}
    return bool(values) and parse_quantity(_live(container, key)) not in values


def _remarks(
    containers: Sequence[ContainerResources],
    written: _Written,
    numbers: Mapping[str, int],
    mark: str,
) -> Iterator[str]:
    main = containers[0]
    differing = [key for key in _ROWS if _differs(main, key, written)]
    if differing:
        told = "; ".join(
            f"{_LABELS[resource]} {setting} is {_live(main, (setting, resource))}{mark}, "
            f"written down {_told(written[setting, resource], numbers)}"
            for setting, resource in differing
        )
        yield f"**They differ:** {told}. The live value is the one in force."
    unset = [
        f"{_LABELS[resource]} limit" + (f" of {container.container}" if len(containers) > 1 else "")
        for container in containers
        for resource in ("memory", "cpu")
        if resource not in container.limits
    ]
    if unset:
        yield f"**Not set:** {', '.join(unset)}{mark}."


def _disagreements(written: _Written, numbers: Mapping[str, int]) -> Iterator[str]:
    for (setting, resource), values in written.items():
        if len({parse_quantity(value.value) for value in values}) > 1:
            told = _told(values, numbers)
            yield f"**The pages disagree** on the {_LABELS[resource]} {setting}: {told}."


def _not_found(name: str, gaps: tuple[Gap, ...], looked_in: Sequence[str]) -> Answer:
    lines = [NOWHERE.format(name=name)]
    if looked_in:
        lines.append(f"I looked in: {', '.join(dict.fromkeys(looked_in))}.")
    elif not gaps:
        lines.append(
            "No cluster is configured (KUBECONFIG), and KNOWLEDGE_SOURCES is empty: there is "
            "nowhere to look."
        )
    return Answer(question="", text="\n".join(lines), is_grounded=False, gaps=gaps)
