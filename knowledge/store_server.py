"""A Qdrant server, through the asynchronous client of `qdrant_client`.

One collection a project and embedding model; an alias named like the project points at the one
that is searched. A new model fills its collection beside the old one until `activate`.

It is longer than others: one module speaks to the server.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

from qdrant_client import AsyncQdrantClient, models
from qdrant_client.http.exceptions import (
    ApiException,
    ResponseHandlingException,
    UnexpectedResponse,
)

from core.errors import KnowledgeError
from knowledge.collection import PAYLOAD_INDEXES, slug
from knowledge.ports import Filter, Hit, Point
from knowledge.sparse import SparseEncoder, SparseTerms

T = TypeVar("T")

_ATTEMPTS = 4
_FIRST_WAIT_SECONDS = 0.25
_SCROLL_PAGE = 2000
_BUSY = frozenset({429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """How to reach the server and how it keeps the collection.

    Attributes:
        url: "https://qdrant.example.com:6333".
        api_key: Sent with every request; needs https outside the cluster.
        ca_file: Certificate authority of the server's certificate; "" for the system's own.
        project: Name of the alias, and prefix of the collections.
        timeout_seconds: Of one request.
        shards: Of a collection that is created; one that is there keeps its own, as it does of
            what follows.
        replicas: Copies of each shard, on different nodes.
        is_quantised: Keep int8 vectors in memory beside the full ones.
        is_on_disk: Keep full vectors on disk.
    """

    url: str
    api_key: str = field(default="", repr=False)
    ca_file: str = ""
    project: str = "opsbot"
    timeout_seconds: int = 10
    shards: int = 1
    replicas: int = 1
    is_quantised: bool = False
    is_on_disk: bool = False


def connect(options: ServerOptions) -> AsyncQdrantClient:
    """A client for `ServerStore`; connects at the first request.

    Raises:
        KnowledgeError: The certificate authority cannot be read.
    """
    tls: dict[str, Any] = {}
    if options.ca_file:
        try:
            tls["verify"] = ssl.create_default_context(cafile=options.ca_file)
        except OSError as error:  # ssl.SSLError is one
            raise KnowledgeError(
                f"read the certificate authority {options.ca_file}",
                (error.strerror or "it holds no certificate").lower(),
                "Check QDRANT_CA_FILE",
            ) from error
    return AsyncQdrantClient(
        url=options.url,
        api_key=options.api_key or None,
        timeout=options.timeout_seconds,
        # A bot that starts before its server must still start; and no print of a version warning.
        check_compatibility=False,
        **tls,
    )


class ServerStore:
    """Implements `knowledge.ports.VectorStore`.

    The collection is found or created by the first call that reaches the server: a bot that starts
    while Qdrant is down still starts, and finds it later.

    Args:
        client: See `connect`; closed by `close`.
        options: What to create a collection with.
        model: `Embedder.name`.
        size: `Embedder.size`; 0 while it is not known: then what was kept of the model before is
            used, or else no vectors until `resize`.
        encoder: BM25 terms.
        sleep: Waits between attempts; for tests.
    """

    def __init__(
        self,
        client: AsyncQdrantClient,
        options: ServerOptions,
        model: str,
        size: int,
        *,
        encoder: SparseEncoder,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._client = client
        self._options = options
        self._prefix = f"{options.project}--{slug(model)}-"
        self._size = size
        self._encoder = encoder
        self._sleep = sleep
        self._is_ready = False
        self._preparing = asyncio.Lock()

    @property
    def _own(self) -> str:
        return f"{self._prefix}{self._size}"

    async def _prepare(self) -> None:
        """Find or create the collection, once."""
        async with self._preparing:
            if self._is_ready:
                return
            aliased = await self._aliased()
            if not self._size:
                size = aliased.removeprefix(self._prefix)
                self._size = int(size) if size.isdecimal() else 1
            if not await self._try("open", lambda: self._client.collection_exists(self._own)):
                await self._create()
            if not aliased:
                await self._point_alias("")
            self._is_ready = True

    async def version(self) -> str:
        """The server's version, such as "1.18.2".

        Raises:
            KnowledgeError: It does not answer.
        """
        return (await self._try("ask", self._client.info)).version

    async def resize(self, size: int) -> None:
        """Keep vectors of this length from now on, in a collection beside the one before."""
        async with self._preparing:
            self._is_ready = self._is_ready and size == self._size
            self._size = size

    async def _create(self) -> None:
        options = self._options
        int8 = models.ScalarQuantization(
            scalar=models.ScalarQuantizationConfig(type=models.ScalarType.INT8, always_ram=True)
        )
        await self._try(
            "create a collection on",
            lambda: self._client.create_collection(
                self._own,
                vectors_config={
                    "dense": models.VectorParams(
                        size=self._size,
                        distance=models.Distance.COSINE,
                        on_disk=options.is_on_disk,
                        quantization_config=int8 if options.is_quantised else None,
                    )
                },
                sparse_vectors_config={
                    "sparse": models.SparseVectorParams(modifier=models.Modifier.IDF)
                },
                shard_number=options.shards,
                replication_factor=options.replicas,
            ),
        )
        for name in PAYLOAD_INDEXES:
            await self._index(name, models.PayloadSchemaType.KEYWORD)
        await self._index("updated_at", models.PayloadSchemaType.DATETIME)

    async def _index(self, name: str, schema: models.PayloadSchemaType) -> None:
        await self._try(
            "create an index on",
            lambda: self._client.create_payload_index(self._own, name, schema),
        )

    async def _aliased(self) -> str:
        """The collection the alias points at, or ''."""
        found = await self._try("read", self._client.get_aliases)
        for alias in found.aliases:
            if alias.alias_name == self._options.project:
                return str(alias.collection_name)
        return ""

    async def _point_alias(self, old: str) -> None:
        name = self._options.project
        moves: list[models.AliasOperations] = []
        if old:
            gone = models.DeleteAlias(alias_name=name)
            moves.append(models.DeleteAliasOperation(delete_alias=gone))
        made = models.CreateAlias(collection_name=self._own, alias_name=name)
        moves.append(models.CreateAliasOperation(create_alias=made))
        # Both operations in one request: there is no moment without an alias.
        await self._try("write to", lambda: self._client.update_collection_aliases(moves))

    async def upsert(self, points: Sequence[Point]) -> None:
        """Add or replace points: always the sparse vector, the dense one where given."""
        if not points:
            return
        made = await asyncio.to_thread(
            lambda: [
                models.PointStruct(
                    id=point.id,
                    vector={
                        "sparse": _sparse(self._encoder.document(point.text)),
                        **({"dense": list(point.dense)} if point.dense is not None else {}),
                    },
                    payload={**point.payload, "text": point.text},
                )
                for point in points
            ]
        )
        await self._call("write to", lambda: self._client.upsert(self._own, made, wait=True))

    async def set_dense(self, vectors: Mapping[str, Sequence[float]]) -> None:
        """Fill in dense vectors; points that are gone by now are passed over."""
        if not vectors:
            return
        records = await self._call(
            "read", lambda: self._client.retrieve(self._own, list(vectors), with_payload=False)
        )
        rows = [
            models.PointVectors(id=record.id, vector={"dense": list(vectors[str(record.id)])})
            for record in records
        ]
        if rows:
            await self._call("write to", lambda: self._client.update_vectors(self._own, rows))

    async def missing_dense(self, limit: int) -> list[tuple[str, str]]:
        """Up to `limit` (id, text) of points that still lack a dense vector."""
        without = models.Filter(must_not=[models.HasVectorCondition(has_vector="dense")])
        records, _ = await self._call(
            "read",
            lambda: self._client.scroll(
                self._own, scroll_filter=without, limit=limit, with_payload=["text"]
            ),
        )
        return [(str(record.id), str((record.payload or {}).get("text", ""))) for record in records]

    async def delete(self, ids: Sequence[str]) -> None:
        """Remove points; ids that are not there do not matter."""
        if ids:
            selector = models.PointIdsList(points=list(ids))
            await self._call("write to", lambda: self._client.delete(self._own, selector))

    async def scan(
        self, filters: Filter | None = None, fields: Sequence[str] = ()
    ) -> dict[str, Mapping[str, object]]:
        """Payload of every point, by id: the given fields, or all but the text."""
        found: dict[str, Mapping[str, object]] = {}
        offset: Any = None
        while True:
            records, offset = await self._call("read", self._page(filters, fields, offset))
            found.update({str(record.id): record.payload or {} for record in records})
            if offset is None:
                return found

    def _page(
        self, filters: Filter | None, fields: Sequence[str], offset: Any
    ) -> Callable[[], Awaitable[Any]]:
        without_text = models.PayloadSelectorExclude(exclude=["text"])
        return lambda: self._client.scroll(
            self._own,
            scroll_filter=_filter(filters),
            limit=_SCROLL_PAGE,
            offset=offset,
            with_payload=list(fields) or without_text,
        )

    async def search_sparse(
        self, text: str, limit: int, filters: Filter | None = None
    ) -> list[Hit]:
        """Best matches by BM25, in the collection the alias points at."""
        terms = self._encoder.query(text)
        if not terms.indices:
            return []
        return await self._search(self._options.project, _sparse(terms), "sparse", limit, filters)

    async def search_dense(
        self, vector: Sequence[float], limit: int, filters: Filter | None = None
    ) -> list[Hit]:
        """Best matches by cosine, among points whose dense vector is filled in."""
        return await self._search(self._own, list(vector), "dense", limit, filters)

    async def _search(
        self, collection: str, query: Any, using: str, limit: int, filters: Filter | None
    ) -> list[Hit]:
        found = await self._call(
            "search",
            lambda: self._client.query_points(
                collection, query=query, using=using, limit=limit, query_filter=_filter(filters)
            ),
        )
        hits = []
        for point in found.points:
            payload = dict(point.payload or {})
            text = str(payload.pop("text", ""))
            hits.append(Hit(str(point.id), point.score, text, payload))
        return hits

    async def count(self, filters: Filter | None = None) -> int:
        """How many points this model's collection holds."""
        wanted = _filter(filters)
        found = await self._call("read", lambda: self._client.count(self._own, count_filter=wanted))
        return found.count

    async def count_dense(self) -> int:
        """How many of them have their dense vector."""
        filled = models.Filter(must=[models.HasVectorCondition(has_vector="dense")])
        found = await self._call("read", lambda: self._client.count(self._own, count_filter=filled))
        return found.count

    async def activate(self) -> None:
        """Search this model's collection from now on, and remove the one searched before."""
        await self._prepare()
        old = await self._aliased()
        if old == self._own:
            return
        await self._point_alias(old)
        if old:
            await self._call("write to", lambda: self._client.delete_collection(old))

    async def close(self) -> None:
        """Let go of the connection; the server has all that was acknowledged."""
        await self._client.close()

    async def _call(self, verb: str, request: Callable[[], Awaitable[T]]) -> T:
        """Do a request on the collection, which the first one finds or creates."""
        if not self._is_ready:
            await self._prepare()
        return await self._try(verb, request)

    async def _try(self, verb: str, request: Callable[[], Awaitable[T]]) -> T:
        """Do a request, again with growing pauses while the server is away or busy."""
        wait = _FIRST_WAIT_SECONDS
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return await request()
            except (ApiException, OSError, ValueError) as error:
                if attempt == _ATTEMPTS or not _may_pass(error):
                    raise self._explained(verb, error) from error
            await self._sleep(wait)
            wait *= 2
        raise AssertionError  # the last attempt returned or raised

    def _explained(self, verb: str, error: Exception) -> KnowledgeError:
        host = urlsplit(self._options.url).hostname or "the configured address"
        asked = f"{verb} the Qdrant server at {host}"
        if isinstance(error, UnexpectedResponse) and error.status_code in (401, 403):
            return KnowledgeError(asked, "it refuses the API key", "Check QDRANT_API_KEY")
        if isinstance(error, UnexpectedResponse):
            wrong = f"it answers with status {error.status_code}"
            return KnowledgeError(asked, wrong, "See the server's log")
        if isinstance(error, ResponseHandlingException | OSError):
            return KnowledgeError(asked, "it does not answer", "Check QDRANT_URL and the network")
        return KnowledgeError(asked, "it cannot do that", "Check that its version is 1.16 or newer")


def _may_pass(error: Exception) -> bool:
    if isinstance(error, UnexpectedResponse):
        return error.status_code in _BUSY
    return isinstance(error, ResponseHandlingException | OSError)


def _filter(filters: Filter | None) -> models.Filter | None:
    if filters is None:
        return None
    must: list[models.Condition] = [
        models.FieldCondition(key=key, match=models.MatchAny(any=list(values)))
        for key, values in filters.any_of.items()
    ]
    if filters.since is not None:
        period = models.DatetimeRange(gte=filters.since)
        must.append(models.FieldCondition(key="updated_at", range=period))
    should: list[models.Condition] = [
        models.FieldCondition(key="text", match=models.MatchPhrase(phrase=phrase))
        for phrase in filters.phrases
    ]
    if not must and not should:
        return None
    return models.Filter(must=must or None, should=should or None)


def _sparse(terms: SparseTerms) -> models.SparseVector:
    return models.SparseVector(indices=list(terms.indices), values=list(terms.values))
