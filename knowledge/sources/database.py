"""Neo4j as a source of the service graph; see `knowledge.neo4j`."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from core.errors import KnowledgeError
from knowledge.documents import Listing
from knowledge.graph import ServiceGraph
from knowledge.neo4j import parse_server, read_graph
from knowledge.sources.config import refuse_password
from knowledge.sources.graph import GraphSource


class Neo4jSource(GraphSource):
    """The graph of one database, read anew with each listing.

    A server that fails leaves the graph as it was last read, and is told.

    Args:
        uri: "neo4j://user@host:port/database", or "neo4j+s://…" for TLS.
        password: "" for a server without one.
        queries: See `knowledge.neo4j`.

    Raises:
        KnowledgeError: The URI is not of that form, or carries a password.
    """

    def __init__(
        self, uri: str, password: str = "", queries: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(uri)
        refuse_password(uri, "Set NEO4J_PASSWORD instead")
        self._server = parse_server(uri)
        self._password = password
        self._queries = queries or {}
        self._lock = threading.Lock()

    def listing(self) -> Listing:
        """Ask the server; blocks for some seconds when it is down."""
        location = self.uri.partition("@")[2] or self.uri.partition("//")[2]
        with self._lock:
            try:
                graph = read_graph(self._server, self._password, self._queries, location)
            except KnowledgeError as error:
                return Listing((), ((location, error.wrong),), is_complete=False)
            self._keep(graph)
            problems = tuple((location, problem) for problem in graph.problems)
            return Listing(self.entries(), problems)

    def _keep(self, graph: ServiceGraph) -> None:
        """A graph says not when it changed: what counts is when we saw it change."""
        if replace(self.graph, updated_at=None) != graph:
            self.graph = replace(graph, updated_at=datetime.now(UTC))
