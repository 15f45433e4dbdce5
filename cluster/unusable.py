"""A configured cluster that could not even be asked: it must be told as unread, not left out."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager

from cluster.client import ClusterClient
from cluster.kinds import Kind
from cluster.listing import Listing
from cluster.reach import Reach
from core.errors import ClusterError


class UnusableClient(ClusterClient):
    """Stands for a cluster whose kubeconfig cannot be used; every call raises why.

    Leaving the cluster out instead would let a digest say that all is quiet there.
    """

    def __init__(self, name: str, error: ClusterError) -> None:
        self.name = name
        self.reach = Reach()
        self.clock_skew_seconds = 0.0
        self._error = error

    def _why(self) -> ClusterError:
        # A new one each time: a raised exception collects traces.
        return ClusterError(self._error.asked, self._error.wrong, self._error.remedy)

    async def list_all(self, kind: Kind, namespace: str = "") -> Listing:  # noqa: ARG002
        """Raises ClusterError."""
        raise self._why()

    @asynccontextmanager
    async def watch(
        self,
        kind: Kind,  # noqa: ARG002  (the base class's signature)
        namespace: str,  # noqa: ARG002
        version: str,  # noqa: ARG002
    ) -> AsyncIterator[AsyncIterable[bytes]]:
        """Raises ClusterError."""
        raise self._why()
        yield  # what makes it a context manager

    async def version(self) -> str:
        """Raises ClusterError."""
        raise self._why()

    async def may(self, verb: str, group: str, resource: str, namespace: str = "") -> bool:  # noqa: ARG002
        """Raises ClusterError."""
        raise self._why()

    async def close(self) -> None:
        """Nothing was opened."""
