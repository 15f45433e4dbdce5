"""`owner` and `impact`: who has a thing, and who is hit when it fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from core.answers import Scope
from core.questions import Intent
from knowledge.past import ServiceGraphHolder
from knowledge.tasks.chained import Asked, ReadArgument
from knowledge.tasks.naming import Namer

NO_GRAPH = (
    "No service graph is configured: a source such as graph:services.yaml in KNOWLEDGE_SOURCES "
    "tells who owns what and who calls whom."
)
_MOST_NAMES = 3


def owner(namer: Namer, shelf: ServiceGraphHolder) -> ReadArgument:
    """`owner payments`: its team and who is on call."""
    return _about(namer, shelf, lambda names: f"Who owns {names}?", Intent.OWNER)


def impact(namer: Namer, shelf: ServiceGraphHolder) -> ReadArgument:
    """`impact worker-3`: the services that are hit, whose they are, and by which way."""
    return _about(namer, shelf, lambda names: f"What is hit when {names} fails?", Intent.IMPACT)


def _about(
    namer: Namer, shelf: ServiceGraphHolder, phrase: Callable[[str], str], intent: Intent
) -> ReadArgument:
    async def read(argument: str, scope: Scope) -> Asked:
        thing = await namer.thing(argument, scope)
        names = thing.names[:_MOST_NAMES]
        question = phrase(" and ".join(names))
        graph = shelf.graph
        is_in_graph = any(graph.service_of(name) or name in graph.nodes for name in names)
        reading = replace(
            thing,
            question=question,
            # What the graph knows needs no prose beside it; else a page may tell.
            search_text="" if is_in_graph else question,
            names=names,
            intents=frozenset({intent}),
            codes=(),
            time_range=None,
            limit=None,
        )
        return Asked(reading, is_exact=True, note="" if graph.services else NO_GRAPH)

    return read
