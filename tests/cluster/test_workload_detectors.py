"""Rules about workloads, jobs and autoscalers."""

from __future__ import annotations

from typing import Any

import pytest

from core.findings import Severity
from tests.cluster.payloads import (
    ago,
    claim,
    condition,
    container_status,
    cron_job,
    daemon_set,
    event,
    evidence,
    found_by,
    found_by_all,
    hpa,
    job,
    pod,
    running,
    service,
    workload,
)


class TestReplicas:
    @pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
    def test_short_is_medium_and_none_ready_is_critical(self, kind: str) -> None:
        (some,) = found_by("replicas", workload(kind, ready=1))
        (none,) = found_by("replicas", workload(kind, ready=0))
        assert (some.severity, none.severity) == (Severity.MEDIUM, Severity.CRITICAL)
        assert some.title == "payments: 1 of 2 replicas ready"
        assert evidence(some)["spec.replicas"] == "2"

    def test_is_silent_when_all_are_ready_or_none_is_wanted(self) -> None:
        assert found_by("replicas", workload("Deployment")) == []
        assert found_by("replicas", workload("Deployment", replicas=0, ready=0)) == []

    def test_waits_five_minutes_by_its_pods(self) -> None:
        short = workload("Deployment", ready=1)
        young = pod("payments-a", container_status(running()), owner=short, unready_since=4)
        old = pod("payments-b", container_status(running()), owner=short, unready_since=6)
        assert found_by("replicas", short, young) == []
        (finding,) = found_by("replicas", short, young, old)
        assert evidence(finding)["pods not ready"] == "payments-a, payments-b"
        assert finding.node == "worker-1"

    def test_without_pods_the_available_condition_tells_since_when(self) -> None:
        unavailable = condition("Available", "False", "MinimumReplicasUnavailable", since=2)
        assert found_by("replicas", workload("Deployment", ready=0, conditions=[unavailable])) == []

    def test_a_daemon_set_short_of_a_pod_is_high(self) -> None:
        (finding,) = found_by("replicas", daemon_set(ready=4))
        assert (finding.problem, finding.severity) == ("daemonset-short", Severity.HIGH)
        assert found_by("replicas", daemon_set()) == []

    def test_a_daemon_set_in_a_rollout_gets_a_quarter_of_an_hour(self) -> None:
        rolling = daemon_set(ready=4)
        rolling["status"]["updatedNumberScheduled"] = 2
        down = pod("d-1", namespace="platform", owner=rolling, unready_since=10)
        assert found_by("replicas", rolling, down) == []
        down = pod("d-1", namespace="platform", owner=rolling, unready_since=16)
        assert len(found_by("replicas", rolling, down)) == 1


class TestRollout:
    def test_tells_what_changed(self) -> None:
        late = condition("Progressing", "False", "ProgressDeadlineExceeded", "has timed out")
        deployment = workload("Deployment", "market-data", conditions=[late])
        revision = "deployment.kubernetes.io/revision"
        old = workload(
            "ReplicaSet", "md-1", owner=deployment, image="md:1", annotations={revision: "9"}
        )
        new = workload(
            "ReplicaSet", "md-2", owner=deployment, image="md:2", annotations={revision: "10"}
        )
        (finding,) = found_by("rollout", deployment, old, new)
        assert finding.reason == "ProgressDeadlineExceeded"
        assert evidence(finding)["image change"] == "app: md:1 → md:2"

    def test_a_rollout_that_gets_on_is_fine(self) -> None:
        on = condition("Progressing", "True", "ReplicaSetUpdated")
        assert found_by("rollout", workload("Deployment", conditions=[on])) == []
        assert found_by("rollout", workload("Deployment")) == []


