"""Sentences about the service graph, for questions on impact, owners and dependencies. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from core.answers import Passage, Scope
from core.questions import Intent, Reading
from knowledge.graph import ARROW, Reach, ServiceGraph
from knowledge.reach import longest_ways

# More than a person reads; how many are left out is told.
MOST_NAMES = 30
MOST_WAYS = 12
MOST_TEAMS = 20
GRAPH_INTENTS = frozenset({Intent.IMPACT, Intent.OWNER, Intent.DEPENDENCIES})
# Questions whose answer is better for knowing who owns a thing and what it needs.
_HELPED = frozenset({Intent.WHY, Intent.STATUS})


def graph_passages(
    graph: ServiceGraph,
    reading: Reading,
    scope: Scope,
    on_nodes: Mapping[str, Sequence[str]] | None = None,
) -> tuple[Passage, ...]:
    """What the graph says on what the question names; nothing when it names nothing of the graph.

    Args:
        graph: The graph.
        reading: The question, read.
        scope: Services outside it are not told of.
        on_nodes: Services that the live cluster sees on each node the question names; a node that
            is missing here is answered from the graph's own file.
    """
    if not scope.allows_source("graph"):
        return ()
    wanted = reading.intents & GRAPH_INTENTS
    if not wanted and not reading.intents & _HELPED:
        return ()
    services = _services(graph, reading.names, scope)
    found = list(_paths(graph, services)) if Intent.WHY not in reading.intents else []
    for name in services:
        sentences = list(_about(graph, name, wanted, scope))
        if sentences:
            found.append(_passage(graph, name, f"{name} in the service graph", sentences))
    for name in reading.names:
        if name in graph.nodes:
            live = (on_nodes or {}).get(name)
            runs = graph.nodes[name].runs if live is None else tuple(live)
            sentences = list(_about_node(graph, name, runs, scope, is_live=live is not None))
            found.append(_passage(graph, name, f"Node {name}: what runs there", sentences))
        elif name in graph.teams and name not in graph.services:
            found.append(_team_passage(graph, name, scope))
    return tuple(found)


def _services(graph: ServiceGraph, names: Sequence[str], scope: Scope) -> list[str]:
    found = (graph.service_of(name) for name in names)
    known = dict.fromkeys(service.name for service in found if service)
    return [name for name in known if graph.allows(name, scope)]


def _about(
    graph: ServiceGraph, name: str, wanted: frozenset[Intent], scope: Scope
) -> Iterator[str]:
    service = graph.services[name]
    called_by = [one for one in graph.callers_of(name) if graph.allows(one, scope)]
    if Intent.IMPACT in wanted:
        yield from _hit_sentences(name, graph.impact(name), graph, scope)
    if Intent.DEPENDENCIES in wanted or not wanted:
        yield from _need_sentences(graph, name, scope)
    if Intent.DEPENDENCIES in wanted and called_by:
        yield f"{name} is called by {_joined(called_by)}."
    team = graph.team_of(name)
    if team is not None:
        contact = f" (on call: {team.contact})" if team.contact else ""
        yield f"{name} is owned by team {team.name}{contact}."
    elif Intent.OWNER in wanted:
        yield f"The service graph names no owner of {name}."
    if service.description and not wanted:
        yield f"{name}: {service.description}."
    if service.runbook:
        yield f"Its runbook: {service.runbook}."


def _hit_sentences(
    name: str, hit: Sequence[Reach], graph: ServiceGraph, scope: Scope
) -> Iterator[str]:
    shown = [item for item in hit if graph.allows(item.service, scope)]
    hidden = len(hit) - len(shown)
    if not hit:
        yield f"If {name} fails, no other service of the graph is hit: nothing depends on it."
        return
    if shown:
        first = [item.service for item in shown if item.depth == 1]
        further = [item.service for item in shown if item.depth > 1]
        parts = [f"{_joined(first)} directly"] if first else []
        parts += [f"through {'them' if first else 'others'} {_joined(further)}"] if further else []
        yield f"If {name} fails, it hits {' and '.join(parts)}."
        yield from _team_table(graph, [item.service for item in shown])
        yield f"The ways: {_ways(shown)}."
    if hidden:
        yield f"{hidden} more stand outside what this channel may see."


def _ways(reached: Sequence[Reach]) -> str:
    """The longest ways tell the most; every other way is a tail of one of them or beside it."""
    told = longest_ways(reached, MOST_WAYS + 1)
    more = "; …" if len(told) > MOST_WAYS else ""
    return "; ".join(ARROW.join(way) for way in told[:MOST_WAYS]) + more


def _need_sentences(graph: ServiceGraph, name: str, scope: Scope) -> Iterator[str]:
    needs = [item for item in graph.dependencies(name) if graph.allows(item.service, scope)]
    direct = [item.service for item in needs if item.depth == 1]
    further = [item.service for item in needs if item.depth > 1]
    if not needs:
        yield f"{name} depends on no other service of the graph."
        return
    yield f"{name} depends on {_joined(direct)}."
    if further:
        yield f"Through them it also needs {_joined(further)}."


def _about_node(
    graph: ServiceGraph, node: str, runs: Sequence[str], scope: Scope, *, is_live: bool
) -> Iterator[str]:
    seen = "they run there now" if is_live else "according to the service graph's file"
    zone = graph.nodes[node].zone
    where = f"{node} (zone {zone})" if zone else node
    shown = [name for name in runs if graph.allows(name, scope)]
    if not shown:
        place = "in the live cluster" if is_live else "according to the service graph's file"
        yield f"No service of the graph is known to run on {where}, {place}."
        return
    known = [name for name in shown if name in graph.services]
    hit = [item for item in graph.impact(*known) if graph.allows(item.service, scope)]
    further = [item.service for item in hit]
    through = f" and, through them, {_joined(further)}" if further else ""
    yield f"If {node} fails, it hits {_joined(shown)} directly ({seen}){through}."
    yield from _team_table(graph, [*known, *further])
    if hit:
        yield f"The ways: {_ways(hit)}."
        yield "Those that run on other nodes too go on there, with less room."


def _team_table(graph: ServiceGraph, names: Sequence[str]) -> Iterator[str]:
    """A Markdown table of who owns which of these services; nothing when no team is known."""
    by_team: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        by_team.setdefault(graph.services[name].team or "nobody known", []).append(name)
    if set(by_team) <= {"nobody known"}:
        return
    yield "| team | services hit | on call |"
    yield "|---|---|---|"
    for team, owned in list(by_team.items())[:MOST_TEAMS]:
        contact = graph.teams[team].contact if team in graph.teams else ""
        yield f"| {team} | {_joined(owned, ', ')} | {contact or '-'} |"
    if len(by_team) > MOST_TEAMS:
        yield f"| {len(by_team) - MOST_TEAMS} more teams | | |"


def _paths(graph: ServiceGraph, services: Sequence[str]) -> Iterator[Passage]:
    """Where two services are named: whether one needs the other, and through whom."""
    for caller in services:
        for called in services:
            way = graph.path(caller, called) if caller != called else ()
            if way:
                yield _passage(
                    graph,
                    f"{caller}-{called}",
                    f"{caller} depends on {called}",
                    [f"{caller} depends on {called}: {ARROW.join(way)}."],
                )


def _team_passage(graph: ServiceGraph, name: str, scope: Scope) -> Passage:
    team = graph.teams[name]
    owned = [
        service.name
        for service in graph.services.values()
        if service.team == name and graph.allows(service.name, scope)
    ]
    sentences = [f"Team {name} is reached at {team.contact}."] if team.contact else []
    if owned:
        sentences.append(f"It owns {_joined(owned)}.")
    return _passage(graph, f"team-{name}", f"Team {name}", sentences or [f"Team {name}."])


def _passage(graph: ServiceGraph, key: str, title: str, sentences: Sequence[str]) -> Passage:
    service = graph.services.get(key)
    return Passage(
        id=f"graph:{key}",
        source="graph",
        title=title,
        location=graph.location,
        text="\n".join(sentences),
        updated_at=graph.updated_at,
        namespace=service.namespace if service else "",
        service=service.name if service else "",
        team=service.team if service else "",
        kind="graph",
        score=1.0,
        is_fact=True,
    )


def _joined(names: Sequence[str], last: str = " and ") -> str:
    if len(names) < 2:
        return "".join(names)
    if len(names) > MOST_NAMES:
        return f"{', '.join(names[:MOST_NAMES])} and {len(names) - MOST_NAMES} more"
    return f"{', '.join(names[:-1])}{last}{names[-1]}"
