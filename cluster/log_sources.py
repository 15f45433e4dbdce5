"""Which containers' logs are worth reading."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cluster.detectors.building import is_leaving
from cluster.objects import ContainerStatus, Pod
from cluster.snapshot import Snapshot
from core.findings import Finding

MAX_CONTAINERS = 3  # per finding: replicas of one workload fail alike

# Problems whose containers have run and may have said why they fail.
LOGGED_PROBLEMS = frozenset(
    {"bad-exit", "crash-loop", "job-failed", "not-ready", "oom", "rollout-stuck"}
)


@dataclass(frozen=True, slots=True)
class LogSource:
    """A container whose log is worth reading.

    Attributes:
        previous: Read the log of the instance before the last restart.
        has_ended: The log ends with the container's end, so that its last lines tell much.
    """

    namespace: str
    pod: str
    container: str
    previous: bool = False
    has_ended: bool = False


def unhealthy_containers(pod: Pod, crashed_since: datetime | None = None) -> list[LogSource]:
    """Containers that ended badly or are not ready; of pods that leave, none.

    One that runs well again and crashed before `crashed_since` does not count: what it said before
    its restart is history by then.
    """
    if is_leaving(pod):
        return []
    meta = pod.metadata
    return [
        LogSource(
            meta.namespace,
            meta.name,
            status.name,
            previous=_wants_previous(status),
            has_ended=bool(status.state.terminated or status.last_state.terminated),
        )
        for status in pod.status.init_container_statuses + pod.status.container_statuses
        if _is_unhealthy(status) and not _has_recovered(status, crashed_since)
    ]


def _has_recovered(status: ContainerStatus, crashed_since: datetime | None) -> bool:
    crash = status.last_state.terminated
    if crashed_since is None or crash is None or crash.finished_at is None:
        return False
    return status.ready and status.state.running is not None and crash.finished_at < crashed_since


def _is_unhealthy(status: ContainerStatus) -> bool:
    ended = status.state.terminated
    if ended is not None:
        return ended.exit_code != 0
    has_run = status.restart_count > 0 or status.state.running is not None
    return has_run and (not status.ready or status.last_state.terminated is not None)


def _wants_previous(status: ContainerStatus) -> bool:
    """The crash is in the log of the instance that crashed, which a running one is not."""
    return status.state.terminated is None and status.last_state.terminated is not None


def sources_of(snapshot: Snapshot, finding: Finding) -> list[LogSource]:
    """The containers that a finding is about: those of its own pod first."""
    pods = list(snapshot.pods_of(finding.owner))
    pods.sort(key=lambda pod: pod.metadata.name != finding.involved.name)
    sources: list[LogSource] = []
    for pod in pods:
        sources += unhealthy_containers(pod)
    return sources[:MAX_CONTAINERS]
