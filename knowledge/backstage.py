"""A Backstage catalogue as a service graph. Pure: parsed entities in, a graph out.

Components and Resources are services, Groups and owning Users are teams. A Component that consumes
an API calls whoever provides it. Kinds and fields we do not know are passed over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from knowledge.graph import Service, ServiceGraph, Team

RUNS = frozenset({"component", "resource"})
_OWNS = frozenset({"group", "user"})
_RUNBOOK_NOTES = frozenset({"runbook", "runbook-url", "runbooks"})
_CHANNEL_NOTES = frozenset({"slack-channel", "slack-channel-name", "channel"})
_ON_CALL_NOTES = frozenset({"on-call", "oncall"})


@dataclass(frozen=True, slots=True)
class Ref:
    """A reference to an entity, as in "component:default/payments"; kind in lower case."""

    kind: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Entity:
    """One entity with the file it stands in."""

    ref: Ref
    place: str
    metadata: Mapping[str, Any]
    spec: Mapping[str, Any]

    def refs(self, field: str, kind: str, problems: list[str]) -> tuple[Ref, ...]:
        """The references of one field of the spec; what is none is a problem."""
        value = self.spec.get(field)
        if value is None:
            return ()
        names = value if isinstance(value, list) else [value]
        found = [parse_ref(name, kind, self.ref.namespace) for name in names]
        if None in found:
            problems.append(f"{self.place}: spec.{field} of {self.ref.name} must hold references")
        return tuple(ref for ref in found if ref)

    def note(self, names: frozenset[str]) -> str:
        """The first annotation of these names, whatever company's prefix stands before them."""
        for key, value in _mapping(self.metadata.get("annotations")).items():
            if str(key).rpartition("/")[2].lower() in names and str(value).strip():
                return str(value).strip()
        return ""


def parse_ref(text: object, kind: str, namespace: str) -> Ref | None:
    """Read "[kind:][namespace/]name", with what is left out filled in; None for anything else."""
    if not isinstance(text, str) or not text.strip():
        return None
    rest = text.strip()
    given, colon, after = rest.partition(":")
    if colon:
        kind, rest = given.lower(), after
    space, slash, name = rest.partition("/")
    return Ref(kind, space if slash else namespace, name if slash else rest)


def entity_of(data: object, place: str, problems: list[str]) -> Entity | None:
    """An entity of the catalogue, or None for any other document."""
    if not isinstance(data, dict) or not str(data.get("apiVersion", "")).startswith(
        "backstage.io/"
    ):
        return None
    metadata, kind = _mapping(data.get("metadata")), str(data.get("kind", "")).lower()
    name = metadata.get("name")
    if not isinstance(name, str) or not name.strip() or not kind:
        problems.append(f"{place}: an entity has no kind or no metadata.name")
        return None
    space = metadata.get("namespace")
    namespace = space if isinstance(space, str) and space else "default"
    return Entity(Ref(kind, namespace, name.strip()), place, metadata, _mapping(data.get("spec")))


def graph_of(
    entities: Sequence[Entity],
    location: str,
    updated_at: datetime | None = None,
    problems: Iterable[str] = (),
) -> ServiceGraph:
    """The graph of a catalogue; what does not fit together is told in its problems."""
    return _Catalogue(entities, list(problems)).graph(location, updated_at)


