"""What happens while you look, and the watches that see it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from kubernetes_asyncio import client, watch
from kubernetes_asyncio.client.exceptions import ApiException

from sandbox.cluster.recorded import RecordedCluster, Step
from sandbox.cluster.resources import Obj
from sandbox.cluster.server import RunningCluster
from tests.sandbox.cluster.test_troubles import condition_of, pods_of, status_of


def ready_of(world: RecordedCluster, kind: str, namespace: str, name: str) -> int:
    return int(world.store.one(kind, namespace, name)["status"].get("readyReplicas", 0))


def test_the_email_worker_starts_crash_looping(world: RecordedCluster) -> None:
    world.advance(44)
    assert ready_of(world, "Deployment", "shop", "email-worker") == 2
    world.advance(1)
    assert ready_of(world, "Deployment", "shop", "email-worker") == 0
    deployment = world.store.one("Deployment", "shop", "email-worker")
    assert condition_of(deployment, "Available")["lastTransitionTime"] == "2026-03-10T14:08:08Z"
    for pod in pods_of(world, "shop", "email-worker"):
        status = status_of(pod)
        assert status["state"]["waiting"]["reason"] == "CrashLoopBackOff"
        assert status["restartCount"] == 2
        assert status["lastState"]["terminated"]["exitCode"] == 1
        told = pod["metadata"]
        log = world.logs[f"shop/{told['name']}/email-worker#previous"]
        assert log[-1].text == "KafkaTimeoutError: topic order-mails not present in metadata"


def test_worker_3_goes_and_comes_back(world: RecordedCluster) -> None:
    world.advance(90)
    node = world.store.one("Node", "", "worker-3")
    ready = condition_of(node, "Ready")
    assert (ready["status"], ready["reason"]) == ("Unknown", "NodeStatusUnknown")
    assert ready["message"] == "Kubelet stopped posting node status."
    assert {each["key"] for each in node["spec"]["taints"]} == {"node.kubernetes.io/unreachable"}
    hit = {
        pod["metadata"]["labels"]["app"]
        for pod in world.store.of_kind("Pod")
        if pod["spec"].get("nodeName") == "worker-3"
        and pod["status"]["phase"] == "Running"
        and condition_of(pod, "Ready")["status"] == "False"
    }
    assert hit == {"matching-engine", "frontend", "kafka", "log-forwarder"}
    assert ready_of(world, "StatefulSet", "trading", "matching-engine") == 1
    assert ready_of(world, "Deployment", "shop", "frontend") == 2
    world.advance(120)
    node = world.store.one("Node", "", "worker-3")
    assert condition_of(node, "Ready")["status"] == "True"
    assert "taints" not in node["spec"]
    assert ready_of(world, "StatefulSet", "platform", "kafka") == 3
    assert ready_of(world, "Deployment", "shop", "frontend") == 3


def test_cart_recovers_and_breaks_again(world: RecordedCluster) -> None:
    world.advance(150)
    deployment = world.store.one("Deployment", "shop", "cart")
    assert deployment["spec"]["template"]["spec"]["containers"][0]["image"].endswith(":2.8.1")
    assert deployment["status"]["readyReplicas"] == deployment["status"]["updatedReplicas"] == 2
    assert "unavailableReplicas" not in deployment["status"]
    assert all(status_of(pod)["ready"] for pod in pods_of(world, "shop", "cart"))
    world.advance(120)
    (failing,) = pods_of(world, "shop", "cart", ":2.8.2-rc")
    assert status_of(failing)["state"]["waiting"]["reason"] == "ImagePullBackOff"
    assert ready_of(world, "Deployment", "shop", "cart") == 2
    revisions = {
        each["metadata"]["annotations"]["deployment.kubernetes.io/revision"]: each["status"][
            "replicas"
        ]
        for each in world.store.of_kind("ReplicaSet", "shop")
        if each["metadata"]["labels"]["app"] == "cart"
    }
    assert revisions == {"30": 0, "31": 0, "32": 2, "33": 1}
    assert len({each["metadata"]["uid"] for each in pods_of(world, "shop", "cart")}) == 3


def test_crash_loopers_restart_now_and_then(world: RecordedCluster) -> None:
    def restarts() -> dict[str, int]:
        return {
            app: max(
                status_of(pod)["restartCount"]
                for pod in world.store.of_kind("Pod")
                if pod["metadata"]["labels"]["app"] == app
                and pod["status"].get("containerStatuses")
            )
            for app in ("payments", "risk-engine", "market-data", "email-worker")
        }

    before = restarts()
    world.advance(600)
    after = restarts()
    assert after["payments"] == before["payments"] + 2
    assert after["risk-engine"] == before["risk-engine"] + 2
    assert after["market-data"] == before["market-data"] + 3
    assert after["email-worker"] == 5


def test_a_healthy_payments_pod_is_not_restarted(world: RecordedCluster) -> None:
    world.advance(700)
    assert sorted(status_of(pod)["restartCount"] for pod in pods_of(world, "shop", "payments")) == [
        0,
        16,
    ]


def test_events_of_lasting_troubles_are_seen_again_and_others_expire(
    world: RecordedCluster,
) -> None:
    def events() -> dict[str, Obj]:
        return {each["metadata"]["uid"]: each for each in world.store.of_kind("Event")}

    def one(found: dict[str, Obj], reason: str) -> Obj:
        return next(each for each in found.values() if each["reason"] == reason)

    before = events()
    world.advance(3_000)
    after = events()
    assert one(after, "Unhealthy")["count"] > one(before, "Unhealthy")["count"]
    assert (
        one(after, "FailedScheduling")["series"]["count"]
        > one(before, "FailedScheduling")["series"]["count"]
    )
    assert "DeadlineExceeded" in {each["reason"] for each in before.values()}
    assert "DeadlineExceeded" not in {each["reason"] for each in after.values()}


def test_containers_go_on_writing_but_not_on_a_lost_node(world: RecordedCluster) -> None:
    world.advance(100)
    lost, there = (len(world.logs[f"platform/kafka-{index}/kafka"]) for index in (1, 0))
    world.advance(60)
    assert len(world.logs["platform/kafka-0/kafka"]) > there
    assert len(world.logs["platform/kafka-1/kafka"]) == lost


def test_the_hourly_import_runs_again(world: RecordedCluster) -> None:
    before = world.store.one("CronJob", "batch", "catalog-import")["status"]["lastScheduleTime"]
    world.advance(2_050)
    after = world.store.one("CronJob", "batch", "catalog-import")["status"]["lastScheduleTime"]
    assert (before, after) == ("2026-03-10T13:41:00Z", "2026-03-10T14:41:00Z")
    jobs = [
        each
        for each in world.store.of_kind("Job", "batch")
        if each["metadata"]["name"].startswith("catalog-import")
    ]
    assert len(jobs) == 2


def test_advancing_in_steps_or_at_once_gives_the_same_world(world: RecordedCluster) -> None:
    other = RecordedCluster([], now=world.started)
    assert other.advance(10) == []
    ran = world.advance(300)
    assert [name for name in ran if name in world.done] == [
        "email-worker starts crash looping",
        "worker-3 goes NotReady",
        "email-worker restarts",
        "cart recovers",
        "worker-3 comes back",
        "email-worker restarts",
        "cart breaks again",
    ]
    assert world.elapsed_seconds == 300
    assert (world.now - world.started).total_seconds() == 300


@pytest.mark.parametrize("seconds", [-1.0, float("nan")])
def test_time_does_not_run_backwards(world: RecordedCluster, seconds: float) -> None:
    with pytest.raises(ValueError, match="zero or more"):
        world.advance(seconds)


def test_steps_run_in_the_order_of_their_times() -> None:
    seen: list[tuple[str, float]] = []

    def note(name: str) -> Any:
        return lambda world: seen.append((name, world.elapsed_seconds))

    recorded = RecordedCluster(
        [], steps=(Step(5, "b", note("b")), Step(2, "a", note("a"), every_seconds=4))
    )
    recorded.advance(10)
    assert seen == [("a", 2), ("b", 5), ("a", 6), ("a", 10)]
    assert recorded.done == ["b"]


async def test_a_watch_sees_what_happens(api: client.ApiClient, world: RecordedCluster) -> None:
    core = client.CoreV1Api(api)
    version = (await core.list_namespaced_pod("shop")).metadata.resource_version
    world.advance(150)
    seen: list[tuple[str, str]] = []
    stream = watch.Watch()
    async for event in stream.stream(
        core.list_namespaced_pod,
        "shop",
        label_selector="app=cart",
        resource_version=version,
        timeout_seconds=1,
    ):
        seen.append((event["type"], event["object"].spec.containers[0].image.rpartition(":")[2]))
        if event["type"] == "DELETED" and len([each for each in seen if each[0] == "DELETED"]) == 3:
            stream.stop()
    assert seen.count(("ADDED", "2.8.1")) == 2
    assert seen.count(("MODIFIED", "2.8.0")) == 2
    assert seen.count(("DELETED", "2.8.0")) == 2
    assert seen.count(("DELETED", "2.8.1-rc")) == 1


async def test_a_watch_without_a_version_begins_with_what_is_there(api: client.ApiClient) -> None:
    names = []
    stream = watch.Watch()
    async for event in stream.stream(client.CoreV1Api(api).list_node, timeout_seconds=5):
        assert event["type"] == "ADDED"
        names.append(event["object"].metadata.name)
        if len(names) == 5:
            stream.stop()
    assert names == [f"worker-{index}" for index in range(1, 6)]


async def lines_of(api: client.ApiClient, path: str) -> list[Obj]:
    raw = await api.call_api(
        path, "GET", auth_settings=["BearerToken"], _preload_content=False, response_types_map={}
    )
    response = raw[0] if isinstance(raw, tuple) else raw
    return [json.loads(line) for line in (await response.content.read()).splitlines()]


async def test_an_object_that_leaves_a_selectors_sight_is_deleted_for_the_watcher(
    api: client.ApiClient, world: RecordedCluster
) -> None:
    version = world.store.version
    pod = world.store.one("Pod", "trading", "ledger-0")
    leaving = {**pod["metadata"], "labels": {**pod["metadata"]["labels"], "app": "other"}}
    world.store.put({**pod, "metadata": leaving})
    world.store.put(pod)
    told = await lines_of(
        api,
        f"/api/v1/pods?watch=1&labelSelector=app=ledger&resourceVersion={version}"
        "&timeoutSeconds=0&allowWatchBookmarks=true",
    )
    assert [each["type"] for each in told] == ["DELETED", "ADDED", "BOOKMARK"]
    assert told[0]["object"]["metadata"]["labels"]["app"] == "ledger"
    assert told[0]["object"]["metadata"]["resourceVersion"] == str(version + 1)
    assert told[2]["object"]["metadata"]["resourceVersion"] == str(version + 2)
    assert told[1]["object"]["kind"] == "Pod"


async def test_a_watch_of_the_newer_events_shows_them_so(
    api: client.ApiClient, world: RecordedCluster
) -> None:
    version = world.store.version
    world.advance(30)
    told = await lines_of(
        api,
        "/apis/events.k8s.io/v1/events?watch=true&timeoutSeconds=0"
        f"&resourceVersion={version}&fieldSelector=regarding.kind=PersistentVolumeClaim",
    )
    assert [each["object"]["note"] for each in told] == ['storageclass "fast-nvme" not found']
    assert told[0]["type"] == "MODIFIED"
    assert told[0]["object"]["apiVersion"] == "events.k8s.io/v1"


async def test_a_version_that_is_no_longer_kept_is_gone(
    api: client.ApiClient, world: RecordedCluster
) -> None:
    version = world.store.version
    world.advance(20)
    world.store.forget_changes()
    told = await lines_of(api, f"/api/v1/pods?watch=1&resourceVersion={version}&timeoutSeconds=5")
    assert [each["type"] for each in told] == ["ERROR"]
    assert told[0]["object"]["code"] == 410
    with pytest.raises(ApiException) as gone:
        async for _ in watch.Watch().stream(
            client.CoreV1Api(api).list_pod_for_all_namespaces,
            resource_version=str(version),
            timeout_seconds=5,
        ):
            pass
    assert gone.value.status == 410


async def test_a_watcher_that_leaves_does_no_harm(
    api: client.ApiClient, running: RunningCluster, world: RecordedCluster
) -> None:
    stream = watch.Watch()
    async for _ in stream.stream(client.CoreV1Api(api).list_node, timeout_seconds=30):
        stream.stop()
    await api.close()
    world.advance(120)
    assert running.world is world
