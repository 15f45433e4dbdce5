"""The service graph: who calls whom, who owns what, and who is hit when something fails.

Everything here is computed by graph search over a file that people keep; no model is asked and
nothing is guessed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import yaml

from core.answers import Scope
from core.digests import Ownership
from core.errors import KnowledgeError
from core.findings import ObjectRef

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


@dataclass(frozen=True, slots=True)
class Reach:
    """A service reached by search: how many calls away, and the way in calling direction."""

    service: str
    depth: int
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ServiceGraph:
    """Services by name, with teams and nodes. Implements `digest.ports.Owners`.

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

    @property
    def names(self) -> frozenset[str]:
        """Everything a question could name: services, their workloads, teams and nodes."""
        workloads = {
            workload.rpartition("/")[2]
            for service in self.services.values()
            for workload in service.workloads
        }
        return frozenset({*self.services, *workloads, *self.teams, *self.nodes})

    @property
    def namespaces(self) -> frozenset[str]:
        """The namespaces that services stand in."""
        return frozenset(service.namespace for service in self.services.values()) - {""}

    def impact(self, *names: str) -> tuple[Reach, ...]:
        """Services that are hit when `names` fail, nearest first; `names` themselves are not told.

        The path runs from the service that is hit to the one that failed.
        """
        callers: dict[str, list[str]] = {}
        for service in self.services.values():
            for called in service.depends_on:
                callers.setdefault(called, []).append(service.name)
        found = _search(names, lambda name: callers.get(name, ()))
        return tuple(Reach(item.service, item.depth, item.path[::-1]) for item in found)

    def dependencies(self, name: str) -> tuple[Reach, ...]:
        """Services that `name` needs, directly or through others, nearest first."""
        return _search((name,), self._called)

    def path(self, caller: str, called: str) -> tuple[str, ...]:
        """The shortest chain of calls from one service to another, both included; () for none."""
        if caller == called:
            return (caller,)
        return next((item.path for item in self.dependencies(caller) if item.service == called), ())

    def _called(self, name: str) -> Sequence[str]:
        service = self.services.get(name)
        return service.depends_on if service else ()

    def team_of(self, name: str) -> Team | None:
        """The team that owns a service, or None."""
        service = self.services.get(name)
        if service is None or not service.team:
            return None
        return self.teams.get(service.team, Team(service.team))

    def service_of(self, name: str, namespace: str = "", kind: str = "") -> Service | None:
        """The service that a workload belongs to: by workload, else by equal name and namespace."""
        for service in self.services.values():
            if namespace and service.namespace and service.namespace != namespace:
                continue
            for workload in service.workloads:
                its_kind, _, its_name = workload.rpartition("/")
                if its_name == name and (not kind or not its_kind or its_kind == kind):
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
            hit = [item.service for item in self.impact(*runs)]
            return Ownership(affected=(*runs, *hit))
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
            affected=tuple(item.service for item in self.impact(service.name)),
            runbook=service.runbook,
        )

    def allows(self, name: str, scope: Scope) -> bool:
        """Whether facts on this service may be told in a channel of this scope."""
        service = self.services.get(name)
        if service is None:
            return True
        in_team = not scope.teams or not service.team or service.team in scope.teams
        return in_team and scope.allows_namespace(service.namespace)


def _search(starts: Sequence[str], step: Callable[[str], Sequence[str]]) -> tuple[Reach, ...]:
    """Breadth first, so the first way found is a shortest one; cycles end by themselves."""
    seen = set(starts)
    queue = deque(Reach(name, 0, (name,)) for name in starts)
    found: list[Reach] = []
    while queue:
        at = queue.popleft()
        for name in step(at.service):
            if name not in seen:
                seen.add(name)
                reach = Reach(name, at.depth + 1, (*at.path, name))
                found.append(reach)
                queue.append(reach)
    return tuple(found)


def parse_graph(text: str, location: str, updated_at: datetime | None = None) -> ServiceGraph:
    """Read the graph's YAML.

    Raises:
        KnowledgeError: It is no YAML, or a key holds what does not belong there; names the key.
    """
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise _wrong(location, f"it is no YAML{where}") from error
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
    problems = tuple(_contradictions(services, teams, nodes))
    return ServiceGraph(services, teams, nodes, problems, location, updated_at)


def _contradictions(
    services: Mapping[str, Service], teams: Mapping[str, Team], nodes: Mapping[str, Node]
) -> Iterable[str]:
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
