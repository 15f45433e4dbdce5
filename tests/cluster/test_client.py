"""The client reads in pages, translates failures, and never writes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cluster.client import ClusterClient
from cluster.kinds import BY_NAME, KINDS
from cluster.refusals import UnreachableError
from core.errors import ClusterError
from tests.cluster.api import FakeApi, as_json, connected, kubeconfig, serving
from tests.cluster.payloads import node, pod

PODS = BY_NAME["Pod"]


@pytest.fixture
async def api() -> AsyncIterator[FakeApi]:
    async with serving(FakeApi([pod(f"pod-{number}") for number in range(5)])) as running:
        yield running


@pytest.fixture
async def client(api: FakeApi, tmp_path: Path) -> AsyncIterator[ClusterClient]:
    async with connected(api, tmp_path) as found:
        yield found


async def log_of(client: ClusterClient, **more: Any) -> str:
    pieces = client.log_pieces("shop", "pod-1", "app", limit_bytes=100, timeout_seconds=5, **more)
    return "".join([piece async for piece in pieces])


async def test_lists_come_page_by_page(api: FakeApi, client: ClusterClient) -> None:
    api.page_size = 2
    listing = await client.list_all(PODS)
    assert [item.metadata.name for item in listing.items] == [f"pod-{n}" for n in range(5)]
    assert [query.get("continue") for query in api.asked("pods")] == [None, "2", "4"]
    assert {query["limit"] for query in api.asked("pods")} == {"500"}
    assert api.tokens == {"Bearer bot-token"}


async def test_a_list_that_expires_starts_again_once(api: FakeApi, client: ClusterClient) -> None:
    api.page_size, api.expire = 2, 1
    assert len((await client.list_all(PODS)).items) == 5
    api.expire = 3
    with pytest.raises(ClusterError, match="expired 3 times"):
        await client.list_all(PODS)


async def test_one_namespace_is_asked_for_by_its_path(api: FakeApi, client: ClusterClient) -> None:
    api.objects["pods"].append(pod("other", namespace="trading"))
    api.objects["nodes"].append(node())
    listing = await client.list_all(PODS, "trading")
    assert [item.metadata.name for item in listing.items] == ["other"]
    assert len((await client.list_all(BY_NAME["Node"], "trading")).items) == 1


async def test_only_get_is_ever_sent(api: FakeApi, client: ClusterClient) -> None:
    for kind in KINDS:
        await client.list_all(kind)
    await log_of(client)
    await client.version()
    assert {method for method, _, _ in api.requests} == {"GET"}


def test_there_is_no_kind_for_secrets() -> None:
    assert not [kind for kind in KINDS if "secret" in kind.plural.lower()]


async def test_a_refusal_names_the_right_that_is_missing(
    api: FakeApi, client: ClusterClient
) -> None:
    api.answers["pods"] = (403, "{}")
    with pytest.raises(ClusterError) as caught:
        await client.list_all(PODS, "shop")
    assert "list pods in namespace shop" in caught.value.wrong
    assert "list pods" in caught.value.remedy
    assert not isinstance(caught.value, UnreachableError)


async def test_bad_credentials_concern_the_whole_cluster(
    api: FakeApi, client: ClusterClient
) -> None:
    api.answers["pods"] = (401, "{}")
    with pytest.raises(UnreachableError, match="credentials"):
        await client.list_all(PODS)


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (404, "{}", "does not know this kind"),
        (429, "{}", "throttling"),
        (500, as_json({"message": "etcd is down"}), "500: etcd is down"),
        (
            500,
            as_json({"message": 'Get "https://10.0.0.1:10250/x": no route'}),
            "Get an address: no",
        ),
        (503, "not json", "answered 503"),
        (200, "<html>login</html>", "not what a Kubernetes API sends"),
        (200, as_json(["a"]), "not what a Kubernetes API sends"),
        (200, as_json({"items": "none"}), "not what a Kubernetes API sends"),
    ],
)
async def test_odd_answers_are_told_in_words(
    api: FakeApi, client: ClusterClient, status: int, body: str, words: str
) -> None:
    api.answers["pods"] = (status, body)
    with pytest.raises(ClusterError, match=words):
        await client.list_all(PODS)


async def test_nulls_are_absent_and_one_odd_object_hides_no_others(
    api: FakeApi, client: ClusterClient
) -> None:
    nulls = {"metadata": {"name": "a", "labels": None}, "status": {"containerStatuses": None}}
    odd = {"metadata": {"name": 17}}
    api.answers["pods"] = (200, as_json({"metadata": None, "items": [nulls, odd]}))
    listing = await client.list_all(PODS)
    assert [item.metadata.name for item in listing.items] == ["a"]
    assert listing.unreadable == 1


async def test_a_list_without_items_is_empty(api: FakeApi, client: ClusterClient) -> None:
    api.answers["pods"] = (200, as_json({"metadata": {}, "items": None}))
    assert (await client.list_all(PODS)).items == ()


async def test_a_server_that_does_not_answer_is_given_up(api: FakeApi, tmp_path: Path) -> None:
    api.hang.add("pods")
    async with connected(api, tmp_path, total_seconds=0.2) as client:
        with pytest.raises(ClusterError, match=r"no answer within 0\.2 s"):
            await client.list_all(PODS)


async def test_a_server_that_is_not_there_is_unreachable(tmp_path: Path) -> None:
    gone = FakeApi()
    async with serving(gone):
        pass
    async with connected(gone, tmp_path) as client:
        with pytest.raises(UnreachableError, match="cannot be reached"):
            await client.version()


async def test_logs_are_bounded_and_a_missing_previous_one_is_empty(
    api: FakeApi, client: ClusterClient
) -> None:
    api.logs["pod-1", False] = "x" * 10_000
    assert set(await log_of(client, since_seconds=60, tail_lines=7)) == {"x"}
    assert not await log_of(client, previous=True)
    query = api.asked("log")[0]
    assert (query["limitBytes"], query["sinceSeconds"], query["tailLines"]) == ("100", "60", "7")


async def test_a_refused_log_names_the_right(api: FakeApi, client: ClusterClient) -> None:
    api.answers["log"] = (403, "{}")
    with pytest.raises(ClusterError, match="get pods/log in namespace shop"):
        await log_of(client)


async def test_the_version_is_told(api: FakeApi, client: ClusterClient) -> None:
    assert await client.version() == "v1.34.1"
    for answer in ((200, "[]"), (403, "{}")):
        api.answers["version"] = answer
        with pytest.raises(ClusterError):
            await client.version()


async def test_a_kubeconfig_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("just words")
    good = kubeconfig(tmp_path / "good.yaml", "http://127.0.0.1:1")
    for path, context in ((str(tmp_path / "none"), None), (str(broken), None), (good, "other")):
        with pytest.raises(ClusterError, match="kubeconfig of cluster demo"):
            await ClusterClient.from_kubeconfig(path, context, "demo")


async def test_outside_a_pod_there_is_no_cluster_inside() -> None:
    with pytest.raises(ClusterError, match="service account"):
        await ClusterClient.in_cluster("demo")


async def test_a_token_that_has_expired_is_renewed_from_the_kubeconfig(
    api: FakeApi, client: ClusterClient, tmp_path: Path
) -> None:
    api.valid_token = "fresh-token"
    with pytest.raises(UnreachableError):
        await client.version()
    kubeconfig(tmp_path / "demo.yaml", api.url, token="fresh-token")
    assert await client.version() == "v1.34.1"


async def test_a_clock_that_goes_wrong_is_measured(api: FakeApi, client: ClusterClient) -> None:
    await client.version()
    assert abs(client.clock_skew_seconds) < 20
    api.clock_ahead = timedelta(minutes=3)
    await client.version()
    assert 160 < client.clock_skew_seconds < 200
