from __future__ import annotations

import re
from typing import Any

import pytest
from kubernetes_asyncio import client
from kubernetes_asyncio.client.exceptions import ApiException

from sandbox.cluster.lines.excerpts import FAKE_ACCESS_KEY, FAKE_BEARER, FAKE_PASSWORD, HOSTILE_LINE
from sandbox.cluster.recorded import RecordedCluster
from tests.sandbox.cluster.test_troubles import pods_of


async def read(api: client.ApiClient, namespace: str, name: str, **more: Any) -> str:
    text = await client.CoreV1Api(api).read_namespaced_pod_log(name, namespace, **more)
    assert isinstance(text, str)
    return text


async def refusal(api: client.ApiClient, namespace: str, name: str, **more: Any) -> tuple[int, str]:
    with pytest.raises(ApiException) as refused:
        await read(api, namespace, name, **more)
    return refused.value.status, str(refused.value.body)


def name_of(world: RecordedCluster, namespace: str, app: str, tag: str = "") -> str:
    return str(pods_of(world, namespace, app, tag)[0]["metadata"]["name"])


async def test_every_running_container_has_a_log(
    api: client.ApiClient, world: RecordedCluster
) -> None:
    silent = []
    for pod in world.store.of_kind("Pod"):
        for status in pod["status"].get("containerStatuses") or ():
            if "running" in status["state"] or "terminated" in status["state"]:
                told = pod["metadata"]
                text = await read(api, told["namespace"], told["name"], container=status["name"])
                if not text:
                    silent.append(told["name"])
    assert silent == []


async def test_the_log_of_a_container_in_its_back_off_is_that_of_the_last_instance(
    api: client.ApiClient, world: RecordedCluster
) -> None:
    name = name_of(world, "trading", "risk-engine")
    now = await read(api, "trading", name)
    assert now == await read(api, "trading", name, previous=True)
    assert now.endswith("connect: connection refused\n")


async def test_a_running_container_that_restarted_has_two_logs(
    api: client.ApiClient, world: RecordedCluster
) -> None:
    name = name_of(world, "trading", "market-data", ":5.2.0")
    assert await read(api, "trading", name) != await read(api, "trading", name, previous=True)


async def test_tail_and_bytes_limit_a_log(api: client.ApiClient) -> None:
    whole = await read(api, "platform", "kafka-0")
    assert await read(api, "platform", "kafka-0", tail_lines=3) == "".join(
        whole.splitlines(keepends=True)[-3:]
    )
    assert await read(api, "platform", "kafka-0", tail_lines=0) == ""
    assert await read(api, "platform", "kafka-0", limit_bytes=100) == whole[:100]


async def test_time_limits_a_log(api: client.ApiClient, world: RecordedCluster) -> None:
    whole = await read(api, "platform", "kafka-0", timestamps=True)
    stamps = [line.split(" ", 1)[0] for line in whole.splitlines()]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", stamp) for stamp in stamps)
    assert stamps == sorted(stamps)
    recent = await read(api, "platform", "kafka-0", since_seconds=1_800)
    expected = [each for each in stamps if each >= "2026-03-10T13:37:23.125"]
    assert 0 < len(recent.splitlines()) == len(expected) < len(stamps)
    world.advance(1_800)
    later = await read(api, "platform", "kafka-0", since_seconds=1_800)
    assert later.splitlines()[0] != recent.splitlines()[0]


async def test_a_log_since_a_time_starts_there(api: client.ApiClient) -> None:
    # The client has no argument for sinceTime, so the request is made by hand.
    text = await api.call_api(
        "/api/v1/namespaces/platform/pods/kafka-0/log",
        "GET",
        query_params=[("sinceTime", "2026-03-10T14:00:00Z"), ("timestamps", "true")],
        response_types_map={200: "str"},
        auth_settings=["BearerToken"],
        _return_http_data_only=True,
    )
    assert min(line.split(" ", 1)[0] for line in text.splitlines()) >= "2026-03-10T14:00:00"


@pytest.mark.parametrize(
    "query",
    [
        "tailLines=-1",
        "limitBytes=0",
        "sinceSeconds=abc",
        "sinceTime=yesterday",
        "sinceTime=2026-03-10T14:00:00",
        "sinceTime=2026-03-10T14:00:00Z&sinceSeconds=3",
    ],
)
async def test_bad_limits_are_refused(api: client.ApiClient, query: str) -> None:
    with pytest.raises(ApiException) as refused:
        await api.call_api(
            f"/api/v1/namespaces/platform/pods/kafka-0/log?{query}",
            "GET",
            auth_settings=["BearerToken"],
        )
    assert refused.value.status == 400


