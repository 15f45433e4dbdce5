"""What the bot can do without Slack: ask, digest, index, tell its health.

`LocalEngine` does it in this process; `bot.owner.RemoteEngine` asks the process that owns the data
folder to do it. The command line cannot tell them apart.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from bot.library import OpenLibrary
from bot.services import Digests, Health, Search
from core.answers import AnswerEvent, GenerationOptions, Inquiry, Lookup, PartHealth, Scope
from core.digests import Digest
from core.errors import KnowledgeError
from knowledge.index import IndexProgress, IndexReport
from knowledge.ports import Answerer
from knowledge.searchquery import Mistake


class Engine(Protocol):
    """Everything that a terminal can ask for."""

    def ask(
        self, question: str, options: GenerationOptions, task: str = ""
    ) -> AsyncIterator[AnswerEvent]:
        """As `knowledge.ports.Answerer.stream`, without a thread; by a task where one is named."""
        ...

    async def search(self, text: str) -> Lookup:
        """Hits for words and filters, as typed. Raises KnowledgeError for a filter mistyped."""
        ...

    async def digest(self, window: timedelta | None) -> Digest:
        """A preview over `window`, or since the last digest."""
        ...

    async def index(self, progress: Callable[[IndexProgress], None]) -> IndexReport:
        """Bring the index up to date, dense vectors included."""
        ...

    async def health(self) -> tuple[PartHealth, ...]:
        """The state of every part."""
        ...


@dataclass(frozen=True, slots=True)
class LocalEngine:
    """The engine in this process.

    Attributes:
        thorough: The checks that only `opsbot doctor` makes.
    """

    answerer: Answerer
    tasks: Mapping[str, Answerer]
    searcher: Search
    digests: Digests
    written: OpenLibrary
    checks: Health
    thorough: Health

    def ask(
        self, question: str, options: GenerationOptions, task: str = ""
    ) -> AsyncIterator[AnswerEvent]:
        """Answer one question, without a thread and without a scope."""
        answerer = self.tasks[task] if task else self.answerer
        return answerer.stream(Inquiry(question, options=options))

    async def search(self, text: str) -> Lookup:
        """Search, without a scope."""
        query = self.searcher.read(text)
        if isinstance(query, Mistake):
            raise KnowledgeError(f'search for "{text}"', query.wrong, f"{query.remedy}.")
        return await self.searcher.find(query)

    async def digest(self, window: timedelta | None) -> Digest:
        """Preview a digest; commits nothing."""
        return await self.digests.preview(window, Scope())

    async def index(self, progress: Callable[[IndexProgress], None]) -> IndexReport:
        """Read the sources again, then fill in what dense vectors are missing."""
        return await self.written.index(progress)

    async def health(self) -> tuple[PartHealth, ...]:
        """Check every part thoroughly, with limits that suit a person at a terminal."""
        usual, thorough = await asyncio.gather(
            self.checks.check(limit_seconds=5), self.thorough.check(limit_seconds=30)
        )
        return (*usual, *thorough)
