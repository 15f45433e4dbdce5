"""An embedding model of another server, which may be down when the bot starts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from core.errors import KnowledgeError
from knowledge.ports import Embedder


class LateEmbedder:
    """Implements `knowledge.ports.Embedder`; fails until `connect` has found the model once.

    Args:
        name: Names the model.
        open_model: Finds it; raises KnowledgeError.
    """

    def __init__(self, name: str, open_model: Callable[[], Awaitable[Embedder]]) -> None:
        self._name = name
        self._open = open_model
        self._model: Embedder | None = None
        self._connecting = asyncio.Lock()
        self.failure: KnowledgeError | None = None

    @property
    def name(self) -> str:
        """As configured; another name means another collection."""
        return self._name

    @property
    def size(self) -> int:
        """Length of each vector; 0 while nobody knows."""
        return self._model.size if self._model else 0

    async def connect(self) -> None:
        """Find the model, once. Raises KnowledgeError, which `failure` keeps until it is found."""
        async with self._connecting:
            if self._model is not None:
                return
            try:
                self._model = await self._open()
            except KnowledgeError as error:
                self.failure = error
                raise
            self.failure = None

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One unit-length vector a text, in order; a question never waits for a lost model.

        Raises:
            KnowledgeError: The model was not found yet, or fails.
        """
        if self._model is None:
            why = self.failure or KnowledgeError(
                f"embed with {self._name}", "it was not found yet", "Wait a moment"
            )
            raise KnowledgeError(why.asked, why.wrong, why.remedy) from why
        return await self._model.embed(texts)
