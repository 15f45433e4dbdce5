"""Where documents come from: one module a kind of source, one row a URI scheme."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from core.errors import KnowledgeError
from knowledge.documents import Source
from knowledge.sources.graph import GraphSource
from knowledge.sources.logs import LogSource
from knowledge.sources.markdown import MarkdownSource
from knowledge.sources.metrics import MetricsSource

SCHEMES: Mapping[str, Callable[[str], Source]] = {
    "markdown": MarkdownSource,
    "csv-logs": LogSource,
    "csv-metrics": MetricsSource,
    "graph": GraphSource,
}


def open_source(uri: str) -> Source:
    """The source behind a URI such as "markdown:docs/runbooks" or "csv-logs:logs/*.csv".

    Raises:
        KnowledgeError: The scheme is not known or the place is missing from the URI. A place that
            does not exist is no error here: it is a problem of the source's listing.
    """
    scheme, _, place = uri.partition(":")
    make = SCHEMES.get(scheme)
    if make is None or not place.strip():
        wrong = f'"{scheme}" is no kind of source' if make is None else "it names no folder or file"
        allowed = ", ".join(f"{name}:…" for name in SCHEMES)
        raise KnowledgeError(f'open the source "{uri}"', wrong, f"Write one of {allowed}")
    return make(place.strip())
