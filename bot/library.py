"""Builds what is written down: sources, vector store, embedding model, and the library over them.

Apart from `bot.app`, so that `opsbot index` opens no database, no cluster and no language model.
What is heavy to load and often not needed is imported where it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass

from bot.config_file import FileConfig
from bot.settings import Settings
from core.clock import Clock
from core.errors import KnowledgeError
from core.redact import Redactor
from knowledge.documents import Source
from knowledge.index import IndexProgress, IndexReport
from knowledge.late import LateEmbedder
from knowledge.library import Library, OnSearch, ServicesOnNode, Topology
from knowledge.minilm import MiniLmEmbedder
from knowledge.ports import Embedder, VectorStore
from knowledge.sources import open_source
from knowledge.sources.config import SourceConfig, Surroundings

# A start waits no longer for an embedding model; it is found later by who fills in the vectors.
_EMBEDDER_PATIENCE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class OpenLibrary:
    """The library, and its parts for who needs them besides."""

    library: Library
    sources: tuple[Source, ...]
    store: VectorStore
    embedder: Embedder | None

    async def index(self, progress: Callable[[IndexProgress], None]) -> IndexReport:
        """Read the sources again, then fill in what dense vectors are missing."""
        report = await self.library.index(progress)
        await self.library.fill_dense(progress)
        return report


@asynccontextmanager
async def open_library(  # noqa: PLR0917  (two callers, which name what is optional)
    settings: Settings,
    config: FileConfig,
    redactor: Redactor,
    clock: Clock,
    services_on_node: ServicesOnNode | None = None,
    topology: Topology | None = None,
    on_search: OnSearch = lambda _bm25, _cosine: None,
) -> AsyncIterator[OpenLibrary]:
    """Build and start it, give it, and close it.

    Args:
        settings: From environment and `.env`.
        config: From the YAML file.
        redactor: Secrets leave every text before it is stored.
        clock: For everything that asks the time.
        services_on_node: See `Library`.
        topology: See `Library`.
        on_search: See `Library`.

    Raises:
        OpsbotError: A setting cannot be used, or the embedded store cannot be opened. An embedding
            model or a Qdrant server that is down is no reason.
    """
    async with AsyncExitStack() as stack:
        embedder = await _embedder(settings)
        store = await _store(settings, embedder)
        stack.push_async_callback(store.close)
        sources = _sources(settings, config)
        library = Library(
            sources,
            store,
            embedder,
            redactor,
            clock,
            settings.zone,
            services_on_node,
            topology,
            on_search,
        )
        stack.push_async_callback(library.close)
        await library.start()
        yield OpenLibrary(library, sources, store, embedder)


def _sources(settings: Settings, config: FileConfig) -> tuple[Source, ...]:
    """What the environment names, then what the YAML file adds."""
    password = settings.neo4j_password
    shared = Surroundings(
        data_folder=settings.opsbot_data_dir,
        link_template=settings.knowledge_link_template,
        neo4j_password=password.get_secret_value() if password else "",
    )
    configs = [SourceConfig(uri) for uri in settings.knowledge_sources]
    configs += [
        SourceConfig(row.uri, row.link_template, row.columns, row.queries) for row in config.sources
    ]
    return tuple(open_source(one, shared) for one in configs)


async def _embedder(settings: Settings) -> Embedder | None:
    name = settings.embed_model
    if name == "none":
        return None
    if name == "minilm":
        return MiniLmEmbedder()
    from bot.modelsetting import model_config  # noqa: PLC0415  (see above)
    from knowledge.models import open_embedder  # noqa: PLC0415  (see above)

    embedder = LateEmbedder(name, lambda: open_embedder(name, model_config(settings)))
    with suppress(KnowledgeError, TimeoutError):  # the status tells it
        async with asyncio.timeout(_EMBEDDER_PATIENCE_SECONDS):
            await embedder.connect()
    return embedder


async def _store(settings: Settings, embedder: Embedder | None) -> VectorStore:
    from knowledge.store_edge import Bm25Encoder, EdgeStore  # noqa: PLC0415  (see above)

    name, size = (embedder.name, embedder.size) if embedder else ("none", 1)
    if not settings.qdrant_url:
        return await EdgeStore.open(settings.qdrant_folder, name, size)
    from knowledge.store_server import ServerOptions, ServerStore, connect  # noqa: PLC0415

    key = settings.qdrant_api_key
    options = ServerOptions(
        settings.qdrant_url,
        key.get_secret_value() if key else "",
        str(settings.qdrant_ca_file or ""),
        timeout_seconds=settings.qdrant_timeout_seconds,
        shards=settings.qdrant_shards,
        replicas=settings.qdrant_replicas,
        is_quantised=settings.qdrant_int8,
        is_on_disk=settings.qdrant_on_disk,
    )
    return ServerStore(connect(options), options, name, size, encoder=Bm25Encoder())
