"""What a container may use and is promised, as the cluster has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from core.answers import Gap
from core.findings import ObjectRef


@dataclass(frozen=True, slots=True)
class ContainerResources:
    """Requests and limits of one container of a workload.

    Attributes:
        requests: By resource, as the API writes them: {"memory": "256Mi"}.
        limits: Likewise; a resource without a limit is missing.
        defaulted: (setting, resource) that the workload leaves open and its pods have all the
            same, from the LimitRange of their namespace: ("limit", "memory").
        seen_at: When the cluster was read, aware UTC.
    """

    workload: ObjectRef
    container: str
    requests: Mapping[str, str]
    limits: Mapping[str, str]
    defaulted: frozenset[tuple[str, str]]
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class ResourcesFound:
    """Containers in the order of their workloads, and the clusters that could not be read."""

    containers: tuple[ContainerResources, ...] = ()
    gaps: tuple[Gap, ...] = ()
    looked_in: tuple[str, ...] = ()
