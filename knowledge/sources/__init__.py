"""Where documents come from: one module a kind of source, one row a URI scheme."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from core.errors import KnowledgeError
from knowledge.documents import Source
from knowledge.links import check_template
from knowledge.sources.backstage import BackstageSource
from knowledge.sources.config import SourceConfig, Surroundings, without_password
from knowledge.sources.database import Neo4jSource
from knowledge.sources.git import GitSource
from knowledge.sources.graph import GraphFileSource
from knowledge.sources.logs import LogSource
from knowledge.sources.markdown import MarkdownSource
from knowledge.sources.metrics import MetricsSource


@dataclass(frozen=True, slots=True)
class Scheme:
    """A kind of source: what makes one, and which options of a row it understands."""

    make: Callable[[SourceConfig, Surroundings], Source]
    options: frozenset[str] = frozenset()


def _link(config: SourceConfig, shared: Surroundings) -> str:
    return check_template(config.link_template or shared.link_template)


SCHEMES: Mapping[str, Scheme] = {
    "markdown": Scheme(
        lambda config, shared: MarkdownSource(config.place, _link(config, shared)),
        frozenset({"link_template"}),
    ),
    "git": Scheme(
        lambda config, shared: GitSource(
            config.place, shared.data_folder / "checkouts", _link(config, shared)
        ),
        frozenset({"link_template"}),
    ),
    "csv-logs": Scheme(
        lambda config, _: LogSource(config.place, config.columns), frozenset({"columns"})
    ),
    "csv-metrics": Scheme(
        lambda config, _: MetricsSource(config.place, config.columns), frozenset({"columns"})
    ),
    "graph": Scheme(
        lambda config, _: GraphFileSource(config.place, config.columns), frozenset({"columns"})
    ),
    "backstage": Scheme(lambda config, _: BackstageSource(config.place)),
    "neo4j": Scheme(
        lambda config, shared: Neo4jSource(config.uri, shared.neo4j_password, config.queries),
        frozenset({"queries"}),
    ),
    "neo4j+s": Scheme(
        lambda config, shared: Neo4jSource(config.uri, shared.neo4j_password, config.queries),
        frozenset({"queries"}),
    ),
}


def open_source(source: str | SourceConfig, shared: Surroundings | None = None) -> Source:
    """The source behind a URI such as "markdown:docs/runbooks" or "csv-logs:logs/*.csv".

    Raises:
        KnowledgeError: The scheme is not known, the place is missing from the URI, or an option
            does not fit. A place that does not exist is no error here: it is a problem of the
            source's listing.
    """
    config = SourceConfig(source) if isinstance(source, str) else source
    scheme = SCHEMES.get(config.scheme)
    asked = f'open the source "{without_password(config.uri)}"'
    if scheme is None or not config.place.strip("/"):
        wrong = "it names no folder, file or server"
        if scheme is None:
            wrong = f'"{config.scheme}" is no kind of source'
        allowed = ", ".join(f"{name}:…" for name in SCHEMES)
        raise KnowledgeError(asked, wrong, f"Write one of {allowed}")
    given = {name for name in ("link_template", "columns", "queries") if getattr(config, name)}
    surplus = sorted(given - scheme.options)
    if surplus:
        understood = ", ".join(sorted(scheme.options)) or "none"
        raise KnowledgeError(
            asked,
            f"{config.scheme} has no use for {surplus[0]}",
            f"Options of this kind of source: {understood}",
        )
    return scheme.make(config, shared or Surroundings())
