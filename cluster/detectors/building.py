"""What detectors share: which pods count, how long a state has lasted, how a Finding is made."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta

from cluster.events import EPOCH, text
from cluster.objects import (
    Condition,
    ContainerStatus,
    Event,
    KubeObject,
    Node,
    Pod,
    Quantity,
    Terminated,
    Waiting,
)
from cluster.snapshot import Snapshot
from core.findings import Evidence, Finding, ObjectRef, Severity

MAX_VALUE_CHARS = 400

EXIT_CODES = {
    1: "application error",
    2: "wrong usage or application error",
    126: "command cannot be run",
    127: "command not found",
    128: "the container could not be started",
    134: "SIGABRT, aborted",
    137: "SIGKILL, killed",
    139: "SIGSEGV, memory access violation",
    143: "SIGTERM, asked to stop",
    255: "unknown, often a node restart",
}


def condition(conditions: Iterable[Condition], kind: str) -> Condition | None:
    """The condition of this type."""
    return next((item for item in conditions if item.type == kind), None)


def is_leaving(pod: Pod) -> bool:
    """Being deleted, or disrupted on purpose: its troubles are no news."""
    disrupted = condition(pod.status.conditions, "DisruptionTarget")
    return pod.metadata.deletion_timestamp is not None or (
        disrupted is not None and disrupted.status == "True"
    )


def live_pods(snapshot: Snapshot) -> tuple[Pod, ...]:
    """Pods that may be in trouble: not leaving, not done, not evicted (a rule of its own)."""
    return snapshot.pods_where(_is_live)


def _is_live(pod: Pod) -> bool:
    is_over = pod.status.phase == "Succeeded" or pod.status.reason == "Evicted"
    return not is_over and not is_leaving(pod)


def containers(pod: Pod) -> tuple[ContainerStatus, ...]:
    """States of all containers, init containers first."""
    return pod.status.init_container_statuses + pod.status.container_statuses


def waiting_containers(
    snapshot: Snapshot, reasons: Collection[str], now: datetime, hold_seconds: float
) -> Iterator[tuple[Pod, ContainerStatus, Waiting]]:
    """Containers that wait for one of these reasons, in pods that have served the hold."""
    for pod in live_pods(snapshot):
        if not has_lasted(created(pod), now, hold_seconds):
            continue
        for status in containers(pod):
            waiting = status.state.waiting
            if waiting is not None and waiting.reason in reasons:
                yield pod, status, waiting


def created(obj: KubeObject) -> datetime:
    """When the object was made."""
    return obj.metadata.creation_timestamp or EPOCH


def not_ready_since(pod: Pod) -> datetime:
    """Since when the pod is not ready, as its condition says; else since it was made."""
    ready = condition(pod.status.conditions, "Ready")
    if ready and ready.status != "True" and ready.last_transition_time:
        return ready.last_transition_time
    return created(pod)


def is_ready(pod: Pod) -> bool:
    """Whether the pod's Ready condition holds."""
    ready = condition(pod.status.conditions, "Ready")
    return ready is not None and ready.status == "True"


def has_lasted(since: datetime, now: datetime, hold_seconds: float) -> bool:
    """Whether a state that began at `since` has served its hold.

    A beginning that is still to come is another clock's now.
    """
    return max(now - since, timedelta()) >= timedelta(seconds=hold_seconds)


def is_recent(moment: datetime | None, now: datetime, recent_seconds: float) -> bool:
    """Whether something happened lately; an unknown moment counts as lately."""
    return moment is None or now - moment <= timedelta(seconds=recent_seconds)


def newest(events: Iterable[Event], reasons: Iterable[str] | None = None) -> Event | None:
    """The newest Warning Event, of these reasons if given; `events` come newest first."""
    wanted = None if reasons is None else frozenset(reasons)
    for event in events:
        if event.type == "Warning" and (wanted is None or event.reason in wanted):
            return event
    return None


def event_evidence(event: Event | None) -> list[Evidence]:
    """An Event as evidence."""
    return [Evidence(f"Event {event.reason}", text(event))] if event else []


def condition_evidence(item: Condition) -> list[Evidence]:
    """A condition as evidence."""
    told = ": ".join(part for part in (item.reason, item.message) if part)
    return [Evidence(f"status.conditions[{item.type}]", f"{item.status} {told}".strip())]


