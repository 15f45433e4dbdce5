"""The service graph as a source: facts by `ServiceGraph`, and a document a described service."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from core.errors import KnowledgeError
from knowledge.documents import Document, Entry, Listing, UnreadableError
from knowledge.files import entry_of, read_text, why
from knowledge.graph import Service, ServiceGraph, parse_graph
from knowledge.graphcsv import parse_csv_graph

LARGEST_GRAPH_BYTES = 20_000_000


class GraphSource:
    """What all sources of a service graph share; each kind says how it is read.

    Attributes:
        uri: As configured.
        graph: As it was last read; with a mistake in it the old one stays.
    """

    kind = "graph"

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self.graph = ServiceGraph()

    def listing(self) -> Listing:
        """Read the graph again if it changed; an entry a service. Never raises."""
        raise NotImplementedError

    def load(self, entry: Entry) -> Sequence[Document]:
        """A document for a service that has a description, for a search by meaning."""
        name = entry.path.partition("#")[2]
        service = self.graph.services.get(name)
        if service is None or not service.description:
            return ()
        return (
            Document(
                source=self.kind,
                path=entry.path,
                title=f"{service.name} in the service graph",
                text=_text(service),
                updated_at=entry.updated_at,
                namespace=service.namespace,
                service=service.name,
                team=service.team,
                kind="graph",
                is_whole=True,
            ),
        )

    def entries(self) -> tuple[Entry, ...]:
        """An entry a service of the graph, so that one change costs one document."""
        return tuple(self._entries(self.graph.updated_at))

    def _entries(self, updated_at: datetime | None) -> Iterator[Entry]:
        for service in self.graph.services.values():
            stamp = hashlib.sha256(f"{service}".encode()).hexdigest()[:16]
            yield Entry(f"{self.graph.location}#{service.name}", stamp, updated_at)


def _text(service: Service) -> str:
    owner = f" It is owned by team {service.team}." if service.team else ""
    needs = f" It calls {', '.join(service.depends_on)}." if service.depends_on else ""
    return f"{service.name}: {service.description}.{owner}{needs}"


class GraphFileSource(GraphSource):
    """A YAML file of services, teams and nodes; or a CSV file of calls.

    Beside calls in "shop.csv" may stand what is known of the services, in "shop.nodes.csv".

    Args:
        place: The file.
        columns: For CSV, see `knowledge.graphcsv`.
    """

    def __init__(self, place: str, columns: Mapping[str, str] | None = None) -> None:
        super().__init__(f"graph:{place}")
        self._path = Path(place)
        self._columns = columns or {}
        self._stamps: tuple[str, ...] = ()

    def listing(self) -> Listing:
        """The file, read into `graph` if it changed."""
        name = self._path.name
        try:
            files = [entry_of(self._path, name)]
            if self._is_csv and self._nodes_path.exists():
                files.append(entry_of(self._nodes_path, self._nodes_path.name))
        except FileNotFoundError:
            return Listing((), ((str(self._path), "the file does not exist"),), is_complete=False)
        except OSError as error:
            return Listing((), ((str(self._path), why(error)),), is_complete=False)
        stamps = tuple(entry.stamp for entry in files)
        if stamps != self._stamps:
            updated_at = max(entry.updated_at for entry in files if entry.updated_at)
            try:
                self.graph = self._read(updated_at, has_nodes=len(files) > 1)
            except (KnowledgeError, UnreadableError) as error:
                wrong = error.wrong if isinstance(error, KnowledgeError) else str(error)
                return Listing((), ((name, wrong),), is_complete=False)
            self._stamps = stamps
        return Listing(self.entries(), tuple((name, one) for one in self.graph.problems))

    @property
    def _is_csv(self) -> bool:
        return self._path.suffix.lower() == ".csv"

    @property
    def _nodes_path(self) -> Path:
        return self._path.with_suffix(".nodes.csv")

    def _read(self, updated_at: datetime, *, has_nodes: bool) -> ServiceGraph:
        text = read_text(self._path, LARGEST_GRAPH_BYTES)
        if not self._is_csv:
            return parse_graph(text, self._path.name, updated_at)
        nodes = read_text(self._nodes_path, LARGEST_GRAPH_BYTES) if has_nodes else ""
        return parse_csv_graph(text, nodes, self._path.name, updated_at, self._columns)