class _Catalogue:
    def __init__(self, entities: Sequence[Entity], problems: list[str]) -> None:
        self.problems = problems
        self.by_ref: dict[Ref, Entity] = {}
        self.services: dict[str, Ref] = {}
        for entity in entities:
            first = self.by_ref.setdefault(entity.ref, entity)
            if first is not entity:
                self._told(entity, f"is in {first.place} already; the first counts")
                continue
            if entity.ref.kind in RUNS:
                other = self.services.setdefault(entity.ref.name, entity.ref)
                if other != entity.ref:
                    self._told(entity, f"has the name of a {other.kind}; that one counts")
        self.providers: dict[Ref, list[str]] = defaultdict(list)
        for entity in self._runs():
            for api in entity.refs("providesApis", "api", problems):
                self.providers[api].append(entity.ref.name)

    def graph(self, location: str, updated_at: datetime | None) -> ServiceGraph:
        needs: dict[str, dict[str, None]] = defaultdict(dict)
        for entity in self._runs():
            for called in self._called(entity):
                needs[entity.ref.name][called] = None
            for ref in entity.refs("dependencyOf", "component", self.problems):
                if self._names(entity, ref):
                    needs[ref.name][entity.ref.name] = None
        services = {
            entity.ref.name: self._service(entity, tuple(needs.get(entity.ref.name, ())))
            for entity in self._runs()
        }
        teams = {
            entity.ref.name: _team(entity)
            for entity in self.by_ref.values()
            if entity.ref.kind == "group"
        }
        owners = {service.team for service in services.values()}
        for entity in self.by_ref.values():
            if entity.ref.kind == "user" and entity.ref.name in owners:
                teams.setdefault(entity.ref.name, _team(entity))
        if teams:
            for service in services.values():
                if service.team and service.team not in teams:
                    self.problems.append(
                        f"{service.name} is owned by {service.team}, which is no Group or User of "
                        f"the catalogue"
                    )
        return ServiceGraph(services, teams, {}, tuple(self.problems), location, updated_at)

    def _runs(self) -> Iterator[Entity]:
        for ref in self.services.values():
            yield self.by_ref[ref]

    def _called(self, entity: Entity) -> Iterator[str]:
        for ref in entity.refs("dependsOn", "component", self.problems):
            if ref.kind == "api":
                yield from self._provided(entity, ref)
            elif self._names(entity, ref):
                yield ref.name
        for ref in entity.refs("consumesApis", "api", self.problems):
            yield from self._provided(entity, ref)

    def _provided(self, entity: Entity, api: Ref) -> Iterator[str]:
        providers = self.providers.get(api, [])
        if not providers:
            self._told(entity, f"consumes API {api.name}, which no component provides")
        yield from (name for name in providers if name != entity.ref.name)

    def _names(self, entity: Entity, ref: Ref) -> bool:
        if ref in self.by_ref and ref.kind in RUNS:
            return True
        self._told(entity, f"refers to {ref.kind} {ref.name}, which is not in the catalogue")
        return False

    def _service(self, entity: Entity, needs: tuple[str, ...]) -> Service:
        owners = entity.refs("owner", "group", self.problems)
        if not owners:  # what stands in a system is owned by the system's owner
            for ref in entity.refs("system", "system", self.problems):
                system = self.by_ref.get(ref)
                owners = system.refs("owner", "group", self.problems) if system else ()
        owner = next((ref.name for ref in owners if ref.kind in _OWNS), "")
        workload = entity.note(frozenset({"kubernetes-id"}))
        description = entity.metadata.get("description")
        return Service(
            entity.ref.name,
            namespace=entity.note(frozenset({"kubernetes-namespace"})),
            team=owner,
            workloads=(workload,) if workload else (),
            depends_on=needs,
            runbook=entity.note(_RUNBOOK_NOTES) or _runbook_link(entity),
            description=" ".join(str(description).split()).rstrip(".") if description else "",
        )

    def _told(self, entity: Entity, words: str) -> None:
        self.problems.append(f"{entity.place}: {entity.ref.kind} {entity.ref.name} {words}")


def _team(entity: Entity) -> Team:
    profile = _mapping(entity.spec.get("profile"))
    person = str(profile.get("displayName") or "") if entity.ref.kind == "user" else ""
    on_call = entity.note(_ON_CALL_NOTES) or person or str(profile.get("email") or "")
    return Team(entity.ref.name, on_call, entity.note(_CHANNEL_NOTES))


def _runbook_link(entity: Entity) -> str:
    links = entity.metadata.get("links")
    for link in links if isinstance(links, list) else ():
        row = _mapping(link)
        if "runbook" in f"{row.get('title', '')} {row.get('type', '')}".lower() and row.get("url"):
            return str(row["url"])
    return ""


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
