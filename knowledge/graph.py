"""The service graph: who calls whom, who owns what, and who is hit when something fails.

Everything here is computed by graph search over a file that people keep; no model is asked and
nothing is guessed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from core.answers import Scope
from core.digests import Ownership
from core.errors import KnowledgeError
from core.findings import ObjectRef
from knowledge.reach import (
    Reach,
    names_reached,
    roots_of,
    search,
    shortest_way,
    way_between,
)
from knowledge.yamltext import load_yaml

__all__ = ["ARROW", "Node", "Reach", "Service", "ServiceGraph", "Team", "parse_graph"]

ARROW = " → "


@dataclass(frozen=True, slots=True)
class Team:
    """A team and how it is reached."""

    name: str
    on_call: str = ""
    channel: str = ""

    @property
    def contact(self) -> str:
        """Person and channel, as far as known: "Tomás Brandt, #team-orders"."""
        return ", ".join(part for part in (self.on_call, self.channel) if part)


@dataclass(frozen=True, slots=True)
class Service:
    """A service of the graph. `workloads` are "Kind/name", the first one the main one."""

    name: str
    namespace: str = ""
    team: str = ""
    workloads: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    runbook: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Node:
    """A machine, and the services that had a pod there when the file was written."""

    name: str
    zone: str = ""
    runs: tuple[str, ...] = ()


@dataclass(frozen=True)  # no slots: cached_property keeps the indexes in __dict__
class ServiceGraph:
    """Services by name, with teams and nodes. Implements `digest.ports.Owners`.

    Its indexes are made when first used and kept, so hand over mappings that stay as they are.

    Attributes:
        problems: What in the file does not fit together, in whole sentences.
        updated_at: When the file was last changed.
    """

    services: Mapping[str, Service] = field(default_factory=dict)
    teams: Mapping[str, Team] = field(default_factory=dict)
    nodes: Mapping[str, Node] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    location: str = ""
    updated_at: datetime | None = None

    @cached_property
    def names(self) -> frozenset[str]:
        """Everything a question could name: services, their workloads, teams and nodes."""
        workloads = {
            workload.rpartition("/")[2]
            for service in self.services.values()
            for workload in service.workloads
        }
        return frozenset({*self.services, *workloads, *self.teams, *self.nodes})

    @cached_property
    def namespaces(self) -> frozenset[str]:
        """The namespaces that services stand in."""
        return frozenset(service.namespace for service in self.services.values()) - {""}

    def impact(self, *names: str) -> tuple[Reach, ...]:
        """Services that are hit when `names` fail, nearest first; `names` themselves are not told.

        The path runs from the service that is hit to the one that failed.
        """
        return search(names, self.callers_of, is_against=True)

    def dependencies(self, name: str) -> tuple[Reach, ...]:
        """Services that `name` needs, directly or through others, nearest first."""
        return search((name,), self._called)

    def path(self, caller: str, called: str) -> tuple[str, ...]:
        """The shortest chain of calls from one service to another, both included; () for none."""
        return way_between(caller, called, self._called, self.callers_of)

    def failing_path(self, service: str, failing: Collection[str]) -> tuple[str, ...]:
        """The shortest chain of calls from a service to what fails beneath it; () for none.

        Its end is a likely cause: it fails although nothing that it calls does. A service that
        fails by itself is its own end.
        """
        return shortest_way(service, roots_of(failing, self._called).__contains__, self._called)

    def _called(self, name: str) -> Sequence[str]:
        service = self.services.get(name)
        return service.depends_on if service else ()

    def callers_of(self, name: str) -> Sequence[str]:
        """Services that call `name` themselves, in the graph's order."""
        return self._callers.get(name, ())

    @cached_property
    def _callers(self) -> Mapping[str, Sequence[str]]:
        callers: dict[str, list[str]] = defaultdict(list)
        for service in self.services.values():
            for called in service.depends_on:
                callers[called].append(service.name)
        return dict(callers)

    @cached_property
    def _by_workload(self) -> Mapping[str, Sequence[tuple[str, Service]]]:
        """Name of a workload → its kind ("" for any) and its service, in the graph's order."""
        found: dict[str, list[tuple[str, Service]]] = defaultdict(list)
        for service in self.services.values():
            for workload in service.workloads:
                kind, _, name = workload.rpartition("/")
                found[name].append((kind, service))
        return dict(found)

    def team_of(self, name: str) -> Team | None:
        """The team that owns a service, or None."""
        service = self.services.get(name)
        if service is None or not service.team:
            return None
        return self.teams.get(service.team, Team(service.team))

    def service_of(self, name: str, namespace: str = "", kind: str = "") -> Service | None:
        """The service that a workload belongs to: by workload, else by equal name and namespace."""
        for its_kind, service in self._by_workload.get(name, ()):
            if namespace and service.namespace and service.namespace != namespace:
                continue
            if not kind or not its_kind or its_kind == kind:
                return service
        service_named = self.services.get(name)
        if service_named is None:
            return None
        fits = not namespace or service_named.namespace in ("", namespace)
        return service_named if fits else None

    def ownership(self, owner: ObjectRef) -> Ownership:
        """Who owns an object and who is hit when it fails; empty where the graph knows nothing."""
        if owner.kind == "Node":
            node = self.nodes.get(owner.name)
            runs = node.runs if node else ()
            return Ownership(affected=(*runs, *names_reached(runs, self.callers_of)))
        # A Job or a Pod carries a suffix of its own; its owner's name is what the graph knows.
        service = self.service_of(owner.name, owner.namespace, owner.kind) or self.service_of(
            owner.name, owner.namespace
        )
        if service is None:
            return Ownership()
        team = self.team_of(service.name)
        return Ownership(
            team=service.team,
            on_call=team.contact if team else "",
            affected=names_reached((service.name,), self.callers_of),
            runbook=service.runbook,
        )

    def allows(self, name: str, scope: Scope) -> bool:
        """Whether facts on this service may be told in a channel of this scope."""
        service = self.services.get(name)
        if service is None:
            return True
        in_team = not scope.teams or not service.team or service.team in scope.teams
        return in_team and scope.allows_namespace(service.namespace)


