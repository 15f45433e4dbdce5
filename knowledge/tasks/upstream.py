"""What an object needs by the service graph, and what is the matter with that."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta

from core.answers import Passage, Scope
from core.changes import ChangeKind, Trouble
from core.findings import Finding, ObjectRef
from core.inspections import Inspection
from core.questions import TimeRange
from knowledge.graph import ARROW, ServiceGraph
from knowledge.ports import LiveTrail
from knowledge.tasks.verdict import Upstream

# A change of what it needs counts when it stands so shortly before the trouble.
SHORTLY = timedelta(hours=1)
MOST_LOOKED_AT = 6
MOST_CALLS = 3

Paths = Mapping[str, tuple[str, ...]]


def needed(graph: ServiceGraph, about: ObjectRef, scope: Scope) -> Paths:
    """Services that an object needs, nearest first, with the way to each; {} if it is unknown."""
    service = graph.service_of(about.name, about.namespace, about.kind)
    if service is None or not graph.allows(service.name, scope):
        return {}
    return {
        item.service: item.path
        for item in graph.dependencies(service.name)
        if item.depth <= MOST_CALLS and graph.allows(item.service, scope)
    }


def broken_of(
    graph: ServiceGraph, paths: Paths, inspection: Inspection | None
) -> tuple[Upstream, ...]:
    """Those in trouble, each with the worst of its findings."""
    found: dict[str, Finding] = {}
    for finding in inspection.elsewhere if inspection else ():
        owner = finding.owner
        service = graph.service_of(owner.name, owner.namespace, owner.kind)
        if service is not None:
            found.setdefault(service.name, finding)
    return tuple(Upstream(name, paths[name], found[name]) for name in paths if name in found)


async def changed_of(  # noqa: PLR0917  (one caller; each is another thing)
    trail: LiveTrail,
    graph: ServiceGraph,
    paths: Paths,
    broken: Sequence[Upstream],
    trouble: Trouble | None,
    about: ObjectRef,
    scope: Scope,
) -> tuple[Upstream, ...]:
    """Of the services that it calls itself and that are well, those changed before its trouble."""
    if trouble is None:
        return ()
    known = {item.service for item in broken}
    names = [name for name, path in paths.items() if len(path) == 2 and name not in known]
    refs = [(name, _workload(graph, name, about.cluster)) for name in names[:MOST_LOOKED_AT]]
    window = TimeRange(trouble.at - SHORTLY, trouble.at + timedelta(seconds=30))
    found = await asyncio.gather(*(trail.changes(ref, window, scope) for _, ref in refs))
    changed: list[Upstream] = []
    for (name, ref), line in zip(refs, found, strict=True):
        acts = [
            change
            for change in line.changes
            if change.object.name == ref.name
            and change.kind not in {ChangeKind.RESTART, ChangeKind.JOB}
        ]
        changed += [Upstream(name, paths[name], change=acts[-1])] if acts else []
    return tuple(changed)


def _workload(graph: ServiceGraph, name: str, cluster: str) -> ObjectRef:
    """What runs a service; without word of it a Deployment of its name."""
    service = graph.services[name]
    kind, _, workload = (service.workloads or (f"Deployment/{name}",))[0].rpartition("/")
    return ObjectRef(cluster, kind or "Deployment", service.namespace, workload)


def needs_passage(
    graph: ServiceGraph, about: ObjectRef, paths: Paths, broken: Sequence[Upstream]
) -> Passage:
    """The ways to all that it needs, with what is wrong there, to be cited."""
    titles = {item.service: item.finding.title for item in broken if item.finding}
    lines = [
        f"{ARROW.join(path)}: {titles.get(name, 'no finding')}" for name, path in paths.items()
    ]
    return Passage(
        id=f"graph:needs:{about.namespace}/{about.name}",
        source="graph",
        title=f"What {about.name} needs",
        location=graph.location,
        text="\n".join(lines),
        service=about.name,
        updated_at=graph.updated_at,
        is_fact=True,
    )
