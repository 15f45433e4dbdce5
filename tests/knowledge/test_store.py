"""One suite for both stores: embedded Qdrant, and the server's client on its in-memory engine."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from uuid import NAMESPACE_URL, uuid5

import pytest
from aiohttp import web
from qdrant_client import AsyncQdrantClient
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from core.errors import KnowledgeError
from knowledge.ports import Filter, Point, VectorStore
from knowledge.store_edge import Bm25Encoder, EdgeStore
from knowledge.store_server import ServerOptions, ServerStore, connect

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect:UserWarning")


class Opener(Protocol):
    """Opens a store of the kind under test; a second one replaces the first."""

    def __call__(self, model: str = "words", size: int = 3) -> Awaitable[VectorStore]: ...


OPTIONS = ServerOptions("http://qdrant.example.com:6333", is_quantised=True)


def key(name: str) -> str:
    return str(uuid5(NAMESPACE_URL, name))


def point(name: str, text: str, dense: tuple[float, ...] | None = None, **payload: str) -> Point:
    return Point(key(name), text, {"path": name, "namespace": "", **payload}, dense)


@pytest.fixture(params=["edge", "server"])
async def opener(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Opener]:
    """Opens a store of the kind under test; a second one replaces the first."""
    opened: list[VectorStore] = []
    client = AsyncQdrantClient(":memory:")

    async def open_store(model: str = "words", size: int = 3) -> VectorStore:
        store: VectorStore
        if request.param == "edge":
            for earlier in opened:
                await earlier.close()
            store = await EdgeStore.open(tmp_path / "qdrant", model, size)
        else:
            store = ServerStore(client, OPTIONS, model, size, encoder=Bm25Encoder())
        opened.append(store)
        return store

    yield open_store
    for store in opened:
        await store.close()
    await client.close()


@pytest.fixture
async def store(opener: Opener) -> VectorStore:
    return await opener("words")


async def test_text_search_finds_the_point_with_the_rare_word(store: VectorStore) -> None:
    await store.upsert(
        [
            point("redis", "redis refuses the connection", team="platform"),
            point("kafka", "kafka does not answer the connection"),
            point("mail", "the mail worker waits for a connection"),
        ]
    )
    hits = await store.search_sparse("redis connection", 10)
    assert hits[0].payload["path"] == "redis"
    assert len(hits) == 3
    assert hits[0].text == "redis refuses the connection"
    assert hits[0].payload["team"] == "platform"
    assert hits[0].score > hits[1].score


async def test_parts_of_a_camel_case_word_find_it_and_the_word_finds_its_parts(
    store: VectorStore,
) -> None:
    await store.upsert([point("a", "reason ErrImagePull"), point("b", "image pull failed")])
    assert {hit.id for hit in await store.search_sparse("image pull", 5)} == {key("a"), key("b")}
    assert (await store.search_sparse("ErrImagePull", 5))[0].id == key("a")


async def test_a_search_without_any_term_finds_nothing(store: VectorStore) -> None:
    await store.upsert([point("a", "something")])
    assert await store.search_sparse("the ?!", 5) == []


async def test_dense_vectors_are_filled_in_later_and_then_found(store: VectorStore) -> None:
    await store.upsert([point("a", "one"), point("b", "two"), point("c", "three", (0, 0, 1))])
    assert {text for _, text in await store.missing_dense(10)} == {"one", "two"}
    assert len(await store.missing_dense(1)) == 1
    await store.set_dense({key("a"): (1, 0, 0), key("gone"): (0, 1, 0)})
    assert await store.missing_dense(10) == [(key("b"), "two")]
    hits = await store.search_dense((0.9, 0.1, 0), 10)
    assert [hit.id for hit in hits] == [key("a"), key("c")]
    assert hits[0].score == pytest.approx(0.994, abs=0.01)
    assert await store.count() == 3


async def test_filling_in_nothing_or_only_what_is_gone_changes_nothing(store: VectorStore) -> None:
    await store.upsert([])
    await store.delete([])
    await store.set_dense({})
    await store.set_dense({key("gone"): (0, 1, 0)})
    assert await store.count() == 0


async def test_a_filter_limits_both_legs_to_points_where_every_field_holds(
    store: VectorStore,
) -> None:
    await store.upsert(
        [
            point("a", "pods", (1, 0, 0), namespace="shop", team="orders"),
            point("b", "pods", (1, 0, 0), namespace="trading", team="orders"),
            point("c", "pods", (1, 0, 0), namespace="", team="data"),
        ]
    )
    shop = Filter({"namespace": ("shop", "")})
    both = Filter({"namespace": ("shop", ""), "team": ("orders",)})
    assert {hit.id for hit in await store.search_sparse("pods", 5, shop)} == {key("a"), key("c")}
    assert [hit.id for hit in await store.search_dense((1, 0, 0), 5, both)] == [key("a")]
    assert set(await store.scan(both)) == {key("a")}
    assert set(await store.scan(Filter())) == {key("a"), key("b"), key("c")}


async def test_a_filter_knows_ages_and_phrases_and_leaves_out_what_has_no_date(
    store: VectorStore,
) -> None:
    old, new = "2025-12-31T23:59:59+00:00", "2026-01-01T00:00:00.000001+00:00"
    await store.upsert(
        [
            point("a", "pods answer with code 503", (1, 0, 0), updated_at=new),
            point("b", "pods with ORA-00942", (1, 0, 0), updated_at=old),
            point("c", "pods with 15030 lines and ORA-1", (1, 0, 0)),
        ]
    )
    since = Filter(since=datetime(2026, 1, 1, tzinfo=UTC))
    assert [hit.id for hit in await store.search_dense((1, 0, 0), 5, since)] == [key("a")]
    assert [hit.id for hit in await store.search_sparse("pods", 5, since)] == [key("a")]
    codes = Filter(phrases=("503", "ora-00942"))
    assert set(await store.scan(codes)) == {key("a"), key("b")}
    both = Filter({"path": ("a", "c")}, since=datetime(2025, 1, 1, tzinfo=UTC), phrases=("503",))
    assert set(await store.scan(both)) == {key("a")}
    assert await store.search_sparse("pods", 5, Filter(phrases=("1503",))) == []


async def test_points_with_a_dense_vector_are_counted(store: VectorStore) -> None:
    assert await store.count_dense() == 0
    await store.upsert([point("a", "one"), point("b", "two", (0, 1, 0))])
    assert await store.count_dense() == 1


async def test_upserting_again_replaces_and_deleting_removes(store: VectorStore) -> None:
    await store.upsert([point("a", "old words"), point("b", "more")])
    await store.upsert([point("a", "new words")])
    assert await store.count() == 2
    await store.delete([key("b"), key("never there")])
    assert await store.count() == 1
    assert [hit.text for hit in await store.search_sparse("words", 5)] == ["new words"]


async def test_a_scan_gives_all_payloads_without_texts(store: VectorStore) -> None:
    await store.upsert([point(f"p{number}", f"text {number}") for number in range(1203)])
    payloads = await store.scan()
    assert len(payloads) == 1203
    assert payloads[key("p7")] == {"path": "p7", "namespace": ""}


async def test_another_model_fills_beside_while_the_old_text_search_goes_on(
    opener: Opener,
) -> None:
    old = await opener("old model")
    await old.upsert([point("a", "payments runbook")])
    new = await opener("new model")
    assert await new.count() == 0
    assert [hit.id for hit in await new.search_sparse("payments", 5)] == [key("a")]
    await new.upsert([point("b", "payments runbook", (1, 0, 0))])
    assert [hit.id for hit in await new.search_sparse("payments", 5)] == [key("a")]
    await new.activate()
    assert [hit.id for hit in await new.search_sparse("payments", 5)] == [key("b")]
    await new.activate()
    again = await opener("new model")
    assert [hit.id for hit in await again.search_sparse("payments", 5)] == [key("b")]
    assert (await opener("old model")) is not None


async def test_a_model_whose_size_is_found_later_begins_beside_what_is_searched(
    opener: Opener,
) -> None:
    store = await opener("late model", 0)
    await store.upsert([point("a", "payments runbook")])
    await store.resize(3)
    await store.resize(3)
    assert await store.count() == 0
    assert [hit.id for hit in await store.search_sparse("payments", 5)] == [key("a")]
    await store.upsert([point("b", "payments runbook", (1, 0, 0))])
    await store.activate()
    assert [hit.id for hit in await store.search_sparse("payments", 5)] == [key("b")]
    assert [hit.id for hit in await store.search_dense((1, 0, 0), 5)] == [key("b")]


async def test_a_model_that_is_down_at_the_next_start_keeps_its_vectors(opener: Opener) -> None:
    store = await opener("late model", 3)
    await store.upsert([point("a", "payments runbook", (1, 0, 0))])
    again = await opener("late model", 0)
    await again.activate()
    assert await again.count_dense() == 1
    await again.resize(3)
    assert await again.count_dense() == 1


async def test_a_count_can_be_of_one_source(store: VectorStore) -> None:
    await store.upsert([point("a", "x", origin="one"), point("b", "y", origin="two")])
    assert await store.count(Filter({"origin": ("one",)})) == 1
    assert await store.scan(fields=("origin",)) == {
        key("a"): {"origin": "one"},
        key("b"): {"origin": "two"},
    }


async def test_what_was_acknowledged_is_there_after_opening_again(tmp_path: Path) -> None:
    first = await EdgeStore.open(tmp_path, "words", 3)
    await first.upsert([point("a", "kept")])
    await first.close()
    await first.close()
    second = await EdgeStore.open(tmp_path, "words", 3)
    assert await second.count() == 1
    await second.close()


async def test_a_second_process_on_the_folder_is_told_so(tmp_path: Path) -> None:
    script = (
        "import asyncio, pathlib, sys\n"
        "from knowledge.store_edge import EdgeStore\n"
        "async def main():\n"
        "    await EdgeStore.open(pathlib.Path(sys.argv[1]), 'words', 3)\n"
        "    print('open', flush=True)\n"
        "    sys.stdin.read()\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen(  # noqa: ASYNC220, S603  (the script is above, and the test waits for it)
        [sys.executable, "-c", script, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert await asyncio.to_thread(holder.stdout.readline) == "open\n"
        with pytest.raises(KnowledgeError, match="another process holds it"):
            await EdgeStore.open(tmp_path, "words", 3)
        holder.kill()
    # The system drops a dead process's lock: nobody has to clean up after a crash.
    store = await EdgeStore.open(tmp_path, "words", 3)
    await store.close()


async def test_a_closed_or_broken_embedded_store_says_what_to_do(tmp_path: Path) -> None:
    store = await EdgeStore.open(tmp_path / "a", "words", 3)
    with pytest.raises(KnowledgeError, match="embedded Qdrant") as wrong:
        await store.search_dense((1.0, 2.0), 3)
    assert "delete it" in wrong.value.remedy
    await store.close()
    with pytest.raises(KnowledgeError, match="it is closed"):
        await store.count()
    config = next((tmp_path / "a").glob("*/edge_config.json"))
    config.write_text("{")
    with pytest.raises(KnowledgeError, match="delete it"):
        await EdgeStore.open(tmp_path / "a", "words", 3)


async def test_a_creation_that_was_cut_short_is_begun_again(tmp_path: Path) -> None:
    (tmp_path / "words-3-v1" / "segments").mkdir(parents=True)
    store = await EdgeStore.open(tmp_path, "words", 3)
    assert await store.count() == 0
    await store.close()


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(KnowledgeError, match="may write"):
        await EdgeStore.open(tmp_path / "file" / "qdrant", "words", 3)


class FlakyClient:
    """Answers `collection_exists` with the given errors first, then as told."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)

    async def collection_exists(self, _name: str) -> bool:
        if self.errors:
            raise self.errors.pop(0)
        return True

    async def count(self, _name: str, **_filter: object) -> object:
        from qdrant_client import models  # noqa: PLC0415  (only this fake needs it)

        return models.CountResult(count=7)

    async def get_aliases(self) -> object:
        """An alias that points at the collection in use."""
        from qdrant_client import models  # noqa: PLC0415  (only this fake needs it)

        return models.CollectionsAliasesResponse(
            aliases=[models.AliasDescription(alias_name="opsbot", collection_name="c")]
        )


