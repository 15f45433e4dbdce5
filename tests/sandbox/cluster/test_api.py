"""Lists, pages, selectors, refusals and discovery, by the real client where it can."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from kubernetes_asyncio import client
from kubernetes_asyncio.client.exceptions import ApiException

from sandbox.cluster.api import TOKEN
from sandbox.cluster.recorded import RecordedCluster
from sandbox.cluster.server import RunningCluster


@pytest.fixture
async def http(running: RunningCluster) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(
        running.url, headers={"Authorization": f"Bearer {TOKEN}"}
    ) as session:
        yield session


async def test_pages_add_up_to_the_whole_list_of_one_version(
    api: client.ApiClient, world: RecordedCluster
) -> None:
    core = client.CoreV1Api(api)
    names: list[str] = []
    sizes: list[int] = []
    remaining: list[int | None] = []
    versions: set[str | None] = set()
    token = ""
    while not sizes or token:
        page = await core.list_pod_for_all_namespaces(limit=20, _continue=token)
        names += [each.metadata.name for each in page.items]
        sizes.append(len(page.items))
        remaining.append(page.metadata.remaining_item_count)
        versions.add(page.metadata.resource_version)
        token = page.metadata._continue or ""
        world.advance(16)  # What changes meanwhile does not show in later pages.
    assert sizes == [20, 20, 11]
    assert remaining == [31, 11, None]
    assert len(versions) == 1
    assert len(set(names)) == 51


async def test_a_selected_page_does_not_tell_how_many_remain(api: client.ApiClient) -> None:
    page = await client.CoreV1Api(api).list_namespaced_pod("shop", label_selector="team", limit=2)
    assert page.metadata._continue
    assert page.metadata.remaining_item_count is None


async def test_a_continue_token_is_gone_after_five_minutes(
    api: client.ApiClient, world: RecordedCluster
) -> None:
    core = client.CoreV1Api(api)
    page = await core.list_pod_for_all_namespaces(limit=5)
    world.advance(301)
    with pytest.raises(ApiException) as refused:
        await core.list_pod_for_all_namespaces(limit=5, _continue=page.metadata._continue)
    assert refused.value.status == 410


async def test_only_the_newest_tokens_are_kept(api: client.ApiClient) -> None:
    core = client.CoreV1Api(api)
    first = (await core.list_node(limit=1)).metadata._continue
    for _ in range(64):
        await core.list_node(limit=1)
    with pytest.raises(ApiException) as refused:
        await core.list_node(limit=1, _continue=first)
    assert refused.value.status == 410


@pytest.mark.parametrize(
    ("selector", "count"),
    [
        ("app=payments", 2),
        ("app==payments,team=orders", 2),
        ("app=payments,team!=orders", 0),
        ("app in (payments, cart)", 5),
        ("app notin (payments,cart),team=orders", 7),
        ("track", 1),
        ("!track,team=orders", 11),
    ],
)
async def test_labels_select(api: client.ApiClient, selector: str, count: int) -> None:
    answer = await client.CoreV1Api(api).list_namespaced_pod("shop", label_selector=selector)
    assert len(answer.items) == count


@pytest.mark.parametrize(
    ("selector", "count"),
    [
        ("metadata.name=ledger-0", 1),
        ("metadata.namespace=trading", 10),
        ("spec.nodeName=worker-3,status.phase=Running", 4),
        ("status.phase!=Running", 12),
        ("status.phase=Failed,metadata.namespace=shop", 2),
        ("spec.nodeName=", 2),
    ],
)
async def test_fields_select(api: client.ApiClient, selector: str, count: int) -> None:
    answer = await client.CoreV1Api(api).list_pod_for_all_namespaces(field_selector=selector)
    assert len(answer.items) == count


async def test_events_are_selected_by_what_they_are_about(api: client.ApiClient) -> None:
    core = client.CoreV1Api(api)
    answer = await core.list_event_for_all_namespaces(
        field_selector="involvedObject.kind=Pod,involvedObject.name=ledger-1,type=Warning"
    )
    assert [each.reason for each in answer.items] == ["FailedScheduling"]
    by_source = await core.list_event_for_all_namespaces(field_selector="source=job-controller")
    assert {each.involved_object.kind for each in by_source.items} == {"Job"}


async def test_nodes_and_jobs_are_selected_by_flags_and_counts(api: client.ApiClient) -> None:
    nodes = await client.CoreV1Api(api).list_node(field_selector="spec.unschedulable=false")
    assert len(nodes.items) == 5
    jobs = await client.BatchV1Api(api).list_namespaced_job(
        "batch", field_selector="status.successful=1"
    )
    assert len(jobs.items) == 2


@pytest.mark.parametrize(
    "query",
    [
        {"field_selector": "spec.color=red"},
        {"field_selector": "nonsense"},
        {"label_selector": "a=b=c"},
    ],
)
async def test_bad_selectors_are_refused(api: client.ApiClient, query: dict[str, Any]) -> None:
    with pytest.raises(ApiException) as refused:
        await client.CoreV1Api(api).list_pod_for_all_namespaces(**query)
    assert refused.value.status == 400


async def test_one_object_is_read_whole(api: client.ApiClient) -> None:
    found = await client.AppsV1Api(api).read_namespaced_deployment("cart", "shop")
    assert (found.kind, found.api_version) == ("Deployment", "apps/v1")
    node = await client.CoreV1Api(api).read_node("worker-4")
    assert node.status.node_info.kubelet_version == "v1.34.1"


async def test_an_object_that_is_not_there_is_a_status_404(http: aiohttp.ClientSession) -> None:
    async with http.get("/apis/apps/v1/namespaces/shop/deployments/nope") as answer:
        body = await answer.json()
    assert answer.status == 404
    assert (body["kind"], body["reason"]) == ("Status", "NotFound")
    assert body["message"] == 'deployments.apps "nope" not found'
    assert body["details"]["name"] == "nope"


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/widgets",
        "/apis/nope.example/v1",
        "/apis/nope.example/v1/widgets",
        "/api/v1/pods/a/b/c/d",
        "/api/v1/namespaces/shop/pods/x/attach",
        "/elsewhere",
    ],
)
async def test_paths_that_are_not_served_are_a_status_404(
    http: aiohttp.ClientSession, path: str
) -> None:
    async with http.get(path) as answer:
        body = await answer.json()
    assert answer.status == 404
    assert body["kind"] == "Status"


async def test_secrets_are_forbidden(api: client.ApiClient) -> None:
    core = client.CoreV1Api(api)
    for call in (
        core.list_secret_for_all_namespaces(),
        core.list_namespaced_secret("shop"),
        core.read_namespaced_secret("payments-db", "shop"),
    ):
        with pytest.raises(ApiException) as refused:
            await call
        assert refused.value.status == 403
        assert "cannot" in str(refused.value.body)


async def test_nothing_can_be_changed(api: client.ApiClient, world: RecordedCluster) -> None:
    before = world.store.version
    with pytest.raises(ApiException) as refused:
        await client.CoreV1Api(api).delete_namespaced_pod("ledger-0", "trading")
    assert refused.value.status == 403
    with pytest.raises(ApiException) as refused:
        await client.AppsV1Api(api).patch_namespaced_deployment_scale("cart", "shop", {})
    assert refused.value.status == 403
    assert world.store.version == before


async def test_without_the_token_nothing_is_told(running: RunningCluster) -> None:
    async with aiohttp.ClientSession(running.url) as session:
        for headers in ({}, {"Authorization": "Bearer wrong"}):
            async with session.get("/api/v1/pods", headers=headers) as answer:
                body = await answer.json()
            assert answer.status == 401
            assert body["reason"] == "Unauthorized"
        async with session.get("/healthz") as answer:
            assert await answer.text() == "ok"


async def test_bad_numbers_are_refused(http: aiohttp.ClientSession) -> None:
    for query in ("limit=many", "watch=1&timeoutSeconds=soon", "watch=1&resourceVersion=abc"):
        async with http.get(f"/api/v1/pods?{query}") as answer:
            assert answer.status == 400, query


async def test_a_method_that_a_path_lacks_is_a_status_405(http: aiohttp.ClientSession) -> None:
    async with http.delete("/version") as answer:
        assert (await answer.json())["reason"] == "MethodNotAllowed"
    assert answer.status == 405


async def test_the_version_is_told(api: client.ApiClient) -> None:
    version = await client.VersionApi(api).get_code()
    assert (version.major, version.minor, version.git_version) == ("1", "34", "v1.34.1")


async def test_groups_and_resources_are_told(api: client.ApiClient) -> None:
    groups = await client.ApisApi(api).get_api_versions()
    assert {"apps", "batch", "events.k8s.io", "policy", "storage.k8s.io"} <= {
        group.name for group in groups.groups
    }
    assert (await client.CoreApi(api).get_api_versions()).versions == ["v1"]
    core = await client.CoreV1Api(api).get_api_resources()
    assert {"pods", "pods/log", "nodes"} <= {each.name for each in core.resources}
    apps = await client.AppsV1Api(api).get_api_resources()
    assert {each.kind for each in apps.resources} == {
        "Deployment",
        "ReplicaSet",
        "StatefulSet",
        "DaemonSet",
        "ControllerRevision",
    }


async def test_metadata_alone_can_be_asked_for(http: aiohttp.ClientSession) -> None:
    accept = {"Accept": "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"}
    path = "/api/v1/namespaces/shop/configmaps"
    async with http.get(path, headers=accept, params={"limit": 500}) as response:
        found = await response.json()
    assert found["kind"] == "PartialObjectMetadataList"
    assert {each["kind"] for each in found["items"]} == {"PartialObjectMetadata"}
    assert all("data" not in each for each in found["items"])
    edited = next(e for e in found["items"] if e["metadata"]["name"] == "inventory-config")
    writers = [each["manager"] for each in edited["metadata"]["managedFields"]]
    assert writers == ["argocd-controller", "kubectl-edit"]


@pytest.mark.parametrize(
    ("verb", "resource", "allowed"),
    [
        ("list", "pods", True),
        ("watch", "events", True),
        ("get", "secrets", False),
        ("delete", "pods", False),
        ("list", "*", False),
    ],
)
async def test_access_reviews_tell_that_the_bot_may_read_but_no_secrets(
    api: client.ApiClient, verb: str, resource: str, allowed: bool
) -> None:
    review = client.V1SelfSubjectAccessReview(
        spec=client.V1SelfSubjectAccessReviewSpec(
            resource_attributes=client.V1ResourceAttributes(verb=verb, resource=resource)
        )
    )
    answer = await client.AuthorizationV1Api(api).create_self_subject_access_review(review)
    assert answer.status.allowed is allowed


async def test_a_review_that_is_none_is_refused(http: aiohttp.ClientSession) -> None:
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    for body in (b"no json", b"{}", b"[]"):
        async with http.post(path, data=body) as answer:
            assert answer.status == 400