def parse_graph(text: str, location: str, updated_at: datetime | None = None) -> ServiceGraph:
    """Read the graph's YAML.

    Raises:
        KnowledgeError: It is no YAML, or a key holds what does not belong there; names the key.
    """
    try:
        data = load_yaml(text)
    except ValueError as error:
        raise _wrong(location, str(error)) from error
    reader = _Reader(location)
    root = reader.mapping(data, "the file")
    teams = {
        name: Team(name, reader.word(row, where, "on_call"), reader.word(row, where, "channel"))
        for name, row, where in reader.rows(root, "teams")
    }
    services = {
        name: Service(
            name,
            namespace=reader.word(row, where, "namespace"),
            team=reader.word(row, where, "team"),
            workloads=tuple(
                word
                for word in (reader.word(row, where, "workload"), *reader.words(row, where, "also"))
                if word
            ),
            depends_on=reader.words(row, where, "depends_on"),
            runbook=reader.word(row, where, "runbook"),
            description=reader.word(row, where, "description"),
        )
        for name, row, where in reader.rows(root, "services")
    }
    nodes = {
        name: Node(name, reader.word(row, where, "zone"), reader.words(row, where, "runs"))
        for name, row, where in reader.rows(root, "nodes")
    }
    problems = tuple(loose_ends(services, teams, nodes))
    return ServiceGraph(services, teams, nodes, problems, location, updated_at)


def loose_ends(
    services: Mapping[str, Service], teams: Mapping[str, Team], nodes: Mapping[str, Node]
) -> Iterable[str]:
    """Names that lead nowhere, in whole sentences."""
    for service in services.values():
        for called in service.depends_on:
            if called not in services:
                yield f"{service.name} depends on {called}, which is no service of the graph"
        if service.team and teams and service.team not in teams:
            yield f"{service.name} belongs to team {service.team}, which is not listed"
    for node in nodes.values():
        for name in node.runs:
            if name not in services:
                yield f"{node.name} runs {name}, which is no service of the graph"


def _wrong(location: str, wrong: str) -> KnowledgeError:
    return KnowledgeError(
        f"read the service graph {location}", wrong, "Correct the file; the old graph stays in use"
    )


@dataclass(frozen=True, slots=True)
class _Reader:
    """Takes values out of parsed YAML and names the key where one does not fit."""

    location: str

    def mapping(self, value: Any, where: str) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise _wrong(self.location, f"{where} must hold keys and values")
        return value

    def rows(self, root: Mapping[str, Any], key: str) -> Iterable[tuple[str, Any, str]]:
        for name, row in self.mapping(root.get(key) or {}, f"`{key}`").items():
            where = f"{key}.{name}"
            yield str(name), self.mapping(row or {}, f"`{where}`"), where

    def word(self, row: Mapping[str, Any], where: str, key: str) -> str:
        value = row.get(key)
        if value is None:
            return ""
        if isinstance(value, dict | list):
            raise _wrong(self.location, f"`{where}.{key}` must be one word or sentence")
        return str(value).strip()

    def words(self, row: Mapping[str, Any], where: str, key: str) -> tuple[str, ...]:
        value = row.get(key)
        if value is None:
            return ()
        if not isinstance(value, list) or any(isinstance(item, dict | list) for item in value):
            raise _wrong(self.location, f"`{where}.{key}` must be a list of names")
        return tuple(str(item).strip() for item in value)
