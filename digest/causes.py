"""What each class of problem says of itself: its cause from the evidence, and where to look next.

A table by `Finding.problem`. A class that is not here is told by its evidence alone.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from core.answers import Confidence
from core.findings import Finding, ObjectRef

MAX_CAUSE_CHARS = 240


@dataclass(frozen=True, slots=True)
class Problem:
    """What is known of one class of problems.

    Attributes:
        words: A runbook that has one of them, lower-cased, speaks of this class.
        cause: What the evidence proves; '' where it proves none.
        detail: Pattern of evidence fields whose value completes the cause.
        look: What to read next: "describe", "previous-log", "log" or "get".
        confidence: How far `cause` follows from the evidence.
    """

    words: tuple[str, ...]
    cause: str = ""
    detail: str = ""
    look: str = "describe"
    confidence: Confidence = Confidence.CONFIRMED


_LIKELY = Confidence.LIKELY
_PROBLEMS: dict[str, Problem] = {
    "oom": Problem(
        ("oom", "out of memory", "outofmemory", "memory limit", "137"),
        "The container used more memory than its limit allows",
        r"memory|limits",
        "previous-log",
    ),
    "node-oom": Problem(
        ("oom", "out of memory", "memory pressure"), "The node ran out of memory", r"Event"
    ),
    "crash-loop": Problem(
        ("crashloop", "crash loop", "crash", "restarts", "back-off"),
        "The container ends soon after every start",
        r"exitCode|terminated\.message",
        "previous-log",
        _LIKELY,
    ),
    "bad-exit": Problem(
        ("exit code", "crash", "restart"),
        "The container ended with an error",
        r"exitCode",
        "previous-log",
        _LIKELY,
    ),
    "image-pull": Problem(
        ("imagepull", "errimagepull", "image pull", "pull", "image cannot be pulled"),
        "The image cannot be pulled",
        r"Event Failed|state\.waiting",
    ),
    "config-error": Problem(
        ("createcontainerconfigerror", "configmap", "config error", "secret"),
        "The container's configuration is incomplete",
        r"state\.waiting",
    ),
    "stuck-creating": Problem(
        ("failedmount", "mount", "containercreating", "volume", "sandbox"),
        "The pod cannot be set up on its node",
        r"Event",
    ),
    "unschedulable": Problem(
        ("unschedulable", "failedscheduling", "insufficient", "pending"),
        "No node can take the pod",
        r"PodScheduled|Event",
    ),
    "evicted": Problem(
        ("evict", "ephemeral-storage", "disk pressure", "diskpressure"),
        "The node evicted the pod",
        r"status\.message",
    ),
    "not-ready": Problem(
        ("readiness", "not ready", "probe", "unhealthy"),
        "The pod fails its readiness probe",
        r"Event|Ready",
        "log",
        _LIKELY,
    ),
    "replicas-short": Problem(
        ("replicas", "unavailable", "not ready"),
        "Fewer replicas are ready than wanted",
        r"replicas",
        confidence=_LIKELY,
    ),
    "rollout-stuck": Problem(
        ("rollout", "progressdeadline", "progress deadline"),
        "The rollout made no progress before its deadline",
        r"image change|conditions",
    ),
    "cannot-create-pods": Problem(
        ("quota", "failedcreate", "admission"), "Its pods are refused", r"Event|conditions"
    ),
    "statefulset-blocked": Problem(
        ("statefulset", "ordinal", "pvc", "persistentvolumeclaim"),
        "The StatefulSet waits for its first pod that does not run",
        r"PersistentVolumeClaim|Pod ",
    ),
    "daemonset-short": Problem(
        ("daemonset", "daemon"), "The DaemonSet does not run on all nodes", r"status\.number"
    ),
    "job-failed": Problem(
        ("job", "backofflimit", "deadlineexceeded", "deadline"),
        "The Job failed",
        r"conditions|activeDeadline|status\.failed",
        "log",
    ),
    "cronjob-schedule": Problem(("cronjob", "schedule"), "The schedule cannot be kept", r"spec"),
    "hpa-cannot-act": Problem(
        ("hpa", "autoscal", "failedgetresourcemetric", "metrics"),
        "The autoscaler cannot read or set the scale",
        r"conditions",
    ),
    "hpa-at-maximum": Problem(
        ("hpa", "autoscal", "maxreplicas"), "The autoscaler is at its maximum", r"maxReplicas"
    ),
    "no-endpoints": Problem(
        ("endpoints", "readiness", "selector", "503"),
        "The Service has no ready pod behind it",
        r"endpoints",
        "get",
    ),
    "ingress-backend": Problem(
        ("ingress", "backend"), "The Ingress points to something that is not there", r"backend"
    ),
    "pvc": Problem(
        ("pvc", "persistentvolumeclaim", "storageclass", "storage class", "provisioning"),
        "The volume cannot be provided",
        r"Event|phase",
    ),
    "node-not-ready": Problem(
        ("node not ready", "notready", "nodenotready", "kubelet"),
        "The node does not report as ready",
        r"conditions",
    ),
    "node-pressure": Problem(
        ("pressure", "disk", "evict"), "The node is short of a resource", r"conditions"
    ),
}
_UNKNOWN = Problem(())


def problem_of(finding: Finding) -> Problem:
    """What is known of a finding's class."""
    known = _PROBLEMS.get(finding.problem)
    if known is not None:
        return known
    word = finding.reason.lower()
    return Problem((word,)) if word else _UNKNOWN


def own_cause(finding: Finding) -> tuple[str, Confidence]:
    """The cause that the evidence proves, in one line, or '' and unknown."""
    problem = problem_of(finding)
    if not problem.cause:
        return "", Confidence.UNKNOWN
    detail = next(
        (item for item in finding.evidence if re.search(problem.detail, item.field)), None
    )
    if detail is None:
        return problem.cause + ".", _LIKELY
    text = f"{problem.cause}: {_name(detail.field)}{_one_line(detail.value)}"
    return _shortened(text), problem.confidence


def next_command(finding: Finding) -> str:
    """One command to run next; it only reads."""
    involved = finding.involved
    where = f" -n {shlex.quote(involved.namespace)}" if involved.namespace else ""
    name = shlex.quote(involved.name)
    if involved.kind == "Pod":
        look = problem_of(finding).look
        if look in {"log", "previous-log"}:
            container = next((e.value for e in finding.evidence if e.field == "container"), "")
            chosen = f" -c {shlex.quote(container)}" if container else ""
            previous = " --previous" if look == "previous-log" else ""
            return f"kubectl{where} logs {name}{chosen}{previous} --tail=100"
    if involved.kind == "Job" and problem_of(finding).look == "log":
        return f"kubectl{where} logs job/{name} --tail=100"
    if finding.problem == "no-endpoints":
        return f"kubectl{where} get endpointslices -l kubernetes.io/service-name={name}"
    return f"kubectl{where} describe {_resource(involved)} {name}"


def _resource(involved: ObjectRef) -> str:
    return shlex.quote(involved.kind.lower())


def _name(field: str) -> str:
    """A field's name, where its value would tell nothing without it."""
    last = field.rsplit(".", 1)[-1]
    return f"{last} " if last in {"exitCode", "maxReplicas", "readyReplicas"} else ""


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _shortened(text: str) -> str:
    if len(text) > MAX_CAUSE_CHARS:
        text = text[: MAX_CAUSE_CHARS - 1].rstrip() + "…"
    return text if text.endswith((".", "…", "!", "?")) else text + "."
