"""Rules about pods, each fed with what the API sends."""

from __future__ import annotations

from typing import Any

import pytest

from cluster.detectors.reasons import CONFIG_REASONS, IMAGE_PULL_REASONS, STUCK_EVENTS
from cluster.detectors.warning_events import REASONS
from cluster.thresholds import Thresholds
from core.findings import Severity
from tests.cluster.payloads import (
    NOW,
    ago,
    condition,
    container_status,
    event,
    evidence,
    found_by,
    found_by_all,
    job,
    node,
    pod,
    running,
    terminated,
    waiting,
    workload,
)

BACK_OFF = waiting("CrashLoopBackOff", "back-off 5m0s restarting failed container")


def crash_looping(restarts: int = 6, **more: Any) -> dict[str, Any]:
    status = container_status(BACK_OFF, last=terminated(1), restarts=restarts)
    return pod("risk-engine-1", status, **more)


class TestCrashLoop:
    def test_names_restarts_exit_code_and_image(self) -> None:
        (finding,) = found_by("crash_loop", crash_looping())
        assert finding.problem == "crash-loop"
        assert finding.reason == "CrashLoopBackOff"
        assert finding.title == "risk-engine-1: CrashLoopBackOff, 6 restarts, exit 1"
        assert finding.severity is Severity.HIGH
        told = evidence(finding)
        assert told["lastState.terminated.exitCode"] == "1 (application error)"
        assert told["lastState.terminated.finishedAt"] == ago(5)
        assert told["resources.limits.memory"] == "256Mi"
        assert finding.count == 6

    def test_is_critical_from_ten_restarts(self) -> None:
        assert found_by("crash_loop", crash_looping(9))[0].severity is Severity.HIGH
        assert found_by("crash_loop", crash_looping(10))[0].severity is Severity.CRITICAL

    def test_its_stage_grows_with_its_restarts(self) -> None:
        found = [found_by("crash_loop", crash_looping(restarts))[0] for restarts in (2, 3, 10, 50)]
        assert [item.stage for item in found] == [0, 1, 2, 3]

    def test_it_and_an_oom_kill_say_how_long_they_take_to_cool_down(self) -> None:
        killed = container_status(running(4), last=terminated(137, "OOMKilled"), restarts=1)
        (loop,) = found_by("crash_loop", crash_looping())
        (kill,) = found_by("oom", pod("payments-1", killed))
        assert (loop.cooldown_seconds, kill.cooldown_seconds) == (4 * 3600, 3600)
        set_by_hand = Thresholds(crash_loop_cooldown_seconds=60)
        (loop,) = found_by("crash_loop", crash_looping(), thresholds=set_by_hand)
        assert loop.cooldown_seconds == 60

    def test_one_restart_of_a_new_pod_is_not_a_loop_yet(self) -> None:
        assert found_by("crash_loop", crash_looping(1, age=3)) == []
        assert len(found_by("crash_loop", crash_looping(1, age=60))) == 1

    def test_init_containers_count_as_well(self) -> None:
        init = container_status(BACK_OFF, last=terminated(127), restarts=4, name="setup")
        (finding,) = found_by("crash_loop", pod("p", inits=[init], phase="Pending"))
        assert evidence(finding)["container"] == "setup"

    def test_began_with_the_first_back_off_event(self) -> None:
        broken = crash_looping()
        (finding,) = found_by("crash_loop", broken, event(broken, "BackOff", first=42))
        assert f"{finding.first_seen:%H:%M}" == "11:18"

    def test_an_oom_kill_is_left_to_its_own_rule(self) -> None:
        status = container_status(BACK_OFF, last=terminated(137, "OOMKilled"), restarts=14)
        problems = [item.problem for item in found_by_all(pod("payments-1", status))]
        assert problems == ["oom"]

    def test_a_recent_crash_that_runs_again_is_told_once(self) -> None:
        status = container_status(running(4), last=terminated(1), ready=True, restarts=1)
        (finding,) = found_by_all(pod("p", status, ready=True))
        assert (finding.problem, finding.severity) == ("bad-exit", Severity.HIGH)

    def test_between_two_crashes_it_is_the_same_problem_as_in_back_off(self) -> None:
        up = container_status(running(1), last=terminated(1, minutes=2), restarts=6)
        down = container_status(terminated(1, minutes=1), last=terminated(1), restarts=6)
        for status in (up, down):
            (finding,) = found_by_all(pod("risk-engine-1", status))
            assert finding.identity == found_by("crash_loop", crash_looping())[0].identity

    @pytest.mark.parametrize(
        "last",
        [terminated(0, "Completed"), terminated(143), terminated(1, minutes=60)],
        ids=["completed", "asked to stop", "long ago"],
    )
    def test_is_silent_on_a_running_container(self, last: dict[str, Any]) -> None:
        status = container_status(running(), last=last, ready=True, restarts=3)
        assert found_by_all(pod("p", status, ready=True)) == []

    @pytest.mark.parametrize(
        "more",
        [
            {"deleted": True},
            {"conditions": [condition("DisruptionTarget", "True", "PreemptionByScheduler")]},
            {"phase": "Succeeded"},
        ],
        ids=["being deleted", "disrupted on purpose", "succeeded"],
    )
    def test_is_silent_on_a_pod_that_leaves(self, more: dict[str, Any]) -> None:
        assert found_by_all(crash_looping(**more)) == []

    def test_what_a_node_restart_leaves_is_no_crash(self) -> None:
        lost = container_status(running(), last=terminated(255, "Unknown"), restarts=2, ready=True)
        own = container_status(running(), last=terminated(255), restarts=2, ready=True)
        assert found_by("crash_loop", pod("a", lost)) == []
        assert len(found_by("crash_loop", pod("a", own))) == 1
        assert found_by("bad_exit", pod("a", container_status(terminated(255, "Unknown")))) == []


