"""Every trouble of the world's table, by its telling fields."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sandbox.cluster.kinds.base import parse_stamp
from sandbox.cluster.places.batch import night_zone
from sandbox.cluster.recorded import RecordedCluster
from sandbox.cluster.resources import Obj
from tests.sandbox.cluster.conftest import NOW

GIB = 1024**3
UNITS = {"Ki": 1024, "Mi": 1024**2, "Gi": GIB}


def pods_of(world: RecordedCluster, namespace: str, app: str, tag: str = "") -> list[Obj]:
    return [
        pod
        for pod in world.store.of_kind("Pod", namespace)
        if pod["metadata"]["labels"]["app"] == app
        and pod["spec"]["containers"][0]["image"].endswith(tag)
    ]


def status_of(pod: Obj) -> dict[str, Any]:
    status = pod["status"]["containerStatuses"][0]
    assert isinstance(status, dict)
    return status


def condition_of(obj: Obj, kind: str) -> dict[str, Any]:
    found = [each for each in obj["status"]["conditions"] if each["type"] == kind]
    assert len(found) == 1
    assert isinstance(found[0], dict)
    return found[0]


def events_of(world: RecordedCluster, obj: Obj, reason: str) -> list[Obj]:
    return [
        each
        for each in world.store.of_kind("Event")
        if each["involvedObject"]["uid"] == obj["metadata"]["uid"] and each["reason"] == reason
    ]


def log_of(
    world: RecordedCluster, pod: Obj, container: str, *, previous: bool = False
) -> list[str]:
    told = pod["metadata"]
    key = f"{told['namespace']}/{told['name']}/{container}" + ("#previous" if previous else "")
    return [line.text for line in world.logs[key]]


def mebibytes(quantity: str) -> float:
    for unit, factor in UNITS.items():
        if quantity.endswith(unit):
            return float(quantity.removesuffix(unit)) * factor / UNITS["Mi"]
    raise AssertionError(quantity)


def test_payments_is_killed_for_memory_in_a_crash_loop(world: RecordedCluster) -> None:
    bad, good = sorted(
        pods_of(world, "shop", "payments"), key=lambda pod: bool(status_of(pod)["ready"])
    )
    status = status_of(bad)
    assert status["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert status["restartCount"] == 14
    assert status["lastState"]["terminated"]["reason"] == "OOMKilled"
    assert status["lastState"]["terminated"]["exitCode"] == 137
    assert status["image"] == "registry.example.com/shop/payments:3.9.0"
    assert bad["spec"]["containers"][0]["resources"] == {
        "requests": {"cpu": "250m", "memory": "128Mi"},
        "limits": {"cpu": "1", "memory": "256Mi"},
    }
    assert status_of(good)["ready"]
    log = log_of(world, bad, "payments", previous=True)
    assert log[-1] == "java.lang.OutOfMemoryError: Java heap space"
    assert any("settlement batch of 48210 rows" in line for line in log[:-1])
    assert events_of(world, bad, "BackOff")[0]["count"] > 100


def test_the_kernel_says_whom_it_killed(world: RecordedCluster) -> None:
    world.advance(200)
    killed = [each for each in world.store.of_kind("Event") if each["reason"] == "OOMKilling"]
    assert len({each["message"] for each in killed}) == 2
    for each in killed:
        # As with real agents of a node: the uid is its name.
        assert each["involvedObject"] == {"kind": "Node", "name": "worker-4", "uid": "worker-4"}


def test_payments_was_rolled_out_three_hours_ago_from_3_8_2(world: RecordedCluster) -> None:
    revisions = {
        int(each["metadata"]["annotations"]["deployment.kubernetes.io/revision"]): each
        for each in world.store.of_kind("ReplicaSet", "shop")
        if each["metadata"]["labels"]["app"] == "payments"
    }
    old, new = (revisions[number] for number in sorted(revisions))
    assert old["spec"]["template"]["spec"]["containers"][0]["image"].endswith(":3.8.2")
    assert old["spec"]["replicas"] == 0
    assert new["spec"]["template"]["spec"]["containers"][0]["image"].endswith(":3.9.0")
    made = parse_stamp(new["metadata"]["creationTimestamp"])
    assert abs(NOW - made - timedelta(hours=3)) < timedelta(seconds=2)
    deployment = world.store.one("Deployment", "shop", "payments")
    assert condition_of(deployment, "Available")["status"] == "False"
    assert deployment["status"]["readyReplicas"] == 1


def test_cart_cannot_pull_its_tag_while_the_old_replica_set_serves(world: RecordedCluster) -> None:
    (failing,) = pods_of(world, "shop", "cart", ":2.8.1-rc")
    assert failing["status"]["phase"] == "Pending"
    assert status_of(failing)["state"]["waiting"]["reason"] == "ImagePullBackOff"
    assert failing["spec"]["imagePullSecrets"] == [{"name": "registry-pull"}]
    messages = [each["message"] for each in events_of(world, failing, "Failed")]
    assert any("2.8.1-rc: not found" in message for message in messages)
    assert all(status_of(pod)["ready"] for pod in pods_of(world, "shop", "cart", ":2.8.0"))
    deployment = world.store.one("Deployment", "shop", "cart")
    assert deployment["status"]["readyReplicas"] == deployment["spec"]["replicas"] == 2
    assert deployment["status"]["unavailableReplicas"] == 1


def test_one_search_pod_finds_no_node_with_24_gib(world: RecordedCluster) -> None:
    pending = [
        pod for pod in pods_of(world, "shop", "search") if pod["status"]["phase"] == "Pending"
    ]
    assert len(pending) == 1
    assert "nodeName" not in pending[0]["spec"]
    scheduled = condition_of(pending[0], "PodScheduled")
    assert (scheduled["status"], scheduled["reason"]) == ("False", "Unschedulable")
    assert scheduled["message"].startswith("0/5 nodes are available: 5 Insufficient memory.")
    assert pending[0]["spec"]["containers"][0]["resources"]["requests"]["memory"] == "24Gi"
    (event,) = events_of(world, pending[0], "FailedScheduling")
    assert event["series"]["count"] == 9
    assert event["firstTimestamp"] is None
    assert "count" not in event


def test_the_scheduler_tells_the_truth_no_node_has_room(world: RecordedCluster) -> None:
    for node in world.store.of_kind("Node"):
        requested = sum(
            mebibytes(container["resources"]["requests"]["memory"])
            for pod in world.store.of_kind("Pod")
            if pod["spec"].get("nodeName") == node["metadata"]["name"]
            and pod["status"]["phase"] == "Running"
            for container in pod["spec"]["containers"]
        )
        allocatable = mebibytes(node["status"]["allocatable"]["memory"])
        assert allocatable - 24 * 1024 < requested < allocatable, node["metadata"]["name"]


def test_checkout_canary_misses_its_config_map(world: RecordedCluster) -> None:
    (pod,) = pods_of(world, "shop", "checkout-canary")
    waiting = status_of(pod)["state"]["waiting"]
    assert waiting["reason"] == "CreateContainerConfigError"
    assert waiting["message"] == 'configmap "checkout-canary-config" not found'
    names = {each["metadata"]["name"] for each in world.store.of_kind("ConfigMap", "shop")}
    assert "checkout-canary-config" not in names
    assert pod["spec"]["containers"][0]["envFrom"] == [
        {"configMapRef": {"name": "checkout-canary-config"}}
    ]
    assert events_of(world, pod, "Failed")[0]["message"].startswith("Error: configmap")


def test_inventory_is_not_ready_and_its_service_has_no_endpoints(world: RecordedCluster) -> None:
    pods = pods_of(world, "shop", "inventory")
    assert len(pods) == 2
    for pod in pods:
        assert pod["status"]["phase"] == "Running"
        assert not status_of(pod)["ready"]
        assert condition_of(pod, "Ready")["reason"] == "ContainersNotReady"
        (event,) = events_of(world, pod, "Unhealthy")
        assert event["message"] == "Readiness probe failed: HTTP probe failed with statuscode: 503"
        assert any("ERR_STOCK_SYNC" in line for line in log_of(world, pod, "inventory"))
    (found,) = [
        each
        for each in world.store.of_kind("EndpointSlice", "shop")
        if each["metadata"]["labels"]["kubernetes.io/service-name"] == "inventory"
    ]
    assert [each["conditions"]["ready"] for each in found["endpoints"]] == [False, False]
    endpoints = world.store.one("Endpoints", "shop", "inventory")
    assert "addresses" not in endpoints["subsets"][0]
    assert len(endpoints["subsets"][0]["notReadyAddresses"]) == 2


def test_risk_engine_exits_for_want_of_redis(world: RecordedCluster) -> None:
    (pod,) = pods_of(world, "trading", "risk-engine")
    status = status_of(pod)
    assert status["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert status["restartCount"] == 6
    assert status["lastState"]["terminated"]["exitCode"] == 1
    assert log_of(world, pod, "risk-engine", previous=True)[-1] == (
        "FATAL redis: dial tcp 10.0.3.17:6379: connect: connection refused"
    )
    addresses = {each["status"].get("podIP") for each in world.store.of_kind("Pod")}
    assert "10.0.3.17" not in addresses


def test_ledger_1_waits_for_a_claim_of_a_missing_class(world: RecordedCluster) -> None:
    claim = world.store.one("PersistentVolumeClaim", "trading", "data-ledger-1")
    assert claim["status"] == {"phase": "Pending"}
    assert claim["spec"]["storageClassName"] == "fast-nvme"
    (event,) = events_of(world, claim, "ProvisioningFailed")
    assert event["message"] == 'storageclass "fast-nvme" not found'
    assert "fast-nvme" not in {
        each["metadata"]["name"] for each in world.store.of_kind("StorageClass")
    }
    pod = world.store.one("Pod", "trading", "ledger-1")
    assert pod["status"]["phase"] == "Pending"
    assert pod["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"] == "data-ledger-1"
    ledger = world.store.one("StatefulSet", "trading", "ledger")
    assert (ledger["spec"]["replicas"], ledger["status"]["readyReplicas"]) == (2, 1)


def test_the_rollout_of_market_data_is_stuck(world: RecordedCluster) -> None:
    deployment = world.store.one("Deployment", "trading", "market-data")
    progressing = condition_of(deployment, "Progressing")
    assert progressing["status"] == "False"
    assert progressing["reason"] == "ProgressDeadlineExceeded"
    (pod,) = pods_of(world, "trading", "market-data", ":5.2.0")
    assert pod["metadata"]["ownerReferences"][0]["name"] in progressing["message"]
    assert not status_of(pod)["ready"]
    (event,) = events_of(world, pod, "Unhealthy")
    assert "Liveness" in event["message"]
    assert "timeout after 1s" in event["message"]
    assert len(pods_of(world, "trading", "market-data", ":5.1.7")) == 2


def test_the_log_forwarder_of_worker_2_cannot_mount(world: RecordedCluster) -> None:
    (pod,) = [
        each
        for each in pods_of(world, "platform", "log-forwarder")
        if each["spec"]["nodeName"] == "worker-2"
    ]
    assert status_of(pod)["state"]["waiting"]["reason"] == "ContainerCreating"
    (event,) = events_of(world, pod, "FailedMount")
    assert event["message"].endswith(
        "hostPath type check failed: /var/log/journal is not a directory"
    )
    daemons = world.store.one("DaemonSet", "platform", "log-forwarder")["status"]
    assert (daemons["desiredNumberScheduled"], daemons["numberUnavailable"]) == (5, 1)


def test_the_nightly_reconciliation_failed_by_a_deadlock(world: RecordedCluster) -> None:
    (job,) = [
        each
        for each in world.store.of_kind("Job", "batch")
        if each["metadata"]["name"].startswith("nightly") and each["status"].get("failed")
    ]
    failed = condition_of(job, "Failed")
    assert (failed["status"], failed["reason"]) == ("True", "BackoffLimitExceeded")
    assert NOW - parse_stamp(failed["lastTransitionTime"]) < timedelta(hours=1)
    pods = [
        each
        for each in pods_of(world, "batch", "nightly-reconciliation")
        if each["status"]["phase"] == "Failed"
    ]
    assert len(pods) == job["status"]["failed"] == 3
    for pod in pods:
        log = log_of(world, pod, "nightly-reconciliation")
        assert "psycopg.errors.DeadlockDetected: deadlock detected" in log
        assert "Traceback (most recent call last):" in log


def test_the_report_export_ran_out_of_time(world: RecordedCluster) -> None:
    (job,) = [
        each
        for each in world.store.of_kind("Job", "batch")
        if each["metadata"]["name"].startswith("report-export")
    ]
    failed = condition_of(job, "Failed")
    assert failed["reason"] == "DeadlineExceeded"
    assert job["spec"]["activeDeadlineSeconds"] == 3_600
    lasted = parse_stamp(failed["lastTransitionTime"]) - parse_stamp(job["status"]["startTime"])
    assert lasted == timedelta(seconds=3_600)


def test_catalog_pods_were_evicted_from_a_node_short_of_disk(world: RecordedCluster) -> None:
    evicted = [
        pod for pod in pods_of(world, "shop", "catalog") if pod["status"].get("reason") == "Evicted"
    ]
    assert len(evicted) == 2
    for pod in evicted:
        assert pod["status"]["phase"] == "Failed"
        assert pod["status"]["message"].startswith(
            "The node was low on resource: ephemeral-storage."
        )
        assert pod["spec"]["nodeName"] == "worker-2"
    worker = world.store.one("Node", "", "worker-2")
    assert condition_of(worker, "DiskPressure")["status"] == "True"
    assert condition_of(worker, "Ready")["status"] == "True"
    assert worker["spec"]["taints"][0]["key"] == "node.kubernetes.io/disk-pressure"
    assert world.store.one("Deployment", "shop", "catalog")["status"]["readyReplicas"] == 2


def test_the_autoscaler_of_frontend_sees_no_metrics(world: RecordedCluster) -> None:
    scaler = world.store.one("HorizontalPodAutoscaler", "shop", "frontend")
    active = condition_of(scaler, "ScalingActive")
    assert (active["status"], active["reason"]) == ("False", "FailedGetResourceMetric")
    (event,) = events_of(world, scaler, "FailedGetResourceMetric")
    assert "unable to get metrics for resource cpu" in event["message"]


def test_everything_else_is_well(world: RecordedCluster) -> None:
    short = {
        (each["metadata"]["namespace"], each["metadata"]["name"])
        for kind in ("Deployment", "StatefulSet")
        for each in world.store.of_kind(kind)
        if each["spec"]["replicas"] != each["status"].get("readyReplicas", 0)
    }
    assert short == {
        ("shop", "payments"),
        ("shop", "search"),
        ("shop", "checkout-canary"),
        ("shop", "inventory"),
        ("trading", "risk-engine"),
        ("trading", "ledger"),
    }
    workers = world.store.of_kind("Node")
    assert all(condition_of(each, "Ready")["status"] == "True" for each in workers)


def test_ingresses_point_at_services_that_are_there(world: RecordedCluster) -> None:
    for ingress in world.store.of_kind("Ingress"):
        backend = ingress["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]
        service = world.store.one("Service", ingress["metadata"]["namespace"], backend["name"])
        assert backend["port"]["number"] in [each["port"] for each in service["spec"]["ports"]]
        assert ingress["spec"]["ingressClassName"] == "nginx"


def test_no_event_is_older_than_its_life_or_from_the_future(world: RecordedCluster) -> None:
    for each in world.store.of_kind("Event"):
        series = each.get("series") or {}
        seen = parse_stamp(series.get("lastObservedTime") or each["lastTimestamp"])
        assert timedelta(0) <= NOW - seen + timedelta(seconds=1) < timedelta(hours=1), each


@pytest.mark.parametrize("hour", range(24))
def test_the_nightly_job_ran_at_two_whatever_the_time(hour: int) -> None:
    at = NOW.replace(hour=hour)
    assert at.astimezone(ZoneInfo(night_zone(at))).hour == 2


def test_the_nightly_job_ran_at_night_by_its_own_clock(world: RecordedCluster) -> None:
    cron = world.store.one("CronJob", "batch", "nightly-reconciliation")
    assert cron["spec"]["schedule"] == "15 2 * * *"
    assert cron["spec"]["timeZone"] == "Etc/GMT+11"
