"""Several service graphs as one: what one leaves out another adds, what they deny is told. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from knowledge.graph import Node, Service, ServiceGraph, Team, loose_ends

T = TypeVar("T", Service, Team, Node)
# Fields of which a thing has one: two graphs that differ cannot both be right.
_ONE_SERVICE = {
    "namespace": "stands in namespace",
    "team": "belongs to team",
    "runbook": "has the runbook",
}
_ONE_TEAM = {"on_call": "has on call", "channel": "is reached at"}
_ONE_NODE = {"zone": "stands in zone"}


def merge_graphs(graphs: Sequence[ServiceGraph]) -> ServiceGraph:
    """One graph of several; where they contradict each other the first one counts.

    Names are what joins them. Calls, workloads and what a node runs are added up. The problems of
    the result are the contradictions and the names that lead nowhere in any graph; each graph's
    own are told by its source.
    """
    graphs = [graph for graph in graphs if graph.services or graph.teams or graph.nodes]
    if len(graphs) < 2:
        return graphs[0] if graphs else ServiceGraph()
    problems: list[str] = []
    services = _merged(
        [(graph.location, graph.services) for graph in graphs], _ONE_SERVICE, _service, problems
    )
    teams = _merged([(graph.location, graph.teams) for graph in graphs], _ONE_TEAM, _team, problems)
    nodes = _merged([(graph.location, graph.nodes) for graph in graphs], _ONE_NODE, _node, problems)
    problems += loose_ends(services, teams, nodes)
    moments = [graph.updated_at for graph in graphs if graph.updated_at]
    return ServiceGraph(
        services,
        teams,
        nodes,
        tuple(problems),
        ", ".join(dict.fromkeys(graph.location for graph in graphs if graph.location)),
        max(moments, default=None),
    )


def problems_of(
    part: ServiceGraph, told: Sequence[tuple[str, str]], whole: ServiceGraph
) -> tuple[tuple[str, str], ...]:
    """What a source has to tell of its graph, once it is a part of a whole.

    A name that leads nowhere in its own file may well lead to another one; and what the whole
    contradicts is told by the source that is not believed.

    Args:
        part: The source's graph.
        told: (path, why) of its listing.
        whole: All graphs as one.
    """
    if whole is part or not part.location:
        return tuple(told)
    settled = set(loose_ends(part.services, part.teams, part.nodes)) - set(whole.problems)
    ending = f" in {part.location}; the first counts"
    denied = [(part.location, why) for why in whole.problems if why.endswith(ending)]
    return (*(one for one in told if one[1] not in settled), *denied)


def _merged(
    parts: Sequence[tuple[str, Mapping[str, T]]],
    ones: Mapping[str, str],
    join: Callable[[T, T], T],
    problems: list[str],
) -> dict[str, T]:
    found: dict[str, T] = {}
    places: dict[tuple[str, str], str] = {}
    for location, things in parts:
        for name, thing in things.items():
            known = found.get(name)
            for field, words in ones.items():
                new = getattr(thing, field)
                old = getattr(known, field) if known else ""
                if new and old and new != old:
                    problems.append(
                        f"{name} {words} {old} in {places[name, field]}, but {new} in {location}; "
                        f"the first counts"
                    )
                elif new and not old:
                    places[name, field] = location
            found[name] = join(known, thing) if known else thing
    return found


def _service(first: Service, second: Service) -> Service:
    return replace(
        first,
        namespace=first.namespace or second.namespace,
        team=first.team or second.team,
        workloads=_both(first.workloads, second.workloads),
        depends_on=_both(first.depends_on, second.depends_on),
        runbook=first.runbook or second.runbook,
        description=first.description or second.description,
    )


def _team(first: Team, second: Team) -> Team:
    return replace(
        first, on_call=first.on_call or second.on_call, channel=first.channel or second.channel
    )


def _node(first: Node, second: Node) -> Node:
    return replace(first, zone=first.zone or second.zone, runs=_both(first.runs, second.runs))


def _both(first: Iterable[str], second: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *second)))