class TestOom:
    def test_tells_limit_request_and_restarts(self) -> None:
        status = container_status(BACK_OFF, last=terminated(137, "OOMKilled"), restarts=14)
        (finding,) = found_by("oom", pod("payments-1", status))
        assert finding.title == "payments-1: OOMKilled, 14 restarts"
        assert finding.severity is Severity.CRITICAL
        told = evidence(finding)
        assert told["resources.limits.memory"] == "256Mi"
        assert told["resources.requests.memory"] == "128Mi"
        assert told["state.waiting.reason"] == "CrashLoopBackOff"

    def test_exit_137_alone_is_not_out_of_memory(self) -> None:
        status = container_status(BACK_OFF, last=terminated(137, "Error"), restarts=4)
        (finding,) = found_by_all(pod("p", status))
        assert finding.problem == "crash-loop"

    def test_a_container_that_has_ended_so_counts(self) -> None:
        ended = container_status(terminated(137, "OOMKilled"))
        (finding,) = found_by_all(pod("p", ended, phase="Failed"))
        assert (finding.problem, finding.severity) == ("oom", Severity.HIGH)

    def test_a_kill_long_survived_is_no_news(self) -> None:
        def survivor(minutes: float) -> dict[str, Any]:
            last = terminated(137, "OOMKilled", minutes=minutes)
            return pod("p", container_status(running(), last=last, ready=True, restarts=1))

        assert len(found_by("oom", survivor(30))) == 1
        assert found_by("oom", survivor(120)) == []

    def test_a_node_event_counts_while_it_is_recent(self) -> None:
        host = node("worker-2")
        (finding,) = found_by("oom", host, event(host, "SystemOOM", uid="worker-2"))
        assert (finding.problem, finding.node) == ("node-oom", "worker-2")
        assert found_by("oom", host, event(host, "SystemOOM", last=90, first=91)) == []


class TestBadExit:
    def test_explains_the_exit_code(self) -> None:
        ended = container_status(terminated(139))
        (finding,) = found_by("bad_exit", pod("p", ended, phase="Failed"))
        assert finding.severity is Severity.MEDIUM
        assert "SIGSEGV" in evidence(finding)["state.terminated.exitCode"]

    @pytest.mark.parametrize(
        "state",
        [
            terminated(0, "Completed"),
            terminated(143),
            terminated(3, "Completed"),
            terminated(1, minutes=3 * 24 * 60),
        ],
    )
    def test_is_silent_on_good_and_old_ends(self, state: dict[str, Any]) -> None:
        assert found_by("bad_exit", pod("p", container_status(state), phase="Failed")) == []

    def test_a_failed_try_of_a_job_that_got_there_is_no_news(self) -> None:
        done = job("j", completionTime=ago(1), succeeded=1)
        open_ = job("j", active=1)
        ended = container_status(terminated(1))
        attempt = pod("j-x", ended, namespace="batch", phase="Failed", owner=done)
        assert found_by("bad_exit", done, attempt) == []
        assert len(found_by("bad_exit", open_, attempt)) == 1


