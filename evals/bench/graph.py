"""Graph questions over 10,000 services and 50,000 calls, beside networkx."""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections.abc import Callable

import networkx as nx

from core.findings import ObjectRef
from evals.bench.harness import compare
from knowledge.graph import Node, Service, ServiceGraph, Team
from knowledge.reach import longest_ways

SERVICES = 10_000
CALLS = 50_000
SAMPLES = 200


def made_graph() -> ServiceGraph:
    """Services in layers, as real ones are: most call what lies beneath, some call across."""
    rng = random.Random(7)  # noqa: S311  (a sample, no secret)
    needs: list[dict[str, None]] = [{} for _ in range(SERVICES)]
    made = 0
    while made < CALLS:
        caller = rng.randrange(SERVICES)
        called = rng.randrange(caller, SERVICES) if rng.random() < 0.95 else rng.randrange(SERVICES)
        if caller != called and f"s{called}" not in needs[caller]:
            needs[caller][f"s{called}"] = None
            made += 1
    services = {
        f"s{index}": Service(
            f"s{index}",
            namespace=f"ns{index % 40}",
            team=f"t{index % 90}",
            workloads=(f"Deployment/s{index}-app",),
            depends_on=tuple(called),
        )
        for index, called in enumerate(needs)
    }
    teams = {f"t{index}": Team(f"t{index}", "somebody") for index in range(90)}
    nodes = {
        f"n{index}": Node(f"n{index}", runs=tuple(f"s{index * 20 + i}" for i in range(20)))
        for index in range(500)
    }
    return ServiceGraph(services, teams, nodes)


async def run() -> None:
    """Print the rows: each answer's slowest of many, then impact and path beside networkx."""
    graph = made_graph()
    _slowest(graph)  # first: the other graph would be in the garbage collector's way
    other = nx.DiGraph(
        (service.name, called)
        for service in graph.services.values()
        for called in service.depends_on
    )
    deep = f"s{SERVICES - 1}"

    async def our_impact() -> object:
        return [hit.path for hit in graph.impact(deep)]

    async def its_impact() -> object:
        ways = nx.single_source_shortest_path(other.reverse(copy=False), deep)
        return [tuple(reversed(way)) for name, way in ways.items() if name != deep]

    async def our_path() -> object:
        return graph.path("s0", deep)

    async def its_path() -> object:
        return nx.bidirectional_shortest_path(other, "s0", deep)

    ours, its = await our_impact(), await its_impact()
    assert isinstance(ours, list)
    assert isinstance(its, list)
    assert sorted(map(len, ours)) == sorted(map(len, its))
    size = f"{SERVICES:,} services, {CALLS:,} calls"
    await compare(f"impact, {size}", ("graph search", our_impact), ("networkx", its_impact))
    await compare(f"path, {size}", ("graph search", our_path), ("networkx", its_path))


def _slowest(graph: ServiceGraph) -> None:
    rng = random.Random(11)  # noqa: S311  (a sample, no secret)
    names = rng.sample(sorted(graph.services), SAMPLES)
    failing = frozenset(rng.sample(sorted(graph.services), 50))
    questions: dict[str, Callable[[str], object]] = {
        "impact of a service, with ways": lambda name: longest_ways(graph.impact(name), 12),
        "impact of a node": lambda name: graph.ownership(
            ObjectRef("c", "Node", "", f"n{int(name[1:]) % 500}")
        ),
        "owner of a workload": lambda name: graph.ownership(
            ObjectRef("c", "Deployment", graph.services[name].namespace, f"{name}-app")
        ),
        "path between two": lambda name: graph.path(names[0], name),
        "failing path": lambda name: graph.failing_path(name, failing),
        "dependencies": graph.dependencies,
    }
    for what, ask in questions.items():
        taken = []
        for name in names:
            # The thread's own time: what else the machine does is no part of an answer's cost.
            begin = time.thread_time()
            ask(name)
            taken.append((time.thread_time() - begin) * 1000)
        shown = f"median {statistics.median(taken):.2f} ms, slowest {max(taken):.2f} ms of CPU"
        sys.stdout.write(f"| {what}, {SAMPLES} asked | {shown} | to reach: 50 ms | |\n")
    fresh = made_graph()
    made = time.thread_time()
    fresh.impact("s9999")
    fresh.service_of("s1-app")
    assert fresh.names
    first = (time.thread_time() - made) * 1000
    sys.stdout.write(f"| first questions, indexes made | {first:.2f} ms | | |\n")
