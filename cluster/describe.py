"""Objects in whole sentences, for people and for a model's prompt. Pure; not yet redacted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from cluster.describe_limits import describe_limits
from cluster.detectors.building import condition, explain_exit, is_ready
from cluster.detectors.services import SERVICE_LABEL, behind
from cluster.events import last_seen, text, times_seen
from cluster.network_objects import (
    EndpointSlice,
    HorizontalPodAutoscaler,
    PersistentVolumeClaim,
    Service,
)
from cluster.objects import ContainerStatus, Event, KubeObject, Pod
from cluster.revisions import REVISION, image_change, revisions, rolled_out_at
from cluster.sentences import (
    ago,
    also_sentences,
    at,
    finding_sentence,
    log_sentence,
    without_uids,
)
from cluster.snapshot import Snapshot
from cluster.workload_objects import CronJob, DaemonSet, Deployment, Job, Workload
from core.findings import Finding, ObjectRef

MAX_PODS = 8
MAX_EVENTS = 4
MAX_MESSAGE_CHARS = 240


def describe(
    snapshot: Snapshot, obj: KubeObject, findings: Sequence[Finding], logs: Sequence[str] = ()
) -> list[str]:
    """Sentences about one object, the most telling first: trouble, change, log, then details."""
    ref = snapshot.ref(obj)
    now = snapshot.taken_at
    own = [item for item in findings if is_about(item, ref)]
    pods = (obj,) if isinstance(obj, Pod) else snapshot.pods_of(ref)
    lines = [finding_sentence(item, now) for item in own] or _health(obj)
    lines += _state(snapshot, obj)
    lines += _changes(snapshot, obj)
    lines += log_sentence(logs, ref.name)
    lines += [line for item in own for line in also_sentences(item)]
    lines += describe_pods(pods, now)
    lines += describe_limits(obj)
    lines += _services_of(snapshot, ref)
    lines += warnings_of(snapshot, [obj, *pods])
    return list(dict.fromkeys(lines))


def _health(obj: KubeObject) -> list[str]:
    """How a workload without findings fares."""
    if not isinstance(obj, Workload) or isinstance(obj, CronJob):
        return []
    ready, _, wanted = ready_of(obj).partition("/")
    kind = "daemon pods" if isinstance(obj, DaemonSet) else "replicas"
    how = "runs well" if ready == wanted else "runs"
    return [f"{obj.metadata.name} {how}: {ready} of {wanted} {kind} ready."]


def is_about(finding: Finding, ref: ObjectRef) -> bool:
    """Whether a finding is on this object, or was folded into one that is."""
    return ref in (finding.owner, finding.involved) or str(ref) in finding.members


def describe_finding(finding: Finding, now: datetime) -> list[str]:
    """A finding as its sentence, with when, where, its log and what was folded into it."""
    lines = [finding_sentence(finding, now)]
    lines += log_sentence(finding.log_lines, finding.owner.name)
    lines.append(
        f"Severity {finding.severity.value}, since {at(finding.first_seen, now)};"
        f" seen on {finding.involved}."
    )
    lines += also_sentences(finding)
    if finding.members:
        lines.append(f"Also affected: {', '.join(finding.members[:10])}.")
    return lines + [f"Log line: {line}" for line in finding.log_lines]


def describe_pods(pods: Sequence[Pod], now: datetime) -> list[str]:
    """Unhealthy pods one by one; the healthy ones by name only when there is room."""
    ordered = sorted(pods, key=lambda pod: (is_ready(pod), pod.metadata.name))
    lines = [_pod(pod, now) for pod in ordered[:MAX_PODS]]
    if len(ordered) > MAX_PODS:
        rest = ordered[MAX_PODS:]
        ready = sum(is_ready(pod) for pod in rest)
        lines.append(f"{len(rest)} more pods, {ready} of them ready.")
    return lines


def endpoints(snapshot: Snapshot, service: Service) -> tuple[int, int]:
    """Ready and all endpoints of a Service."""
    found = [
        endpoint
        for piece in snapshot.of(EndpointSlice)
        if piece.metadata.namespace == service.metadata.namespace
        and piece.metadata.labels.get(SERVICE_LABEL) == service.metadata.name
        for endpoint in piece.endpoints or ()
    ]
    ready = sum(endpoint.conditions.ready is not False for endpoint in found)
    return ready, len(found)


def _state(snapshot: Snapshot, obj: KubeObject) -> list[str]:
    ref = snapshot.ref(obj)
    if isinstance(obj, CronJob):
        jobs = [job for job in snapshot.of(Job) if snapshot.owner(job) == ref]
        now = snapshot.taken_at
        return [_cron_job(obj, now), *(_job(job, now) for job in jobs)]
    return [_state_line(obj, str(ref), snapshot.taken_at)]


def _state_line(obj: KubeObject, name: str, now: datetime) -> str:
    line = f"{name}."
    if isinstance(obj, DaemonSet):
        line = f"{name}: {ready_of(obj)} daemon pods ready."
    elif isinstance(obj, Workload):
        wanted = 1 if obj.spec.replicas is None else obj.spec.replicas
        ready, updated = obj.status.ready_replicas, obj.status.updated_replicas
        word = "replica" if wanted == 1 else "replicas"
        line = f"{name}: {wanted} {word} wanted, {ready} ready, {updated} updated."
    elif isinstance(obj, Job):
        line = _job(obj, now)
    elif isinstance(obj, PersistentVolumeClaim):
        storage_class = obj.spec.storage_class_name or "default"
        room = obj.spec.resources.requests.get("storage", "unknown")
        line = f"{name}: {obj.status.phase}, storage class {storage_class}, asks for {room}."
    elif isinstance(obj, HorizontalPodAutoscaler):
        line = _autoscaler(obj)
    return line


def _cron_job(cron_job: CronJob, now: datetime) -> str:
    meta, spec, status = cron_job.metadata, cron_job.spec, cron_job.status
    zone = f" ({spec.time_zone})" if spec.time_zone else ""
    suspended = ", suspended" if spec.suspend else ""
    return (
        f"CronJob {meta.namespace}/{meta.name}: schedule {spec.schedule}{zone}{suspended}; last"
        f" scheduled {at(status.last_schedule_time, now)}, last success"
        f" {at(status.last_successful_time, now)}."
    )


def _job(job: Job, now: datetime) -> str:
    status = job.status
    failed = condition(status.conditions, "Failed")
    why = f" Failed: {failed.reason}: {failed.message}" if failed else ""
    done = f", completed {at(status.completion_time, now)}" if status.completion_time else ""
    return (
        f"Job {job.metadata.namespace}/{job.metadata.name}: started {at(status.start_time, now)},"
        f" {status.active} active, {status.succeeded} succeeded, {status.failed} failed{done}.{why}"
    )


def ready_of(workload: Workload) -> str:
    """Ready and wanted pods: "1/2"."""
    status = workload.status
    if isinstance(workload, DaemonSet):
        return f"{status.number_ready}/{status.desired_number_scheduled}"
    wanted = 1 if workload.spec.replicas is None else workload.spec.replicas
    return f"{status.ready_replicas}/{wanted}"


def _pod(pod: Pod, now: datetime) -> str:
    place = f" on {pod.spec.node_name}" if pod.spec.node_name else ", on no node"
    ready = "ready" if is_ready(pod) else "not ready"
    reason = f" ({pod.status.reason}: {pod.status.message})" if pod.status.reason else ""
    told = "; ".join(
        _container_state(status, now)
        for status in pod.status.init_container_statuses + pod.status.container_statuses
        if not (status.ready and status.restart_count == 0)
    )
    scheduled = condition(pod.status.conditions, "PodScheduled")
    waiting = f" {scheduled.message}" if scheduled and scheduled.status == "False" else ""
    state = f"{pod.status.phase}, {ready}{reason}."
    return f"Pod {pod.metadata.name}{place}: {state}{waiting}" + (f" {told}." if told else "")


def _container_state(status: ContainerStatus, now: datetime) -> str:
    state = status.state
    if state.waiting:
        told = state.waiting.reason or "waiting"
        if state.waiting.message and not state.waiting.message.startswith("back-off"):
            told += f" ({_short(state.waiting.message)})"
    elif state.terminated:
        told = f"ended with exit {explain_exit(state.terminated)}, {state.terminated.reason}"
    else:
        told = "running" if state.running else "state unknown"
    parts = [f"Container {status.name}: {told}", f"{status.restart_count} restarts"]
    last = status.last_state.terminated
    if last:
        parts.append(f"last exit {last.exit_code} ({last.reason}) at {at(last.finished_at, now)}")
    return ", ".join(parts)


def _changes(snapshot: Snapshot, obj: KubeObject) -> list[str]:
    if not isinstance(obj, Deployment):
        return []
    made_at = rolled_out_at(snapshot, obj)
    if made_at is None:
        return []
    change = re.sub(r"\S+/", "", image_change(snapshot, obj))
    number = revisions(snapshot, obj)[0].metadata.annotations.get(REVISION, "unknown")
    what = f"image changed, {change}" if change else "no image changed"
    now = snapshot.taken_at
    when = f"{at(made_at, now)}, {ago(made_at, now)}"
    return [f"Last rollout (revision {number}) at {when}: {what}."]


def _services_of(snapshot: Snapshot, ref: ObjectRef) -> list[str]:
    lines = []
    for service in snapshot.of(Service):
        if service.metadata.namespace != ref.namespace or not service.spec.selector:
            continue
        if ref in behind(snapshot, service):
            ready, total = endpoints(snapshot, service)
            name = service.metadata.name
            lines.append(f"Service {name} leads to it: {ready} of {total} endpoints ready.")
    for hpa in snapshot.of(HorizontalPodAutoscaler):
        target = hpa.spec.scale_target_ref
        if (target.kind, hpa.metadata.namespace, target.name) == (
            ref.kind,
            ref.namespace,
            ref.name,
        ):
            lines.append(_autoscaler(hpa))
    return lines


def _autoscaler(hpa: HorizontalPodAutoscaler) -> str:
    spec, status = hpa.spec, hpa.status
    bad = [
        f" {item.type} is False: {item.reason}: {item.message}"
        for item in status.conditions
        if item.status == "False" and item.type != "ScalingLimited"
    ]
    return (
        f"Autoscaler {hpa.metadata.name}: {spec.min_replicas} to {spec.max_replicas} replicas,"
        f" now {status.current_replicas}, wants {status.desired_replicas}.{''.join(bad)}"
    )


def warnings_of(snapshot: Snapshot, objects: Iterable[KubeObject]) -> list[str]:
    """The newest Warning Events about these objects."""
    found: list[Event] = [
        event for obj in objects for event in snapshot.events_of(obj) if event.type == "Warning"
    ]
    found.sort(key=last_seen, reverse=True)
    now = snapshot.taken_at
    return [
        f"Event {event.reason}, {times_seen(event)} times, last at {at(last_seen(event), now)}:"
        f" {_short(text(event))}"
        for event in found[:MAX_EVENTS]
    ]


def _short(message: str) -> str:
    line = without_uids(message)
    return line if len(line) <= MAX_MESSAGE_CHARS else line[: MAX_MESSAGE_CHARS - 1] + "…"
