"""What the containers of a pod are doing, and the status that follows from it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sandbox.cluster.kinds.apps import App
from sandbox.cluster.kinds.base import condition, hex_id, number, stamp
from sandbox.cluster.resources import Obj


@dataclass(frozen=True, slots=True)
class Doing:
    """What a container is doing: exactly one of its times tells its state.

    Attributes:
        running_since: It runs.
        waiting: Why it waits.
        ended: It has ended at this time, with `exit_code` and `reason`.
        last: How the instance before ended.
    """

    running_since: datetime | None = None
    waiting: str = ""
    message: str = ""
    ended: Ended | None = None
    last: Ended | None = None
    restarts: int = 0
    ready: bool = False

    def not_ready(self) -> Doing:
        """The same, failing its readiness probe."""
        return replace(self, ready=False)


@dataclass(frozen=True, slots=True)
class Ended:
    """How an instance of a container ended."""

    exit_code: int
    reason: str
    started: datetime
    finished: datetime


@dataclass(frozen=True, slots=True)
class PodPlan:
    """One pod to be: where, since when and what its containers do (one each, or none yet).

    Attributes:
        node: 1 to 5; 0 for a pod that no node took, told by `unschedulable`.
        seed: Tells pods of one owner apart; also the ordinal of a StatefulSet's pod.
        phase: Set for Failed and Succeeded; otherwise it follows from the containers.
    """

    node: int
    seed: int
    created: datetime
    doing: tuple[Doing, ...] = ()
    unschedulable: str = ""
    phase: str = ""
    reason: str = ""
    message: str = ""


def running(since: datetime, *, restarts: int = 0, last: Ended | None = None) -> Doing:
    """A container that runs and is ready."""
    return Doing(running_since=since, ready=True, restarts=restarts, last=last)


def waiting(reason: str, message: str = "") -> Doing:
    """A container that has not started."""
    return Doing(waiting=reason, message=message)


def crash_looping(container: str, restarts: int, last: Ended) -> Doing:
    """A container in its restart back-off; `{pod}` becomes the pod's identity."""
    seconds = min(300, 10 * 2 ** min(restarts - 1, 5))
    words = "5m0s" if seconds == 300 else f"{seconds}s"
    return Doing(
        waiting="CrashLoopBackOff",
        message=f"back-off {words} restarting failed container={container} pod={{pod}}",
        last=last,
        restarts=restarts,
    )


def pod_ip(node: int, name: str) -> str:
    """An address of the node's pod range, always the same for one pod."""
    return f"10.0.{node}.{20 + number('ip', name) % 230}"


def node_ip(node: int) -> str:
    """The address of a node."""
    return f"192.168.10.{10 + node}"


def pod_status(app: App, name: str, identity: str, plan: PodPlan) -> Obj:
    """The status of a pod; `identity` is how messages name it: name_namespace(uid)."""
    status: Obj = {"phase": _phase(plan), "qosClass": _qos(app)}
    if plan.reason:
        status |= {"reason": plan.reason, "message": plan.message}
    status["conditions"] = _conditions(plan)
    if not plan.node:
        return status
    status |= {
        "hostIP": node_ip(plan.node),
        "hostIPs": [{"ip": node_ip(plan.node)}],
        "startTime": stamp(plan.created),
    }
    if any(each.waiting != "ContainerCreating" for each in plan.doing) and plan.reason != "Evicted":
        address = pod_ip(plan.node, name)
        status |= {"podIP": address, "podIPs": [{"ip": address}]}
    if plan.doing:
        status["containerStatuses"] = [
            _container_status(
                app, name, index, replace(doing, message=doing.message.replace("{pod}", identity))
            )
            for index, doing in enumerate(plan.doing)
        ]
    if app.init_containers and plan.doing:
        begun = plan.created + timedelta(seconds=2)
        done = Doing(ended=Ended(0, "Completed", begun, begun + timedelta(seconds=1)), ready=True)
        status["initContainerStatuses"] = [
            _container_status(app, name, index, done, is_init=True)
            for index, _container in enumerate(app.init_containers)
        ]
    return status


def _phase(plan: PodPlan) -> str:
    if plan.phase:
        return plan.phase
    has_started = [each.running_since or each.ended or each.last for each in plan.doing]
    return "Running" if has_started and all(has_started) else "Pending"


def _conditions(plan: PodPlan) -> list[Obj]:
    if not plan.node:
        return [
            condition("PodScheduled", "False", plan.created, "Unschedulable", plan.unschedulable)
        ]
    is_over = plan.phase in ("Failed", "Succeeded")
    unready = [each for each in plan.doing if not each.ready]
    is_ready = bool(plan.doing) and not unready and not is_over
    changed = _last_change(plan)
    reason, message = ("", "")
    if is_over:
        reason = "PodCompleted" if plan.phase == "Succeeded" else "PodFailed"
    elif not is_ready:
        reason = "ContainersNotReady"
        message = "containers with unready status"
    is_initialized = plan.reason != "Evicted"
    made = [
        condition("PodReadyToStartContainers", str(not is_over), plan.created),
        condition("Initialized", str(is_initialized), plan.created),
        condition("Ready", str(is_ready), changed, reason, message),
        condition("ContainersReady", str(is_ready), changed, reason, message),
        condition("PodScheduled", "True", plan.created),
    ]
    if plan.reason == "Evicted":
        made.insert(
            0,
            condition("DisruptionTarget", "True", changed, "TerminationByKubelet", plan.message),
        )
    return made


def _last_change(plan: PodPlan) -> datetime:
    times = [plan.created]
    for each in plan.doing:
        if each.running_since:
            times.append(each.running_since)
        times += [ended.finished for ended in (each.ended, each.last) if ended]
    return max(times)


def _container_status(
    app: App, name: str, index: int, doing: Doing, *, is_init: bool = False
) -> Obj:
    container = (app.init_containers if is_init else app.containers)[index]

    def identity(restart: int) -> str:
        return f"containerd://{hex_id('container', app.namespace, name, container.name, restart)}"

    def ended(how: Ended, restart: int) -> Obj:
        return {
            "terminated": {
                "exitCode": how.exit_code,
                "reason": how.reason,
                "startedAt": stamp(how.started),
                "finishedAt": stamp(how.finished),
                "containerID": identity(restart),
            }
        }

    state: Obj
    has_started = True
    if doing.running_since:
        state = {"running": {"startedAt": stamp(doing.running_since)}}
    elif doing.ended:
        state = ended(doing.ended, doing.restarts)
    else:
        state = {"waiting": {"reason": doing.waiting}}
        if doing.message:
            state["waiting"]["message"] = doing.message
        has_started = doing.last is not None
    made: Obj = {
        "name": container.name,
        "state": state,
        "lastState": ended(doing.last, max(0, doing.restarts - 1)) if doing.last else {},
        "ready": doing.ready,
        "restartCount": doing.restarts,
        "image": container.image,
        "imageID": "",
        "started": bool(doing.running_since),
    }
    if has_started:
        repository = container.image.rpartition(":")[0]
        made["imageID"] = f"{repository}@sha256:{hex_id('image', container.image)}"
        made["containerID"] = identity(doing.restarts)
    return made


def _qos(app: App) -> str:
    guaranteed = all(
        each.cpu_limit == each.cpu_request and each.memory_limit == each.memory_request
        for each in app.containers
    )
    return "Guaranteed" if guaranteed else "Burstable"