def refusal(status: int) -> UnexpectedResponse:
    from httpx import Headers  # noqa: PLC0415  (only errors need it)

    return UnexpectedResponse(status, "no", json.dumps({}).encode(), Headers())


async def open_with(client: FlakyClient, waits: list[float]) -> ServerStore:
    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    store = ServerStore(
        client,  # type: ignore[arg-type]  # has the calls that the first count makes
        OPTIONS,
        "words",
        3,
        encoder=Bm25Encoder(),
        sleep=sleep,
    )
    assert await store.count() == 7
    return store


async def test_a_server_that_is_away_for_a_moment_is_asked_again_after_growing_pauses() -> None:
    waits: list[float] = []
    away = ResponseHandlingException(ConnectionError("refused"))
    await open_with(FlakyClient(away, refusal(503)), waits)
    assert waits == [0.25, 0.5]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ResponseHandlingException(ConnectionError("refused")), "does not answer"),
        (refusal(401), "refuses the API key"),
        (refusal(400), "status 400"),
        (ValueError("no such thing"), "cannot do that"),
    ],
)
async def test_a_server_error_names_the_host_and_what_to_check(
    error: Exception, words: str
) -> None:
    with pytest.raises(KnowledgeError, match=words) as wrong:
        await open_with(FlakyClient(error, error, error, error), [])
    assert "qdrant.example.com" in wrong.value.asked
    assert wrong.value.__cause__ is error


