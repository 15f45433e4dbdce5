"""`explain <error text>`: what an error means and what helps, asked by a click on a message."""

from __future__ import annotations

from dataclasses import replace

from core.answers import Scope
from core.questions import Intent
from knowledge.tasks.chained import Asked, ReadArgument
from knowledge.tasks.naming import Namer


def explain(namer: Namer) -> ReadArgument:
    """Search with the text itself; what is wanted is known, whatever words stand in it."""

    async def read(argument: str, scope: Scope) -> Asked:  # noqa: ARG001  (the chain applies it)
        text = await namer.read(argument)
        # "upstream … timed out" in a log line asks for no dependencies, and its time for no period.
        wanted = frozenset({Intent.WHY, Intent.HOW})
        return Asked(replace(text, intents=wanted, time_range=None, limit=None))

    return read
