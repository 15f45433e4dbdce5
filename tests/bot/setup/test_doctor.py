"""What the doctor says of each part that is not Slack, well and broken."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web
from sqlalchemy import text

from bot.health import Check, HealthChecks
from bot.settings import Settings, load_settings
from bot.setup.doctor import (
    embedding_checks,
    monitoring_checks,
    qdrant_check,
    reply_checks,
    rights_checks,
    schema_check,
)
from cluster.client import ClusterClient
from cluster.kinds import BY_NAME, KINDS, TLS_SECRETS
from cluster.reach import Reach
from cluster.unusable import UnusableClient
from core.answers import PartHealth, PartState
from core.clock import SystemClock
from core.errors import ClusterError, KnowledgeError
from knowledge.models import ModelConfig, Models
from knowledge.store_edge import Bm25Encoder, EdgeStore
from knowledge.store_server import ServerOptions, ServerStore, connect
from sandbox.cluster.server import run_cluster
from sandbox.ollama.scripts import busy
from sandbox.ollama.server import run_ollama
from state.database import Database


async def row(check: Check) -> PartHealth:
    (found,) = await HealthChecks([check], SystemClock()).check(limit_seconds=10)
    return found


def settings_of(**more: object) -> Settings:
    return load_settings(_env_file=None, **more)


@asynccontextmanager
async def answering(path: str, body: object, status: int = 200) -> AsyncIterator[str]:
    """A server that knows one answer; gives its address."""

    async def answer(_: web.Request) -> web.Response:
        return web.json_response(body, status=status)

    app = web.Application()
    app.router.add_route("*", path, answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_a_model_is_asked_for_a_single_token() -> None:
    async with run_ollama() as ollama:
        models = Models(ModelConfig("ollama:llama3.1", ollama.url), SystemClock())
        (check,) = reply_checks(models)
        found = await row(check)
        assert (found.state, found.part) == (PartState.OK, "model reply")
        assert "ollama:llama3.1 answers and reads 8,192 tokens" in found.detail
        (chat,) = ollama.chats()
        assert chat.options["num_predict"] == 1
    assert found.seconds > 0


async def test_a_model_that_fails_is_down_and_one_that_is_not_there_is_told() -> None:
    async with run_ollama(script=busy) as ollama:
        (check,) = reply_checks(Models(ModelConfig("ollama:llama3.1", ollama.url), SystemClock()))
        found = await row(check)
        assert found.state is PartState.DOWN
        assert "LLM_MODEL" in found.remedy
    (check,) = reply_checks(Models(ModelConfig("auto", "http://127.0.0.1:1"), SystemClock()))
    assert (await row(check)).detail == "there is no model to ask"
    assert reply_checks(Models(ModelConfig("extractive"), SystemClock())) == []


class Embedding:
    """Gives vectors, or says why not."""

    name = "ollama:e"
    size = 3
    is_broken = False

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        if self.is_broken:
            raise KnowledgeError("embed", "it does not answer", "Run `ollama pull e`")
        return [[1.0, 0.0, 0.0] for _ in texts]


async def test_a_text_is_embedded() -> None:
    embedder = Embedding()
    (check,) = embedding_checks(embedder)
    assert (await row(check)).detail == "ollama:e, 3 dimensions"
    embedder.is_broken = True
    found = await row(check)
    assert (found.state, found.remedy) == (PartState.DOWN, "Run `ollama pull e`")
    assert embedding_checks(None) == []


async def test_the_embedded_qdrant_tells_its_version(tmp_path: Path) -> None:
    store = await EdgeStore.open(tmp_path, "words", 3)
    assert (await row(qdrant_check(settings_of(), store))).detail.startswith("embedded engine 0.")
    await store.close()


async def test_a_qdrant_server_tells_its_version_or_is_down() -> None:
    told = {"title": "qdrant - vector search engine", "version": "1.18.2", "commit": "c"}
    for status, body, state, words in (
        (200, told, PartState.OK, "Qdrant 1.18.2 at http://127.0.0.1"),
        (401, {}, PartState.DOWN, "it refuses the API key"),
        (200, {"a": "garbage"}, PartState.DOWN, "does not answer"),
    ):
        async with answering("/", body, status) as url:
            options = ServerOptions(url)
            client = connect(options)
            store = ServerStore(client, options, "m", 3, encoder=Bm25Encoder(), sleep=at_once)
            found = await row(qdrant_check(settings_of(qdrant_url=url), store))
            await store.close()
        assert found.state is state, found
        assert words in found.detail


async def at_once(_: float) -> None:
    """No waiting between attempts."""


async def test_rights_that_are_missing_are_named_with_the_command(tmp_path: Path) -> None:
    async with run_cluster() as cluster:
        path = str(cluster.kubeconfig(tmp_path / "kubeconfig"))
        client = await ClusterClient.from_kubeconfig(path, None, "demo")
        (check,) = rights_checks([client], KINDS)
        found = await row(check)
        assert found.state is PartState.OK
        assert found.detail == f"all {2 * len(KINDS) + 1} rights to read are there"
        (check,) = rights_checks([client], (*KINDS, TLS_SECRETS))
        found = await row(check)
        assert found.state is PartState.DEGRADED
        assert found.detail == "may not list secrets, watch secrets"
        assert "kubectl apply -f" in found.remedy
        await client.close()


async def test_an_account_that_may_change_everything_is_told_so(tmp_path: Path) -> None:
    review = {"status": {"allowed": True}}
    where = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    async with run_cluster() as cluster, answering(where, review, 201) as url:
        path = cluster.kubeconfig(tmp_path / "kubeconfig")
        path.write_text(path.read_text().replace(cluster.url, url))
        reach = Reach(namespaces=frozenset({"shop"}))
        client = await ClusterClient.from_kubeconfig(str(path), None, "demo", reach=reach)
        (check,) = rights_checks([client], [BY_NAME["Pod"]])
        detail = (await row(check)).detail
        await client.close()
    assert detail.startswith("all 3 rights to read are there; the account may change everything")


async def test_a_cluster_that_cannot_be_asked_is_down() -> None:
    wrong = UnusableClient("c9", ClusterError("read a file", "it is not there", "Write it"))
    (check,) = rights_checks([wrong], KINDS)
    found = await row(check)
    assert (found.part, found.state) == ("rights in c9", PartState.DOWN)
    assert (found.detail, found.remedy) == ("it is not there", "Write it")


async def test_the_databases_schema_is_compared_with_the_programs(tmp_path: Path) -> None:
    database = await Database.open(f"sqlite+aiosqlite:///{tmp_path}/state.db")
    assert "the newest" in (await row(schema_check(database))).detail
    async with database.write("test") as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    found = await row(schema_check(database))
    assert found.state is PartState.DEGRADED
    assert "schema 9999; this program knows " in found.detail
    async with database.write("test") as connection:
        await connection.execute(text("DROP TABLE alembic_version"))
    assert (await row(schema_check(database))).state is PartState.DOWN
    await database.close()


async def test_prometheus_and_loki_are_asked_where_they_are_set() -> None:
    assert monitoring_checks(settings_of(), [], SystemClock()) == []
    empty = {"status": "success", "data": {"resultType": "vector", "result": []}}
    async with answering("/{path:.*}", empty) as url:
        settings = settings_of(prometheus_url=url, loki_url=url)
        found = [await row(check) for check in monitoring_checks(settings, ["demo"], SystemClock())]
    assert [(one.part, one.state) for one in found] == [
        ("prometheus", PartState.OK),
        ("loki", PartState.OK),
    ]
    settings = settings_of(prometheus_url="http://127.0.0.1:1", loki_url="http://127.0.0.1:1")
    found = [await row(check) for check in monitoring_checks(settings, [], SystemClock())]
    assert {one.state for one in found} == {PartState.DOWN}
