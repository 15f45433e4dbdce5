"""The checks that only `opsbot doctor` makes, as each costs requests, or a word of the model.

Those of Slack stand in `bot.setup.slackdoctor`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from importlib.metadata import version

from bot.health import Check, Look
from bot.monitoring import loki_of, prometheus_of
from bot.settings import Settings
from cluster.client import ClusterClient
from cluster.kinds import Kind
from cluster.rights import EVERYTHING, missing_rights, needed_rights
from core.answers import GenerationOptions, PartState
from core.clock import Clock
from core.errors import KnowledgeError
from core.questions import TimeRange
from knowledge.models import EXTRACTIVE, Models
from knowledge.ollama import shown_url
from knowledge.ports import Embedder, Model, ModelUnavailableError, Prompt, VectorStore
from state.database import Database
from state.migrate import newest_revision

_SHOWN_RIGHTS = 6


def reply_checks(models: Models) -> list[Check]:
    """Whether the model gives a word; no row where none is wanted."""

    async def look() -> Look:
        choice = await models.current()
        if choice.model is None:
            return Look(PartState.DEGRADED, "there is no model to ask")
        return Look(PartState.OK, await try_model(choice.model))

    return [Check("model reply", look)] if models.config.model != EXTRACTIVE else []


async def try_model(model: Model) -> str:
    """Have it generate as little as it can; gives a sentence on what it is.

    Raises:
        KnowledgeError: It gave nothing.
    """
    # Hosted models refuse to be asked for a single token.
    tokens = 1 if model.name.startswith("ollama:") else 16
    try:
        await model.complete(Prompt("", "Say: ok"), GenerationOptions(max_tokens=tokens))
    except ModelUnavailableError as error:
        remedy = "Mend that, or choose another model by LLM_MODEL; until then answers are quoted."
        raise KnowledgeError(f"have {model.name} say a word", str(error), remedy) from error
    return f"{model.name} answers and reads {model.context_tokens:,} tokens at once."


def embedding_checks(embedder: Embedder | None) -> list[Check]:
    """Whether a text becomes a vector; no row where none is wanted."""
    if embedder is None:
        return []

    async def look() -> Look:
        (vector,) = await embedder.embed(["ready"])
        return Look(PartState.OK, f"{embedder.name}, {len(vector)} dimensions")

    return [Check("embedding", look)]


def qdrant_check(settings: Settings, store: VectorStore) -> Check:
    """Which Qdrant it is."""

    async def look() -> Look:
        if not settings.qdrant_url:
            return Look(PartState.OK, f"embedded engine {version('qdrant-edge-py')}")
        from knowledge.store_server import ServerStore  # noqa: PLC0415  (slow to import)

        assert isinstance(store, ServerStore)
        where = shown_url(settings.qdrant_url)
        return Look(PartState.OK, f"Qdrant {await store.version()} at {where}")

    return Check("qdrant", look)


def rights_checks(clients: Sequence[ClusterClient], kinds: Collection[Kind]) -> list[Check]:
    """One row a cluster: what its account may not read, and whether it may do too much."""

    def check(client: ClusterClient) -> Check:
        async def look() -> Look:
            rights = needed_rights(kinds, client.reach)
            missing = await missing_rights(client, rights)
            if missing:
                shown = ", ".join(map(str, missing[:_SHOWN_RIGHTS]))
                more = len(missing) - _SHOWN_RIGHTS
                detail = f"may not {shown}" + (f" and {more} more" if more > 0 else "")
                remedy = (
                    "`kubectl apply -f deploy/helm/opsbot/files/clusterrole.yaml` and bind it to "
                    "the account; or name the kinds in denied_kinds (OPSBOT_CONFIG)."
                )
                return Look(PartState.DEGRADED, detail, remedy)
            held = f"all {len(rights)} rights to read are there"
            if not await missing_rights(client, [EVERYTHING]):
                held += "; the account may change everything too: one that only reads is enough"
            return Look(PartState.OK, held)

        return Check(f"rights in {client.name}", look)

    return [check(client) for client in clients]


def schema_check(database: Database) -> Check:
    """Whether the state database has the schema that this program knows."""

    async def look() -> Look:
        found, newest = await database.revision(), newest_revision()
        if found == newest:
            return Look(PartState.OK, f"schema {found}, the newest")
        remedy = "Run one version of the program on a database: restart the older one as the newer."
        return Look(PartState.DEGRADED, f"schema {found}; this program knows {newest}", remedy)

    return Check("state schema", look)


def monitoring_checks(settings: Settings, clusters: Sequence[str], clock: Clock) -> list[Check]:
    """Whether Prometheus and Loki answer a query, where they are set."""

    async def ask_prometheus() -> Look:
        prometheus = prometheus_of(settings)
        assert prometheus is not None
        try:
            await prometheus.at("vector(1)", clock.now())
        finally:
            await prometheus.close()
        return Look(PartState.OK, f"answers at {shown_url(settings.prometheus_url)}")

    async def ask_loki() -> Look:
        loki = loki_of(settings)
        assert loki is not None
        try:
            now = clock.now()
            window = TimeRange(now - timedelta(minutes=1), now)
            await loki.errors(clusters[0] if clusters else "default", window)
        finally:
            await loki.close()
        return Look(PartState.OK, f"answers at {shown_url(settings.loki_url)}")

    asked = []
    if settings.prometheus_url:
        asked.append(Check("prometheus", ask_prometheus))
    if settings.loki_url:
        asked.append(Check("loki", ask_loki))
    return asked
