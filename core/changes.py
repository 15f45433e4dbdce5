"""What changed in a cluster, in order of time, and which change stands just before a trouble."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.answers import Gap
from core.findings import Evidence, Finding, ObjectRef
from core.questions import TimeRange


class ChangeKind(StrEnum):
    """What sort of change it is; a restart follows from something else."""

    ROLLOUT = "rollout"
    CONFIG = "config"
    SCALE = "scale"
    NODE = "node"
    POLICY = "policy"
    JOB = "job"
    RESTART = "restart"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that happened to one object.

    Attributes:
        at: When, aware UTC.
        what: In words that go on after the object's name: "rolled out revision 27: image …".
        by: The field manager that wrote it, such as "kubectl-edit", "argocd-controller"; or ''.
        evidence: The API's field with the value or time that says so.
    """

    at: datetime
    kind: ChangeKind
    object: ObjectRef
    what: str
    by: str = ""
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is broken now, on the line of time.

    Attributes:
        at: When it was first seen.
        suspect: The change just before: a likely cause, never a proven one.
    """

    at: datetime
    finding: Finding
    suspect: Change | None = None


@dataclass(frozen=True, slots=True)
class Timeline:
    """What is known to have changed about an object in a window.

    Attributes:
        about: The workload, namespace or node that was asked about.
        seen_at: When the cluster was read.
        changes: Newest last.
        troubles: What is broken there now, worst first.
        before: The newest rollout before the window, where the window has none.
        gaps: What could not be read: of this nothing may be said.
    """

    about: ObjectRef
    window: TimeRange
    seen_at: datetime
    changes: tuple[Change, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    before: Change | None = None
    gaps: tuple[Gap, ...] = ()