def is_bad_end(ended: Terminated) -> bool:
    """Ended by a fault of its own: neither done, nor asked to stop, nor lost with its node."""
    is_lost = ended.exit_code == 255 and ended.reason == "Unknown"  # what a node restart leaves
    return ended.exit_code not in {0, 143} and ended.reason != "Completed" and not is_lost


def explain_exit(ended: Terminated) -> str:
    """An exit code with its meaning: "137 (SIGKILL, killed)"."""
    meaning = EXIT_CODES.get(ended.exit_code, "")
    return f"{ended.exit_code} ({meaning})" if meaning else str(ended.exit_code)


def ended_evidence(field: str, ended: Terminated) -> list[Evidence]:
    """How a container ended, as evidence."""
    found = [
        Evidence(f"{field}.reason", ended.reason or "unknown"),
        Evidence(f"{field}.exitCode", explain_exit(ended)),
    ]
    if ended.finished_at:
        found.append(Evidence(f"{field}.finishedAt", f"{ended.finished_at:%Y-%m-%dT%H:%M:%SZ}"))
    if ended.message:
        found.append(Evidence(f"{field}.message", ended.message.strip()))
    return found


def resource_evidence(pod: Pod, container: str, *resources: str) -> list[Evidence]:
    """Requests and limits of a container, as the API states them."""
    found: list[Evidence] = []
    for spec in pod.spec.init_containers + pod.spec.containers:
        if spec.name != container:
            continue
        for resource in resources:
            found += _quantity(f"resources.limits.{resource}", spec.resources.limits.get(resource))
            found += _quantity(
                f"resources.requests.{resource}", spec.resources.requests.get(resource)
            )
    return found


def _quantity(field: str, value: Quantity | None) -> list[Evidence]:
    return [] if value is None else [Evidence(field, str(value))]


def shared_node(pods: Iterable[Pod]) -> str:
    """The node of all these pods, or '' when they run on several or on none."""
    nodes = {pod.spec.node_name for pod in pods}
    return nodes.pop() if len(nodes) == 1 else ""


def failing_node(snapshot: Snapshot, pods: Iterable[Pod]) -> str:
    """The node that these failing pods share, or of several lost nodes the first; else ''."""
    nodes = sorted({pod.spec.node_name for pod in pods})
    if len(nodes) > 1 and not all(_is_lost(snapshot, name) for name in nodes):
        return ""
    return nodes[0] if nodes else ""


def _is_lost(snapshot: Snapshot, name: str) -> bool:
    node = snapshot.find("Node", "", name)
    ready = condition(node.status.conditions, "Ready") if isinstance(node, Node) else None
    return ready is not None and ready.status != "True"


def build(
    snapshot: Snapshot,
    involved: KubeObject | ObjectRef,
    *,
    detector: str,
    problem: str,
    reason: str,
    severity: Severity,
    says: str,
    since: datetime,
    until: datetime | None = None,
    evidence: Iterable[Evidence] = (),
    members: Iterable[str] = (),
    owner: ObjectRef | None = None,
    node: str | None = None,
    count: int = 1,
    stage: int = 0,
    cooldown_seconds: float = 0,
) -> Finding:
    """A Finding about `involved`. `says` follows the owner's name in the title.

    `until` is when it was last seen, by default the snapshot's time; `node` defaults to the pod's,
    `owner` to the top owner. What is known by its name alone owns itself where nothing is given.
    """
    if isinstance(involved, ObjectRef):
        ref, owner = involved, owner or involved
    else:
        ref, owner = snapshot.ref(involved), owner or snapshot.owner(involved)
    if node is None:
        node = involved.spec.node_name if isinstance(involved, Pod) else ""
    last = until or snapshot.taken_at
    return Finding(
        detector=detector,
        problem=problem,
        reason=reason or ref.kind,
        severity=severity,
        title=f"{owner.name}: {says}",
        involved=ref,
        owner=owner,
        first_seen=min(max(since, EPOCH), last),
        last_seen=last,
        evidence=tuple(Evidence(item.field, _short(item.value)) for item in evidence),
        members=tuple(members),
        node=node,
        count=max(count, 1),
        stage=stage,
        cooldown_seconds=cooldown_seconds,
    )


def _short(value: str) -> str:
    line = " ".join(value.split())
    return line if len(line) <= MAX_VALUE_CHARS else line[: MAX_VALUE_CHARS - 1] + "…"