async def test_a_missing_previous_instance_is_refused_in_the_kubelets_words(
    api: client.ApiClient,
) -> None:
    status, body = await refusal(api, "trading", "ledger-0", previous=True)
    assert status == 400
    assert r"previous terminated container \"ledger\" in pod \"ledger-0\" not found" in body


@pytest.mark.parametrize(
    ("namespace", "app", "tag", "words"),
    [
        ("shop", "cart", ":2.8.1-rc", "is waiting to start: trying and failing to pull image"),
        ("shop", "checkout-canary", "", "is waiting to start: CreateContainerConfigError"),
        ("shop", "catalog", "", "is not available"),
    ],
)
async def test_a_container_that_has_not_started_is_refused(
    api: client.ApiClient,
    world: RecordedCluster,
    *,
    namespace: str,
    app: str,
    tag: str,
    words: str,
) -> None:
    pods = pods_of(world, namespace, app, tag)
    pod = next(each for each in pods if each["status"]["phase"] != "Running")
    status, body = await refusal(api, namespace, pod["metadata"]["name"])
    assert status == 400
    assert words in body


async def test_an_unscheduled_pod_has_an_empty_log(api: client.ApiClient) -> None:
    assert await read(api, "trading", "ledger-1") == ""


async def test_of_two_containers_one_must_be_named(
    api: client.ApiClient, world: RecordedCluster
) -> None:
    name = name_of(world, "platform", "prometheus")
    status, body = await refusal(api, "platform", name)
    assert status == 400
    assert "choose one of: [prometheus config-reloader]" in body
    assert await read(api, "platform", name, container="config-reloader")
    status, body = await refusal(api, "platform", name, container="nope")
    assert status == 400
    assert "container nope is not valid for pod" in body


async def test_an_init_container_has_a_log_of_its_own(
    api: client.ApiClient, world: RecordedCluster
) -> None:
    name = name_of(world, "shop", "checkout")
    assert "nothing to do" in await read(api, "shop", name, container="migrate")
    pod = await client.CoreV1Api(api).read_namespaced_pod(name, "shop")
    (status,) = pod.status.init_container_statuses
    assert status.state.terminated.reason == "Completed"


async def test_a_pod_that_is_not_there_has_no_log(api: client.ApiClient) -> None:
    status, _ = await refusal(api, "shop", "nope")
    assert status == 404


async def test_a_lost_node_gives_no_logs(api: client.ApiClient, world: RecordedCluster) -> None:
    world.advance(95)
    status, body = await refusal(api, "platform", "kafka-1")
    assert status == 500
    assert "no route to host" in body


async def test_some_logs_hold_what_looks_like_secrets(
    api: client.ApiClient, world: RecordedCluster
) -> None:
    payments = pods_of(world, "shop", "payments")[0]["metadata"]["name"]
    bad = [
        each["metadata"]["name"]
        for each in pods_of(world, "shop", "payments")
        if each["status"]["containerStatuses"][0]["restartCount"]
    ]
    assert payments
    assert FAKE_PASSWORD in await read(api, "shop", bad[0])
    checkouts = [
        await read(api, "shop", each["metadata"]["name"])
        for each in pods_of(world, "shop", "checkout")
    ]
    assert any(FAKE_BEARER in text for text in checkouts)
    done = name_of(world, "batch", "catalog-import")
    assert FAKE_ACCESS_KEY in await read(api, "batch", done)


async def test_search_has_a_hostile_line(api: client.ApiClient, world: RecordedCluster) -> None:
    name = next(
        each["metadata"]["name"]
        for each in pods_of(world, "shop", "search")
        if each["status"]["phase"] == "Running"
    )
    assert HOSTILE_LINE in await read(api, "shop", name)


async def test_logs_come_in_several_formats_with_stack_traces(
    api: client.ApiClient, world: RecordedCluster
) -> None:
    frontend = await read(api, "shop", name_of(world, "shop", "frontend"))
    assert frontend.startswith('{"time": "2026-03-10T')
    catalog = await read(api, "batch", name_of(world, "batch", "catalog-import"))
    assert " INFO catalog_import: " in catalog
    gateway = await read(api, "trading", name_of(world, "trading", "order-gateway"))
    assert re.match(r"I0310 \d\d:\d\d:\d\d\.\d{6} +1 order_gateway\.go:\d+\] ", gateway)
    inventory = await read(api, "shop", name_of(world, "shop", "inventory"))
    assert "goroutine " in inventory
    assert "level=error" in inventory