class TestImagePull:
    def broken(self, reason: str = "ImagePullBackOff", **more: Any) -> dict[str, Any]:
        status = container_status(
            waiting(reason, "Back-off pulling image"), image="r.io/cart:2.8.1"
        )
        return pod("cart-1", status, phase="Pending", **more)

    @pytest.mark.parametrize(
        ("message", "cause"),
        [
            ("rpc error: r.io/cart:2.8.1: not found", "not found"),
            ("r.io/cart:2.8.1: 401 Unauthorized", "not authorised"),
            ("r.io/cart:2.8.1: dial tcp: i/o timeout", "registry unreachable"),
            ("r.io/cart:2.8.1: x509: certificate signed by unknown", "TLS certificate"),
        ],
    )
    def test_takes_the_cause_from_the_kubelets_event(self, message: str, cause: str) -> None:
        broken = self.broken()
        failed = event(broken, "Failed", f'Failed to pull image "{message}')
        (finding,) = found_by("image_pull", broken, failed)
        assert finding.problem == "image-pull"
        assert "cart:2.8.1" in finding.title
        assert cause in finding.title
        assert evidence(finding)["spec.imagePullSecrets"] == "registry-login"

    def test_flipping_reasons_are_one_identity(self) -> None:
        (first,) = found_by("image_pull", self.broken("ErrImagePull"))
        (second,) = found_by("image_pull", self.broken("ImagePullBackOff"))
        assert first.identity == second.identity

    def test_waits_for_its_hold(self) -> None:
        assert found_by("image_pull", self.broken(age=1.5)) == []

    def test_an_event_about_a_namesake_tells_nothing(self) -> None:
        broken = self.broken()
        other = event(broken, "Failed", "r.io/cart:2.8.1: not found", uid="another")
        (finding,) = found_by("image_pull", broken, other)
        assert "Event Failed" not in evidence(finding)

    @pytest.mark.parametrize("reason", sorted(IMAGE_PULL_REASONS))
    def test_each_reason_of_the_kubelet_counts(self, reason: str) -> None:
        (finding,) = found_by_all(pod("p", container_status(waiting(reason)), phase="Pending"))
        assert (finding.problem, finding.reason) == ("image-pull", reason)

    def test_two_containers_with_one_image_are_one_finding(self) -> None:
        status = container_status(waiting("ErrImagePull"), image="a:1")
        twin = container_status(waiting("ErrImagePull"), image="a:1", name="other")
        assert len(found_by("image_pull", pod("p", status, twin, phase="Pending"))) == 1


class TestConfigError:
    def test_names_the_missing_config_map(self) -> None:
        message = 'configmap "checkout-canary-config" not found'
        status = container_status(waiting("CreateContainerConfigError", message))
        (finding,) = found_by_all(pod("checkout-canary-1", status, phase="Pending"))
        assert finding.problem == "config-error"
        assert "checkout-canary-config" in finding.title

    @pytest.mark.parametrize("reason", sorted(CONFIG_REASONS))
    def test_each_reason_of_the_kubelet_counts(self, reason: str) -> None:
        (finding,) = found_by_all(pod("p", container_status(waiting(reason)), phase="Pending"))
        assert (finding.problem, finding.reason) == ("config-error", reason)

    def test_waits_for_its_hold(self) -> None:
        status = container_status(waiting("CreateContainerConfigError"))
        assert found_by("config_error", pod("p", status, age=0.2)) == []


class TestStuckCreating:
    def creating(self, **more: Any) -> dict[str, Any]:
        status = container_status(waiting("ContainerCreating"))
        return pod("log-forwarder-1", status, phase="Pending", claims=["data-1"], **more)

    def test_tells_the_event_the_node_and_the_claim(self) -> None:
        stuck = self.creating()
        failed = event(stuck, "FailedMount", "/var/log/journal is not a directory")
        (finding,) = found_by_all(stuck, failed)
        told = evidence(finding)
        assert finding.reason == "FailedMount"
        assert "not a directory" in told["Event FailedMount"]
        assert (told["spec.nodeName"], told["persistentVolumeClaim"]) == ("worker-1", "data-1")

    def test_tells_each_message_once(self) -> None:
        creating = pod("a", container_status(waiting("ContainerCreating")), phase="Pending")
        (finding,) = found_by(
            "stuck_creating",
            creating,
            event(creating, "FailedMount", "host path is not a directory", last=4),
            event(creating, "FailedMount", "timed out waiting for the condition", last=2),
            event(creating, "FailedMount", "timed out waiting for the condition", last=1),
            event(creating, "Pulled", "not an obstacle", type_="Normal"),
        )
        told = [item.value for item in finding.evidence if item.field == "Event FailedMount"]
        assert told == ["timed out waiting for the condition", "host path is not a directory"]

    @pytest.mark.parametrize("reason", sorted(STUCK_EVENTS))
    def test_each_obstacle_counts(self, reason: str) -> None:
        stuck = self.creating()
        (finding,) = found_by_all(stuck, event(stuck, reason))
        assert (finding.problem, finding.reason) == ("stuck-creating", reason)

    def test_needs_an_event_that_names_an_obstacle(self) -> None:
        stuck = self.creating()
        assert found_by("stuck_creating", stuck) == []
        assert found_by("stuck_creating", stuck, event(stuck, "Unhealthy")) == []

    def test_waits_for_its_hold_and_for_pods_that_are_creating(self) -> None:
        young = self.creating(age=1)
        assert found_by("stuck_creating", young, event(young, "FailedMount")) == []
        up = pod("p", container_status(running(), ready=True))
        assert found_by("stuck_creating", up, event(up, "FailedMount")) == []


