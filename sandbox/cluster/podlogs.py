"""Pod logs as the API gives them, with the refusals of the API server and the kubelet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sandbox.cluster.recorded import LogLine, RecordedCluster, format_stamp
from sandbox.cluster.resources import Obj

_STATUS_LISTS = ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses")


class LogRefusedError(Exception):
    """The log cannot be had; `status_code` is the HTTP status, the text is the API's message."""

    def __init__(self, message: str, status_code: int = 400) -> None:
        super().__init__(message)
        self.status_code = status_code


@dataclass(frozen=True, slots=True)
class LogQuery:
    """The query parameters of a log request; None where they were not given."""

    container: str = ""
    previous: bool = False
    since_seconds: int | None = None
    since_time: datetime | None = None
    tail_lines: int | None = None
    limit_bytes: int | None = None
    timestamps: bool = False

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> LogQuery:
        """Read query parameters.

        Raises:
            LogRefusedError: A value the API server would refuse.
        """
        since_seconds = _number(query, "sinceSeconds", least=1)
        since_time = None
        if text := query.get("sinceTime"):
            if since_seconds is not None:
                raise LogRefusedError(
                    "at most one of `sinceTime` or `sinceSeconds` may be specified"
                )
            try:
                since_time = datetime.fromisoformat(text)
            except ValueError as error:
                raise LogRefusedError(f"sinceTime: invalid value {text!r}: not RFC 3339") from error
            if since_time.tzinfo is None:
                raise LogRefusedError(f"sinceTime: invalid value {text!r}: not RFC 3339")
        return cls(
            container=query.get("container", ""),
            previous=is_true(query.get("previous", "")),
            since_seconds=since_seconds,
            since_time=since_time,
            tail_lines=_number(query, "tailLines", least=0),
            limit_bytes=_number(query, "limitBytes", least=1),
            timestamps=is_true(query.get("timestamps", "")),
        )


def is_true(text: str) -> bool:
    """Whether a query parameter is true, as the API server reads booleans."""
    return text.lower() in ("1", "true", "t")


def _number(query: Mapping[str, str], name: str, least: int) -> int | None:
    text = query.get(name)
    if not text:
        return None
    try:
        value = int(text)
    except ValueError as error:
        raise LogRefusedError(f"{name}: invalid value {text!r}: must be an integer") from error
    if value < least:
        raise LogRefusedError(
            f"{name}: Invalid value: {value}: must be greater than or equal to {least}"
        )
    return value


def read_log(world: RecordedCluster, pod: Obj, query: LogQuery) -> bytes:
    """The log of one container.

    Raises:
        LogRefusedError: No such container, it has not started, or it has no previous instance.
    """
    name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
    container = _container(pod, query.container)
    key = f"{namespace}/{name}/{container}"
    node = pod["spec"].get("nodeName")
    if not node and key not in world.logs:
        return b""  # An unscheduled pod has an empty log, not an error.
    if node and not _node_answers(world, node):
        raise LogRefusedError(
            f'Get "https://{pod["status"].get("hostIP", node)}:10250/containerLogs/{namespace}/'
            f'{name}/{container}": dial tcp: connect: no route to host',
            status_code=500,
        )
    has_last = f"{key}#previous" in world.logs
    instance = _instance(pod, container, previous=query.previous, is_recorded=has_last)
    lines: Iterable[LogLine] = world.logs.get(f"{key}#previous" if instance == "last" else key, ())
    since = query.since_time
    if query.since_seconds is not None:
        since = world.now - timedelta(seconds=query.since_seconds)
    chosen = [line for line in lines if since is None or line.at >= since.astimezone(UTC)]
    if query.tail_lines is not None:
        chosen = chosen[-query.tail_lines :] if query.tail_lines else []
    text = "".join(
        f"{format_stamp(line.at)} {line.text}\n" if query.timestamps else f"{line.text}\n"
        for line in chosen
    )
    return text.encode()[: query.limit_bytes]


def _container(pod: Obj, asked: str) -> str:
    """The container meant; with one container it need not be named."""
    spec, name = pod["spec"], pod["metadata"]["name"]
    app = [each["name"] for each in spec["containers"]]
    init = [each["name"] for each in spec.get("initContainers") or ()]
    if asked:
        if asked not in app + init:
            raise LogRefusedError(f"container {asked} is not valid for pod {name}")
        return asked
    if len(app) == 1:
        return str(app[0])
    default = (pod["metadata"].get("annotations") or {}).get(
        "kubectl.kubernetes.io/default-container"
    )
    if default in app:
        return str(default)
    raise LogRefusedError(
        f"a container name must be specified for pod {name}, choose one of: [{' '.join(app)}]"
    )


def _instance(pod: Obj, container: str, *, previous: bool, is_recorded: bool) -> str:
    """Which instance's log is meant, "now" or "last", by the kubelet's rules.

    `is_recorded` says that the last instance's log is there: hand-written states lack its id.
    """
    name = pod["metadata"]["name"]
    told = [each for kind in _STATUS_LISTS for each in pod["status"].get(kind) or ()]
    status = next((each for each in told if each["name"] == container), None)
    if status is None:
        raise LogRefusedError(f'container "{container}" in pod "{name}" is not available')
    state, last = status.get("state") or {}, status.get("lastState") or {}
    has_last = is_recorded or bool((last.get("terminated") or {}).get("containerID"))
    if previous:
        if not has_last:
            raise LogRefusedError(
                f'previous terminated container "{container}" in pod "{name}" not found'
            )
        return "last"
    if state.get("running") is not None or state.get("terminated") is not None:
        return "now"
    if has_last:
        return "last"  # In a back-off the newest log is that of the instance that ended.
    reason = (state.get("waiting") or {}).get("reason", "ContainerCreating")
    words = {
        "ErrImagePull": "image can't be pulled",
        "ImagePullBackOff": "trying and failing to pull image",
    }.get(reason, reason)
    raise LogRefusedError(f'container "{container}" in pod "{name}" is waiting to start: {words}')


def _node_answers(world: RecordedCluster, name: str) -> bool:
    """Whether the kubelet can be reached: a node whose Ready is Unknown cannot give logs."""
    for node in world.store.of_kind("Node"):
        if node["metadata"]["name"] == name:
            return not any(
                each["type"] == "Ready" and each["status"] == "Unknown"
                for each in (node.get("status") or {}).get("conditions") or ()
            )
    return True