async def test_a_server_that_comes_up_later_is_found_then() -> None:
    down = ResponseHandlingException(ConnectionError("refused"))
    client = FlakyClient(*[down] * 4)
    with pytest.raises(KnowledgeError, match="does not answer"):
        await open_with(client, [])
    await open_with(client, [])


async def test_connecting_sends_nothing_until_the_first_request() -> None:
    client = connect(OPTIONS)
    await client.close()


class ListeningServer:
    """Takes the requests that make a collection, and remembers them."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, Any]] = []
        self.headers: dict[str, str] = {}

    async def handle(self, request: web.Request) -> web.Response:
        """Answers as a server that holds nothing yet."""
        body = await request.json() if request.can_read_body else None
        self.requests.append((request.method, request.path_qs, body))
        self.headers = dict(request.headers)
        result: dict[str, object] = {"operation_id": 1, "status": "completed"}
        if request.path.endswith("/exists"):
            result = {"exists": False}
        elif request.path == "/aliases" and request.method == "GET":
            result = {"aliases": []}
        elif request.path.endswith("/points/count"):
            result = {"count": 0}
        is_simple = request.path in {"/collections/aliases", "/collections/opsbot--words-3"}
        answer = True if is_simple else result
        return web.json_response({"result": answer, "status": "ok", "time": 0.0})


async def test_a_collection_is_made_with_what_the_options_say(unused_tcp_port: int) -> None:
    server = ListeningServer()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", server.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", unused_tcp_port).start()
    options = ServerOptions(
        f"http://127.0.0.1:{unused_tcp_port}",
        "qd-key-123",
        shards=3,
        replicas=2,
        is_quantised=True,
        is_on_disk=True,
    )
    with pytest.warns(UserWarning, match="insecure"):  # the client's own word on plain HTTP
        client = connect(options)
    store = ServerStore(client, options, "words", 3, encoder=Bm25Encoder())
    try:
        assert await store.count() == 0
    finally:
        await store.close()
        await runner.cleanup()
    made = next(
        body for method, path, body in server.requests if path == "/collections/opsbot--words-3"
    )
    assert made["shard_number"] == 3
    assert made["replication_factor"] == 2
    dense = made["vectors"]["dense"]
    assert (dense["size"], dense["distance"], dense["on_disk"]) == (3, "Cosine", True)
    assert dense["quantization_config"]["scalar"] == {"type": "int8", "always_ram": True}
    assert made["sparse_vectors"]["sparse"]["modifier"] == "idf"
    indexes = {
        body["field_name"]: body["field_schema"]
        for method, path, body in server.requests
        if path.startswith("/collections/opsbot--words-3/index")
    }
    assert indexes["updated_at"] == "datetime"
    assert indexes["team"] == "keyword"
    assert server.headers["api-key"] == "qd-key-123"


async def test_a_missing_certificate_authority_is_named_and_the_key_is_not(tmp_path: Path) -> None:
    secret = ServerOptions("https://qdrant.example.com:6333", "qd-key-123", str(tmp_path / "ca"))
    assert "qd-key-123" not in repr(secret)
    with pytest.raises(KnowledgeError, match="no such file") as wrong:
        connect(secret)
    assert "QDRANT_CA_FILE" in wrong.value.remedy
    (tmp_path / "ca").write_text("no certificate")
    with pytest.raises(KnowledgeError, match="certificate"):
        connect(secret)
