"""Events belong to one object and have one age; pods lead to the workload behind them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cluster.events import EPOCH, first_seen, last_seen, text, times_seen
from cluster.objects import Event, Pod
from cluster.snapshot import snapshot_from_objects
from tests.cluster.payloads import (
    NOW,
    ago,
    cron_job,
    event,
    job,
    meta,
    node,
    pod,
    service,
    snapshot,
    workload,
)


def read(plain: dict[str, Any]) -> Event:
    return snapshot(plain).of(Event)[0]


def test_the_latest_of_all_times_is_when_an_event_was_last_seen() -> None:
    plain = event(pod(), "BackOff", last=20, first=60)
    assert last_seen(read(plain)) == NOW - timedelta(minutes=20)
    plain["eventTime"] = ago(15)
    assert last_seen(read(plain)) == NOW - timedelta(minutes=15)
    plain["series"] = {"count": 9, "lastObservedTime": ago(3)}
    assert last_seen(read(plain)) == NOW - timedelta(minutes=3)
    assert first_seen(read(plain)) == NOW - timedelta(minutes=60)


def test_an_event_without_times_or_count_was_seen_once_long_ago() -> None:
    bare = Event()
    assert (last_seen(bare), first_seen(bare), times_seen(bare)) == (EPOCH, EPOCH, 1)


def test_counts_come_from_the_series_or_the_event() -> None:
    plain = event(pod(), "BackOff", count=None)
    assert times_seen(read(plain)) == 1
    plain["series"] = {"count": 9}
    assert times_seen(read(plain)) == 9


def test_the_prefix_of_merged_events_is_no_part_of_the_message() -> None:
    plain = event(pod(), "BackOff", "(combined from similar events): back-off")
    assert text(read(plain)) == "back-off"


def test_events_of_an_object_come_newest_first_and_never_from_a_namesake() -> None:
    own, namesake = pod("payments"), service("payments")
    old, new = event(own, "Pulled", last=9), event(own, "BackOff", last=1)
    state = snapshot(
        own, old, new, event(namesake, "Other"), event(own, "Former", uid="earlier-pod")
    )
    assert [item.reason for item in state.events_of(state.of(Pod)[0])] == ["BackOff", "Pulled"]


def owner_of(plain: dict[str, Any], *others: dict[str, Any]) -> str:
    state = snapshot(plain, *others)
    return str(state.owner(next(item for item in state.of(Pod))))


def test_a_pod_leads_to_its_deployment_and_a_jobs_pod_to_its_cron_job() -> None:
    deployment = workload("Deployment", "payments")
    replica_set = workload("ReplicaSet", "payments-6d8f9", owner=deployment)
    assert owner_of(pod(owner=replica_set), replica_set, deployment) == "Deployment shop/payments"
    nightly = cron_job("nightly")
    run = job("nightly-1", owner=nightly)
    its_pod = pod("nightly-1-x", namespace="batch", owner=run)
    assert owner_of(its_pod, run, nightly) == "CronJob batch/nightly"


def test_a_replica_set_that_was_not_read_still_tells_its_deployment() -> None:
    replica_set = workload("ReplicaSet", "payments-6d8f9")
    labelled = pod(owner=replica_set, labels={"pod-template-hash": "6d8f9"})
    assert owner_of(labelled) == "Deployment shop/payments"
    assert owner_of(pod(owner=replica_set)) == "ReplicaSet shop/payments-6d8f9"


def test_owners_are_found_by_name_when_the_uid_is_unknown() -> None:
    replica_set = workload("ReplicaSet", "payments-6d8f9")
    child = pod(owner=replica_set)
    child["metadata"]["ownerReferences"][0]["uid"] = ""
    deployment = workload("Deployment", "payments")
    replica_set = workload("ReplicaSet", "payments-6d8f9", owner=deployment)
    assert owner_of(child, replica_set, deployment) == "Deployment shop/payments"


def test_bare_and_static_pods_own_themselves_and_loops_end() -> None:
    assert owner_of(pod("bare")) == "Pod shop/bare"
    assert owner_of(pod("etcd-worker-1", owner=node("worker-1"))) == "Pod shop/etcd-worker-1"
    loop = pod("loop")
    loop["metadata"] = meta("loop", owner=loop)
    assert owner_of(loop) == "Pod shop/loop"


def test_kinds_that_are_not_read_are_skipped() -> None:
    state = snapshot_from_objects([{"kind": "Lease", "metadata": {"name": "s"}}], NOW)
    assert state.objects == {}


def test_events_are_found_by_uid_and_by_name_where_they_carry_none() -> None:
    own = pod("payments")
    moved, vague = event(own, "BackOff", last=1), event(own, "Pulled", uid="", last=3)
    moved["involvedObject"]["namespace"] = "elsewhere"
    state = snapshot(own, moved, vague)
    assert [item.reason for item in state.events_of(state.of(Pod)[0])] == ["BackOff", "Pulled"]


def test_an_ordinal_without_owner_belongs_to_the_stateful_set_of_its_name() -> None:
    ledger = workload("StatefulSet", "ledger")
    assert owner_of(pod("ledger-0"), ledger) == "StatefulSet shop/ledger"
    assert owner_of(pod("ledger-x"), ledger) == "Pod shop/ledger-x"
    assert owner_of(pod("ledger-0", namespace="other"), ledger) == "Pod other/ledger-0"
