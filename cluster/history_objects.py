"""What only the question "what changed?" needs; see `cluster.objects` for the rules they share.

Of ConfigMaps and quotas the API is asked for metadata alone, so that what a ConfigMap holds stays
in the cluster.
"""

from __future__ import annotations

from msgspec import field

from cluster.objects import Condition, KubeObject, Part, TracedMetadata
from cluster.template_objects import FullTemplate
from cluster.workload_objects import LabelSelector


class BareMetadata(TracedMetadata, frozen=True):
    """Metadata without its annotations: `kubectl apply` keeps a copy of all data in one."""

    # Under a name that no API sends, so that decoding skips them.
    annotations: dict[str, str] = field(default_factory=dict, name="(annotations are not read)")


class ConfigMap(KubeObject, frozen=True):
    """core/v1 ConfigMap: when and by whom it was written, never what it holds."""

    metadata: BareMetadata = field(default_factory=BareMetadata)


class BudgetSpec(Part, frozen=True):
    """Whose pods a budget guards."""

    selector: LabelSelector = field(default_factory=LabelSelector)


class BudgetStatus(Part, frozen=True):
    """How many of them are healthy, and whether one may be disrupted."""

    current_healthy: int = 0
    desired_healthy: int = 0
    expected_pods: int = 0
    conditions: tuple[Condition, ...] = ()


class PodDisruptionBudget(KubeObject, frozen=True):
    """policy/v1 PodDisruptionBudget."""

    metadata: BareMetadata = field(default_factory=BareMetadata)
    spec: BudgetSpec = field(default_factory=BudgetSpec)
    status: BudgetStatus = field(default_factory=BudgetStatus)


class ResourceQuota(KubeObject, frozen=True):
    """core/v1 ResourceQuota: when and by whom it was written."""

    metadata: BareMetadata = field(default_factory=BareMetadata)


class RevisionSpec(Part, frozen=True):
    """The part of a workload's spec that a revision keeps."""

    template: FullTemplate = field(default_factory=FullTemplate)


class RevisionData(Part, frozen=True):
    """A revision's content: a patch of its workload's spec."""

    spec: RevisionSpec = field(default_factory=RevisionSpec)


class ControllerRevision(KubeObject, frozen=True):
    """apps/v1 ControllerRevision: a pod template that a StatefulSet or DaemonSet has had."""

    revision: int = 0
    data: RevisionData = field(default_factory=RevisionData)


class ReplicaSetRevision(KubeObject, frozen=True):
    """apps/v1 ReplicaSet as the keeper of a template that a Deployment has had."""

    spec: RevisionSpec = field(default_factory=RevisionSpec)
