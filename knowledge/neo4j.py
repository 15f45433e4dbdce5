"""The service graph from Neo4j, read only. The only module that speaks Neo4j's driver.

The shape that is expected, unless other queries are given:
`(:Service {name, namespace, team, workloads, runbook, description})-[:DEPENDS_ON]->(:Service)`,
`(:Service)-[:OWNED_BY]->(:Team {name, on_call, channel})`,
`(:Service)-[:RUNS_ON]->(:Node {name, zone})`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from core.errors import KnowledgeError
from knowledge.graph import Node, Service, ServiceGraph, Team, loose_ends

CONNECT_SECONDS = 5.0
QUERY_SECONDS = 30.0
RETRY_SECONDS = 1.0
MOST_ROWS = 500_000
USUAL_PORT = 7687

QUERIES: Final[Mapping[str, str]] = {
    "services": """MATCH (s:Service) OPTIONAL MATCH (s)-[:OWNED_BY]->(t:Team)
        WITH s, head(collect(t.name)) AS owner
        RETURN s.name AS name, s.namespace AS namespace, coalesce(owner, s.team) AS team,
        s.workloads AS workloads, s.runbook AS runbook, s.description AS description""",
    "dependencies": """MATCH (caller:Service)-[:DEPENDS_ON]->(called:Service)
        RETURN caller.name AS caller, called.name AS called""",
    "teams": "MATCH (t:Team) RETURN t.name AS name, t.on_call AS on_call, t.channel AS channel",
    "nodes": """MATCH (n:Node) OPTIONAL MATCH (s:Service)-[:RUNS_ON]->(n)
        RETURN n.name AS name, n.zone AS zone, collect(s.name) AS runs""",
}
# What each query's rows must have; further columns may be missing.
_NEEDED: Final[Mapping[str, Sequence[str]]] = {
    "services": ("name",),
    "dependencies": ("caller", "called"),
    "teams": ("name",),
    "nodes": ("name",),
}

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Server:
    """Where a graph is: the driver's address, and a database, "" for the user's own."""

    address: str
    user: str
    database: str


def parse_server(uri: str) -> Server:
    """Read "neo4j://user@host:port/database".

    Raises:
        KnowledgeError: It is not of this form.
    """
    try:
        parts = urlsplit(uri)
        port = parts.port or USUAL_PORT
        host = parts.hostname or ""
    except ValueError:
        host, port = "", 0
        parts = urlsplit("")
    if not host or parts.query or parts.fragment:
        raise KnowledgeError(
            f'open the source "{uri}"',
            "it is not of the form neo4j://user@host:port/database",
            "Write it like neo4j+s://reader@graph.example.com/services",
        )
    shown = f"[{host}]" if ":" in host else host
    user = unquote(parts.username or "neo4j")
    return Server(f"{parts.scheme}://{shown}:{port}", user, unquote(parts.path.strip("/")))


def read_graph(
    server: Server, password: str, queries: Mapping[str, str], location: str
) -> ServiceGraph:
    """Read the whole graph in one read-only transaction. Blocks.

    Args:
        server: Where.
        password: "" for a server that asks for none.
        queries: Name of a query, as in `QUERIES` → Cypher that gives the same columns.
        location: What the graph is called in messages and citations.

    Raises:
        KnowledgeError: The server cannot be reached, refuses, or its graph has another shape.
    """
    unknown = sorted(set(queries) - set(QUERIES))
    if unknown:
        raise _wrong(location, f"{unknown[0]} is no query", f"Known are {', '.join(QUERIES)}")
    return graph_of(_fetch(server, password, {**QUERIES, **queries}, location), location)


def _fetch(
    server: Server, password: str, queries: Mapping[str, str], location: str
) -> dict[str, Rows]:
    from neo4j import (  # noqa: PLC0415  (a third of a second that a start without it saves)
        READ_ACCESS,
        GraphDatabase,
        ManagedTransaction,
        NotificationMinimumSeverity,
        unit_of_work,
    )
    from neo4j.exceptions import (  # noqa: PLC0415  (as above)
        AuthError,
        DriverError,
        Forbidden,
        Neo4jError,
    )

    @unit_of_work(timeout=QUERY_SECONDS)
    def read(transaction: ManagedTransaction) -> dict[str, Rows]:
        rows: dict[str, Rows] = {}
        for name, cypher in queries.items():
            result = transaction.run(cypher)
            missing = [column for column in _NEEDED[name] if column not in result.keys()]  # noqa: SIM118  (keys() is a method with columns, not a mapping's)
            if missing:
                columns = ", ".join(result.keys()) or "none"
                wrong = f"the query `{name}` gives no column {missing[0]} but {columns}"
                raise _wrong(location, wrong, "Name the columns with AS, see docs/sources.md")
            rows[name] = [record.data() for record in result.fetch(MOST_ROWS + 1)]
            if len(rows[name]) > MOST_ROWS:
                wrong = f"the query `{name}` gives more than {MOST_ROWS} rows"
                raise _wrong(location, wrong, "Let it give less")
        return rows

    try:
        with (
            GraphDatabase.driver(
                server.address,
                auth=(server.user, password) if password else None,
                connection_timeout=CONNECT_SECONDS,
                connection_acquisition_timeout=2 * CONNECT_SECONDS,
                max_transaction_retry_time=RETRY_SECONDS,
                notifications_min_severity=NotificationMinimumSeverity.OFF,
            ) as driver,
            driver.session(
                database=server.database or None, default_access_mode=READ_ACCESS
            ) as session,
        ):
            return session.execute_read(read)
    except AuthError as error:
        remedy = "Set NEO4J_PASSWORD, and the user in the source's address"
        raise _wrong(location, f"the server refuses the user {server.user}", remedy) from error
    except Forbidden as error:
        raise _wrong(location, "the server forbids it", "Only reading is allowed here") from error
    except Neo4jError as error:
        said = (error.message or error.code or "no reason").splitlines()[0][:200]
        raise _wrong(location, f"the server says: {said}", "Check database and queries") from error
    except (DriverError, OSError, ValueError) as error:
        # The driver's own words name every address it tried, over several lines.
        wrong = f"no Neo4j answers at {server.address} ({type(error).__name__})"
        raise _wrong(location, wrong, "Check the address, and neo4j+s:// for TLS") from error


def graph_of(rows: Mapping[str, Rows], location: str) -> ServiceGraph:
    """The graph of the queries' rows; rows without a name are counted.

    Raises:
        KnowledgeError: There is no service at all.
    """
    problems: list[str] = []
    needs: dict[str, dict[str, None]] = {}
    for row in _usable(rows["dependencies"], ("caller", "called"), "dependencies", problems):
        needs.setdefault(_word(row, "caller"), {})[_word(row, "called")] = None
    services = {
        name: Service(
            name,
            namespace=_word(row, "namespace"),
            team=_word(row, "team"),
            workloads=_words(row, "workloads"),
            depends_on=tuple(needs.get(name, ())),
            runbook=_word(row, "runbook"),
            description=_word(row, "description").rstrip("."),
        )
        for row in _usable(rows["services"], ("name",), "services", problems)
        for name in [_word(row, "name")]
    }
    if not services:
        wrong = "it gives no services: no node has the label Service and a name"
        raise _wrong(location, wrong, "Give `queries` that fit your graph, see docs/sources.md")
    teams = {
        _word(row, "name"): Team(_word(row, "name"), _word(row, "on_call"), _word(row, "channel"))
        for row in _usable(rows["teams"], ("name",), "teams", problems)
    }
    nodes = {
        _word(row, "name"): Node(_word(row, "name"), _word(row, "zone"), _words(row, "runs"))
        for row in _usable(rows["nodes"], ("name",), "nodes", problems)
    }
    problems += [
        f"{caller} calls something and is no service of the graph"
        for caller in needs
        if caller not in services
    ]
    problems += loose_ends(services, teams, nodes)
    return ServiceGraph(services, teams, nodes, tuple(problems), location)


def _usable(rows: Rows, needed: Sequence[str], name: str, problems: list[str]) -> Rows:
    usable = [row for row in rows if all(_word(row, column) for column in needed)]
    if len(usable) < len(rows):
        problems.append(
            f"{len(rows) - len(usable)} of {len(rows)} rows of the query `{name}` have no "
            f"{' or no '.join(needed)}"
        )
    return usable


def _word(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key)
    return " ".join(str(value).split()) if isinstance(value, str | int | float) else ""


def _words(row: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = row.get(key)
    values = value if isinstance(value, list) else [value]
    return tuple(str(one) for one in values if isinstance(one, str) and one)


def _wrong(location: str, wrong: str, remedy: str) -> KnowledgeError:
    return KnowledgeError(f"read the service graph {location}", wrong, remedy)
