"""The service graph as a source: facts by `ServiceGraph`, and a document a service."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from core.errors import KnowledgeError
from knowledge.documents import Document, Entry, Listing, UnreadableError
from knowledge.files import entry_of, read_text
from knowledge.graph import ServiceGraph, parse_graph


class GraphSource:
    """One YAML file of services, teams and nodes.

    Args:
        place: The file.
    """

    kind = "graph"

    def __init__(self, place: str) -> None:
        self.uri = f"graph:{place}"
        self.graph = ServiceGraph()
        self._path = Path(place)
        self._stamp = ""

    def listing(self) -> Listing:
        """The file, read into `graph`; with a mistake in it the graph stays as it was."""
        name = self._path.name
        try:
            entry = entry_of(self._path, name)
        except OSError:
            return Listing((), ((str(self._path), "the file does not exist"),), is_complete=False)
        if entry.stamp != self._stamp:
            try:
                self.graph = parse_graph(read_text(self._path), name, entry.updated_at)
            except (KnowledgeError, UnreadableError) as error:
                why = error.wrong if isinstance(error, KnowledgeError) else str(error)
                return Listing((), ((name, why),), is_complete=False)
            self._stamp = entry.stamp
        return Listing((entry,), tuple((name, problem) for problem in self.graph.problems))

    def load(self, entry: Entry) -> Sequence[Document]:
        """A document a service that has a description, for a search by meaning."""
        return tuple(self._documents(entry))

    def _documents(self, entry: Entry) -> Iterator[Document]:
        for service in self.graph.services.values():
            if not service.description:
                continue
            owner = f" It is owned by team {service.team}." if service.team else ""
            needs = f" It calls {', '.join(service.depends_on)}." if service.depends_on else ""
            yield Document(
                source=self.kind,
                path=f"{entry.path}#{service.name}",
                title=f"{service.name} in the service graph",
                text=f"{service.name}: {service.description}.{owner}{needs}",
                updated_at=entry.updated_at,
                namespace=service.namespace,
                service=service.name,
                team=service.team,
                kind="graph",
                is_whole=True,
            )
