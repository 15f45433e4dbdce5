"""Many containers that restart together are one incident."""

from __future__ import annotations

from typing import Any

from core.findings import Severity
from tests.cluster.payloads import (
    container_status,
    evidence,
    found_by,
    found_by_all,
    pod,
    running,
    terminated,
    workload,
)


def restarted(number: int, minutes: float = 10, *, workloads: int = 9, **more: Any) -> Any:
    """A pod of one of several workloads that runs again."""
    last = terminated(255, "Unknown", minutes=minutes)
    status = container_status(running(), last=last, restarts=3, ready=True)
    owner = workload("Deployment", f"shop-{number % workloads}")
    return pod(f"shop-{number}", status, owner=owner, ready=True, **more)


class TestRestartWaves:
    def test_many_that_restarted_with_their_node_are_one_finding(self) -> None:
        pods = [restarted(number, 10 + number / 15) for number in range(21)]
        (finding,) = found_by_all(*pods)
        assert finding.problem == "restart-wave"
        assert finding.severity is Severity.HIGH
        assert str(finding.owner) == "Node worker-1"
        assert "21 containers of 9 workloads restarted together at 11:48 UTC" in finding.title
        assert evidence(finding)["lastState.terminated.exitCode"].startswith("21 × 255")
        assert evidence(finding)["workloads"].endswith("and 1 more")
        assert len(finding.members) == 21

    def test_on_several_nodes_it_is_of_the_namespace_or_the_cluster(self) -> None:
        pods = [restarted(number, node=f"worker-{number % 2}") for number in range(5)]
        (finding,) = found_by("restart_waves", *pods)
        assert str(finding.owner) == "Namespace shop"
        (finding,) = found_by("restart_waves", *pods, restarted(6, namespace="other"))
        assert finding.owner.kind == "Cluster"

    def test_a_few_one_workload_or_one_after_the_other_are_none(self) -> None:
        few = [restarted(number) for number in range(4)]
        one = [restarted(number, workloads=1) for number in range(9)]
        spread = [restarted(number, 3 * number) for number in range(9)]
        old = [restarted(number, 61) for number in range(9)]
        for pods in (few, one, spread, old):
            assert found_by("restart_waves", *pods) == []

    def test_a_restart_before_the_wave_is_none_of_it(self) -> None:
        pods = [restarted(number) for number in range(5)]
        (finding,) = found_by("restart_waves", restarted(8, 20), *pods)
        assert finding.count == 5

    def test_crashes_of_the_wave_are_told_once(self) -> None:
        def crashed(number: int) -> Any:
            status = container_status(running(), last=terminated(1), restarts=1, ready=True)
            return pod(f"a-{number}", status, ready=True)

        assert [item.problem for item in found_by_all(*map(crashed, range(5)))] == ["restart-wave"]
        four = found_by_all(*map(crashed, range(4)))
        assert [item.problem for item in four] == ["bad-exit"] * 4
