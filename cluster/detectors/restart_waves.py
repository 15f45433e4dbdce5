"""Containers of many workloads that restarted together: one incident, not one for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cluster.detectors.building import (
    build,
    containers,
    explain_exit,
    is_recent,
    live_pods,
    shared_node,
)
from cluster.objects import Pod, Terminated
from cluster.snapshot import Snapshot
from cluster.thresholds import Thresholds
from core.findings import Evidence, Finding, ObjectRef, Severity

MAX_NAMES = 8


@dataclass(frozen=True, slots=True)
class Restart:
    """A container that ended and runs again."""

    pod: Pod
    container: str
    ended: Terminated
    at: datetime
    owner: ObjectRef

    @property
    def key(self) -> tuple[str, str, str]:
        """Namespace, pod and container."""
        return self.pod.metadata.namespace, self.pod.metadata.name, self.container


def find_waves(
    snapshot: Snapshot, now: datetime, thresholds: Thresholds
) -> list[tuple[Restart, ...]]:
    """The waves of restarts that are recent, oldest first; most of the time there is none."""
    restarts = sorted(_restarts(snapshot, now, thresholds), key=lambda restart: restart.at)
    span = timedelta(seconds=thresholds.restart_wave_seconds)
    waves: list[tuple[Restart, ...]] = []
    owners: Counter[ObjectRef] = Counter()  # of the restarts from `start` to `end`
    start = end = 0
    while start < len(restarts):
        while end < len(restarts) and restarts[end].at - restarts[start].at <= span:
            owners[restarts[end].owner] += 1
            end += 1
        if len(owners) >= thresholds.restart_wave_minimum_workloads:
            waves.append(tuple(restarts[start:end]))
            owners.clear()
            start = end
            continue
        first = restarts[start].owner
        owners[first] -= 1
        if not owners[first]:
            del owners[first]
        start += 1
    return waves


def _restarts(snapshot: Snapshot, now: datetime, thresholds: Thresholds) -> Iterator[Restart]:
    for pod in live_pods(snapshot):
        for status in containers(pod):
            ended = status.last_state.terminated
            if ended is None or ended.finished_at is None or status.state.running is None:
                continue
            # Out of memory is a cause of its own, with a rule of its own.
            if ended.reason != "OOMKilled" and is_recent(
                ended.finished_at, now, thresholds.restart_wave_recent_seconds
            ):
                owner = snapshot.owner(pod)
                yield Restart(pod, status.name, ended, ended.finished_at, owner)


def detect(snapshot: Snapshot, now: datetime, thresholds: Thresholds) -> Iterator[Finding]:
    """One finding a wave, on what the pods share: their node, their namespace or the cluster."""
    for wave in find_waves(snapshot, now, thresholds):
        pods = [restart.pod for restart in wave]
        node, owner = shared_node(pods), _shared(snapshot, pods)
        workloads = sorted({str(restart.owner) for restart in wave})
        exits = Counter(explain_exit(restart.ended) for restart in wave)
        more = f" and {len(workloads) - MAX_NAMES} more" if len(workloads) > MAX_NAMES else ""
        yield build(
            snapshot,
            owner,
            detector="restart_waves",
            problem="restart-wave",
            reason="RestartWave",
            severity=Severity.HIGH,
            says=f"{len(wave)} containers of {len(workloads)} workloads restarted together at "
            f"{wave[0].at:%H:%M} UTC",
            since=wave[0].at,
            until=wave[-1].at,
            evidence=[
                Evidence("workloads", ", ".join(workloads[:MAX_NAMES]) + more),
                Evidence(
                    "lastState.terminated.exitCode",
                    ", ".join(f"{count} × {code}" for code, count in exits.most_common(3)),
                ),
                Evidence("nodes", node or ", ".join(sorted({pod.spec.node_name for pod in pods}))),
            ],
            members=sorted({str(snapshot.ref(pod)) for pod in pods}),
            node=node,
            count=len(wave),
        )


def _shared(snapshot: Snapshot, pods: Sequence[Pod]) -> ObjectRef:
    if node := shared_node(pods):
        return ObjectRef(snapshot.cluster, "Node", "", node)
    namespaces = {pod.metadata.namespace for pod in pods}
    if len(namespaces) == 1:
        return ObjectRef(snapshot.cluster, "Namespace", "", namespaces.pop())
    return ObjectRef(snapshot.cluster, "Cluster", "", snapshot.cluster)