class TestCannotCreate:
    def test_a_replica_set_over_quota_names_its_deployment(self) -> None:
        deployment = workload("Deployment", "cart")
        failure = condition("ReplicaFailure", "True", "FailedCreate", "exceeded quota: team")
        replica_set = workload("ReplicaSet", "cart-1", owner=deployment, conditions=[failure])
        (finding,) = found_by("cannot_create", deployment, replica_set)
        assert finding.owner.name == "cart"
        assert "exceeded quota" in finding.title

    def test_a_replica_set_scaled_to_nothing_or_recovered_is_fine(self) -> None:
        failure = condition("ReplicaFailure", "True", "FailedCreate")
        idle = workload("ReplicaSet", "a", replicas=0, ready=0, conditions=[failure])
        over = workload("ReplicaSet", "b", conditions=[condition("ReplicaFailure", "False")])
        assert found_by("cannot_create", idle, over) == []

    def test_others_are_told_by_events_while_they_are_short(self) -> None:
        blocked = job("j")
        stateful = workload("StatefulSet", "db", ready=0)
        stateful["status"]["replicas"] = 0
        daemons = daemon_set()
        daemons["status"]["currentNumberScheduled"] = 3
        events = [event(item, "FailedCreate", "forbidden") for item in (blocked, stateful, daemons)]
        found = found_by("cannot_create", blocked, stateful, daemons, *events)
        assert {item.owner.name for item in found} == {"j", "db", "log-forwarder"}

    def test_an_event_that_outlives_its_cause_tells_nothing(self) -> None:
        done, full, old = job("j", active=1), workload("StatefulSet", "db"), job("o")
        events = [event(item, "FailedCreate") for item in (done, full)]
        events.append(event(old, "FailedCreate", last=60, first=90))
        assert found_by("cannot_create", done, full, old, *events) == []


class TestStatefulSet:
    def test_names_the_first_ordinal_that_does_not_run_and_its_claim(self) -> None:
        ledger = workload("StatefulSet", "ledger", replicas=3, ready=1)
        first = pod("ledger-0", container_status(running(), ready=True), owner=ledger, ready=True)
        second = pod("ledger-1", phase="Pending", owner=ledger, claims=["data-ledger-1"])
        (finding,) = found_by("statefulset", ledger, first, second, claim())
        assert finding.title == "ledger: blocked at ledger-1, which is Pending"
        assert "fast-nvme" in evidence(finding)["PersistentVolumeClaim data-ledger-1"]

    def test_a_missing_ordinal_counts(self) -> None:
        ledger = workload("StatefulSet", "ledger", replicas=2, ready=1)
        first = pod("ledger-0", container_status(running(), ready=True), owner=ledger, ready=True)
        (finding,) = found_by("statefulset", ledger, first)
        assert "which is missing" in finding.title

    def test_is_silent_when_ordinals_run_or_leave_or_are_young(self) -> None:
        ledger = workload("StatefulSet", "ledger", replicas=1, ready=0)
        unready = pod("ledger-0", container_status(running()), owner=ledger)
        leaving = pod("ledger-0", phase="Pending", owner=ledger, deleted=True)
        young = pod("ledger-0", phase="Pending", owner=ledger, unready_since=2)
        for state in (unready, leaving, young):
            assert found_by("statefulset", ledger, state) == []
        assert found_by("statefulset", ledger) == []

    def test_a_set_that_is_short_names_what_it_lacks(self) -> None:
        ledger = workload("StatefulSet", "ledger", replicas=1, ready=0)
        ledger["spec"]["serviceName"] = "ledger"
        (finding,) = found_by("statefulset", ledger)
        assert evidence(finding) == {"spec.serviceName": "Service ledger does not exist"}
        spec = {"storageClassName": "fast-nvme"}
        ledger["spec"]["volumeClaimTemplates"] = [{"metadata": {"name": "data"}, "spec": spec}]
        (finding,) = found_by("statefulset", ledger, service("ledger"))
        assert "StorageClass fast-nvme does not exist" in finding.title
        fast = {"kind": "StorageClass", "metadata": {"name": "fast-nvme", "uid": "sc"}}
        assert found_by("statefulset", ledger, service("ledger"), fast) == []

    def test_a_set_that_runs_lacks_nothing(self) -> None:
        ledger = workload("StatefulSet", "ledger", replicas=1, ready=1)
        ledger["spec"]["serviceName"] = "ledger"
        assert found_by("statefulset", ledger) == []


