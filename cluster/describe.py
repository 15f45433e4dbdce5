"""Objects in whole sentences, for people and for a model's prompt. Pure; not yet redacted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from cluster.detectors.building import condition, explain_exit, is_ready
from cluster.detectors.services import SERVICE_LABEL, behind
from cluster.events import last_seen, text, times_seen
from cluster.network_objects import (
    EndpointSlice,
    HorizontalPodAutoscaler,
    PersistentVolumeClaim,
    Service,
)
from cluster.objects import Container, ContainerStatus, Event, KubeObject, Pod, PodSpec
from cluster.revisions import REVISION, image_change, revisions, rolled_out_at
from cluster.snapshot import Snapshot
from cluster.workload_objects import CronJob, DaemonSet, Deployment, Job, Workload
from core.findings import Finding, ObjectRef

MAX_PODS = 8
MAX_EVENTS = 4
MAX_MESSAGE_CHARS = 240


def describe(snapshot: Snapshot, obj: KubeObject, findings: Sequence[Finding]) -> list[str]:
    """Lines about one object: its state, its pods, what changed, findings, and Events."""
    lines = _state(snapshot, obj)
    ref = snapshot.ref(obj)
    pods = (obj,) if isinstance(obj, Pod) else snapshot.pods_of(ref)
    lines += describe_pods(pods)
    lines += describe_limits(obj)
    lines += _changes(snapshot, obj)
    lines += _services_of(snapshot, ref)
    for finding in findings:
        if ref in (finding.owner, finding.involved) or str(ref) in finding.members:
            lines += describe_finding(finding)
    return lines + warnings_of(snapshot, [obj, *pods])


def describe_finding(finding: Finding) -> list[str]:
    """A finding with its evidence, its log lines and what was folded into it."""
    lines = [
        (
            f"Finding ({finding.severity.value}): {finding.title}. Object: {finding.involved}."
            f" Since {at(finding.first_seen)}, last seen {at(finding.last_seen)}."
        )
    ]
    if finding.evidence:
        told = "; ".join(f"{item.field}: {item.value}" for item in finding.evidence)
        lines.append(f"Evidence: {told}.")
    if finding.members:
        lines.append(f"Also affected: {', '.join(finding.members[:10])}.")
    return lines + [f"Log line: {line}" for line in finding.log_lines]


def describe_limits(obj: KubeObject) -> list[str]:
    """Requests and limits of each container, exactly as the API states them."""
    spec = pod_spec(obj)
    if spec is None:
        return []
    return [_container(container) for container in spec.init_containers + spec.containers]


def pod_spec(obj: KubeObject) -> PodSpec | None:
    """What the object's pods are made from; None for kinds without pods."""
    if isinstance(obj, Pod):
        return obj.spec
    if isinstance(obj, Workload | Job):
        return obj.spec.template.spec
    return None


def describe_pods(pods: Sequence[Pod]) -> list[str]:
    """Unhealthy pods one by one; the healthy ones by name only when there is room."""
    ordered = sorted(pods, key=lambda pod: (is_ready(pod), pod.metadata.name))
    lines = [_pod(pod) for pod in ordered[:MAX_PODS]]
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
        return [_cron_job(obj), *(_job(job) for job in jobs)]
    return [_state_line(obj, str(ref))]


def _state_line(obj: KubeObject, name: str) -> str:
    line = f"{name}."
    if isinstance(obj, DaemonSet):
        line = f"{name}: {ready_of(obj)} daemon pods ready."
    elif isinstance(obj, Workload):
        wanted = 1 if obj.spec.replicas is None else obj.spec.replicas
        ready, updated = obj.status.ready_replicas, obj.status.updated_replicas
        line = f"{name}: {wanted} replicas wanted, {ready} ready, {updated} updated."
    elif isinstance(obj, Job):
        line = _job(obj)
    elif isinstance(obj, PersistentVolumeClaim):
        storage_class = obj.spec.storage_class_name or "default"
        room = obj.spec.resources.requests.get("storage", "unknown")
        line = f"{name}: {obj.status.phase}, storage class {storage_class}, asks for {room}."
    elif isinstance(obj, HorizontalPodAutoscaler):
        line = _autoscaler(obj)
    return line


