"""A finding: one problem on one object, with the evidence that proves it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.answers import Gap


class Severity(StrEnum):
    """How much a finding matters. The digest shows critical and high and counts medium."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for critical, growing as it matters less."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """A Kubernetes object. `namespace` is '' for cluster-scoped kinds."""

    cluster: str
    kind: str
    namespace: str
    name: str
    uid: str = ""

    def __str__(self) -> str:
        place = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.kind} {place}"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A field of the API, or a line of a log, with the value that proves a finding."""

    field: str
    value: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem on one object.

    Attributes:
        detector: Name of the rule's module, such as "crash_loop".
        problem: The class of the problem, stable while reasons flip: "image-pull" for both
            ErrImagePull and ImagePullBackOff. Part of the identity.
        reason: Kubernetes' own word, for people.
        title: One line: "payments: CrashLoopBackOff, 14 restarts".
        involved: The object that the evidence was read from.
        owner: Its top owner (Pod → ReplicaSet → Deployment), or the object itself.
        evidence: What proves it, most telling first; redacted.
        log_lines: A few telling lines, redacted.
        template: The log template for findings that came from a log, else ''.
        members: Other objects folded into this one, as "kind namespace/name".
        node: The node the involved pod runs on, or ''.
        count: How often it was seen in the window; at least 1.
        stage: How far it has gone, as its rule counts; it escalates when this grows.
        cooldown_seconds: Back within this time after it was last seen, it is the same trouble.
    """

    detector: str
    problem: str
    reason: str
    severity: Severity
    title: str
    involved: ObjectRef
    owner: ObjectRef
    first_seen: datetime
    last_seen: datetime
    evidence: tuple[Evidence, ...] = ()
    log_lines: tuple[str, ...] = ()
    template: str = ""
    members: tuple[str, ...] = ()
    node: str = ""
    count: int = 1
    stage: int = 0
    cooldown_seconds: float = 0

    @property
    def identity(self) -> str:
        """16 hex digits naming this problem for ever: no reason, no uid, no model text in it."""
        owner = self.owner
        key = "\0".join(
            (owner.cluster, owner.namespace, owner.kind, owner.name, self.problem, self.template)
        )
        return hashlib.sha256(key.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Collected:
    """What was found in all clusters in one go, and where nobody could look."""

    findings: tuple[Finding, ...]
    gaps: tuple[Gap, ...]
    clusters: tuple[str, ...]
