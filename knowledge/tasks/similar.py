"""`similar <error text>`: incident reports and past findings like it, and what helped then."""

from __future__ import annotations

from dataclasses import replace

from core.answers import Scope
from core.questions import Intent
from knowledge.tasks.chained import Asked, ReadArgument
from knowledge.tasks.naming import Namer


def similar(namer: Namer) -> ReadArgument:
    """Search with the text itself; only the intent is given, whatever words stand in it."""

    async def read(argument: str, scope: Scope) -> Asked:  # noqa: ARG001  (the chain applies it)
        text = await namer.read(argument)
        # A time in a pasted line says when it was logged, not when to look.
        return Asked(
            replace(text, intents=frozenset({Intent.SIMILAR}), time_range=None, limit=None)
        )

    return read