def _cron_job(cron_job: CronJob) -> str:
    meta, spec, status = cron_job.metadata, cron_job.spec, cron_job.status
    zone = f" ({spec.time_zone})" if spec.time_zone else ""
    suspended = ", suspended" if spec.suspend else ""
    return (
        f"CronJob {meta.namespace}/{meta.name}: schedule {spec.schedule}{zone}{suspended}; last"
        f" scheduled {at(status.last_schedule_time)}, last success"
        f" {at(status.last_successful_time)}."
    )


def _job(job: Job) -> str:
    status = job.status
    failed = condition(status.conditions, "Failed")
    why = f" Failed: {failed.reason}: {failed.message}" if failed else ""
    done = f", completed {at(status.completion_time)}" if status.completion_time else ""
    return (
        f"Job {job.metadata.namespace}/{job.metadata.name}: started {at(status.start_time)},"
        f" {status.active} active, {status.succeeded} succeeded, {status.failed} failed{done}.{why}"
    )


def ready_of(workload: Workload) -> str:
    """Ready and wanted pods: "1/2"."""
    status = workload.status
    if isinstance(workload, DaemonSet):
        return f"{status.number_ready}/{status.desired_number_scheduled}"
    wanted = 1 if workload.spec.replicas is None else workload.spec.replicas
    return f"{status.ready_replicas}/{wanted}"


def _pod(pod: Pod) -> str:
    place = f" on {pod.spec.node_name}" if pod.spec.node_name else ", on no node"
    ready = "ready" if is_ready(pod) else "not ready"
    reason = f" ({pod.status.reason}: {pod.status.message})" if pod.status.reason else ""
    told = "; ".join(
        _container_state(status)
        for status in pod.status.init_container_statuses + pod.status.container_statuses
        if not (status.ready and status.restart_count == 0)
    )
    scheduled = condition(pod.status.conditions, "PodScheduled")
    waiting = f" {scheduled.message}" if scheduled and scheduled.status == "False" else ""
    state = f"{pod.status.phase}, {ready}{reason}."
    return f"Pod {pod.metadata.name}{place}: {state}{waiting}" + (f" {told}." if told else "")


def _container_state(status: ContainerStatus) -> str:
    state = status.state
    if state.waiting:
        told = state.waiting.reason or "waiting"
        if state.waiting.message:
            told += f" ({_short(state.waiting.message)})"
    elif state.terminated:
        told = f"ended with exit {explain_exit(state.terminated)}, {state.terminated.reason}"
    else:
        told = "running" if state.running else "state unknown"
    parts = [f"Container {status.name}: {told}", f"{status.restart_count} restarts"]
    last = status.last_state.terminated
    if last:
        parts.append(f"last exit {last.exit_code} ({last.reason}) at {at(last.finished_at)}")
    return ", ".join(parts)


def _container(container: Container) -> str:
    resources = container.resources
    parts = []
    for name in sorted({"cpu", "memory"} | resources.limits.keys() | resources.requests.keys()):
        limit = resources.limits.get(name)
        request = resources.requests.get(name)
        parts.append(
            f"{name} limit {'none' if limit is None else limit},"
            f" {name} request {'none' if request is None else request}"
        )
    return f"Container {container.name}: {'; '.join(parts)}; image {container.image}."


def _changes(snapshot: Snapshot, obj: KubeObject) -> list[str]:
    if not isinstance(obj, Deployment):
        return []
    made_at = rolled_out_at(snapshot, obj)
    if made_at is None:
        return []
    change = image_change(snapshot, obj)
    number = revisions(snapshot, obj)[0].metadata.annotations.get(REVISION, "unknown")
    what = f"image changed, {change}" if change else "no image changed"
    return [f"Last rollout (revision {number}) at {at(made_at)}: {what}."]


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
    return [
        f"Event {event.reason}, {times_seen(event)} times, last at {at(last_seen(event))}:"
        f" {_short(text(event))}"
        for event in found[:MAX_EVENTS]
    ]


def _short(message: str) -> str:
    line = " ".join(message.split())
    return line if len(line) <= MAX_MESSAGE_CHARS else line[: MAX_MESSAGE_CHARS - 1] + "…"


def at(moment: datetime | None) -> str:
    """A moment as people read it, or "unknown"."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else "unknown"
