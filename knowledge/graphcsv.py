"""The service graph from CSV: a row a call, and beside it a row a service. Pure.

Calls have columns `from` and `to`. Services have `name`, and what else is known: `namespace`,
`team`, `workload`, `runbook`, `description`, `on_call` and `channel` of the team, and `node`, where
they run.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from core.errors import KnowledgeError
from knowledge.graph import Node, Service, ServiceGraph, Team

_CALLS: Final[Mapping[str, Sequence[str]]] = {
    "from": ("from", "source", "caller", "src", "service", "upstream"),
    "to": ("to", "target", "called", "callee", "dst", "depends_on", "dependency", "downstream"),
}
_SERVICES: Final[Mapping[str, Sequence[str]]] = {
    "name": ("name", "service", "id", "component"),
    "namespace": ("namespace", "ns"),
    "team": ("team", "owner", "owned_by"),
    "workload": ("workload", "deployment"),
    "runbook": ("runbook", "runbook_url"),
    "description": ("description", "summary"),
    "on_call": ("on_call", "oncall", "contact"),
    "channel": ("channel", "slack", "slack_channel"),
    "node": ("node", "runs_on", "host"),
}


def parse_csv_graph(
    calls: str,
    services: str,
    location: str,
    updated_at: datetime | None = None,
    columns: Mapping[str, str] | None = None,
) -> ServiceGraph:
    """The graph of two CSV texts. A row that cannot be used is counted, and stops nothing.

    Args:
        calls: A row a call.
        services: A row a service; "" for nothing known.
        location: What the calls' file is called in messages and citations.
        updated_at: When the files were last changed.
        columns: Wanted name, as above → column of the files, where the guess is not wanted.

    Raises:
        KnowledgeError: A column is missing, or it is no CSV.
    """
    problems: list[str] = []
    needs: dict[str, dict[str, None]] = {}
    for row in _rows(calls, _CALLS, ("from", "to"), location, columns or {}, problems, "call"):
        needs.setdefault(row["from"], {})[row["to"]] = None
        needs.setdefault(row["to"], {})
    found = {name: Service(name, depends_on=tuple(called)) for name, called in needs.items()}
    teams: dict[str, Team] = {}
    runs: dict[str, list[str]] = {}
    if services:
        place = f"the services beside {location}"
        for row in _rows(services, _SERVICES, ("name",), place, columns or {}, problems, "service"):
            name, team = row["name"], row["team"]
            found[name] = Service(
                name,
                namespace=row["namespace"],
                team=team,
                workloads=tuple(word for word in row["workload"].split() if word),
                depends_on=tuple(needs.get(name, ())),
                runbook=row["runbook"],
                description=row["description"].rstrip("."),
            )
            if team and (team not in teams or not teams[team].contact):
                teams[team] = Team(team, row["on_call"], row["channel"])
            for node in row["node"].split():
                runs.setdefault(node, []).append(name)
    nodes = {name: Node(name, runs=tuple(dict.fromkeys(names))) for name, names in runs.items()}
    return ServiceGraph(found, teams, nodes, tuple(problems), location, updated_at)


def _rows(  # noqa: PLR0917  (private, and each is needed)
    text: str,
    guesses: Mapping[str, Sequence[str]],
    required: Sequence[str],
    location: str,
    columns: Mapping[str, str],
    problems: list[str],
    noun: str,
) -> Iterator[dict[str, str]]:
    """Usable rows by wanted names; a missing cell is ""."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    unusable: list[int] = []
    try:
        header = next(reader, [])
        places = _places(header, guesses, required, location, columns)
        for cells in reader:
            row = {
                name: cells[at].strip() if at is not None and at < len(cells) else ""
                for name, at in places.items()
            }
            if cells and (len(cells) > len(header) or not all(row[name] for name in required)):
                unusable.append(reader.line_num)
            elif cells:
                yield row
    except csv.Error as error:
        problems.append(
            f"reading stops at line {reader.line_num} of {location}, which is no CSV ({error})"
        )
    if unusable:
        rows = "1 row is" if len(unusable) == 1 else f"{len(unusable)} rows are"
        problems.append(f"{rows} no {noun}, the first at line {unusable[0]} of {location}")


def _places(
    header: Sequence[str],
    guesses: Mapping[str, Sequence[str]],
    required: Sequence[str],
    location: str,
    columns: Mapping[str, str],
) -> dict[str, int | None]:
    at = {name.strip().lower(): index for index, name in reversed(list(enumerate(header)))}
    places: dict[str, int | None] = {}
    for wanted, names in guesses.items():
        given = columns.get(wanted)
        known = [name for name in ([given.lower()] if given else names) if name in at]
        places[wanted] = at[known[0]] if known else None
    missing = [name for name in required if places[name] is None]
    if missing:
        among = ", ".join(header)[:100] or "none"
        raise KnowledgeError(
            f"read the service graph {location}",
            f"no column for {', '.join(missing)} among {among}",
            "Name the columns in the first line, or map them with `columns`",
        )
    return places