class TestScheduling:
    def pending(self, message: str = "", reason: str = "Unschedulable", since: float = 10) -> Any:
        scheduled = condition("PodScheduled", "False", reason, message, since=since)
        return pod("search-1", phase="Pending", node="", conditions=[scheduled])

    @pytest.mark.parametrize(
        ("message", "obstacle"),
        [
            ("0/5 nodes are available: 5 Insufficient memory.", "insufficient memory"),
            ("0/5 nodes are available: 5 Insufficient cpu.", "insufficient cpu"),
            ("0/5 nodes: 5 Insufficient nvidia.com/gpu", "no GPU"),
            ("0/5 nodes: 5 node(s) had untolerated taint {a: b}", "taints"),
            ("0/5 nodes: didn't match Pod's node affinity/selector", "affinity"),
            ("0/5 nodes: pod has unbound immediate PersistentVolumeClaims", "volume claim"),
            ("0/5 nodes: Too many pods", "too many pods"),
            ("0/5 nodes: 5 node(s) were unschedulable", "cordoned"),
            ("who knows", "no node fits"),
        ],
    )
    def test_reads_the_obstacle_from_the_scheduler(self, message: str, obstacle: str) -> None:
        (finding,) = found_by_all(self.pending(message))
        assert finding.problem == "unschedulable"
        assert obstacle in finding.title
        assert evidence(finding)["resources.requests.memory"] == "128Mi"

    def test_waits_five_minutes(self) -> None:
        assert found_by_all(self.pending(since=4)) == []

    def test_a_gate_is_information(self) -> None:
        (finding,) = found_by_all(self.pending(reason="SchedulingGated"))
        assert finding.severity is Severity.INFO

    def test_a_pod_that_is_just_pending_is_told_after_its_hold(self) -> None:
        (finding,) = found_by_all(pod("p", phase="Pending", age=6))
        assert (finding.problem, finding.severity) == ("pending", Severity.MEDIUM)
        assert found_by_all(pod("p", phase="Pending", age=4)) == []


class TestEvicted:
    def evicted(self, name: str, minutes: float = 30) -> dict[str, Any]:
        by_kubelet = condition("DisruptionTarget", "True", "TerminationByKubelet", since=minutes)
        return pod(
            name,
            phase="Failed",
            conditions=[by_kubelet],
            owner=workload("Deployment", "catalog"),
            reason="Evicted",
            message="The node was low on resource: ephemeral-storage.",
        )

    def test_the_kubelets_disruption_mark_does_not_excuse_it(self) -> None:
        (finding,) = found_by_all(self.evicted("catalog-1"))
        assert (finding.problem, finding.severity) == ("evicted", Severity.MEDIUM)
        assert "ephemeral-storage" in evidence(finding)["status.message"]

    def test_repeated_for_an_owner_it_is_high(self) -> None:
        found = found_by("evicted", self.evicted("catalog-1"), self.evicted("catalog-2"))
        assert [item.severity for item in found] == [Severity.HIGH, Severity.HIGH]
        assert found[0].title == "catalog: 2 pods evicted"

    def test_an_old_eviction_is_no_news(self) -> None:
        assert found_by("evicted", self.evicted("catalog-1", minutes=2 * 24 * 60)) == []


