"""Admin paths, faults, other recordings, and the command."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from kubernetes_asyncio import client, config
from kubernetes_asyncio.client.exceptions import ApiException

from sandbox.cluster import __main__ as command
from sandbox.cluster.recorded import LogLine, RecordedCluster, Step, format_stamp, parse_log
from sandbox.cluster.recordings import serve_recordings
from sandbox.cluster.server import RunningCluster, run_cluster
from sandbox.cluster.store import Store
from tests.sandbox.cluster.conftest import NOW

POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "lone", "namespace": "field"},
    "spec": {"nodeName": "n1", "containers": [{"name": "main", "image": "a:1"}]},
    "status": {
        "phase": "Running",
        "containerStatuses": [
            {
                "name": "main",
                "image": "a:1",
                "imageID": "",
                "ready": True,
                "restartCount": 0,
                "state": {"running": {"startedAt": "2026-03-10T14:00:00Z"}},
                "lastState": {},
            }
        ],
    },
}


async def post(running: RunningCluster, path: str, body: Any) -> tuple[int, dict[str, Any]]:
    async with (
        aiohttp.ClientSession(running.url) as session,
        session.post(f"/_sandbox/{path}", json=body) as answer,
    ):
        return answer.status, await answer.json()


async def state(running: RunningCluster) -> dict[str, Any]:
    async with (
        aiohttp.ClientSession(running.url) as session,
        session.get("/_sandbox/state") as answer,
    ):
        told = await answer.json()
        assert isinstance(told, dict)
        return told


async def test_the_state_tells_time_and_counts(running: RunningCluster) -> None:
    told = await state(running)
    assert told["elapsed_seconds"] == 0
    assert told["objects"]["pods"] == 51
    assert told["objects"]["deployments.apps"] == 14
    assert told["faults"] == {"mode": "none", "resource": ""}


async def test_time_passes_on_demand(running: RunningCluster) -> None:
    status, told = await post(running, "advance", {"seconds": 50})
    assert status == 200
    assert "email-worker starts crash looping" in told["ran"]
    assert (await state(running))["done"] == ["email-worker starts crash looping"]


@pytest.mark.parametrize("body", [{}, {"seconds": "5"}, {"seconds": True}, {"seconds": -1}, []])
async def test_an_advance_by_nonsense_is_refused(running: RunningCluster, body: Any) -> None:
    status, told = await post(running, "advance", body)
    assert status == 400
    assert told["reason"] == "BadRequest"


async def test_a_body_that_is_no_json_is_refused(running: RunningCluster) -> None:
    async with (
        aiohttp.ClientSession(running.url) as session,
        session.post("/_sandbox/faults", data=b"{") as answer,
    ):
        assert answer.status == 400


async def test_an_unknown_fault_is_refused_with_the_known_ones(running: RunningCluster) -> None:
    status, told = await post(running, "faults", {"mode": "haunted"})
    assert status == 400
    assert "forbidden" in told["message"]


@pytest.mark.parametrize(
    ("mode", "code"), [("forbidden", 403), ("expired", 410), ("throttled", 429), ("broken", 500)]
)
async def test_a_fault_of_one_resource_leaves_others_alone(
    running: RunningCluster, api: client.ApiClient, mode: str, code: int
) -> None:
    await post(running, "faults", {"mode": mode, "resource": "pods"})
    core = client.CoreV1Api(api)
    with pytest.raises(ApiException) as refused:
        await core.list_pod_for_all_namespaces()
    assert refused.value.status == code
    assert len((await core.list_node()).items) == 5
    await post(running, "faults", {"mode": "none"})
    assert len((await core.list_pod_for_all_namespaces()).items) == 51


async def test_forbidden_names_what_is_forbidden(
    running: RunningCluster, api: client.ApiClient
) -> None:
    await post(running, "faults", {"mode": "forbidden"})
    with pytest.raises(ApiException) as refused:
        await client.CoreV1Api(api).list_namespaced_pod("shop", watch=True)
    message = json.loads(refused.value.body or "")["message"]
    assert message.endswith('cannot watch resource "pods" in API group "" in the namespace "shop"')


async def test_logs_alone_can_fail(running: RunningCluster, api: client.ApiClient) -> None:
    await post(running, "faults", {"mode": "forbidden", "resource": "pods/log"})
    core = client.CoreV1Api(api)
    assert (await core.list_namespaced_pod("shop")).items
    with pytest.raises(ApiException) as refused:
        await core.read_namespaced_pod_log("kafka-0", "platform")
    assert refused.value.status == 403


async def test_garbage_is_not_json(running: RunningCluster, api: client.ApiClient) -> None:
    await post(running, "faults", {"mode": "garbage"})
    raw: Any = await client.CoreV1Api(api).list_node(_preload_content=False)
    with pytest.raises(json.JSONDecodeError):
        json.loads(await raw.read())


async def test_a_slow_cluster_outlasts_a_patient_client(
    running: RunningCluster, api: client.ApiClient
) -> None:
    await post(running, "faults", {"mode": "slow", "delay_seconds": 30})
    with pytest.raises(asyncio.TimeoutError):
        await client.CoreV1Api(api).list_node(_request_timeout=0.05)
    await post(running, "faults", {"mode": "slow", "delay_seconds": 0.01})
    assert (await client.CoreV1Api(api).list_node()).items


async def test_a_cluster_that_is_down_hangs_up(
    running: RunningCluster, api: client.ApiClient
) -> None:
    core = client.CoreV1Api(api)
    raw: Any = await core.list_namespaced_pod("shop", watch=True, _preload_content=False)
    await post(running, "faults", {"mode": "down"})
    with pytest.raises(aiohttp.ClientError):
        await raw.read()
    with pytest.raises(aiohttp.ClientError):
        await core.list_node()
    assert (await state(running))["faults"]["mode"] == "down"
    await post(running, "faults", {"mode": "none"})
    assert (await core.list_node()).items


async def test_expiry_makes_versions_too_old(
    running: RunningCluster, world: RecordedCluster
) -> None:
    version = world.store.version
    world.advance(30)
    await post(running, "faults", {"mode": "expired"})
    pods = world.store.find("", "v1", "pods")
    assert pods is not None
    with pytest.raises(LookupError, match="too old"):
        list(world.store.changes_since(version, pods))


async def test_time_passes_with_the_clock_on_the_wall() -> None:
    moved = asyncio.Event()
    world = RecordedCluster([], now=NOW, steps=(Step(1, "moved", lambda _: moved.set()),))
    async with run_cluster(world, speed=1_000.0):
        await asyncio.wait_for(moved.wait(), timeout=30)
    stopped = world.elapsed_seconds
    await asyncio.sleep(0)
    assert world.elapsed_seconds == stopped


async def test_a_negative_speed_is_refused() -> None:
    with pytest.raises(ValueError, match="speed -1"):
        async with run_cluster(RecordedCluster([]), speed=-1):
            pass


async def test_without_a_world_the_shop_is_served() -> None:
    async with run_cluster() as running:
        assert (await state(running))["objects"]["nodes"] == 5


async def test_another_recording_is_served_alike() -> None:
    stamped = format_stamp(NOW - timedelta(minutes=5))
    gadget = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": "edge", "namespace": "field"},
    }
    policy = {"apiVersion": "example.org/v1", "kind": "Policy", "metadata": {"name": "wide"}}
    world = RecordedCluster(
        [POD, gadget, policy],
        {"field/lone/main": f"{stamped} first\n{stamped} second\n", "field/lone/side": "x\ny"},
        now=NOW,
        git_version="v1.30.0",
    )
    async with run_cluster(world, speed=0) as running:
        headers = {"Authorization": f"Bearer {running.token}"}
        async with aiohttp.ClientSession(running.url, headers=headers) as session:
            async with session.get("/api/v1/namespaces/field/pods/lone/log") as answer:
                assert await answer.text() == "first\nsecond\n"
            path = "/apis/gateway.networking.k8s.io/v1/gateways"
            async with session.get(path) as answer:
                (found,) = (await answer.json())["items"]
                assert found["metadata"]["creationTimestamp"] == "2026-03-10T14:07:23Z"
                assert found["metadata"]["uid"]
            async with session.get("/apis/example.org/v1/policies/wide") as answer:
                assert answer.status == 200
            async with session.get("/version") as answer:
                assert (await answer.json())["minor"] == "30"
        before = NOW - timedelta(microseconds=1)
        assert list(world.logs["field/lone/side"]) == [LogLine(before, "x"), LogLine(NOW, "y")]


def test_newer_events_can_be_recorded() -> None:
    event = {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": "e", "namespace": "field"},
        "eventTime": "2026-03-10T14:00:00.000000Z",
        "regarding": {"kind": "Pod", "name": "lone", "namespace": "field"},
        "note": "odd",
        "reason": "Odd",
        "type": "Warning",
        "action": "Looking",
        "deprecatedCount": 3,
    }
    world = RecordedCluster([event], now=NOW)
    kept = world.store.one("Event", "field", "e")
    assert (kept["apiVersion"], kept["message"], kept["count"]) == ("v1", "odd", 3)
    assert kept["involvedObject"]["name"] == "lone"


@pytest.mark.parametrize(
    "obj",
    [{}, {"kind": "Pod", "apiVersion": "v1", "metadata": {}}, {"metadata": {"name": "x"}}],
)
def test_an_object_without_a_name_or_kind_is_refused(obj: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"apiVersion, kind and metadata\.name"):
        RecordedCluster([obj])


def test_an_unstamped_line_was_written_with_the_one_before() -> None:
    text = f"{format_stamp(NOW)} error\n  continued\n2026-03-10T14:00:00.123Z the text's own time\n"
    assert parse_log(text, NOW - timedelta(days=1)) == [
        LogLine(NOW, "error"),
        LogLine(NOW, "  continued"),
        LogLine(NOW, "2026-03-10T14:00:00.123Z the text's own time"),
    ]


def test_a_full_store_forgets_its_oldest_changes() -> None:
    store = Store([POD], kept_changes=3)
    pods = store.find("", "v1", "pods")
    assert pods is not None
    begin = store.version
    for _ in range(3):
        store.put(POD)
    assert len(list(store.changes_since(begin, pods))) == 3
    store.put(POD)
    with pytest.raises(LookupError):
        list(store.changes_since(begin, pods))
    assert len(list(store.changes_since(begin + 1, pods))) == 3


def test_deleting_what_is_not_there_changes_nothing() -> None:
    store = Store()
    pods = store.find("", "v1", "pods")
    assert pods is not None
    before = store.version
    store.delete(pods, "field", "nope")
    assert store.version == before
    with pytest.raises(KeyError, match="field/nope"):
        store.one("Pod", "field", "nope")


async def test_the_kubeconfig_has_one_context(running: RunningCluster, tmp_path: Path) -> None:
    path = running.kubeconfig(tmp_path / "deep" / "config", context="other")
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert content["current-context"] == "other"
    assert content["clusters"][0]["cluster"]["server"] == running.url
    assert content["users"][0]["user"]["token"] == running.token


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_the_command_tells_when_it_is_ready_and_stops_cleanly(
    tmp_path: Path, number: signal.Signals
) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "sandbox.cluster", "--port", "0", "--kubeconfig", str(tmp_path / "kube")),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    ready = json.loads(await asyncio.wait_for(process.stdout.readline(), timeout=30))
    assert ready["ready"] is True
    assert ready["kubeconfig"] == str(tmp_path / "kube")
    async with aiohttp.ClientSession() as session, session.get(f"{ready['url']}/healthz") as answer:
        assert answer.status == 200
    process.send_signal(number)
    _, errors = await asyncio.wait_for(process.communicate(), timeout=30)
    assert (process.returncode, errors) == (0, b"")


def test_the_command_says_what_to_do_when_its_port_is_taken(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert command.main(["--port", str(port)]) == 1
    assert "Choose another --port" in capsys.readouterr().err


async def test_the_command_serves_until_it_is_told_to_stop(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kubeconfig = tmp_path / "kube"
    serving = asyncio.create_task(command.serve("127.0.0.1", 0, kubeconfig, 0.0))
    while not capsys.readouterr().out:  # noqa: ASYNC110  (another program's output has no Event)
        await asyncio.sleep(0.02)
    signal.raise_signal(signal.SIGTERM)
    await serving
    assert yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))["current-context"] == "demo"


async def test_recordings_are_served_in_turn(tmp_path: Path) -> None:
    told: list[dict[str, object]] = []
    kubeconfig = tmp_path / "kubeconfig"
    served: list[object] = []

    async def lines() -> AsyncIterator[str]:
        log = "line\n" * 6_000
        yield json.dumps({"now": f"{NOW:%Y-%m-%dT%H:%M:%SZ}", "objects": [POD], "logs": {}})
        served.append(yaml.safe_load(kubeconfig.read_text())["clusters"][0]["cluster"]["server"])
        yield "{}"
        logs = {"field/lone/main": log, "field/lone/main#previous": "it broke\n"}
        spec = {key: value for key, value in POD["spec"].items() if key != "nodeName"}
        pod = {**POD, "spec": spec}
        yield json.dumps({"now": f"{NOW:%Y-%m-%dT%H:%M:%SZ}", "objects": [pod], "logs": logs})
        settings = client.Configuration()
        await config.load_kube_config(str(kubeconfig), client_configuration=settings)
        async with client.ApiClient(settings) as connected:
            api = client.CoreV1Api(connected)
            whole = await api.read_namespaced_pod_log("lone", "field")
            before = await api.read_namespaced_pod_log("lone", "field", previous=True)
            served.extend([whole == log, before])

    await serve_recordings(lines(), kubeconfig, told.append)
    assert told[0]["ready"]
    assert told[0]["url"] == served[0]
    assert "not a recording" in str(told[1]["error"])
    assert told[2]["ready"]
    assert served[1:] == [True, "it broke\n"]


def test_recordings_need_a_place_for_the_kubeconfig(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["--recordings"])
    assert "--kubeconfig" in capsys.readouterr().err
