"""The thing that a task is asked about, found among what the cluster and the graph know."""

from __future__ import annotations

from collections.abc import Iterable

from rapidfuzz import fuzz, process

from core.answers import Scope
from core.errors import RequestError
from core.questions import Reading
from knowledge.past import ServiceGraphHolder
from knowledge.ports import LiveFacts, Retriever

# Likeness of a slip, 0 to 100: "paymnts" and "payments" have 93, "redis" and "ledger" have 55.
_LIKENESS = 70
_MOST_GUESSES = 3


class Namer:
    """Reads names and namespaces.

    Args:
        live: The cluster, or None.
        retriever: Reads a text by rules.
        shelf: Has the service graph.
    """

    def __init__(
        self, live: LiveFacts | None, retriever: Retriever, shelf: ServiceGraphHolder
    ) -> None:
        self._live = live
        self._retriever = retriever
        self._shelf = shelf

    async def read(self, text: str) -> Reading:
        """Read a text with all names that are known."""
        if self._live is None:
            return self._retriever.read(text, frozenset(), frozenset())
        names = await self._live.known_names()
        return self._retriever.read(text, names, await self._live.known_namespaces())

    async def thing(self, text: str, scope: Scope) -> Reading:
        """Read a text that names a service, a workload or a node.

        A name is taken as it was typed while the cluster cannot be read, and where no names are
        known at all: then nobody can tell whether it is a slip.

        Raises:
            RequestError: Nothing known is named so; the error tells what is spelled nearly so.
        """
        reading = await self.read(text)
        if reading.names:
            return reading
        graph = self._shelf.graph
        names, spaces = frozenset[str](), graph.namespaces
        if self._live is not None:
            names = await self._live.known_names()
            spaces |= await self._live.known_namespaces()
        is_unread = self._live is not None and not names
        if is_unread or not names | graph.names:
            return Reading(text, text, names=(text.rpartition("/")[2].rpartition(" ")[2],))
        if text.lower() in spaces:
            raise RequestError(
                f"take {text!r} for a service or a node",
                "it is a namespace",
                "Name one service, workload or node.",
            )
        raise RequestError(
            f"find {_short(text)!r}",
            "no service, workload or node that I know has that name",
            _guess(text, self._tellable(names, scope)),
        )

    async def namespace(self, text: str, scope: Scope) -> str:
        """A namespace as it is written in the cluster.

        Raises:
            RequestError: No namespace is named so.
        """
        known = self._shelf.graph.namespaces
        live = frozenset[str]()
        if self._live is not None:
            live = await self._live.known_namespaces()
        known |= live
        by_lower = {name.lower(): name for name in known}
        if text.lower() in by_lower or not known or (self._live is not None and not live):
            return by_lower.get(text.lower(), text)
        allowed = [name for name in known if scope.allows_namespace(name)]
        raise RequestError(
            f"find the namespace {_short(text)!r}",
            "no namespace that I know has that name",
            _guess(text, allowed),
        )

    def _tellable(self, names: Iterable[str], scope: Scope) -> list[str]:
        """Names that may be suggested: where a channel is limited, only those of its services."""
        graph = self._shelf.graph
        allowed = [name for name in graph.services if graph.allows(name, scope)]
        if scope == Scope():
            return sorted({*names, *graph.names})
        return allowed


def _guess(text: str, names: Iterable[str]) -> str:
    found = process.extract(
        text.lower().rpartition("/")[2],
        list(names),
        scorer=fuzz.ratio,
        limit=_MOST_GUESSES,
        score_cutoff=_LIKENESS,
    )
    if not found:
        return "Check its spelling."
    return f"Did you mean {' or '.join(f'`{name}`' for name, *_ in found)}?"


def _short(text: str) -> str:
    flat = " ".join(text.split()).replace("`", "'")
    return flat if len(flat) <= 60 else f"{flat[:59]}…"