class TestNotReady:
    def unready(self, since: float = 5) -> dict[str, Any]:
        return pod("inventory-1", container_status(running()), unready_since=since)

    def test_tells_the_probes_message(self) -> None:
        sick = self.unready()
        probe = event(sick, "Unhealthy", "Readiness probe failed: statuscode: 503")
        (finding,) = found_by_all(sick, probe)
        assert (finding.problem, finding.severity) == ("not-ready", Severity.MEDIUM)
        assert "503" in evidence(finding)["Event Unhealthy"]
        assert "readiness" in finding.title

    def test_is_high_after_ten_minutes(self) -> None:
        sick = self.unready(since=11)
        assert found_by("not_ready", sick, event(sick, "Unhealthy"))[0].severity is Severity.HIGH

    def test_needs_a_probe_event_and_its_hold(self) -> None:
        sick, fresh = self.unready(), self.unready(since=1)
        assert found_by("not_ready", sick) == []
        assert found_by("not_ready", sick, event(sick, "Pulled", type_="Normal")) == []
        assert found_by("not_ready", fresh, event(fresh, "Unhealthy")) == []

    def test_a_ready_pod_with_an_old_probe_failure_is_healthy(self) -> None:
        well = pod("p", container_status(running(), ready=True), ready=True)
        probe = event(well, "Unhealthy", "Readiness probe failed")
        assert found_by_all(well, probe) == []


class TestWarningEvents:
    def test_a_liveness_probe_that_keeps_failing_is_told(self) -> None:
        well = pod("p", container_status(running(), ready=True), ready=True)
        probe = event(well, "Unhealthy", "Liveness probe failed: timeout", count=4)
        (finding,) = found_by("warning_events", well, probe)
        assert (finding.problem, finding.severity) == ("event-Unhealthy", Severity.MEDIUM)
        assert finding.count == 4

    @pytest.mark.parametrize("reason", sorted(REASONS))
    def test_each_complaint_that_no_status_shows_is_told_once_it_is_repeated(
        self, reason: str
    ) -> None:
        well = pod("p", container_status(running(), ready=True), ready=True)
        (finding,) = found_by_all(well, event(well, reason, count=3))
        assert (finding.problem, finding.count) == (f"event-{reason}", 3)
        assert found_by_all(well, event(well, reason, count=2)) == []

    def test_a_mount_that_fails_is_told_of_a_pod_that_runs(self) -> None:
        well = pod("p", container_status(running(), ready=True), ready=True)
        pending = pod("q", phase="Pending")
        mounts = [event(each, "FailedMount", "no such Secret", count=4) for each in (well, pending)]
        (finding,) = found_by("warning_events", well, pending, *mounts)
        assert finding.involved.name == "p"

    def test_a_node_that_has_just_been_made_has_no_capacity_yet(self) -> None:
        new, old = node("new"), node("old")
        new["metadata"]["creationTimestamp"] = ago(10)
        events = [event(each, "InvalidDiskCapacity", "zero", count=4) for each in (new, old)]
        (finding,) = found_by("warning_events", new, old, *events)
        assert finding.involved.name == "old"

    def test_one_occurrence_an_old_one_and_one_of_a_gone_object_are_noise(self) -> None:
        well = pod("p", container_status(running(), ready=True), ready=True)
        leaving = pod("q", deleted=True)
        gone = pod("gone")
        assert (
            found_by(
                "warning_events",
                well,
                leaving,
                event(well, "FailedKillPod", count=1),
                event(well, "FailedPreStopHook", last=60),
                event(gone, "FailedKillPod", count=9),
                event(leaving, "FailedKillPod", count=9),
            )
            == []
        )


def test_a_healthy_pod_gives_nothing() -> None:
    well = pod("p", container_status(running(), ready=True), ready=True)
    assert found_by_all(well) == []
    assert NOW.tzinfo is not None


class TestPodFailed:
    def test_a_pod_its_node_refused_says_why(self) -> None:
        refused = pod(phase="Failed", reason="OutOfcpu", message="Pod was rejected: not enough cpu")
        (finding,) = found_by("pod_failed", refused)
        assert finding.severity is Severity.MEDIUM
        assert finding.reason == "OutOfcpu"
        assert "Pod was rejected" in finding.title
        assert evidence(finding)["status.phase"] == "Failed"

    @pytest.mark.parametrize("phase", ["Unknown", "CrashLoopBackOff"])
    def test_a_phase_that_says_trouble_is_told(self, phase: str) -> None:
        (finding,) = found_by("pod_failed", pod(phase=phase))
        assert finding.title.endswith(f"pod is {phase}")

    def test_exits_evictions_old_and_ordinary_ones_are_left_to_others(self) -> None:
        ended = container_status(terminated(1))
        assert found_by("pod_failed", pod("a", ended, phase="Failed")) == []
        assert found_by("pod_failed", pod(phase="Failed", reason="Evicted")) == []
        assert found_by("pod_failed", pod(phase="Failed", unready_since=60 * 25)) == []
        for phase in ("Pending", "Running", "Succeeded"):
            assert found_by("pod_failed", pod(phase=phase)) == []
