"""What the bot's account may do in a cluster, by the API server's own word."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from cluster.client import ClusterClient
from cluster.kinds import Kind
from cluster.reach import Reach

_AT_ONCE = 8
_VERBS = ("list", "watch")


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """One thing that may be done.

    Attributes:
        namespace: '' for all.
        group: The API group, '' for the core one.
        resource: "pods", or "pods/log".
        verb: "list".
    """

    namespace: str
    group: str
    resource: str
    verb: str

    def __str__(self) -> str:
        where = f" in {self.namespace}" if self.namespace else ""
        return f"{self.verb} {self.resource}{where}"


EVERYTHING = Right("", "*", "*", "*")


def needed_rights(kinds: Collection[Kind], reach: Reach) -> list[Right]:
    """The rights to read these kinds where they are read, and the logs of pods. Pure."""
    needed = {
        Right(place, kind.group, kind.plural, verb)
        for kind in kinds
        if reach.allows_kind(kind)
        for place in reach.places(kind)
        for verb in _VERBS
    }
    logs = {Right(place, "", "pods/log", "get") for place in sorted(reach.namespaces) or [""]}
    return sorted(needed | logs)


async def missing_rights(client: ClusterClient, rights: Sequence[Right]) -> list[Right]:
    """Those of the rights that the account does not have.

    Raises:
        ClusterError: The API server cannot be asked.
    """
    gate = asyncio.Semaphore(_AT_ONCE)

    async def may(right: Right) -> bool:
        async with gate:
            return await client.may(right.verb, right.group, right.resource, right.namespace)

    held = await asyncio.gather(*map(may, rights))
    return [right for right, is_held in zip(rights, held, strict=True) if not is_held]
