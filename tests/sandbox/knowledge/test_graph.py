"""The service graph says what sandbox/README.md says."""

from __future__ import annotations

import re
from typing import Any

from sandbox.knowledge.generate import source_folder


def _section(world: str, title: str) -> str:
    return world.split(f"## {title}", 1)[1].split("\n## ", 1)[0]


def _told_dependencies(world: str) -> dict[str, list[str]]:
    text = " ".join(_section(world, "Dependencies").splitlines()[1:])
    told = {}
    for part in text.strip(" .").split(";"):
        caller, called = part.split("→")
        told[caller.strip()] = sorted(name.strip() for name in called.split(","))
    return told


def test_dependencies_are_exactly_those_of_the_world(world: str, graph: dict[str, Any]) -> None:
    drawn = {
        name: sorted(row["depends_on"])
        for name, row in graph["services"].items()
        if row["depends_on"]
    }
    assert drawn == _told_dependencies(world)


def test_every_workload_of_the_world_is_in_the_graph_with_its_kind_and_team(
    world: str, graph: dict[str, Any]
) -> None:
    told = {}
    for row in re.findall(r"^\| `.*$", _section(world, "Namespaces"), re.MULTILINE):
        namespace, workloads, team, _ = (cell.strip() for cell in row.strip("|").split("|"))
        for name, kind in re.findall(r"`([a-z-]+)`(?: \((\w+)\))?", workloads):
            told[name] = (namespace.strip("`"), team, f"{kind or 'Deployment'}/{name}")
    drawn = {
        name: (row["namespace"], row["team"], row["workload"])
        for name, row in graph["services"].items()
    }
    assert drawn == told
    assert len(told) == 22


def test_teams_have_the_people_and_channels_of_the_world(world: str, graph: dict[str, Any]) -> None:
    told = dict(re.findall(r"`(#team-\w+)`, primary ([^|]+?) *\|", world))
    drawn = {team["channel"]: team["on_call"] for team in graph["teams"].values()}
    assert drawn == told


def test_whatever_the_graph_names_exists(graph: dict[str, Any]) -> None:
    services = graph["services"]
    for name, row in services.items():
        assert row["team"] in graph["teams"], name
        assert set(row["depends_on"]) <= set(services), name
        assert (source_folder() / row["runbook"]).is_file(), name
        assert row["description"], name
    for node in graph["nodes"].values():
        assert set(node.get("runs", ())) <= set(services)


def test_worker_3_runs_what_the_world_says_of_it(graph: dict[str, Any]) -> None:
    assert graph["nodes"]["worker-3"]["runs"] == ["matching-engine", "frontend", "kafka"]
    assert [node["zone"] for node in graph["nodes"].values()] == [
        "eu-1a",
        "eu-1a",
        "eu-1b",
        "eu-1b",
        "eu-1c",
    ]
