"""What knowledge needs from others, and what its own parts owe each other."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

# For signatures alone: a process that prepares pages needs points and no more.
if TYPE_CHECKING:
    from core.answers import AnswerEvent, GenerationOptions, Inquiry, Lookup, Scope
    from core.changes import Timeline
    from core.findings import ObjectRef
    from core.inspections import Inspection, LogsRead, Targets
    from core.questions import Reading, TimeRange
    from core.resources import ResourcesFound
    from core.series import Measured


class Answerer(Protocol):
    """The RAG chain, or a task. By `knowledge.chain.RagChain` and `knowledge.tasks`."""

    def stream(self, inquiry: Inquiry) -> AsyncGenerator[AnswerEvent, None]:
        """Progress and checked deltas, then exactly one Done. Never raises for a lost model."""
        ...


class LiveFacts(Protocol):
    """The live cluster, as far as a question names it. Implemented by `cluster.facts`."""

    async def known_names(self) -> frozenset[str]:
        """Names of workloads, services, nodes and namespaces, from a recent snapshot; may be empty.

        Never raises: a cluster that cannot be read has no names to offer.
        """
        ...

    async def known_namespaces(self) -> frozenset[str]:
        """Names of the namespaces seen; may be empty. Never raises."""
        ...

    async def look(self, reading: Reading, scope: Scope) -> Lookup:
        """Facts on what the question names; failures are `gaps`, never exceptions."""
        ...


class LiveLimits(Protocol):
    """What containers may use and are promised. Implemented by `cluster.limits`."""

    async def of(self, reading: Reading, scope: Scope) -> ResourcesFound:
        """Of the workloads that a question names; clusters that cannot be read are `gaps`."""
        ...


class LiveTrail(Protocol):
    """What happened to single objects of the live cluster. Implemented by `cluster.trail`.

    What cannot be read is a Gap, never an exception.
    """

    async def find(self, reading: Reading, scope: Scope) -> Targets:
        """The workloads, nodes or namespaces that a text names."""
        ...

    async def inspect(self, about: ObjectRef, scope: Scope) -> Inspection:
        """How an object stands, with its Events."""
        ...

    async def logs(self, about: ObjectRef, scope: Scope) -> LogsRead:
        """The errors in the logs of its unhealthy containers, or of two healthy ones."""
        ...

    async def changes(self, about: ObjectRef, window: TimeRange, scope: Scope) -> Timeline:
        """What changed about it in a window, and what stands just before its troubles."""
        ...


class Retriever(Protocol):
    """Everything written down: Markdown, CSV logs and metrics, the service graph."""

    def read(self, question: str, names: frozenset[str], namespaces: frozenset[str]) -> Reading:
        """Read a question by rules; `names` and `namespaces` are those the cluster knows."""
        ...

    async def look(self, reading: Reading, scope: Scope, limit: int = 8) -> Lookup:
        """Passages best first, already cut at the score threshold; failures are `gaps`."""
        ...


class Measurements(Protocol):
    """A monitoring system's numbers. Implemented by `cluster.prometheus`."""

    async def over(self, query: str, window: TimeRange, points: int = 240) -> Measured:
        """A query over a window, in about so many points a series. Raises OpsbotError."""
        ...


@dataclass(frozen=True, slots=True)
class Prompt:
    """A rendered prompt: the system role's text and the user's."""

    system: str
    user: str


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One call of a chat model, once it is over.

    Attributes:
        outcome: "whole", "failed", "stopped" (enough was said) or "cancelled" (out of time, or the
            asker called it off).
        prompt_tokens: As the provider counts them; 0 where it does not.
        answer_tokens: Likewise.
    """

    model: str
    outcome: str
    seconds: float
    prompt_tokens: int = 0
    answer_tokens: int = 0


class ModelUnavailableError(Exception):
    """The model is not there, failed, or took too long; the text is fit for an operator's log."""


class Model(Protocol):
    """A chat model with its parameters; implemented in `knowledge.models` by LangChain."""

    @property
    def name(self) -> str:
        """What answers say worded them: "ollama:llama3.1"."""
        ...

    @property
    def context_tokens(self) -> int:
        """Room for prompt and answer together."""
        ...

    def stream(self, prompt: Prompt, options: GenerationOptions) -> AsyncIterator[str]:
        """Text as it is generated. Raises ModelUnavailableError, also in the middle."""
        ...

    async def complete(
        self, prompt: Prompt, options: GenerationOptions, schema: Mapping[str, object] | None = None
    ) -> str:
        """The whole text at once; with `schema`, JSON that the provider was told to fit to it."""
        ...


class Embedder(Protocol):
    """Turns texts into dense vectors."""

    @property
    def name(self) -> str:
        """Names the model; another name means another collection."""
        ...

    @property
    def size(self) -> int:
        """Length of each vector."""
        ...

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One unit-length vector a text, in order; computed off the event loop."""
        ...


@dataclass(frozen=True, slots=True)
class Point:
    """One chunk as the vector store keeps it. `id` is a UUIDv5 of (source, path, chunk hash)."""

    id: str
    text: str
    payload: Mapping[str, str | int | float | bool | None]
    dense: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """Limits a search; everything given must hold.

    Attributes:
        any_of: Field of the payload → the values it may have.
        since: `updated_at` is at or after this moment, aware; points without one are left out.
        phrases: The text holds at least one of them, as whole words.
    """

    any_of: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    since: datetime | None = None
    phrases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """A point found by one leg of a search. Scores of different legs do not compare."""

    id: str
    score: float
    text: str
    payload: Mapping[str, str | int | float | bool | None]


class VectorStore(Protocol):
    """Qdrant: embedded (`store_edge`) or a server (`store_server`); one test suite runs on both.

    All calls raise core.errors.KnowledgeError, naming the store and what to do.
    """

    async def upsert(self, points: Sequence[Point]) -> None:
        """Add or replace points: always the sparse vector, the dense one where given."""
        ...

    async def set_dense(self, vectors: Mapping[str, Sequence[float]]) -> None:
        """Fill in dense vectors of points that are already there, by point id."""
        ...

    async def missing_dense(self, limit: int) -> list[tuple[str, str]]:
        """Up to `limit` (id, text) of points that still lack a dense vector."""
        ...

    async def delete(self, ids: Sequence[str]) -> None:
        """Remove points; ids that are not there do not matter."""
        ...

    async def scan(
        self, filters: Filter | None = None, fields: Sequence[str] = ()
    ) -> dict[str, Mapping[str, object]]:
        """Payload of every point, by id: the given fields, or all but the text."""
        ...

    async def search_sparse(
        self, text: str, limit: int, filters: Filter | None = None
    ) -> list[Hit]:
        """Best matches by BM25."""
        ...

    async def search_dense(
        self, vector: Sequence[float], limit: int, filters: Filter | None = None
    ) -> list[Hit]:
        """Best matches by cosine."""
        ...

    async def count(self, filters: Filter | None = None) -> int:
        """How many points there are."""
        ...

    async def count_dense(self) -> int:
        """How many of them have their dense vector."""
        ...

    async def resize(self, size: int) -> None:
        """Keep vectors of this length from now on, in a collection beside the one before.

        For a model whose length was not known when the store was opened; see `activate`.
        """
        ...

    async def activate(self) -> None:
        """Search this model's collection from now on; before, another model's may still serve."""
        ...

    async def close(self) -> None:
        """Flush and let go."""
        ...