class TestJobFailed:
    def failed(self, name: str = "reconcile-1", *, since: float = 60, **more: Any) -> Any:
        why = condition("Failed", "True", "BackoffLimitExceeded", "reached the limit", since=since)
        return job(name, conditions=[why], failed=3, **more)

    def test_is_told_under_its_cron_job(self) -> None:
        nightly = cron_job()
        (finding,) = found_by("job_failed", nightly, self.failed(owner=nightly))
        assert (finding.owner.kind, finding.owner.name) == ("CronJob", "reconcile")
        assert finding.reason == "BackoffLimitExceeded"
        assert finding.severity is Severity.MEDIUM
        assert evidence(finding)["spec.backoffLimit"] == "2"

    def test_a_deadline_names_its_seconds(self) -> None:
        late = condition("Failed", "True", "DeadlineExceeded", "was active longer")
        (finding,) = found_by("job_failed", job(conditions=[late]))
        assert evidence(finding)["spec.activeDeadlineSeconds"] == "3600 s"

    def test_one_labelled_critical_is_high(self) -> None:
        (finding,) = found_by("job_failed", self.failed(labels={"example.com/priority": "high"}))
        assert finding.severity is Severity.HIGH

    def test_a_later_success_of_the_same_cron_job_settles_it(self) -> None:
        nightly = cron_job()
        later = job("reconcile-2", owner=nightly, completionTime=ago(10), succeeded=1)
        assert found_by("job_failed", nightly, self.failed(owner=nightly), later) == []
        earlier = job("reconcile-0", owner=nightly, completionTime=ago(90), succeeded=1)
        assert len(found_by("job_failed", nightly, self.failed(owner=nightly), earlier)) == 1

    def test_an_event_tells_where_the_condition_is_missing(self) -> None:
        broken = job("j")
        (finding,) = found_by("job_failed", broken, event(broken, "BackoffLimitExceeded"))
        assert finding.reason == "BackoffLimitExceeded"

    def test_done_running_and_long_failed_jobs_are_no_news(self) -> None:
        done, active = job("d", completionTime=ago(5)), job("a", active=1)
        old = self.failed("o", since=3 * 24 * 60)
        retried = event(active, "BackoffLimitExceeded")
        assert found_by("job_failed", done, active, old, retried, job("fresh")) == []


class TestCronJob:
    def test_suspended_is_information(self) -> None:
        (finding,) = found_by("cronjob", cron_job(suspend=True))
        assert finding.severity is Severity.INFO

    @pytest.mark.parametrize("schedule", ["every day", "0 3 * *", "", "0 3 * * $"])
    def test_an_invalid_schedule_is_told(self, schedule: str) -> None:
        (finding,) = found_by("cronjob", cron_job(schedule=schedule))
        assert finding.reason == "InvalidSchedule"

    @pytest.mark.parametrize("schedule", ["0 3 * * *", "*/5 0-6 1,15 * MON", "@daily"])
    def test_valid_schedules_are_fine(self, schedule: str) -> None:
        assert found_by("cronjob", cron_job(schedule=schedule)) == []

    def test_missed_runs_are_told_by_the_controllers_event(self) -> None:
        nightly = cron_job()
        (finding,) = found_by("cronjob", nightly, event(nightly, "TooManyMissedTimes"))
        assert finding.reason == "TooManyMissedTimes"
        assert found_by("cronjob", nightly, event(nightly, "TooManyMissedTimes", last=60)) == []

    def test_a_run_that_was_due_and_did_not_start_is_told(self) -> None:
        late = cron_job(schedule="20 11 * * *")  # NOW is 12:00; it last ran at 10:00
        (finding,) = found_by("cronjob", late)
        assert finding.reason == "MissedSchedule"
        assert finding.title == "reconcile: missed its run of 2026-03-01 11:20 UTC"
        assert evidence(finding)["status.lastScheduleTime"] == ago(120)
        assert found_by("cronjob", cron_job(schedule="56 11 * * *")) == []
        late["status"]["active"] = [{"name": "reconcile-1"}]
        assert found_by("cronjob", late) == []

    def test_its_time_zone_counts_and_an_unknown_one_is_told(self) -> None:
        zoned = cron_job(schedule="20 12 * * *")
        zoned["spec"]["timeZone"] = "Europe/Berlin"
        (finding,) = found_by("cronjob", zoned)
        assert "missed its run of 2026-03-01 11:20 UTC" in finding.title
        assert evidence(finding)["spec.schedule"] == "20 12 * * * Europe/Berlin"
        zoned["spec"]["timeZone"] = "Mars/Olympus"
        (finding,) = found_by("cronjob", zoned)
        assert 'time zone "Mars/Olympus" is not known' in finding.title

    def test_one_that_was_just_made_has_missed_nothing(self) -> None:
        new = cron_job(schedule="0 3 * * *")
        new["status"] = {}
        new["metadata"]["creationTimestamp"] = ago(60)
        assert found_by("cronjob", new) == []


