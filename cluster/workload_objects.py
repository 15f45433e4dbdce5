"""Workloads and jobs; see `cluster.objects` for the rules they share."""

from __future__ import annotations

from datetime import datetime

from msgspec import field

from cluster.objects import (
    Condition,
    InvolvedObject,
    KubeObject,
    Metadata,
    Part,
    PodSpec,
    TracedMetadata,
)


class LabelSelector(Part, frozen=True):
    """Selects pods; expressions are not read."""

    match_labels: dict[str, str] = field(default_factory=dict)


class PodTemplate(Part, frozen=True):
    """What a workload makes pods from."""

    metadata: Metadata = field(default_factory=Metadata)
    spec: PodSpec = field(default_factory=PodSpec)


class ClaimTemplateSpec(Part, frozen=True):
    """Which class the claims of a StatefulSet's pods ask for; None for the default one."""

    storage_class_name: str | None = None


class ClaimTemplate(Part, frozen=True):
    """What a StatefulSet makes claims from."""

    metadata: Metadata = field(default_factory=Metadata)
    spec: ClaimTemplateSpec = field(default_factory=ClaimTemplateSpec)


class WorkloadSpec(Part, frozen=True):
    """Shared by Deployment, ReplicaSet, StatefulSet and DaemonSet; None replicas mean 1."""

    replicas: int | None = None
    paused: bool = False
    selector: LabelSelector = field(default_factory=LabelSelector)
    template: PodTemplate = field(default_factory=PodTemplate)
    service_name: str = ""
    volume_claim_templates: tuple[ClaimTemplate, ...] = ()


class WorkloadStatus(Part, frozen=True):
    """Counts of pods; the DaemonSet has words of its own for them."""

    observed_generation: int = 0
    replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    updated_replicas: int = 0
    unavailable_replicas: int = 0
    desired_number_scheduled: int = 0
    current_number_scheduled: int = 0
    updated_number_scheduled: int = 0
    number_ready: int = 0
    number_unavailable: int = 0
    conditions: tuple[Condition, ...] = ()


class Workload(KubeObject, frozen=True):
    """Common shape of the kinds that keep a number of pods running."""

    spec: WorkloadSpec = field(default_factory=WorkloadSpec)
    status: WorkloadStatus = field(default_factory=WorkloadStatus)


class Deployment(Workload, frozen=True):
    """apps/v1 Deployment."""

    metadata: TracedMetadata = field(default_factory=TracedMetadata)


class ReplicaSet(Workload, frozen=True):
    """apps/v1 ReplicaSet."""


class StatefulSet(Workload, frozen=True):
    """apps/v1 StatefulSet."""

    metadata: TracedMetadata = field(default_factory=TracedMetadata)


class DaemonSet(Workload, frozen=True):
    """apps/v1 DaemonSet."""

    metadata: TracedMetadata = field(default_factory=TracedMetadata)


class JobSpec(Part, frozen=True):
    """Limits of a job."""

    backoff_limit: int | None = None
    active_deadline_seconds: int | None = None
    template: PodTemplate = field(default_factory=PodTemplate)


class JobStatus(Part, frozen=True):
    """How a job went."""

    active: int = 0
    failed: int = 0
    succeeded: int = 0
    start_time: datetime | None = None
    completion_time: datetime | None = None
    conditions: tuple[Condition, ...] = ()


class Job(KubeObject, frozen=True):
    """batch/v1 Job."""

    spec: JobSpec = field(default_factory=JobSpec)
    status: JobStatus = field(default_factory=JobStatus)


class CronJobSpec(Part, frozen=True):
    """When a CronJob runs."""

    schedule: str = ""
    time_zone: str = ""
    suspend: bool = False


class CronJobStatus(Part, frozen=True):
    """When it last ran, and what of it still runs."""

    active: tuple[InvolvedObject, ...] = ()
    last_schedule_time: datetime | None = None
    last_successful_time: datetime | None = None


class CronJob(KubeObject, frozen=True):
    """batch/v1 CronJob."""

    spec: CronJobSpec = field(default_factory=CronJobSpec)
    status: CronJobStatus = field(default_factory=CronJobStatus)
