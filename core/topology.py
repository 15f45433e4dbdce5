"""Who needs whom in a running cluster, as plain edges between objects."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.findings import ObjectRef


class Relation(StrEnum):
    """Why one object needs another; reads as a sentence: "Pod a runs on Node b"."""

    RUNS_ON = "runs on"
    CONSISTS_OF = "consists of"
    IS_BACKED_BY = "is backed by"
    LEADS_TO = "leads to"


@dataclass(frozen=True, slots=True)
class TopologyEdge:
    """One object needs another, as declared calls do: against the edge runs the impact.

    Attributes:
        dependent: What is hit when `needed` fails.
        relation: Why.
        needed: What it needs.
        is_ready: What is needed serves now; False for a pod that is not ready.
    """

    dependent: ObjectRef
    relation: Relation
    needed: ObjectRef
    is_ready: bool = True

    def __str__(self) -> str:
        return f"{self.dependent} {self.relation} {self.needed}"
