"""The kinds that are read, with their paths: the whole of what the bot lists, and no Secrets.

A row here is also a line of the RBAC rules; adding a kind means granting `list` on it.
"""

from __future__ import annotations

from dataclasses import dataclass

from cluster.history_objects import (
    ConfigMap,
    ControllerRevision,
    PodDisruptionBudget,
    ResourceQuota,
)
from cluster.network_objects import (
    EndpointSlice,
    HorizontalPodAutoscaler,
    Ingress,
    PersistentVolumeClaim,
    Service,
)
from cluster.objects import Event, KubeObject, Node, Pod
from cluster.workload_objects import (
    CronJob,
    DaemonSet,
    Deployment,
    Job,
    ReplicaSet,
    StatefulSet,
)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of object.

    Attributes:
        struct: What one object is decoded to; its name is the kind's name.
        group_path: The API's root: "/api/v1" or "/apis/<group>/<version>".
        plural: The resource's name in paths and RBAC rules.
        is_namespaced: Whether objects live in a namespace.
        is_metadata_only: Whether the API is asked for metadata alone.
    """

    struct: type[KubeObject]
    group_path: str
    plural: str
    is_namespaced: bool = True
    is_metadata_only: bool = False

    @property
    def name(self) -> str:
        """As `kind` says it: "Pod"."""
        return self.struct.__name__

    def path(self, namespace: str = "") -> str:
        """The list's path, in one namespace or in all ('')."""
        if namespace and self.is_namespaced:
            return f"{self.group_path}/namespaces/{namespace}/{self.plural}"
        return f"{self.group_path}/{self.plural}"


KINDS: tuple[Kind, ...] = (
    Kind(Pod, "/api/v1", "pods"),
    Kind(Node, "/api/v1", "nodes", is_namespaced=False),
    Kind(Event, "/api/v1", "events"),
    Kind(Service, "/api/v1", "services"),
    Kind(PersistentVolumeClaim, "/api/v1", "persistentvolumeclaims"),
    Kind(Deployment, "/apis/apps/v1", "deployments"),
    Kind(ReplicaSet, "/apis/apps/v1", "replicasets"),
    Kind(StatefulSet, "/apis/apps/v1", "statefulsets"),
    Kind(DaemonSet, "/apis/apps/v1", "daemonsets"),
    Kind(Job, "/apis/batch/v1", "jobs"),
    Kind(CronJob, "/apis/batch/v1", "cronjobs"),
    Kind(HorizontalPodAutoscaler, "/apis/autoscaling/v2", "horizontalpodautoscalers"),
    Kind(EndpointSlice, "/apis/discovery.k8s.io/v1", "endpointslices"),
    Kind(Ingress, "/apis/networking.k8s.io/v1", "ingresses"),
)

# Read in one namespace, and only when somebody asks what changed there.
HISTORY_KINDS: tuple[Kind, ...] = (
    Kind(ControllerRevision, "/apis/apps/v1", "controllerrevisions"),
    Kind(ConfigMap, "/api/v1", "configmaps", is_metadata_only=True),
    Kind(PodDisruptionBudget, "/apis/policy/v1", "poddisruptionbudgets", is_metadata_only=True),
    Kind(ResourceQuota, "/api/v1", "resourcequotas", is_metadata_only=True),
)

BY_NAME = {kind.name: kind for kind in KINDS + HISTORY_KINDS}