class TestHpa:
    def test_containers_without_the_request_are_named(self) -> None:
        target = {"type": "Utilization", "averageUtilization": 80}
        scaler = hpa(condition("ScalingActive", "False", "FailedGetResourceMetric", "missing"))
        scaler["spec"]["metrics"] = [
            {"type": "Resource", "resource": {"name": "cpu", "target": target}}
        ]
        frontend = workload("Deployment", "frontend")
        (finding,) = found_by("hpa", frontend, scaler)
        assert finding.reason == "FailedGetResourceMetric"  # a limit stands for the request
        frontend["spec"]["template"]["spec"]["containers"][0]["resources"] = {}
        (finding,) = found_by("hpa", frontend, scaler)
        assert finding.reason == "RequestsMissing"
        assert evidence(finding)["resources.requests"] == "app of its target has no cpu request"
        scaler["spec"]["metrics"][0]["resource"]["target"] = {"type": "AverageValue"}
        (finding,) = found_by("hpa", frontend, scaler)
        assert finding.reason == "FailedGetResourceMetric"

    def test_one_that_gets_no_metrics_is_told_of_its_target(self) -> None:
        inactive = condition("ScalingActive", "False", "FailedGetResourceMetric", "unable to get")
        frontend = workload("Deployment", "frontend")
        (finding,) = found_by("hpa", frontend, hpa(inactive))
        assert str(finding.owner) == "Deployment shop/frontend"
        assert finding.reason == "FailedGetResourceMetric"
        assert finding.severity is Severity.HIGH

    def test_disabled_by_scaling_to_zero_is_fine(self) -> None:
        disabled = condition("ScalingActive", "False", "ScalingDisabled")
        assert found_by("hpa", workload("Deployment", "frontend"), hpa(disabled)) == []

    def test_waits_for_its_hold(self) -> None:
        fresh = condition("AbleToScale", "False", "FailedGetScale", since=1)
        assert found_by("hpa", workload("Deployment", "frontend"), hpa(fresh)) == []

    def test_a_missing_target_is_told_but_not_of_a_kind_that_is_not_read(self) -> None:
        (finding,) = found_by("hpa", hpa())
        assert finding.reason == "TargetMissing"
        rollout = hpa()
        rollout["spec"]["scaleTargetRef"]["kind"] = "Rollout"
        assert found_by("hpa", rollout) == []

    def test_at_its_maximum_for_ten_minutes_is_medium(self) -> None:
        def limited(since: float, maximum: int = 6) -> Any:
            full = condition("ScalingLimited", "True", "TooManyReplicas", since=since)
            return [workload("Deployment", "frontend"), hpa(full, maximum=maximum)]

        (finding,) = found_by("hpa", *limited(11))
        assert (finding.problem, finding.severity) == ("hpa-at-maximum", Severity.MEDIUM)
        assert found_by("hpa", *limited(9)) == []
        assert found_by("hpa", *limited(11, maximum=1)) == []


def test_healthy_workloads_give_nothing() -> None:
    objects = [
        workload("Deployment"),
        workload("StatefulSet", "db"),
        workload("ReplicaSet", "payments-1"),
        daemon_set(),
        cron_job(),
        job("done", completionTime=ago(5), succeeded=1),
    ]
    assert found_by_all(*objects) == []
